//! The plugin's configurations in manifests.

use std::collections::BTreeSet;

use super::deployment::{Chain, Deployment, Variables, says};
use super::envoy;
use super::located::{Form, Located, is_ours};
use super::reader::Reader;
use crate::document::Node;

pub(super) fn locate(manifest: &Node) -> Vec<Located<'_>> {
    let kind = manifest.get("kind").and_then(Node::text).unwrap_or_default();
    let title = title(manifest, kind);
    match kind {
        "EnvoyExtensionPolicy" => {
            let entries = |kind| manifest.find(&["spec", kind]).map(Node::elements).unwrap_or_default().iter();
            let plugins = entries("wasm").map(|plugin| gateway(plugin, title.clone()));
            plugins.chain(entries("dynamicModule").map(|module| gateway_module(module, title.clone()))).collect()
        }
        "EnvoyFilter" => {
            let found = envoy::locate(manifest, Reader::Kubernetes).into_iter();
            found.map(|found| Located { title: title.clone(), ..found }).collect()
        }
        "TrafficExtension" => {
            manifest.find(&["spec", "wasm"]).map(|plugin| istio(plugin, manifest, title)).into_iter().collect()
        }
        "WasmPlugin" => manifest.get("spec").map(|plugin| istio(plugin, manifest, title)).into_iter().collect(),
        _ if kind.ends_with("List") => {
            manifest.get("items").map(Node::elements).unwrap_or_default().iter().flat_map(locate).collect()
        }
        _ => Vec::new(),
    }
}

/// `WasmPlugin istio-system/jotgate`
fn title(manifest: &Node, kind: &str) -> String {
    let text = |name| manifest.find(&["metadata", name]).and_then(Node::text);
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => kind.to_string(),
    }
}

/// What `spec` of a `WasmPlugin` and `spec.wasm` of a `TrafficExtension` have in common.
fn istio<'d>(plugin: &'d Node, manifest: &'d Node, title: String) -> Located<'d> {
    let form = plugin.get("pluginConfig").map_or(Form::Missing(plugin), Form::Tree);
    let names = [manifest.find(&["metadata", "name"]), plugin.get("url"), plugin.get("pluginName")];
    Located {
        title,
        deployment: Deployment {
            is_istio: true,
            fails_open: plugin.get("failStrategy").filter(|node| says(node, "FAIL_OPEN")),
            ..of_manifest(Variables::of_list(plugin.find(&["vmConfig", "env"])))
        },
        is_ours: is_ours(&names, &form),
        form,
    }
}

/// An entry of `spec.wasm` of Envoy Gateway's `EnvoyExtensionPolicy`.
fn gateway(plugin: &Node, title: String) -> Located<'_> {
    let form = plugin.get("config").map_or(Form::Missing(plugin), Form::Tree);
    let names = [
        plugin.get("name"),
        plugin.get("rootID"),
        plugin.find(&["code", "image", "url"]),
        plugin.find(&["code", "http", "url"]),
    ];
    Located {
        title,
        deployment: Deployment {
            fails_open: plugin.get("failOpen").filter(|node| says(node, "true")),
            ..of_manifest(Variables::new(None, plugin.find(&["env", "hostKeys"])))
        },
        is_ours: is_ours(&names, &form),
        form,
    }
}

/// An entry of `spec.dynamicModule` there. Its environment is the proxy's own.
fn gateway_module(module: &Node, title: String) -> Located<'_> {
    let form = module.get("config").map_or(Form::Missing(module), Form::Tree);
    let names = [module.get("name"), module.get("filterName")];
    Located { title, is_ours: is_ours(&names, &form), form, deployment: of_manifest(Variables::Unknown) }
}

/// What a manifest shows of a deployment: nothing of the proxy beside the plugin.
fn of_manifest<'d>(variables: Variables) -> Deployment<'d> {
    Deployment {
        reader: Reader::Kubernetes,
        clusters: None,
        forward_proxies: BTreeSet::new(),
        chain: Chain::default(),
        is_istio: false,
        fails_open: None,
        variables,
    }
}
