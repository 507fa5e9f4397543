//! `identityHeaders` and `stripHeaders`: the headers that the gate writes and removes.

use std::sync::Arc;

use super::reader::{Node, all};
use super::reference::claim_ref;
use crate::claims::ClaimRef;
use crate::credentials::CredentialLocations;
use crate::http::is_header_name;
use crate::hygiene::{Hygiene, fold};
use crate::identity::{Form, IdentityHeader, IdentityValue};
use crate::rules::Rule;

/// Headers that the protocol itself needs, folded: taking them away would break every request.
const PROTOCOL: [&str; 6] = ["host", "transfer-encoding", "connection", "te", "upgrade", "cookie"];

pub(super) fn read_identity(node: &Node<'_, '_>) -> Option<Vec<IdentityHeader>> {
    let mut folded = Vec::new();
    all(node.entries()?.into_iter().map(|(name, node)| {
        if !is_header_name(name) {
            node.error(format!("`{name}` is not a header name"));
            return None;
        }
        if folded.contains(&fold(name.as_bytes())) {
            node.error("the header is set twice");
            return None;
        }
        folded.push(fold(name.as_bytes()));
        refuse_protocol_header(&node, &fold(name.as_bytes()), false);
        read_identity_header(name.to_ascii_lowercase().into(), &node)
    }))
}

/// What is used where the configuration has no `identityHeaders`.
pub(super) fn default_identity() -> Vec<IdentityHeader> {
    vec![
        IdentityHeader::plain("x-auth-request-user", subject()),
        IdentityHeader::plain("x-auth-request-issuer", IdentityValue::Issuer),
        IdentityHeader::plain("x-auth-request-email", IdentityValue::VerifiedEmail),
        // Left out, it would hide every group from an upstream that denies by group.
        IdentityHeader::plain("x-auth-request-groups", IdentityValue::Groups),
        IdentityHeader::plain("x-auth-request-token-scopes", IdentityValue::Scopes),
    ]
}

/// A reference, `{firstOf: […]}`, or `{claim: …}` with the way in which it is written.
fn read_identity_header(name: Arc<str>, node: &Node<'_, '_>) -> Option<IdentityHeader> {
    let plain = |values| IdentityHeader { name, values, form: Form::Joined(None), omit: false };
    if node.value.kind() != jose::json::Kind::Object {
        return read_reference(node).map(|value| plain(vec![value]));
    }
    let mut object = node.object()?;
    if let Some(first_of) = object.optional("firstOf") {
        object.finish();
        return first_of.list_of(read_reference).map(plain);
    }
    let value = object.required("claim").and_then(|node| read_reference(&node));
    let has_parts = value.as_ref().is_none_or(IdentityValue::has_parts);
    let join = object.or("join", None, |node| {
        check_parts(node, has_parts);
        read_separator(node).map(Some)
    });
    let is_json = object.or("json", false, |node| {
        check_parts(node, has_parts);
        node.boolean()
    });
    let omit = object.or("onUnrepresentable", false, |node| node.word(&[("refuse", false), ("omit", true)]));
    object.finish();
    let (value, join, is_json, omit) = (value?, join?, is_json?, omit?);
    let form = if is_json { Form::Json } else { Form::Joined(join) };
    Some(IdentityHeader { form, omit, ..plain(vec![value]) })
}

fn check_parts(node: &Node<'_, '_>, has_parts: bool) {
    if !has_parts {
        node.error("goes with a claim, `$groups` or `$scopes` only");
    }
}

/// What stands between the parts of a value, in a header.
fn read_separator(node: &Node<'_, '_>) -> Option<String> {
    let separator = node.string()?;
    match !separator.is_empty() && separator.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        true => Some(separator.to_string()),
        false => node.expected("a separator of printable ASCII, such as `,`"),
    }
}

pub(super) fn read_reference(node: &Node<'_, '_>) -> Option<IdentityValue> {
    if !node.value.as_str().is_some_and(|text| text.starts_with('$')) {
        return claim_ref(node).map(IdentityValue::of_claim);
    }
    let words = [
        ("$claims", IdentityValue::Payload),
        ("$clientIp", IdentityValue::ClientIp),
        ("$groups", IdentityValue::Groups),
        ("$issuer", IdentityValue::Issuer),
        ("$requiredScopes", IdentityValue::RequiredScopes),
        ("$rule", IdentityValue::Rule),
        ("$satisfy", IdentityValue::Satisfy),
        ("$scopes", IdentityValue::Scopes),
        ("$subject", subject()),
        ("$token", IdentityValue::Token),
        ("$verifiedEmail", IdentityValue::VerifiedEmail),
    ];
    node.word(&words)
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
        let is_pattern = is_header_name(name) || (is_prefix && name.is_empty());
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
pub(super) fn check_overlaps(node: &Node<'_, '_>, hygiene: &Hygiene, locations: &CredentialLocations, rules: &[Rule]) {
    for header in locations.headers() {
        if hygiene.is_identity(header.as_bytes()) {
            node.error_at(
                "credentials",
                format!("the header `{header}` is covered by `identityHeaders` or `stripHeaders`: it would be removed"),
            );
        }
    }
    let named = rules.iter().flat_map(|rule| &rule.matcher.headers).map(|(name, _)| name);
    for (name, _) in rules.iter().flat_map(|rule| &rule.matcher.headers) {
        let is_other = |other: &&String| *other != name && fold(other.as_bytes()) == fold(name.as_bytes());
        if let Some(other) = named.clone().find(is_other) {
            node.error_at(
                "rules",
                format!(
                    "the header `{name}` of a `match` is another spelling of `{other}`: some servers take both for one"
                ),
            );
        }
        if hygiene.is_override(name.as_bytes()) {
            node.error_at(
                "rules",
                format!(
                    "the header `{name}` of a `match` overrides what other rules look at, and is removed: write \
                     `overrideHeaders: keep` to leave it to the upstream"
                ),
            );
        }
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
