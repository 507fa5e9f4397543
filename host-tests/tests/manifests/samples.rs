//! The manifests that people copy are good ones.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use serde_json::{Value, json};
use strict_host::{Plugin, VmOptions};
use test_support::workspace;

use crate::crds::{are_absent, documents, errors};

/// Each, and the kinds in it.
pub(crate) const SAMPLES: [(&str, &[&str]); 4] = [
    ("wasm-plugin.yaml", &["WasmPlugin", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/istio/traffic-extension.yaml", &["TrafficExtension", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/istio/waypoint.yaml", &["WasmPlugin", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/envoy-gateway/extension-policy.yaml", &["EnvoyExtensionPolicy"]),
];

/// Those with a browser login, and the kinds in them.
pub(crate) const LOGINS: [(&str, &[&str]); 2] = [
    ("manifests/istio/login.yaml", &["WasmPlugin", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/envoy-gateway/login.yaml", &["EnvoyExtensionPolicy", "EnvoyProxy", "EnvoyPatchPolicy"]),
];

/// That of the native module.
const NATIVE: &str = "manifests/envoy-gateway/native-module.yaml";

/// The kinds in them whose definitions are not at hand.
const UNDEFINED: [&str; 2] = ["EnvoyProxy", "EnvoyPatchPolicy"];

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_PLUGIN", "dist/jotgate.wasm", "make plugin"));

/// What the plugin logs of its configuration, where it does not take it.
pub(crate) fn load(config: &Value) -> Result<(), Vec<String>> {
    let mut config = config.clone();
    set_variables(&mut config);
    PLUGIN.check(&config.to_string(), VmOptions::new())
}

/// Puts a text of its own in place of each variable: the environment of these tests has none.
fn set_variables(value: &mut Value) {
    if let Some(name) = variable(value) {
        *value = json!(format!("{name:x<48}"));
        return;
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(set_variables),
        Value::Array(items) => items.iter_mut().for_each(set_variables),
        _ => {}
    }
}

/// `{env: NAME}`.
fn variable(value: &Value) -> Option<&str> {
    value.as_object().filter(|members| members.len() == 1)?.get("env")?.as_str()
}

/// The variables that a configuration names, sorted.
pub(crate) fn variables(value: &Value) -> BTreeSet<String> {
    match (variable(value), value) {
        (Some(name), _) => BTreeSet::from([name.to_owned()]),
        (None, Value::Object(members)) => members.values().flat_map(variables).collect(),
        (None, Value::Array(items)) => items.iter().flat_map(variables).collect(),
        _ => BTreeSet::new(),
    }
}

/// The variables of the proxy that a plugin may read.
pub(crate) fn readable(plugin: &Value) -> BTreeSet<String> {
    let texts = |list: &Value, name: &str| -> BTreeSet<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().or(item[name].as_str())).map(str::to_owned).collect()
    };
    let spec = &plugin["spec"];
    let lists = [&spec["vmConfig"]["env"], &spec["wasm"]["vmConfig"]["env"], &spec["wasm"][0]["env"]["hostKeys"]];
    lists.into_iter().flat_map(|list| texts(list, "name")).collect()
}

/// A manifest of the repository.
pub(crate) fn sample(file: &str) -> Vec<Value> {
    documents(&fs::read_to_string(workspace().join(file)).expect("can be read"))
}

/// The first object of this kind.
pub(crate) fn find<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

/// The plugin's configuration in an object of each kind that has one.
pub(crate) fn configuration(object: &Value) -> Option<&Value> {
    let path = match object["kind"].as_str()? {
        "EnvoyExtensionPolicy" => "/spec/wasm/0/config",
        "TrafficExtension" => "/spec/wasm/pluginConfig",
        "WasmPlugin" => "/spec/pluginConfig",
        _ => return None,
    };
    Some(object.pointer(path).unwrap_or(&Value::Null))
}

/// The objects fit together: what the plugin calls is what the `ServiceEntry` makes, with TLS to that host.
pub(crate) fn assert_issuers_are_reachable(objects: &[Value]) {
    let (Some(entry), Some(rule)) = (find(objects, "ServiceEntry"), find(objects, "DestinationRule")) else { return };
    let (host, port) = (entry["spec"]["hosts"][0].as_str().expect("is text"), &entry["spec"]["ports"][0]["number"]);
    let config = objects.iter().find_map(configuration).expect("there is one");
    assert_eq!(config["issuers"][0]["keys"]["cluster"], format!("outbound|{port}||{host}"));
    assert_eq!(rule["spec"]["host"], host);
    assert_eq!(rule["spec"]["trafficPolicy"]["tls"], json!({"mode": "SIMPLE", "sni": host}));
}

#[test]
fn every_manifest_is_taken_by_an_api_server() {
    if are_absent() {
        return;
    }
    for file in SAMPLES.iter().chain(&LOGINS).map(|(file, _)| *file).chain([NATIVE]) {
        for object in sample(file).iter().filter(|object| !UNDEFINED.iter().any(|kind| object["kind"] == *kind)) {
            assert_eq!(errors(object), [""; 0], "{file}: {}", object["kind"]);
        }
    }
}

#[test]
fn the_configuration_in_every_manifest_is_taken_by_the_plugin() {
    for (file, kinds) in SAMPLES.iter().chain(&LOGINS) {
        let objects = sample(file);
        assert_eq!(objects.iter().map(|object| object["kind"].as_str().expect("has one")).collect::<Vec<_>>(), *kinds);
        let config = configuration(&objects[0]).expect("has one");
        assert_eq!(load(config), Ok(()), "{file}");
        assert_issuers_are_reachable(&objects);
    }
}

/// The same configuration, in a module that the proxy finds where it is mounted, and never unloads.
#[test]
fn the_native_module_is_mounted_where_it_is_loaded_from() {
    let [policy, proxy] = sample(NATIVE).try_into().expect("has two objects");
    let module = &policy["spec"]["dynamicModule"][0];
    assert_eq!(
        module["config"],
        sample("manifests/envoy-gateway/extension-policy.yaml")[0]["spec"]["wasm"][0]["config"]
    );
    assert_eq!(load(&module["config"]), Ok(()));
    let spec = &proxy["spec"];
    assert_eq!(spec["dynamicModules"][0]["name"], module["name"]);
    assert_eq!(spec["dynamicModules"][0]["doNotClose"], true);
    let deployment = &spec["provider"]["kubernetes"]["envoyDeployment"];
    let mount = &deployment["container"]["volumeMounts"][0];
    let path = format!("{}/libjotgate.so", mount["mountPath"].as_str().expect("is text"));
    assert_eq!(spec["dynamicModules"][0]["source"]["local"]["path"], path);
    assert_eq!(deployment["pod"]["volumes"][0]["name"], mount["name"]);
}

/// Nobody passes a gate that does not run.
#[test]
fn no_manifest_fails_open() {
    for (file, _) in SAMPLES.iter().chain(&LOGINS) {
        let objects = sample(file);
        let spec = &objects[0]["spec"];
        let strategy = [&spec["failStrategy"], &spec["wasm"]["failStrategy"], &spec["wasm"][0]["failOpen"]];
        let set: Vec<_> = strategy.into_iter().filter(|value| !value.is_null()).collect();
        assert!(set == [&json!("FAIL_RELOAD")] || set == [&json!(false)], "{file}: {set:?}");
    }
}

/// Whoever sends bodies while keys are missing must not fill the proxy's memory. Envoy Gateway sees to that by itself.
#[test]
fn every_manifest_for_istio_bounds_what_is_held_of_a_body() {
    for (file, _) in SAMPLES.iter().chain(&LOGINS).filter(|(file, _)| !file.contains("envoy-gateway")) {
        let objects = sample(file);
        let filter = find(&objects, "EnvoyFilter").expect("is there");
        assert!(bounds_bodies(filter), "{file}");
    }
}

/// Whether an `EnvoyFilter` sets the listeners' limit.
pub(crate) fn bounds_bodies(filter: &Value) -> bool {
    let patches = filter["spec"]["configPatches"].as_array().expect("is a list");
    let value = json!({"per_connection_buffer_limit_bytes": 32768});
    patches.iter().any(|patch| patch["applyTo"] == "LISTENER" && patch["patch"]["value"] == value)
}

/// What is said twice is the same twice.
#[test]
fn the_manifests_differ_only_where_their_kinds_do() {
    let configs: Vec<_> =
        SAMPLES.iter().map(|(file, _)| configuration(&sample(file)[0]).cloned().expect("has one")).collect();
    for config in &configs {
        assert_eq!(config["rules"], configs[0]["rules"]);
        assert_eq!(config["issuers"][0]["issuer"], configs[0]["issuers"][0]["issuer"]);
    }
    let gateway = |file| sample(file)[1..].to_vec();
    assert_eq!(gateway(SAMPLES[0].0), gateway(SAMPLES[1].0));
    assert_eq!(gateway(SAMPLES[0].0), gateway(LOGINS[0].0));
    let [istio, envoy_gateway] = LOGINS.map(|(file, _)| configuration(&sample(file)[0]).cloned().expect("has one"));
    for member in ["login", "session", "rules"] {
        assert_eq!(istio[member], envoy_gateway[member]);
    }
}

/// A login whose variables or clusters are missing is refused, or fails at its first user.
#[test]
fn a_manifest_with_a_login_hands_over_what_it_names() {
    for (file, _) in LOGINS {
        let objects = sample(file);
        let config = configuration(&objects[0]).expect("has one");
        let named = variables(config);
        assert_eq!(named, readable(&objects[0]), "{file}");
        assert!(named.contains("JOTGATE_SESSION_SECRET") && named.len() == 2, "{file}: {named:?}");
        if let (Some(proxy), Some(patch)) = (find(&objects, "EnvoyProxy"), find(&objects, "EnvoyPatchPolicy")) {
            let container = "/spec/provider/kubernetes/envoyDeployment/container/env";
            let set = proxy.pointer(container).and_then(Value::as_array).expect("is a list");
            let set = set.iter().map(|variable| variable["name"].as_str().expect("is text").to_owned());
            let set: BTreeSet<String> = set.collect();
            assert_eq!(named, set, "{file}");
            let cluster = &patch["spec"]["jsonPatches"][0]["operation"]["value"]["name"];
            assert_eq!(config["issuers"][0]["keys"]["cluster"], *cluster, "{file}");
        }
    }
}
