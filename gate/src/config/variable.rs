//! `{env: NAME}`: the text of a variable.

use super::Environment;
use super::reader::{Node, Object};

pub(super) fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<String> {
    let mut object = node.object()?;
    let text = read_member(node, &mut object, env);
    object.finish();
    text
}

/// The same, beside which `object` may have other members.
pub(super) fn read_member(node: &Node<'_, '_>, object: &mut Object<'_, '_>, env: Environment<'_>) -> Option<String> {
    let name = object.required("env").and_then(|node| node.owned_text())?;
    let text = env(&name);
    if text.is_none() {
        node.error(format!("the variable `{name}` is not set in the VM's environment"));
    }
    text
}

/// A text, or `{env: NAME}`. It may be a credential: no message shows it.
pub(super) fn read_or_text(node: &Node<'_, '_>, env: Environment<'_>) -> Option<String> {
    match node.value.as_str() {
        Some(text) => Some(text.to_string()),
        None if node.value.get("env").is_some() => read(node, env),
        None => node.fail("expected a string, or `{env: NAME}`"),
    }
}
