//! The configurations in a file: the file itself, or what manifests and proxies' configurations hold.

mod deployment;
mod envoy;
mod kubernetes;
mod located;
mod reader;

pub use self::deployment::{Chain, Deployment, Filter, Variables};
pub(crate) use self::deployment::{either, says};
use self::located::MEMBERS;
pub use self::located::{Form, Located};
pub use self::reader::Reader;
use crate::document::{Document, Node};
use crate::finding::member_path;

/// The configurations in `documents`. Where some name Jotgate, the others are skipped.
pub fn locate(documents: &[Document]) -> Vec<Located<'_>> {
    let all: Vec<_> = documents.iter().flat_map(|document| in_document(&document.root)).collect();
    let is_any_ours = all.iter().any(|found| found.is_ours);
    all.into_iter().filter(|found| found.is_ours || !is_any_ours).collect()
}

fn in_document(root: &Node) -> Vec<Located<'_>> {
    let has = |names: &[&str]| names.iter().any(|name| root.get(name).is_some());
    if has(&["kind"]) && has(&["apiVersion"]) {
        return kubernetes::locate(root);
    }
    // A part of Envoy's configuration, such as a list of filters, is as good as the whole.
    let in_envoy = envoy::locate(root, Reader::Envoy);
    if !in_envoy.is_empty() || has(&["static_resources", "dynamic_resources", "staticResources", "dynamicResources"]) {
        return in_envoy;
    }
    match has(&MEMBERS) {
        true => vec![bare(root, String::new())],
        false => nested(root, ""),
    }
}

fn bare(node: &Node, title: String) -> Located<'_> {
    Located { title, form: Form::Tree(node), deployment: Deployment::unknown(), is_ours: true }
}

/// What is a configuration inside a document of another kind: the values of a chart, say.
fn nested<'d>(node: &'d Node, path: &str) -> Vec<Located<'d>> {
    let elements = |name| node.get(name).map(Node::elements).unwrap_or_default();
    if elements("issuers").iter().chain(elements("introspection")).any(Node::is_map) {
        return vec![bare(node, path.to_string())];
    }
    let elements = node.elements().iter().enumerate();
    let elements = elements.flat_map(|(index, element)| nested(element, &format!("{path}[{index}]")));
    let members = node.members().iter();
    let members = members.flat_map(|member| nested(&member.value, &member_path(path, &member.name)));
    elements.chain(members).collect()
}
