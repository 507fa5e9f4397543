//! A configuration in a file.

use super::deployment::Deployment;
use crate::document::Node;

/// A configuration in a file.
#[derive(Clone, Debug)]
pub struct Located<'d> {
    /// Its title: `WasmPlugin istio-system/jotgate`; empty where it is the whole file.
    pub title: String,
    /// The form in which the plugin gets it.
    pub form: Form<'d>,
    /// What is known of where it runs.
    pub deployment: Deployment<'d>,
    /// Whether its resource is Jotgate's.
    pub(super) is_ours: bool,
}

/// The form in which the plugin gets a configuration.
#[derive(Clone, Debug)]
pub enum Form<'d> {
    /// This resource has none.
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

/// The members by which a configuration is known.
pub(super) const MEMBERS: [&str; 4] = ["issuers", "introspection", "rules", "credentials"];

/// Whether a resource is Jotgate's, by the names in it or by its configuration.
pub(super) fn is_ours(names: &[Option<&Node>], form: &Form<'_>) -> bool {
    let names = names.iter().filter_map(|node| node.as_ref()?.text());
    let has_members = match form {
        Form::Tree(config) => MEMBERS.iter().any(|name| config.get(name).is_some()),
        Form::Text(text) => MEMBERS.iter().any(|name| text.text().unwrap_or_default().contains(name)),
        Form::Base64(_) | Form::Missing(_) | Form::Unreadable(_) => false,
    };
    has_members || names.into_iter().any(|name| name.to_ascii_lowercase().contains("jotgate"))
}
