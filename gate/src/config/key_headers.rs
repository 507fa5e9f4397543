//! `keys.headers`: what requests for keys carry. The values may be credentials: no message shows one.

use jose::json::Kind;

use super::reader::{Node, all};
use super::{Environment, variable};
use crate::http::is_header_name;
use crate::policy::KeyHeader;

/// What the proxy writes itself, or what is for one connection alone (RFC 9110 §7.6.1).
const REFUSED: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Vec<KeyHeader>> {
    if node.value.kind() != Kind::Object {
        return node.fail("expected an object: names of headers, and their values");
    }
    let mut known = Vec::new();
    all(node.entries()?.into_iter().map(|(name, node)| {
        let value = read_value(&node, env);
        let lower = name.to_ascii_lowercase();
        if !is_header_name(name) {
            return node.fail(format!("`{}` is not a header name", name.escape_debug()));
        }
        if REFUSED.contains(&lower.as_str()) {
            return node.fail("the proxy writes this header itself");
        }
        if known.contains(&lower) {
            return node.fail("the header is set twice");
        }
        known.push(lower.clone());
        Some(KeyHeader { name: lower, value: value? })
    }))
}

/// A text, or `{env: NAME}`.
fn read_value(node: &Node<'_, '_>, env: Environment<'_>) -> Option<String> {
    let value = variable::read_or_text(node, env)?;
    let is_edge = |character: char| matches!(character, ' ' | '\t');
    match value.is_empty() || value.contains(char::is_control) || value.starts_with(is_edge) || value.ends_with(is_edge)
    {
        false => Some(value),
        true => node.fail("expected a value that is not empty, without control characters and blanks around it"),
    }
}
