//! Where request authentications read tokens, as credentials.

use super::notes::Notes;
use super::resources::{FromHeader, JwtRule};
use crate::document::Node;

/// Where a rule reads tokens, as in `credentials`.
pub(super) fn credentials(rule: &JwtRule, notes: &mut Notes) -> Vec<Node> {
    let one = |kind: &str, name: &str| Node::of_map([(kind, Node::of_text(name))]);
    let mut locations: Vec<_> = rule.from_headers.iter().filter_map(|header| header_location(header, notes)).collect();
    locations.extend(rule.from_params.iter().map(|name| one("query", name)));
    locations.extend(rule.from_cookies.iter().map(|name| one("cookie", name)));
    if rule.from_headers.is_empty() && rule.from_params.is_empty() && rule.from_cookies.is_empty() {
        let bearer = [("header", Node::of_text("authorization")), ("scheme", Node::of_text("Bearer"))];
        locations.extend([Node::of_map(bearer), one("query", "access_token")]);
    }
    locations
}

/// Envoy takes what follows the prefix, wherever it is; a scheme has a blank after it.
fn header_location(header: &FromHeader, notes: &mut Notes) -> Option<Node> {
    let name = ("header", Node::of_text(header.name.to_ascii_lowercase()));
    let scheme = header.prefix.trim_end_matches(' ');
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(is_token_byte);
    let what = || format!("the prefix `{}` of the header `{}`", header.prefix, header.name);
    if !is_scheme && !header.prefix.is_empty() {
        notes.stricter(format!(
            "{} is not an authentication scheme and a blank, such as `Bearer `: tokens there are not found",
            what()
        ));
        return None;
    }
    if is_scheme && scheme == header.prefix {
        notes.stricter(format!(
            "{} is a scheme without the blank that belongs after it: tokens are found behind that scheme and a blank, and \
             not directly behind it",
            what()
        ));
    }
    let scheme = is_scheme.then(|| ("scheme", Node::of_text(scheme)));
    Some(Node::of_map([name].into_iter().chain(scheme)))
}

/// Whether two locations are one: schemes have no case.
pub(super) fn is_same(one: &Node, other: &Node) -> bool {
    let text = |node: &Node, name: &str| node.get(name).and_then(Node::text).map(str::to_ascii_lowercase);
    match one.get("header") {
        Some(_) => text(one, "header") == text(other, "header") && text(one, "scheme") == text(other, "scheme"),
        None => one == other,
    }
}

/// RFC 9110 §5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
