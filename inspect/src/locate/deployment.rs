//! What is known of where a plugin runs.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::Reader;
use crate::document::{Content, Node};

/// What is known of where a plugin runs.
#[derive(Clone, Debug)]
pub struct Deployment<'d> {
    /// Who reads the file with the configuration.
    pub reader: Reader,
    /// The clusters of the proxy, where they are all known.
    pub clusters: Option<BTreeSet<&'d str>>,
    /// Those of them that go to whatever host a request names.
    pub forward_proxies: BTreeSet<&'d str>,
    /// What of Envoy's configuration is around the plugin.
    pub chain: Chain<'d>,
    /// Whether the proxy's clusters have the names that Istio gives them.
    pub is_istio: bool,
    /// Where it says that requests pass when the plugin cannot run.
    pub fails_open: Option<&'d Node>,
    /// The environment of the plugin's VM.
    pub variables: Variables,
}

/// What of Envoy's configuration is around a plugin; nothing where the file does not show it.
#[derive(Clone, Debug, Default)]
pub struct Chain<'d> {
    /// The listener.
    pub listener: Option<&'d Node>,
    /// The connection manager.
    pub manager: Option<&'d Node>,
    /// The HTTP filters that see a request before the plugin.
    pub before: Vec<Filter<'d>>,
    /// Those that see it after the plugin.
    pub after: Vec<Filter<'d>>,
}

/// An HTTP filter of Envoy.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'d> {
    /// What it is: `lua`, `ext_authz`.
    pub kind: &'d str,
    /// Where it is written.
    pub node: &'d Node,
}

/// The environment of a VM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Variables {
    /// These: with their values, or from the proxy's own environment.
    Known(BTreeMap<String, Option<String>>),
    /// Not known.
    Unknown,
}

impl Deployment<'_> {
    /// Where nothing is known.
    pub fn unknown() -> Self {
        Self {
            reader: Reader::Any,
            clusters: None,
            forward_proxies: BTreeSet::new(),
            chain: Chain::default(),
            is_istio: false,
            fails_open: None,
            variables: Variables::Unknown,
        }
    }
}

impl Variables {
    /// `values` has the values of variables, `names` those that the proxy's environment has.
    pub(super) fn new(values: Option<&Node>, names: Option<&Node>) -> Self {
        let values = values.map(Node::members).unwrap_or_default().iter();
        let with_values = values.map(|member| (member.name.clone(), member.value.text().map(String::from)));
        let names = names.map(Node::elements).unwrap_or_default().iter().filter_map(Node::text);
        Self::Known(names.map(|name| (name.to_string(), None)).chain(with_values).collect())
    }

    /// From a list of `{name, value}` and `{name, valueFrom: HOST}`.
    pub(super) fn of_list(list: Option<&Node>) -> Self {
        let entries = list.map(Node::elements).unwrap_or_default().iter();
        let value = |entry: &Node| entry.get("value").and_then(Node::text).map(String::from);
        Self::Known(entries.filter_map(|entry| Some((entry.get("name")?.text()?.to_string(), value(entry)))).collect())
    }
}

/// Whether `node` is `true`, or the word `word`.
pub(crate) fn says(node: &Node, word: &str) -> bool {
    node.content == Content::Bool(true) || node.text() == Some(word)
}

/// A member by its name in protobuf or in JSON: Envoy takes both.
pub(crate) fn either<'d>(node: &'d Node, snake: &str, camel: &str) -> Option<&'d Node> {
    node.get(snake).or_else(|| node.get(camel))
}
