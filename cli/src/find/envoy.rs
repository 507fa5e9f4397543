//! The plugin's configurations in Envoy's: whatever has the type of the Wasm filter.

use super::surroundings::says;
use super::{Form, Found, Reader, Surroundings, Variables, is_ours};
use crate::document::Node;

const FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// All of them, wherever they stand.
pub(super) fn find(root: &Node, reader: Reader) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    collect(root, reader, &mut found);
    let clusters = clusters(root);
    for found in &mut found {
        found.surroundings.clusters.clone_from(&clusters);
    }
    found
}

fn collect<'d>(node: &'d Node, reader: Reader, found: &mut Vec<Found<'d>>) {
    let is_filter = |name| node.get(name).and_then(Node::text).is_some_and(|name: &str| is_type(name, FILTER));
    let config = match (is_filter("@type"), is_filter("type_url") || is_filter("typeUrl")) {
        (true, _) => node.get("config"),
        (_, true) => node.find(&["value", "config"]),
        _ => None,
    };
    if let Some(config) = config {
        found.push(plugin(config, reader));
        return;
    }
    node.elements()
        .iter()
        .chain(node.members().iter().map(|member| &member.value))
        .for_each(|node| collect(node, reader, found));
}

/// `type.googleapis.com/NAME`
fn is_type(url: &str, name: &str) -> bool {
    url.rsplit('/').next() == Some(name)
}

/// A `envoy.extensions.wasm.v3.PluginConfig`, in either spelling of its members.
fn plugin(node: &Node, reader: Reader) -> Found<'_> {
    let vm = either(node, "vm_config", "vmConfig");
    let code = vm.and_then(|vm| vm.find(&["code", "local", "filename"]));
    let names = [
        node.get("name"),
        either(node, "root_id", "rootId"),
        vm.and_then(|vm| either(vm, "vm_id", "vmId")),
        code,
        vm.and_then(|vm| vm.find(&["code", "remote", "http_uri", "uri"])),
    ];
    let variables = vm.and_then(|vm| either(vm, "environment_variables", "environmentVariables"));
    let values = variables.and_then(|variables| either(variables, "key_values", "keyValues"));
    let host = variables.and_then(|variables| either(variables, "host_env_keys", "hostEnvKeys"));
    let fails_open = either(node, "failure_policy", "failurePolicy").filter(|node| says(node, "FAIL_OPEN"));
    let form = node.get("configuration").map_or(Form::Missing(node), form);
    Found {
        title: node.get("name").and_then(Node::text).map(|name| format!("plugin {name}")).unwrap_or_default(),
        is_ours: is_ours(&names, &form),
        form,
        surroundings: Surroundings {
            reader,
            clusters: None,
            is_istio: reader == Reader::Kubernetes,
            fails_open: fails_open.or_else(|| either(node, "fail_open", "failOpen").filter(|node| says(node, "true"))),
            variables: Variables::new(values, host),
        },
    }
}

/// A `google.protobuf.Any`.
fn form(any: &Node) -> Form<'_> {
    let name = any.get("@type").and_then(Node::text).unwrap_or_default();
    let is = |wanted| is_type(name, wanted);
    match any.get("value") {
        Some(value) if is("google.protobuf.Struct") => Form::Tree(value),
        Some(value) if is("google.protobuf.StringValue") => Form::Text(value),
        Some(value) if is("google.protobuf.BytesValue") => Form::Base64(value),
        _ => Form::Unreadable(any),
    }
}

/// The clusters of a bootstrap, unless some come from elsewhere.
fn clusters(root: &Node) -> Option<std::collections::BTreeSet<&str>> {
    let resources = either(root, "static_resources", "staticResources")?;
    let dynamic = either(root, "dynamic_resources", "dynamicResources");
    let is_dynamic = dynamic.is_some_and(|dynamic| {
        either(dynamic, "cds_config", "cdsConfig").is_some() || either(dynamic, "ads_config", "adsConfig").is_some()
    });
    let clusters = resources.get("clusters").map(Node::elements).unwrap_or_default();
    (!is_dynamic).then(|| clusters.iter().filter_map(|cluster| cluster.get("name")?.text()).collect())
}

/// A member by its name in protobuf or in JSON: Envoy takes both.
fn either<'d>(node: &'d Node, snake: &str, camel: &str) -> Option<&'d Node> {
    node.get(snake).or_else(|| node.get(camel))
}
