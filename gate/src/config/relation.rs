//! Relations of claims to the request: what a rule's tests may compare a claim with.

use super::reader::Node;
use crate::credentials::CredentialLocations;
use crate::http::is_header_name;
use crate::hygiene::{Hygiene, fold};
use crate::rules::{Access, Matcher, RequestPart, Rule};

/// `{path: name}`
pub(super) fn read_path(node: &Node<'_, '_>) -> Option<RequestPart> {
    let name = node.string()?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    match is_name {
        true => Some(RequestPart::Path(name.to_string())),
        false => node.expected("the name of a segment, such as `id` for `{id}` in the rule's `match.paths`"),
    }
}

/// `{header: name}`
pub(super) fn read_header(node: &Node<'_, '_>) -> Option<RequestPart> {
    let name = node.string()?;
    if !is_header_name(name) {
        return node.expected("the name of a header, such as `x-tenant`");
    }
    // Proxies have it as `:authority`.
    if name.eq_ignore_ascii_case("host") {
        node.error("no request has this header when rules see it: write `{host: true}`");
        return None;
    }
    Some(RequestPart::Header(name.to_ascii_lowercase()))
}

/// `{host: true}`
pub(super) fn read_host(node: &Node<'_, '_>) -> Option<RequestPart> {
    match node.value.as_bool() {
        Some(true) => Some(RequestPart::Host),
        _ => node.expected("`true`"),
    }
}

/// Says where a rule's tests name a segment that its paths do not have: each of them must, since any may match.
pub(super) fn check_segments(access: &Node<'_, '_>, asked: &Access, matcher: &Matcher) {
    for part in parts(asked) {
        let RequestPart::Path(name) = part else { continue };
        let without = matcher.paths.iter().position(|pattern| pattern.count_of(name) != 1);
        let found = match (without, matcher.paths.is_empty()) {
            (_, true) => String::from("the rule has no `match.paths`"),
            (Some(index), _) => {
                let count = matcher.paths.get(index).map_or(0, |pattern| pattern.count_of(name));
                let times = if count == 0 { "does not have it" } else { "has it more than once" };
                format!("`match.paths[{index}]` {times}")
            }
            (None, false) => continue,
        };
        access.error(format!(
            "a claim is compared with the segment `{{{name}}}`, which each of the rule's `match.paths` must have exactly \
             once: {found}"
        ));
    }
}

/// Says where tests compare claims with a header that the upstream does not get, or that servers read otherwise.
pub(super) fn check_headers(node: &Node<'_, '_>, hygiene: &Hygiene, locations: &CredentialLocations, rules: &[Rule]) {
    let matched = || rules.iter().flat_map(|rule| &rule.matcher.headers).map(|(name, _)| name.as_str());
    let compared = || rules.iter().flat_map(|rule| parts(&rule.access)).filter_map(header);
    let mut seen = Vec::new();
    for name in compared() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let is_spelling = |other: &&str| fold(other.as_bytes()) == fold(name.as_bytes());
        let other_spelling = matched().chain(compared()).filter(|other| *other != name).find(is_spelling);
        let problem = if hygiene.is_identity(name.as_bytes()) {
            String::from("is covered by `identityHeaders` or `stripHeaders`: it would be removed")
        } else if hygiene.is_override(name.as_bytes()) {
            String::from(
                "overrides what rules look at, and is removed: write `overrideHeaders: keep` to leave it to the upstream",
            )
        } else if locations.headers().iter().any(is_spelling) {
            String::from("may hold a credential, which the upstream does not get")
        } else if let Some(other) = other_spelling {
            format!("is another spelling of `{other}`: some servers take both for one")
        } else {
            continue;
        };
        node.error_at("rules", format!("the header `{name}`, which a claim is compared with, {problem}"));
    }
}

fn parts(access: &Access) -> Vec<&RequestPart> {
    let mut parts = Vec::new();
    access.requirement().into_iter().for_each(|asked| asked.request_parts(&mut parts));
    parts
}

fn header(part: &RequestPart) -> Option<&str> {
    match part {
        RequestPart::Header(name) => Some(name),
        RequestPart::Host | RequestPart::Path(_) => None,
    }
}
