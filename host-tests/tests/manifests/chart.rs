//! The Helm chart: whatever it is given comes out as objects that work, or as a message that says what to do.

use std::fs;

use serde_json::{Value, json};
use test_support::random::Random;
use test_support::workspace;

use crate::crds::{are_absent, documents, errors};
use crate::helm::{CHART, helm, is_installed, render};
use crate::samples::{
    LOGINS, SAMPLES, assert_issuers_are_reachable, bounds_bodies, configuration, find, load, readable, sample,
    variables,
};

/// The least that is needed, changed at its top level; `null` takes away.
fn values(changes: &Value) -> Value {
    let mut values = json!({
        "image": {"repository": "registry.example.com/jotgate"},
        "issuer": "https://idp.example.com/realms/main",
        "audiences": ["orders-api"],
        "rules": [{"access": "authenticated"}],
    });
    for (name, value) in changes.as_object().expect("is an object") {
        values[name] = value.clone();
    }
    values
}

/// The whole configuration in place of its parts.
fn with_config(config: &Value, changes: &Value) -> Value {
    let mut values = values(changes);
    for name in ["issuer", "audiences", "rules"] {
        values.as_object_mut().expect("is an object").remove(name);
    }
    values["config"] = config.clone();
    values
}

fn targets() -> Value {
    json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}])
}

fn inline() -> Value {
    configuration(&sample(SAMPLES[3].0)[0]).expect("has one").clone()
}

/// Renders, and has every object judged by the API server and the configuration by the plugin.
fn install(values: &Value) -> Vec<Value> {
    let objects = render(values).unwrap_or_else(|error| panic!("{values}: {error}"));
    for object in objects.iter().filter(|_| !are_absent()) {
        assert_eq!(errors(object), [""; 0], "{values}:\n{object}");
        assert_eq!(object["metadata"]["namespace"], "edge");
    }
    let config = objects.iter().find_map(configuration).expect("there is one");
    assert_eq!(load(config), Ok(()), "{values}");
    assert_issuers_are_reachable(&objects);
    objects
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().expect("has one")).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn issuer_audience_and_rules_are_enough() {
    if !is_installed() {
        return;
    }
    for kind in ["WasmPlugin", "TrafficExtension"] {
        let objects = install(&values(&json!({"kind": kind})));
        assert_eq!(kinds(&objects).len(), 4);
        let config = configuration(find(&objects, kind).expect("is there")).expect("has one");
        assert_eq!(config["issuers"][0]["keys"]["cluster"], "outbound|443||idp.example.com");
        assert_eq!(config["rules"], json!([{"access": "authenticated"}]));
        let objects = install(&values(&json!({"kind": kind, "jwksUri": "https://keys.example.com:8443/jwks"})));
        let config = configuration(find(&objects, kind).expect("is there")).expect("has one");
        assert_eq!(config["issuers"][0]["keys"]["cluster"], "outbound|8443||keys.example.com");
    }
}

/// Variables that login and session name can be read, and what a login calls can be reached.
#[test]
fn a_login_brings_its_variables_and_hosts() {
    if !is_installed() {
        return;
    }
    let parts = json!({
        "login": {
            "client": {"id": "dashboard", "secret": {"env": "CLIENT"}},
            "cluster": "outbound|443||token.example.com",
            "scopes": ["openid"],
        },
        "session": {"secrets": [{"env": "NEW"}, {"env": "OLD"}], "publicUrl": "https://dash.example.com"},
        "environment": ["JOTGATE_SHARED_SECRET", "OLD"],
    });
    for kind in ["WasmPlugin", "TrafficExtension"] {
        let mut values = values(&parts);
        values["kind"] = json!(kind);
        let objects = install(&values);
        let plugin = find(&objects, kind).expect("is there");
        assert_eq!(readable(plugin), ["CLIENT", "JOTGATE_SHARED_SECRET", "NEW", "OLD"].map(str::to_owned).into());
        assert_eq!(configuration(plugin).expect("has one")["login"][0]["issuer"], "main");
        let hosts = objects.iter().filter(|object| object["kind"] == "ServiceEntry");
        let hosts: Vec<_> = hosts.map(|entry| entry["spec"]["hosts"][0].clone()).collect();
        assert_eq!(hosts, ["idp.example.com", "token.example.com"]);
    }
    for (file, _) in LOGINS {
        let objects = sample(file);
        let config = configuration(&objects[0]).expect("has one");
        let changes = json!({"kind": objects[0]["kind"], "targetRefs": targets()});
        let rendered = install(&with_config(config, &changes));
        let plugin = rendered.iter().find(|object| configuration(object).is_some()).expect("is there");
        assert_eq!((configuration(plugin), readable(plugin)), (Some(config), variables(config)), "{file}");
    }
}

#[test]
fn everything_that_can_be_attached_to_is() {
    if !is_installed() {
        return;
    }
    for kind in ["WasmPlugin", "TrafficExtension"] {
        let objects = install(&values(&json!({"kind": kind, "targetRefs": targets()})));
        let spec = &find(&objects, kind).expect("is there")["spec"];
        assert_eq!((&spec["targetRefs"], spec.get("selector")), (&targets(), None));
        let services = "/metadata/annotations/envoyfilter.istio.io~1referenced-services";
        let names = objects.iter().filter_map(|object| object.pointer(services));
        assert_eq!(names.collect::<Vec<_>>(), ["idp.example.com"], "waypoints need it");
    }
    let changes = json!({"kind": "EnvoyExtensionPolicy", "targetRefs": targets(), "environment": ["JWKS"]});
    let objects = install(&with_config(&inline(), &changes));
    assert_eq!(kinds(&objects), ["EnvoyExtensionPolicy"]);
    assert_eq!(objects[0]["spec"]["wasm"][0]["env"]["hostKeys"], json!(["JWKS"]));
    assert_eq!(objects[0]["spec"]["wasm"][0]["failOpen"], false);
}

/// Whoever sends bodies while keys are missing must not fill the proxy's memory.
#[test]
fn what_is_held_of_a_body_is_bounded() {
    if !is_installed() {
        return;
    }
    for (changes, target) in [
        (json!({}), json!({"workloadSelector": {"labels": {"istio": "ingressgateway"}}})),
        (json!({"kind": "TrafficExtension", "targetRefs": targets()}), json!({"targetRefs": targets()})),
    ] {
        let objects = install(&values(&changes));
        let filter = objects.iter().find(|object| object["metadata"]["name"] == "gate-jotgate-listener");
        let spec = &filter.expect("is there")["spec"];
        assert!(bounds_bodies(filter.expect("is there")));
        for (name, value) in target.as_object().expect("is an object") {
            assert_eq!(&spec[name], value);
        }
    }
    let off = install(&values(&json!({"bufferLimit": 0})));
    assert_eq!(kinds(&off), ["DestinationRule", "ServiceEntry", "WasmPlugin"]);
}

#[test]
fn a_digest_pins_the_image() {
    if !is_installed() {
        return;
    }
    // One that YAML might read as a number.
    for digits in ["0".repeat(64), "1e9".to_string() + &"0".repeat(61)] {
        let image = json!({
            "repository": "registry.example.com/jotgate", "digest": format!("sha256:{digits}"), "pullSecret": "007",
        });
        let objects = install(&values(&json!({"image": image})));
        let spec = &find(&objects, "WasmPlugin").expect("is there")["spec"];
        assert_eq!(spec["url"], format!("oci://registry.example.com/jotgate@sha256:{digits}"));
        assert_eq!((&spec["sha256"], &spec["imagePullSecret"]), (&json!(digits), &json!("007")));
        let changes = json!({"kind": "EnvoyExtensionPolicy", "targetRefs": targets(), "image": image});
        let source = install(&with_config(&inline(), &changes))[0]["spec"]["wasm"][0]["code"]["image"].clone();
        assert_eq!(source["url"], format!("registry.example.com/jotgate@sha256:{digits}"));
        assert_eq!((&source["sha256"], &source["pullSecretRef"]), (&json!(digits), &json!({"name": "007"})));
    }
    let objects = install(&values(&json!({"image": {"repository": "localhost:5000/a/b", "tag": "1e3"}})));
    assert_eq!(find(&objects, "WasmPlugin").expect("is there")["spec"]["url"], "oci://localhost:5000/a/b:1e3");
}

/// One `ServiceEntry` for each host, whoever names it, and none for what is in the mesh.
#[test]
fn each_outside_host_is_made_reachable_once() {
    if !is_installed() {
        return;
    }
    let issuer = |name: &str, keys: Value| json!({"name": name, "issuer": name, "audiences": "any", "keys": keys});
    let config = json!({"issuers": [
        issuer("a", json!({"discovery": {}, "cluster": "outbound|443||a.example.com", "jwksCluster": "outbound|443||keys.example.com"})),
        issuer("b", json!({"jwksUri": "https://keys.example.com/b", "cluster": "outbound|443||keys.example.com"})),
        issuer("c", json!({"jwksUri": "https://keys.example.com:8443/c", "cluster": "outbound|8443||keys.example.com"})),
        issuer("d", json!({"jwksUri": "http://d.auth.svc.cluster.local/d", "cluster": "outbound|80||d.auth.svc.cluster.local"})),
        issuer("e", json!({"jwksUri": "https://e.example.com/e", "cluster": "made-by-hand"})),
        issuer("f", json!({"inline": {"env": "JWKS"}})),
    ]});
    let changes = json!({"environment": ["JWKS"]});
    let objects = render(&with_config(&config, &changes)).expect("is rendered");
    assert!(are_absent() || objects.iter().all(|object| errors(object).is_empty()));
    let entries: Vec<_> = objects
        .iter()
        .filter(|object| object["kind"] == "ServiceEntry")
        .map(|object| (&object["spec"]["hosts"][0], object["spec"]["ports"].as_array().expect("is a list")))
        .map(|(host, ports)| (host.clone(), ports.iter().map(|port| port["number"].clone()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        entries,
        [(json!("a.example.com"), vec![json!(443)]), (json!("keys.example.com"), vec![json!(443), json!(8443)])]
    );
    let off = render(&with_config(&config, &json!({"reachIssuers": false}))).expect("is rendered");
    assert_eq!(kinds(&off), ["EnvoyFilter", "WasmPlugin"]);
}

/// What YAML, Helm's templates or a shell could read as something else.
const ODD: [&str; 30] = [
    "yes",
    "no",
    "on",
    "~",
    "null",
    "0x1f",
    "0777",
    "0o17",
    "1e3",
    "1_000",
    ".5",
    "12:30:45",
    "2026-01-01",
    "=",
    "<<",
    "- a",
    "a: b",
    "a #b",
    "# a",
    "'",
    "\"",
    "\\n",
    "%TAG",
    "@a",
    "`a`",
    "{{ fail \"x\" }}",
    "{{",
    "$(id)",
    "ü😀",
    "&a *b",
];

#[test]
fn odd_texts_reach_the_plugin_as_they_are() {
    if !is_installed() {
        return;
    }
    let mut random = Random::new(7);
    let characters: Vec<char> = " \t\n:#'\"{}[]&*!|>%@`,?-\\~=<$0aZé\u{85}\u{a0}\u{2028}\u{feff}😀".chars().collect();
    let made = (0..200).map(|_| (0..=random.below(12)).map(|_| random.pick(&characters)).collect());
    let made: Vec<String> = made.collect();
    let texts: Vec<String> = ODD.into_iter().map(String::from).chain(made).collect();
    let config =
        install(&values(&json!({"audiences": texts}))).iter().find_map(configuration).expect("is there").clone();
    assert_eq!(config["issuers"][0]["audiences"], json!(texts));

    let mut config = inline();
    config["issuers"][0]["audiences"] = json!(texts);
    for kind in ["WasmPlugin", "TrafficExtension", "EnvoyExtensionPolicy"] {
        let objects = install(&with_config(&config, &json!({"kind": kind, "targetRefs": targets()})));
        assert_eq!(objects.iter().find_map(configuration), Some(&config), "{kind}");
    }
}

#[test]
fn odd_values_are_kept() {
    if !is_installed() {
        return;
    }
    let mut config = inline();
    config["rules"] = json!([]);
    config["stripHeaders"] = json!([]);
    config["realm"] = json!("{{ .Values }} 'x' & <y>");
    config["limits"] = json!({"tokenCacheBytes": 1_073_741_824, "waiting": 1_000_000, "tokenBytes": 16384});
    let rendered = install(&with_config(&config, &json!({})));
    assert_eq!(rendered.iter().find_map(configuration), Some(&config));
    // What is null is not given.
    for absent in [
        "bufferLimit",
        "config",
        "environment",
        "failStrategy",
        "jwksUri",
        "kind",
        "phase",
        "priority",
        "reachIssuers",
        "targetRefs",
    ] {
        install(&values(&json!({absent: null})));
    }
    install(&values(&json!({"rules": []})));
    install(&values(&json!({"rules": null, "selector": {"app": "1", "x.example.com/y": "true"}})));
}

#[test]
fn the_manifests_of_the_repository_can_be_given_as_values() {
    if !is_installed() {
        return;
    }
    for (file, _) in SAMPLES {
        let objects = sample(file);
        let config = configuration(&objects[0]).expect("has one");
        let changes = json!({"kind": objects[0]["kind"], "targetRefs": targets()});
        let rendered = install(&with_config(config, &changes));
        assert_eq!(rendered.iter().find_map(configuration), Some(config), "{file}");
    }
}

#[test]
fn the_values_in_the_documentation_are_taken() {
    if !is_installed() {
        return;
    }
    let page = fs::read_to_string(workspace().join("docs/install/helm.md")).expect("can be read");
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().expect("ends"));
    let blocks: Vec<_> = blocks.filter(|block| block.starts_with("# values.yaml")).collect();
    assert_eq!(blocks.len(), 2, "without a login, and with one");
    for block in blocks {
        let values = documents(&block.replace("sha256:…", &format!("sha256:{}", "0".repeat(64)))).remove(0);
        assert_eq!(kinds(&install(&values)), ["DestinationRule", "EnvoyFilter", "ServiceEntry", "WasmPlugin"]);
    }
}

#[test]
fn wrong_values_are_refused_with_what_to_do() {
    if !is_installed() {
        return;
    }
    let policy = |changes: Value| {
        let mut all = json!({"kind": "EnvoyExtensionPolicy", "targetRefs": targets()});
        all.as_object_mut().expect("is an object").extend(changes.as_object().expect("is an object").clone());
        all
    };
    let cases = [
        (json!({"image": null}), "--set image.repository=registry.example.com/jotgate"),
        (json!({"issuer": null}), "--set issuer=https://idp.example.com/realms/main"),
        (json!({"audiences": []}), "--set audiences={orders-api}"),
        (json!({"audiences": "orders-api"}), "at '/audiences': got string, want array"),
        (json!({"issuer": "http://idp.example.com"}), "is no https URI"),
        (json!({"issuer": "idp.example.com"}), "is no https URI"),
        (json!({"jwksUri": "https://"}), "is no https URI"),
        (json!({"config": {"issuers": []}}), "at '/config/issuers': minItems"),
        (
            json!({"config": inline()}),
            "move issuer, audiences, jwksUri and rules into it, login and session as well, or leave config out",
        ),
        (json!({"login": {"client": {"id": "a"}}}), "login and session go together"),
        (json!({"kind": "Wasm"}), "must be one of 'WasmPlugin', 'TrafficExtension', 'EnvoyExtensionPolicy'"),
        (json!({"failStrategy": "FAIL_OPEN"}), "must be one of 'FAIL_CLOSE', 'FAIL_RELOAD'"),
        (json!({"priority": 2_147_483_648_u64}), "at '/priority'"),
        (json!({"bufferLimit": -1}), "at '/bufferLimit'"),
        (json!({"isuer": "a"}), "additional properties 'isuer' not allowed"),
        (json!({"image": {"repository": "oci://registry.example.com/jotgate"}}), "at '/image/repository'"),
        (json!({"image": {"repository": "registry.example.com/jotgate:1"}}), "at '/image/repository'"),
        (json!({"image": {"repository": "r/j", "tag": 1.0}}), "at '/image/tag': got number, want string"),
        (json!({"image": {"repository": "r/j", "digest": "abc"}}), "at '/image/digest'"),
        (json!({"rules": [{"acess": "public"}]}), "additional properties 'acess' not allowed"),
        (json!({"rules": [{"access": "everybody"}]}), "'public', 'optional', 'authenticated', 'deny'"),
        (json!({"selector": {"istio": null}}), "--set selector.istio=ingressgateway"),
        (policy(json!({})), "with inline keys or with a cluster that you made"),
        (policy(json!({"targetRefs": []})), "name the Gateway or HTTPRoute"),
    ];
    for (changes, message) in cases {
        let error = render(&values(&changes)).expect_err("is wrong");
        assert!(error.contains(message), "{changes}: {error}");
    }
    let istio = configuration(&sample(SAMPLES[0].0)[0]).expect("has one").clone();
    let error = render(&with_config(&istio, &policy(json!({})))).expect_err("is wrong");
    assert!(error.contains("Envoy Gateway has no cluster for idp.example.com"), "{error}");
}

#[test]
fn the_chart_is_clean() {
    if !is_installed() {
        return;
    }
    for values in [json!({}), values(&json!({}))] {
        let text = helm(&["lint", "--strict", CHART], &values).expect("is clean");
        assert!(text.contains("1 chart(s) linted, 0 chart(s) failed"), "{text}");
    }
    assert!(helm(&["lint", CHART], &json!({"kind": "x"})).is_err(), "what is looked for can be found");
}

#[test]
fn the_notes_say_what_is_left_to_do() {
    if !is_installed() {
        return;
    }
    let notes = |changes: &Value| {
        let arguments = ["install", "gate", CHART, "--dry-run=client", "--namespace", "edge"];
        let text = helm(&arguments, &values(changes)).expect("is installed");
        text.split_once("NOTES:").expect("has some").1.to_owned()
    };
    let short = notes(&json!({}));
    assert!(short.contains("WasmPlugin gate-jotgate in edge has the image registry.example.com/jotgate:"), "{short}");
    assert!(short.contains("The image is not pinned") && short.contains("JOTGATE_SHARED_SECRET"), "{short}");
    assert!(
        !short.contains("Browsers log in") && !short.contains("audit mode") && !short.contains("There are no rules"),
        "{short}"
    );
    let login = notes(&json!({
        "login": {"client": {"id": "a", "secret": {"env": "A"}}, "scopes": ["openid"]},
        "session": {"secrets": [{"env": "B"}], "publicUrl": "https://dash.example.com", "paths": {"callback": "/x"}},
    }));
    assert!(login.contains("B, A.") && login.contains("  https://dash.example.com/x\n"), "{login}");
    let digest = format!("sha256:{}", "0".repeat(64));
    let careful = notes(&json!({
        "image": {"repository": "r.example.com/j", "digest": digest}, "environment": ["JOTGATE_SHARED_SECRET"], "rules": [],
    }));
    assert!(!careful.contains("not pinned") && !careful.contains("without a secret"), "{careful}");
    assert!(careful.contains("There are no rules: every request gets what `default` says (deny)"), "{careful}");
}

/// The chart's schema holds that of the configuration as it is published.
#[test]
fn the_schema_of_the_configuration_is_the_published_one() {
    let read = |file: &str| fs::read(workspace().join(file)).ok();
    let values = read(&format!("{CHART}/values.schema.json")).expect("is there");
    let values: Value = serde_json::from_slice(&values).expect("is JSON");
    let mut held = values["$defs"]["configuration"].clone();
    assert_eq!(held.as_object_mut().expect("is an object").remove("$id"), Some(json!("urn:jotgate:configuration")));
    let Some(published) = read("docs/schema/jotgate.schema.json") else { return };
    let mut published: Value = serde_json::from_slice(&published).expect("is JSON");
    published.as_object_mut().expect("is an object").remove("$schema");
    assert!(held == published, "the schema was published anew: run `make chart-schema`");
}
