//! The configurations in a file: the file itself, or what manifests and proxies' configurations hold.

mod envoy;
mod kubernetes;
mod surroundings;

pub(crate) use self::envoy::either;
pub(crate) use self::surroundings::says;
pub use self::surroundings::{Chain, Filter, Surroundings, Variables};
use crate::document::{Document, Node, Odd};
use crate::finding::{Severity, member_path};

/// A configuration in a file.
#[derive(Clone, Debug)]
pub struct Found<'d> {
    /// What it is called: `WasmPlugin istio-system/jotgate`; nothing where it is the whole file.
    pub title: String,
    /// The form in which the plugin gets it.
    pub form: Form<'d>,
    /// What is known of where it runs.
    pub surroundings: Surroundings<'d>,
    /// Whether its resource says that it is Jotgate's.
    is_ours: bool,
}

/// The form in which the plugin gets a configuration.
#[derive(Clone, Debug)]
pub enum Form<'d> {
    /// There is none, in this resource.
    Missing(&'d Node),
    /// A text that encodes bytes.
    Base64(&'d Node),
    /// A text that holds JSON.
    Text(&'d Node),
    /// A value of the file.
    Tree(&'d Node),
    /// Something that the plugin cannot read.
    Unreadable(&'d Node),
}

/// Who reads the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// Nobody knows.
    Any,
    /// Envoy.
    Envoy,
    /// Kubernetes, which hands JSON on.
    Kubernetes,
}

impl Reader {
    /// How much it matters to this reader that somebody reads something unlike others; not at all, where it reads it
    /// like the others.
    pub fn minds(self, odd: Odd) -> Option<Severity> {
        match (self, odd) {
            (_, Odd::Both) | (Self::Envoy, Odd::Envoy) | (Self::Kubernetes, Odd::Kubernetes) => Some(Severity::Error),
            (Self::Any, _) => Some(Severity::Warning),
            (Self::Envoy, Odd::Kubernetes) | (Self::Kubernetes, Odd::Envoy) => None,
        }
    }
}

/// The members by which a configuration is known.
const MEMBERS: [&str; 3] = ["issuers", "rules", "credentials"];

/// The configurations in `documents`. Where some say that they are Jotgate's, the others are not looked at.
pub fn find(documents: &[Document]) -> Vec<Found<'_>> {
    let all: Vec<_> = documents.iter().flat_map(|document| in_document(&document.root)).collect();
    let is_any_ours = all.iter().any(|found| found.is_ours);
    all.into_iter().filter(|found| found.is_ours || !is_any_ours).collect()
}

fn in_document(root: &Node) -> Vec<Found<'_>> {
    let has = |names: &[&str]| names.iter().any(|name| root.get(name).is_some());
    if has(&["kind"]) && has(&["apiVersion"]) {
        return kubernetes::find(root);
    }
    // A part of Envoy's configuration, such as a list of filters, is as good as the whole.
    let in_envoy = envoy::find(root, Reader::Envoy);
    if !in_envoy.is_empty() || has(&["static_resources", "dynamic_resources", "staticResources", "dynamicResources"]) {
        return in_envoy;
    }
    match has(&MEMBERS) {
        true => vec![bare(root, String::new())],
        false => nested(root, ""),
    }
}

fn bare(node: &Node, title: String) -> Found<'_> {
    Found { title, form: Form::Tree(node), surroundings: Surroundings::unknown(), is_ours: true }
}

/// What is a configuration inside a document of another kind: the values of a chart, say.
fn nested<'d>(node: &'d Node, path: &str) -> Vec<Found<'d>> {
    let issuers = node.get("issuers").map(Node::elements).unwrap_or_default();
    if issuers.iter().any(Node::is_map) {
        return vec![bare(node, path.to_string())];
    }
    let elements = node.elements().iter().enumerate();
    let elements = elements.flat_map(|(index, element)| nested(element, &format!("{path}[{index}]")));
    let members = node.members().iter();
    let members = members.flat_map(|member| nested(&member.value, &member_path(path, &member.name)));
    elements.chain(members).collect()
}

/// Whether a resource, by the names in it or by its configuration, is Jotgate's.
fn is_ours(names: &[Option<&Node>], form: &Form<'_>) -> bool {
    let names = names.iter().filter_map(|node| node.as_ref()?.text());
    let has_members = match form {
        Form::Tree(config) => MEMBERS.iter().any(|name| config.get(name).is_some()),
        Form::Text(text) => MEMBERS.iter().any(|name| text.text().unwrap_or_default().contains(name)),
        Form::Base64(_) | Form::Missing(_) | Form::Unreadable(_) => false,
    };
    has_members || names.into_iter().any(|name| name.to_ascii_lowercase().contains("jotgate"))
}
