//! The gate's configurations in Envoy's: whatever has the type of the filter of Wasm, or of that of dynamic modules.

use std::collections::BTreeSet;

use super::deployment::{Chain, Deployment, Filter, Variables, either, says};
use super::located::{Form, Located, is_ours};
use super::reader::Reader;
use crate::document::Node;

const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
const MODULE: &str = "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";
const MANAGER: &str = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const FORWARD_PROXY: &str = "envoy.clusters.dynamic_forward_proxy";

/// What encloses a node.
#[derive(Clone, Copy, Debug, Default)]
struct Way<'d> {
    listener: Option<&'d Node>,
    manager: Option<&'d Node>,
    /// The HTTP filters before and after.
    before: &'d [Node],
    after: &'d [Node],
}

/// All of them, wherever they are.
pub(super) fn locate(root: &Node, reader: Reader) -> Vec<Located<'_>> {
    let mut found = Vec::new();
    collect(root, reader, Way::default(), &mut found);
    let (clusters, forward_proxies) = (clusters(root), forward_proxies(root));
    for found in &mut found {
        found.deployment.clusters.clone_from(&clusters);
        found.deployment.forward_proxies.clone_from(&forward_proxies);
    }
    found
}

fn collect<'d>(node: &'d Node, reader: Reader, way: Way<'d>, found: &mut Vec<Located<'d>>) {
    if let Some(gate) = gate(node, reader) {
        let chain = Chain {
            listener: way.listener,
            manager: way.manager,
            before: way.before.iter().filter_map(|node| filter(node, reader)).collect(),
            after: way.after.iter().filter_map(|node| filter(node, reader)).collect(),
        };
        found.push(Located { deployment: Deployment { chain, ..gate.deployment }, ..gate });
        return;
    }
    let is_manager = node.get("@type").and_then(Node::text).is_some_and(|name| is_type(name, MANAGER));
    let is_listener = either(node, "filter_chains", "filterChains").is_some();
    let way = Way {
        listener: if is_listener { Some(node) } else { way.listener },
        manager: if is_manager { Some(node) } else { way.manager },
        ..way
    };
    node.elements().iter().for_each(|node| collect(node, reader, way, found));
    for member in node.members() {
        if !matches!(member.name.as_str(), "http_filters" | "httpFilters") {
            collect(&member.value, reader, way, found);
            continue;
        }
        let filters = member.value.elements();
        for (index, filter) in filters.iter().enumerate() {
            let (before, rest) = filters.split_at_checked(index).unwrap_or_default();
            let after = rest.split_first().map(|(_, after)| after).unwrap_or_default();
            collect(filter, reader, Way { before, after, ..way }, found);
        }
    }
}

/// What is in the configuration of a filter that may be the gate's.
fn gate(node: &Node, reader: Reader) -> Option<Located<'_>> {
    let wasm = message(node, WASM).and_then(|filter| filter.get("config")).map(|config| plugin(config, reader));
    wasm.or_else(|| message(node, MODULE).map(|filter| module(filter, reader)))
}

/// The message of that type, plain or as a `TypedStruct`.
fn message<'d>(node: &'d Node, kind: &str) -> Option<&'d Node> {
    let is_filter = |name| node.get(name).and_then(Node::text).is_some_and(|name: &str| is_type(name, kind));
    match (is_filter("@type"), is_filter("type_url") || is_filter("typeUrl")) {
        (true, _) => Some(node),
        (_, true) => node.get("value"),
        _ => None,
    }
}

/// An entry of `http_filters`, unless it is a gate as well.
fn filter(node: &Node, reader: Reader) -> Option<Filter<'_>> {
    let config = either(node, "typed_config", "typedConfig");
    if config.and_then(|config| gate(config, reader)).is_some_and(|gate| gate.is_ours) {
        return None;
    }
    let discovery = either(node, "config_discovery", "configDiscovery");
    let types = discovery.and_then(|discovery| either(discovery, "type_urls", "typeUrls"));
    let name = config
        .and_then(|config| either(config, "type_url", "typeUrl").or_else(|| config.get("@type")))
        .or_else(|| types?.elements().first())
        .or_else(|| node.get("name"))?
        .text()?;
    // `envoy.extensions.filters.http.lua.v3.Lua`, or as a name `envoy.filters.http.lua`
    let kind = name.split_once("filters.http.").map_or(name, |(_, rest)| rest).split('.').next()?;
    Some(Filter { kind, node })
}

/// `type.googleapis.com/NAME`
fn is_type(url: &str, name: &str) -> bool {
    url.rsplit('/').next() == Some(name)
}

/// A `envoy.extensions.wasm.v3.PluginConfig`, in either spelling of its members.
fn plugin(node: &Node, reader: Reader) -> Located<'_> {
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
    Located {
        title: node.get("name").and_then(Node::text).map(|name| format!("plugin {name}")).unwrap_or_default(),
        is_ours: is_ours(&names, &form),
        form,
        deployment: Deployment {
            reader,
            clusters: None,
            forward_proxies: BTreeSet::new(),
            chain: Chain::default(),
            is_istio: reader == Reader::Kubernetes,
            fails_open: fails_open.or_else(|| either(node, "fail_open", "failOpen").filter(|node| says(node, "true"))),
            variables: Variables::new(values, host),
        },
    }
}

/// A `DynamicModuleFilter`. Its environment is Envoy's own.
fn module(node: &Node, reader: Reader) -> Located<'_> {
    let name = either(node, "dynamic_module_config", "dynamicModuleConfig").and_then(|config| config.get("name"));
    let form = either(node, "filter_config", "filterConfig").map_or(Form::Missing(node), form);
    Located {
        title: name.and_then(Node::text).map(|name| format!("module {name}")).unwrap_or_default(),
        is_ours: is_ours(&[name, either(node, "filter_name", "filterName")], &form),
        form,
        deployment: Deployment { reader, ..Deployment::unknown() },
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
fn clusters(root: &Node) -> Option<BTreeSet<&str>> {
    let resources = either(root, "static_resources", "staticResources")?;
    let dynamic = either(root, "dynamic_resources", "dynamicResources");
    let is_dynamic = dynamic.is_some_and(|dynamic| {
        either(dynamic, "cds_config", "cdsConfig").is_some() || either(dynamic, "ads_config", "adsConfig").is_some()
    });
    let clusters = resources.get("clusters").map(Node::elements).unwrap_or_default();
    (!is_dynamic).then(|| clusters.iter().filter_map(|cluster| cluster.get("name")?.text()).collect())
}

/// The clusters that go to whatever host a request names.
fn forward_proxies(root: &Node) -> BTreeSet<&str> {
    let resources = either(root, "static_resources", "staticResources");
    let clusters = resources.and_then(|resources| resources.get("clusters")).map(Node::elements).unwrap_or_default();
    let is_proxy = |cluster: &&Node| {
        let kind = either(cluster, "cluster_type", "clusterType");
        kind.and_then(|kind| kind.get("name")?.text()).is_some_and(|name| name == FORWARD_PROXY)
    };
    clusters.iter().filter(is_proxy).filter_map(|cluster| cluster.get("name")?.text()).collect()
}
