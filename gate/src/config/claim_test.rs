//! `claims`: tests of claims.

use jose::json::Kind;

use super::reader::{Node, Object, all};
use super::reference::claim_ref;
use super::relation;
use crate::claims::{ClaimRef, Scalar};
use crate::rules::{ClaimTest, Requirement, Wildcard};

const KINDS: &str = "`equals`, `in`, `any`, `all`, `domain`, `matches`, `exists`, `path`, `header` and `host`";

/// An object of dotted paths and tests, or a list of `{claim: …, …test}`.
pub(super) fn read_all(node: &Node<'_, '_>) -> Option<Requirement> {
    let tests = match node.value.kind() {
        Kind::Array => node.list_of(read_entry)?,
        Kind::Object => read_members(node)?,
        _ => return node.expected("an object of claims and tests, or a list of `{claim: …}` with a test in each"),
    };
    Some(Requirement::AllOf(tests.into_iter().map(|(claim, test)| Requirement::Claim(claim, test)).collect()))
}

fn read_members(node: &Node<'_, '_>) -> Option<Vec<(ClaimRef, ClaimTest)>> {
    let members = node.entries()?;
    if members.is_empty() {
        return node.expected("at least one claim");
    }
    all(members.into_iter().map(|(path, node)| {
        let claim = ClaimRef::dotted(path);
        if claim.is_none() {
            node.error(format!("`{path}` is no dotted path; a list of `{{claim: [name, …]}}` takes names as they are"));
        }
        let test = read_test(&node);
        Some((claim?, test?))
    }))
}

fn read_entry(node: &Node<'_, '_>) -> Option<(ClaimRef, ClaimTest)> {
    let mut object = node.object()?;
    let claim = object.required("claim").and_then(|node| claim_ref(&node));
    let test = read_kind(node, object);
    Some((claim?, test?))
}

/// A bare value, or an object with one test.
fn read_test(node: &Node<'_, '_>) -> Option<ClaimTest> {
    match node.value.kind() {
        Kind::Object => read_kind(node, node.object()?),
        Kind::Array => node.expected("a value, or `{in: […]}` or `{any: […]}` where there are several"),
        _ => read_scalar(node).map(|value| ClaimTest::In(vec![value])),
    }
}

fn read_kind(node: &Node<'_, '_>, mut object: Object<'_, '_>) -> Option<ClaimTest> {
    let scalars = |node: Node<'_, '_>| node.list_of(read_scalar);
    let tests = [
        object.optional("all").map(|node| scalars(node).map(ClaimTest::All)),
        object.optional("any").map(|node| scalars(node).map(ClaimTest::Any)),
        object.optional("domain").map(|node| node.list_of(read_domain).map(ClaimTest::Domain)),
        object.optional("equals").map(|node| read_scalar(&node).map(|value| ClaimTest::In(vec![value]))),
        object.optional("exists").map(|node| match node.value.as_bool() {
            Some(true) => Some(ClaimTest::Exists),
            _ => node.expected("`true`; where the claim may not be there, write `not: {claims: …}`"),
        }),
        object.optional("header").map(|node| relation::read_header(&node).map(ClaimTest::EqualsRequest)),
        object.optional("host").map(|node| relation::read_host(&node).map(ClaimTest::EqualsRequest)),
        object.optional("in").map(|node| scalars(node).map(ClaimTest::In)),
        object.optional("matches").map(|node| node.text().map(|text| ClaimTest::Matches(Wildcard::new(text)))),
        object.optional("path").map(|node| relation::read_path(&node).map(ClaimTest::EqualsRequest)),
    ];
    object.finish();
    let mut tests = tests.into_iter().flatten();
    match (tests.next(), tests.count()) {
        (Some(test), 0) => test,
        (first, others) => {
            let count = others.saturating_add(usize::from(first.is_some()));
            node.error(format!("expected exactly one of {KINDS}, found {count}"));
            None
        }
    }
}

fn read_scalar(node: &Node<'_, '_>) -> Option<Scalar> {
    if node.value.as_number().is_some() {
        node.exact_number()?;
    }
    Scalar::of(node.value).or_else(|| node.expected("a string, a number, `true` or `false`"))
}

/// A domain as it stands behind an `@`, in lower case.
fn read_domain(node: &Node<'_, '_>) -> Option<String> {
    let domain = node.string()?;
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match domain.split('.').all(is_label) {
        true => Some(domain.to_ascii_lowercase()),
        false => node.expected("a domain such as `example.com`, without `@` and `*`"),
    }
}
