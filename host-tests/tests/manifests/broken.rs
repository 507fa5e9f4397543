//! Mistakes are noticed: what is looked for can be found.

use serde_json::{Value, json};

use crate::crds::{are_absent, errors};
use crate::samples::{SAMPLES, configuration, find, load, sample};

/// A kind, the place in a sample of it where something is set, and a part of what the API server says then.
fn mistakes() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let target = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}]);
    vec![
        // Of the structure.
        ("WasmPlugin", "/spec/failstrategy", json!("FAIL_RELOAD"), "failstrategy"),
        ("WasmPlugin", "/spec/failStrategy", json!("FAIL_SHUT"), "FAIL_SHUT"),
        ("WasmPlugin", "/spec/priority", json!("10"), "integer"),
        ("WasmPlugin", "/spec/pluginConfig", json!("issuers: []"), "object"),
        ("WasmPlugin", "/spec/sha256", json!("sha256:00"), "sha256:00"),
        ("WasmPlugin", "/spec/url", Value::Null, "string"),
        ("WasmPlugin", "/metadata/name", json!("Jotgate"), "Jotgate"),
        ("WasmPlugin", "/metadata/lables", json!({}), "lables"),
        ("WasmPlugin", "/apiVersion", json!("extensions.istio.io/v1"), "no kind is known"),
        ("TrafficExtension", "/spec/pluginConfig", json!({}), "pluginConfig"),
        ("TrafficExtension", "/spec/wasm/priority", json!(1), "priority"),
        ("ServiceEntry", "/spec/resolution", json!("DNSS"), "DNSS"),
        ("ServiceEntry", "/spec/ports/0/protocoll", json!("TLS"), "protocoll"),
        ("DestinationRule", "/spec/trafficPolicy/tls/sni", json!(["a"]), "string"),
        ("DestinationRule", "/spec/trafficPolicy/tls/mode", json!("TLS"), "TLS"),
        ("EnvoyFilter", "/spec/configPatches", json!({}), "array"),
        ("EnvoyExtensionPolicy", "/spec/wasm/0/pluginConfig", json!({}), "pluginConfig"),
        ("EnvoyExtensionPolicy", "/spec/wasm/0/code/type", json!("OCI"), "OCI"),
        ("EnvoyExtensionPolicy", "/spec/wasm/0/failOpen", json!("false"), "boolean"),
        // Of the rules in CEL.
        ("WasmPlugin", "/spec/targetRefs", target.clone(), "only one of targetRefs or selector can be set"),
        ("WasmPlugin", "/spec/url", json!("ftp://registry.example.com/jotgate"), "url must have schema one of"),
        ("WasmPlugin", "/spec/url", json!("registry.example.com/jot gate"), "url must have schema one of"),
        ("WasmPlugin", "/spec/selector/matchLabels/istio", json!("ingress*"), "wildcard not allowed in label value"),
        ("WasmPlugin", "/spec/selector/matchLabels/is*o", json!("x"), "wildcard not allowed in label key"),
        (
            "WasmPlugin",
            "/spec/vmConfig",
            json!({"env": [{"name": "A", "valueFrom": "HOST", "value": "b"}]}),
            "value may only be set when valueFrom is INLINE",
        ),
        ("TrafficExtension", "/spec/lua", json!({"inlineCode": "x"}), "exactly one of wasm or lua must be set"),
        ("TrafficExtension", "/spec/targetRefs", target, "only one of targetRefs or selector can be set"),
        ("ServiceEntry", "/spec/hosts/0", json!("*"), "hostname cannot be wildcard"),
        ("ServiceEntry", "/spec/ports/0/number", json!(65536), "port must be between 1-65535"),
        ("ServiceEntry", "/spec/ports/1", json!({"number": 443, "name": "b"}), "port number cannot be duplicated"),
        ("ServiceEntry", "/spec/addresses", json!(["10.0.0.0/8"]), "CIDR addresses"),
        (
            "EnvoyFilter",
            "/spec/targetRefs",
            json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a"}]),
            "only one of targetRefs or workloadSelector can be set",
        ),
        ("EnvoyExtensionPolicy", "/spec/targetRefs/0/kind", json!("Service"), "targetRefs[*].kind"),
        ("EnvoyExtensionPolicy", "/spec/targetRefs/0/group", json!(""), "targetRefs[*].group"),
        ("EnvoyExtensionPolicy", "/spec/wasm/0/code/type", json!("HTTP"), "http field needs to be set"),
        (
            "EnvoyExtensionPolicy",
            "/spec/wasm/0/code/image/pullSecretRef",
            json!({"kind": "ConfigMap", "name": "a"}),
            "only support Secret kind",
        ),
    ]
}

/// As in a JSON pointer; a number one past the end of a list adds to it.
fn set(object: &mut Value, path: &str, value: Value) {
    let (parent, name) = path.rsplit_once('/').expect("is a path");
    match object.pointer_mut(parent).expect("is there") {
        Value::Array(items) if name.parse() == Ok(items.len()) => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("is a number")] = value,
        parent => parent[name] = value,
    }
}

#[test]
fn mistakes_in_manifests_are_refused() {
    if are_absent() {
        return;
    }
    let objects: Vec<_> = SAMPLES.iter().flat_map(|(file, _)| sample(file)).collect();
    for (kind, path, value, message) in mistakes() {
        let mut object = find(&objects, kind).expect("there is one").clone();
        set(&mut object, path, value.clone());
        let errors = errors(&object);
        assert!(errors.iter().any(|error| error.contains(message)), "{kind} {path}: {value}: {errors:?}");
    }
}

/// A default of the API server is not a mistake of who leaves it out.
#[test]
fn defaults_are_set_before_rules_are_judged() {
    if are_absent() {
        return;
    }
    let mut object = sample(SAMPLES[3].0).remove(0);
    set(&mut object, "/spec/wasm/0/code/image/pullSecretRef", json!({"name": "a"}));
    assert_eq!(errors(&object), [""; 0]);
}

#[test]
fn mistakes_in_the_configuration_inside_are_refused() {
    for (file, _) in SAMPLES {
        let mut config = configuration(&sample(file)[0]).expect("has one").clone();
        config["rules"][1]["access"] = json!({"scopes": {"all": ["orders write"]}});
        let errors = load(&config).expect_err("is a mistake");
        assert!(errors.iter().any(|error| error.contains("rules[1].access.scopes.all[0]")), "{errors:?}");
    }
}
