//! `session.afterLogout`: where browsers are sent after a logout.

use super::reader::Node;
use crate::http::HttpUri;
use crate::policy::PublicUrl;

/// A path, perhaps with a query, or a URL in one of the origins of `return_to`.
pub(super) fn read(
    node: &Node<'_, '_>,
    public_url: Option<&PublicUrl>,
    return_to: Option<&[String]>,
) -> Option<String> {
    let text = node.string()?;
    if text.starts_with('/') {
        return read_path(node, text);
    }
    let uri =
        HttpUri::parse(text).or_else(|expected| node.expected(&format!("a path, or {expected}")).ok_or(())).ok()?;
    let origin = uri.origin();
    let is_known = |known: &[String]| known.contains(&origin) || public_url.is_some_and(|url| url.text == origin);
    match return_to.is_none_or(is_known) {
        true => Some(text.to_string()),
        false => node.expected("a path, or a URL in one of the origins of `returnTo`"),
    }
}

/// Browsers take `//` for a host, and `\` for `/`.
fn read_path(node: &Node<'_, '_>, text: &str) -> Option<String> {
    let is_path = !text.contains("//") && HttpUri::parse(&format!("http://localhost{text}")).is_ok();
    match is_path {
        true => Some(text.to_string()),
        false => node.expected("a path without `//`, `\\`, fragment and other characters that no URI has"),
    }
}
