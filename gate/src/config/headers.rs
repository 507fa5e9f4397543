//! `identityHeaders` and `stripHeaders`: the headers that the gate writes and removes.

use super::issuer::claim_ref;
use super::reader::{Node, all};
use crate::claims::ClaimRef;
use crate::credential::Sources;
use crate::hygiene::{Hygiene, fold};
use crate::identity::{IdentityHeader, IdentityValue};
use crate::request::is_token_byte;
use crate::rules::Rule;

/// Headers that the protocol itself needs, folded: taking them away would break every request.
const PROTOCOL: [&str; 6] = ["host", "transfer-encoding", "connection", "te", "upgrade", "cookie"];

pub(super) fn read_identity(node: &Node<'_, '_>) -> Option<Vec<IdentityHeader>> {
    let mut folded = Vec::new();
    all(node.entries()?.into_iter().map(|(name, node)| {
        if !is_name(name) {
            node.error(format!("`{name}` is not a header name"));
            return None;
        }
        if folded.contains(&fold(name.as_bytes())) {
            node.error("the header is set twice");
            return None;
        }
        folded.push(fold(name.as_bytes()));
        refuse_protocol_header(&node, &fold(name.as_bytes()), false);
        let (value, omit) = read_identity_value(&node)?;
        Some(IdentityHeader { name: name.to_ascii_lowercase(), value, omit })
    }))
}

/// What is used where the configuration has no `identityHeaders`.
pub(super) fn default_identity() -> Vec<IdentityHeader> {
    let header = |name: &str, value, omit| IdentityHeader { name: name.to_string(), value, omit };
    vec![
        header("x-auth-request-user", subject(), false),
        header("x-auth-request-issuer", IdentityValue::Issuer, false),
        header("x-auth-request-email", IdentityValue::VerifiedEmail, false),
        header("x-auth-request-groups", IdentityValue::Groups, true),
        header("x-auth-request-token-scopes", IdentityValue::Scopes, false),
    ]
}

fn read_identity_value(node: &Node<'_, '_>) -> Option<(IdentityValue, bool)> {
    if node.value.kind() != jose::json::Kind::Object {
        return read_reference(node).map(|value| (value, false));
    }
    let mut object = node.object()?;
    if let Some(first_of) = object.optional("firstOf") {
        return first_of.unsupported();
    }
    let value = object.required("claim").and_then(|node| read_reference(&node));
    object.planned(&["join", "json"]);
    let omit = object.or("onUnrepresentable", false, |node| node.word(&[("refuse", false), ("omit", true)], &[]));
    object.finish();
    Some((value?, omit?))
}

fn read_reference(node: &Node<'_, '_>) -> Option<IdentityValue> {
    if !node.value.as_str().is_some_and(|text| text.starts_with('$')) {
        return claim_ref(node).map(IdentityValue::of_claim);
    }
    node.word(
        &[
            ("$groups", IdentityValue::Groups),
            ("$issuer", IdentityValue::Issuer),
            ("$rule", IdentityValue::Rule),
            ("$scopes", IdentityValue::Scopes),
            ("$subject", subject()),
            ("$verifiedEmail", IdentityValue::VerifiedEmail),
        ],
        &["$claims", "$clientIp", "$requiredScopes", "$satisfy", "$token"],
    )
}

fn subject() -> IdentityValue {
    IdentityValue::of_claim(ClaimRef::subject())
}

/// Header names, and prefixes that end in `*`; both folded.
pub(super) fn read_strip(node: &Node<'_, '_>) -> Option<Vec<(String, bool)>> {
    // An empty list is fine: only the identity headers themselves are removed then.
    all(node.elements()?.iter().map(|node| {
        let pattern = node.string()?;
        let (name, is_prefix) = pattern.strip_suffix('*').map_or((pattern, false), |prefix| (prefix, true));
        if name.contains('*') {
            return node.expected("a header name, with a `*` at its end at most");
        }
        let is_pattern = is_name(name) || (is_prefix && name.is_empty());
        if !is_pattern {
            return node.expected("a header name");
        }
        let folded = fold(name.as_bytes());
        refuse_protocol_header(node, &folded, is_prefix);
        Some((folded, is_prefix))
    }))
}

pub(super) fn default_strip() -> Vec<(String, bool)> {
    vec![(String::from("x-auth-request-"), true)]
}

/// Says where headers that are removed or set cover ones that the gate or the protocol needs.
pub(super) fn check_overlaps(node: &Node<'_, '_>, hygiene: &Hygiene, sources: &Sources, rules: &[Rule]) {
    for header in sources.headers() {
        if hygiene.is_identity(header.as_bytes()) {
            node.error_at(
                "credentials",
                format!("the header `{header}` is covered by `identityHeaders` or `stripHeaders`: it would be removed"),
            );
        }
    }
    for (name, _) in rules.iter().flat_map(|rule| &rule.matcher.headers) {
        if hygiene.is_identity(name.as_bytes()) {
            node.error_at(
                "rules",
                format!(
                    "the header `{name}` of a `match` is covered by `identityHeaders` or `stripHeaders`: it would \
                 be removed before the rule sees it"
                ),
            );
        }
    }
}

/// Says where a header is needed by the protocol; `folded` may be the prefix of several.
pub(super) fn refuse_protocol_header(node: &Node<'_, '_>, folded: &str, is_prefix: bool) {
    let covers = |name: &str| folded == name || (is_prefix && name.starts_with(folded));
    let is_content = folded.starts_with("content-") || (is_prefix && "content-".starts_with(folded));
    if is_content || PROTOCOL.iter().any(|name| covers(name)) {
        node.error("covers a header that HTTP itself needs (`host`, `content-*`, `cookie`, …)");
    }
}

/// RFC 9110 §5.1: a token.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}
