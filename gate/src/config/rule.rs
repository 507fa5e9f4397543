//! `rules`: which requests need what.

use std::collections::BTreeSet;
use std::sync::Arc;

use jose::json::Kind;

use super::reader::{Node, all};
use super::relation;
use super::{access, required_binding, upstream};
use crate::http::is_header_name;
use crate::policy::{Issuer, Login};
use crate::rules::{Access, HostPattern, Matcher, Mode, PathPattern, Rule, RuleIndex, Scheme, Unauthenticated};

/// The most that the regular expressions of all rules may take, compiled, in bytes. They take less in Wasm: what passes
/// natively, for `jotgate check`, passes there.
const MAX_REGEX_BYTES: usize = if cfg!(target_pointer_width = "32") { 18_432 } else { 24_576 };
const METHOD: &str = "a method such as `GET`, in capitals";

/// What rules can name, as far as it could be read, and what they get without a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k> {
    pub(super) issuers: Option<&'k [Issuer]>,
    pub(super) logins: Option<&'k [Login]>,
    pub(super) unauthenticated: Unauthenticated,
    /// The names of credentials for the upstream, and their headers.
    pub(super) upstream: Option<&'k [(Arc<str>, Arc<str>)]>,
}

pub(super) fn read_all(node: &Node<'_, '_>, known: Known<'_>) -> Option<Vec<Rule>> {
    let nodes = node.elements()?;
    let rules: Vec<_> = nodes.iter().enumerate().map(|(index, node)| read(node, index, known)).collect();
    check_names(&nodes, &rules);
    check_reachable(&nodes, &rules);
    check_regexes(node, rules.iter().flatten());
    all(rules.into_iter())
}

fn check_names(nodes: &[Node<'_, '_>], rules: &[Option<Rule>]) {
    let mut names = BTreeSet::new();
    for (node, rule) in nodes.iter().zip(rules) {
        if let Some(rule) = rule.as_ref().filter(|rule| !names.insert(&*rule.name)) {
            node.error(format!("the name `{}` is taken by an earlier rule", rule.name));
        }
    }
}

fn check_reachable(nodes: &[Node<'_, '_>], rules: &[Option<Rule>]) {
    let read: Vec<_> = nodes.iter().zip(rules).filter_map(|(node, rule)| Some((node, rule.as_ref()?))).collect();
    let index = RuleIndex::new(read.iter().map(|(_, rule)| &rule.matcher));
    for (own, (node, rule)) in read.iter().enumerate() {
        let covers = |earlier: usize| {
            earlier < own && read.get(earlier).is_some_and(|(_, earlier)| earlier.matcher.covers(&rule.matcher))
        };
        let earlier = index.first_that_covers(&rule.matcher, covers).and_then(|earlier| read.get(earlier));
        if let Some((_, earlier)) = earlier {
            node.error(format!(
                "unreachable: the rule `{}` before it takes every request that it matches",
                earlier.name
            ));
        }
    }
}

/// Each expression is bounded; all of them together are what a path costs that none of them matches.
fn check_regexes<'r>(node: &Node<'_, '_>, rules: impl Iterator<Item = &'r Rule>) {
    let bytes: usize = rules.flat_map(|rule| &rule.matcher.paths).map(PathPattern::compiled_bytes).sum();
    if bytes > MAX_REGEX_BYTES {
        node.error(format!(
            "the regular expressions of all rules compile to {bytes} bytes together, expected {MAX_REGEX_BYTES} at \
             most: use `*`, `{{name}}` and `/**` where they do"
        ));
    }
}

fn read(node: &Node<'_, '_>, index: usize, known: Known<'_>) -> Option<Rule> {
    let mut object = node.object()?;
    let name = object.or("name", index.to_string().into(), read_name);
    let matcher = object.or("match", Matcher::default(), read_matcher);
    let access: Option<Access> = object.required("access").and_then(|node| {
        let access = access::read(&node, known.issuers)?;
        if let Some(matcher) = &matcher {
            relation::check_segments(&node, &access, matcher);
        }
        Some(access)
    });
    let forward_token = object.or("forwardToken", None, |node| node.boolean().map(Some));
    let foreign = object.or("foreignCredentials", false, |node| read_foreign(node, access.as_ref()));
    let require = object.or("senderConstraint", None, |node| required_binding::read_section(node).map(Some));
    let mode = object.or("mode", None, |node| read_mode(node).map(Some));
    let challenge = object
        .or("challenge", Scheme::default(), |node| node.word(&[("basic", Scheme::Basic), ("bearer", Scheme::Bearer)]));
    let unauthenticated = object.or("unauthenticated", known.unauthenticated, |node| read_unauthenticated(node, known));
    let upstream = object.or("upstream", None, |node| upstream::read_names(node, known.upstream).map(Some));
    let login = object.or("login", None, |node| read_login(node, known, unauthenticated).map(Some));
    object.finish();
    Some(Rule {
        name: name?,
        matcher: matcher?,
        access: access?,
        forward_token: forward_token?,
        forwards_foreign: foreign?,
        require: require?,
        mode: mode?,
        challenge: challenge?,
        unauthenticated: unauthenticated?,
        upstream: upstream?,
        login: login?,
    })
}

/// `challenge` or `login`.
fn read_unauthenticated(node: &Node<'_, '_>, known: Known<'_>) -> Option<Unauthenticated> {
    let words = [("challenge", Unauthenticated::Challenge), ("login", Unauthenticated::Login)];
    match node.word(&words)? {
        Unauthenticated::Login if known.logins.is_some_and(<[Login]>::is_empty) => {
            node.fail("there is no `login` in the configuration to send anybody to")
        }
        found => Some(found),
    }
}

/// The login that browsers are sent to, by its index. Where the logins themselves could not be read, no rule is to
/// blame for naming one.
fn read_login(node: &Node<'_, '_>, known: Known<'_>, unauthenticated: Option<Unauthenticated>) -> Option<usize> {
    let name = node.string()?;
    let index = known.logins.map_or(Some(0), |logins| logins.iter().position(|login| *login.name == *name));
    if index.is_some() && unauthenticated == Some(Unauthenticated::Challenge) {
        return node.fail("goes with `unauthenticated: login` only");
    }
    index.or_else(|| node.expected("the `name` of one of the logins in `login`"))
}

/// Where a token is required, a foreign credential is rejected.
fn read_foreign(node: &Node<'_, '_>, access: Option<&Access>) -> Option<bool> {
    if access.is_some_and(|access| !matches!(access, Access::Optional | Access::Public)) {
        node.error("goes with `access: public` or `optional` only");
    }
    node.word(&[("forward", true)])
}

/// `audit` or `enforce`.
pub(super) fn read_mode(node: &Node<'_, '_>) -> Option<Mode> {
    node.word(&[("audit", Mode::Audit), ("enforce", Mode::Enforce)])
}

/// A name that headers and logs can carry as it is.
fn read_name(node: &Node<'_, '_>) -> Option<Arc<str>> {
    let name = node.text()?;
    match name.trim() == name && !name.chars().any(char::is_control) {
        true => Some(name.into()),
        false => node.expected("a name without control characters and blanks at its ends"),
    }
}

fn read_matcher(node: &Node<'_, '_>) -> Option<Matcher> {
    let mut object = node.object()?;
    let hosts = object.or("hosts", Vec::new(), |node| node.list_of(|node| parsed(node, HostPattern::parse)));
    let paths = object.or("paths", Vec::new(), |node| node.list_of(read_path));
    let methods = object.or("methods", Vec::new(), |node| node.list_of(read_method));
    let headers = object.or("headers", Vec::new(), read_headers);
    object.finish();
    Some(Matcher { hosts: hosts?, paths: paths?, methods: methods?, headers: headers? })
}

fn read_path(node: &Node<'_, '_>) -> Option<PathPattern> {
    if node.value.kind() != Kind::Object {
        return parsed(node, PathPattern::parse);
    }
    let mut object = node.object()?;
    let regex = object.required("regex").and_then(|node| parsed(&node, PathPattern::regex));
    object.finish();
    regex
}

fn parsed<T>(node: &Node<'_, '_>, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let text = node.string()?;
    match parse(text) {
        Ok(pattern) => Some(pattern),
        Err(problem) => {
            node.error(format!("`{text}` {problem}"));
            None
        }
    }
}

fn read_method(node: &Node<'_, '_>) -> Option<String> {
    let method = node.string()?;
    // RFC 9110 §9.1 has methods case-sensitive: `get` would never match what clients send.
    match !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')) {
        true => Some(method.to_string()),
        false => node.expected(METHOD),
    }
}

fn read_headers(node: &Node<'_, '_>) -> Option<Vec<(String, String)>> {
    let entries = node.entries()?;
    if entries.is_empty() {
        return node.expected("at least one header");
    }
    let mut names = Vec::new();
    all(entries.into_iter().map(|(name, value)| {
        let name = read_header_name(name, &value)?;
        if names.contains(&name) {
            value.error("the header is asked for twice: no request has both values");
        }
        names.push(name.clone());
        read_header_value(&value).map(|text| (name, text))
    }))
}

fn read_header_name(name: &str, value: &Node<'_, '_>) -> Option<String> {
    if !is_header_name(name) {
        value.error(format!("`{name}` is not a header name"));
        return None;
    }
    // Proxies have it as `:authority`.
    if name.eq_ignore_ascii_case("host") {
        value.error("no request has this header when rules see it: write `hosts`");
    }
    Some(name.to_ascii_lowercase())
}

/// A value as it arrives: proxies cut blanks off, and take no control characters (RFC 9110 §5.5).
fn read_header_value(node: &Node<'_, '_>) -> Option<String> {
    let value = node.string()?;
    let is_blank = |character| matches!(character, ' ' | '\t');
    let is_odd = |character: char| character.is_ascii_control() && !is_blank(character);
    match !value.is_empty() && value.trim_matches(is_blank) == value && !value.contains(is_odd) {
        true => Some(value.to_string()),
        false => node.expected(
            "a value without control characters and blanks at its ends, since no other can match, and not the empty one, \
             which many servers take for none",
        ),
    }
}
