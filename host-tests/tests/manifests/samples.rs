//! The manifests that people copy are good ones.

use std::fs;
use std::sync::LazyLock;

use serde_json::{Value, json};
use strict_host::Plugin;
use test_support::workspace;

use crate::crds::{are_absent, documents, errors};

/// Each, and the kinds in it.
pub(crate) const SAMPLES: [(&str, &[&str]); 4] = [
    ("wasm-plugin.yaml", &["WasmPlugin", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/istio/traffic-extension.yaml", &["TrafficExtension", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/istio/waypoint.yaml", &["WasmPlugin", "ServiceEntry", "DestinationRule", "EnvoyFilter"]),
    ("manifests/envoy-gateway/extension-policy.yaml", &["EnvoyExtensionPolicy"]),
];

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_PLUGIN", "dist/jotgate.wasm", "make plugin"));

/// What the plugin logs of its configuration, where it does not take it.
pub(crate) fn load(config: &Value) -> Result<(), Vec<String>> {
    PLUGIN.check(&config.to_string())
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
    for (file, _) in SAMPLES {
        for object in sample(file) {
            assert_eq!(errors(&object), [""; 0], "{file}: {}", object["kind"]);
        }
    }
}

#[test]
fn the_configuration_in_every_manifest_is_taken_by_the_plugin() {
    for (file, kinds) in SAMPLES {
        let objects = sample(file);
        assert_eq!(objects.iter().map(|object| object["kind"].as_str().expect("has one")).collect::<Vec<_>>(), kinds);
        let config = configuration(&objects[0]).expect("has one");
        assert_eq!(load(config), Ok(()), "{file}");
        assert_issuers_are_reachable(&objects);
    }
}

/// Nobody passes a gate that does not run.
#[test]
fn no_manifest_fails_open() {
    for (file, _) in SAMPLES {
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
    for (file, _) in SAMPLES.iter().filter(|(file, _)| !file.contains("envoy-gateway")) {
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
}
