//! Origins, as browsers write them (RFC 6454 §6.2): they are compared as texts.

use super::reader::Node;
use crate::http::{Authority, HttpUri};

/// `https://dash.example.com`, perhaps with a port, and with nothing behind it.
pub(super) fn read(node: &Node<'_, '_>) -> Option<HttpUri> {
    let text = node.string()?;
    let uri = HttpUri::parse(text).or_else(|expected| node.expected(expected).ok_or(())).ok()?;
    if let Err(problem) = Authority::of(uri.authority.as_bytes()) {
        return node.fail(format!("no browser asks for this host: {problem}"));
    }
    if uri.path != "/" {
        return node.expected("an origin: scheme, host and perhaps a port, without path and query");
    }
    match uri.origin() {
        origin if origin == text => Some(uri),
        origin => node.expected(&format!("an origin as browsers write it, here `{origin}`")),
    }
}

/// The same, as text.
pub(super) fn read_text(node: &Node<'_, '_>) -> Option<String> {
    read(node).map(|uri| uri.origin())
}
