//! `access`: what a rule asks of a request.

use jose::sorting::sort_by;

use super::claim_test;
use super::error::one_of;
use super::reader::Node;
use crate::http::is_scope;
use crate::policy::Issuer;
use crate::rules::{Access, GroupTest, Quantifier, Requirement, Wildcard};

/// One of the words, or an object of requirements.
pub(super) fn read(node: &Node<'_, '_>, issuers: Option<&[Issuer]>) -> Option<Access> {
    if node.value.kind() == jose::json::Kind::Object {
        return read_requirement(node, issuers).map(Access::Require);
    }
    word(node)
}

/// One of the words alone.
pub(super) fn word(node: &Node<'_, '_>) -> Option<Access> {
    let words = [
        ("authenticated", Access::Authenticated),
        ("deny", Access::Deny),
        ("optional", Access::Optional),
        ("public", Access::Public),
    ];
    node.word(&words)
}

/// An object, all of whose members must hold.
fn read_requirement(node: &Node<'_, '_>, known: Option<&[Issuer]>) -> Option<Requirement> {
    let mut object = node.object()?;
    if node.value.members().next().is_none() {
        return node.expected("at least one requirement; where any token will do, write `authenticated`");
    }
    let nested = |node: &Node<'_, '_>| read_requirement(node, known);
    let members = [
        object.optional("allOf").map(|node| (node.offset(), node.list_of(nested).map(Requirement::AllOf))),
        object.optional("anyOf").map(|node| (node.offset(), node.list_of(nested).map(Requirement::AnyOf))),
        object.optional("audiences").map(|node| {
            let audiences = read_quantifier(&node, &["any"], |node: &Node<'_, '_>| node.owned_text());
            (node.offset(), audiences.map(Requirement::Audiences))
        }),
        object.optional("claims").map(|node| (node.offset(), claim_test::read_all(&node))),
        object.optional("groups").map(|node| (node.offset(), read_groups(&node).map(Requirement::Groups))),
        object.optional("issuers").map(|node| (node.offset(), read_issuers(&node, known).map(Requirement::Issuers))),
        object.optional("not").map(|node| (node.offset(), nested(&node).map(Box::new).map(Requirement::Not))),
        object.optional("scopes").map(|node| {
            let scopes = read_quantifier(&node, &["all", "any"], read_scope);
            (node.offset(), scopes.map(Requirement::Scopes))
        }),
    ];
    object.finish();
    // Challenges list scopes in the order in which they were written.
    let mut members: Vec<_> = members.into_iter().flatten().collect();
    sort_by(&mut members, |(one, _), (other, _)| one.cmp(other));
    members.into_iter().map(|(_, member)| member).collect::<Option<Vec<_>>>().map(Requirement::AllOf)
}

fn read_issuers(node: &Node<'_, '_>, known: Option<&[Issuer]>) -> Option<Vec<usize>> {
    node.list_of(|node| {
        let name = node.string()?;
        // Where the issuers themselves could not be read, no rule is to blame for naming one.
        let index = known.map_or(Some(0), |known| known.iter().position(|issuer| *issuer.name == *name));
        index.or_else(|| node.expected("the `name` of one of the `issuers`"))
    })
}

/// `{all: […]}`, `{any: […]}` or `{matches: …}`.
fn read_groups(node: &Node<'_, '_>) -> Option<GroupTest> {
    const FORMS: [&str; 3] = ["{all: […]}", "{any: […]}", "{matches: …}"];
    let names = |node: Node<'_, '_>| node.list_of(Node::owned_text);
    let mut object = node.object()?;
    let tests = [
        object.optional("all").map(|node| names(node).map(Quantifier::All).map(GroupTest::Named)),
        object.optional("any").map(|node| names(node).map(Quantifier::Any).map(GroupTest::Named)),
        object.optional("matches").map(|node| node.text().map(|text| GroupTest::Like(Wildcard::new(text)))),
    ];
    object.finish();
    let mut tests = tests.into_iter().flatten();
    match (tests.next(), tests.next()) {
        (Some(test), None) => test,
        _ => node.expected(&one_of(&FORMS.map(String::from))),
    }
}

/// `{all: […]}` or `{any: […]}`.
fn read_quantifier(
    node: &Node<'_, '_>,
    names: &[&'static str],
    read: impl Fn(&Node<'_, '_>) -> Option<String>,
) -> Option<Quantifier> {
    let mut object = node.object()?;
    let found: Vec<_> = names.iter().filter_map(|name| Some((*name, object.optional(name)?))).collect();
    object.finish();
    match found.as_slice() {
        [("all", list)] => list.list_of(read).map(Quantifier::All),
        [(_, list)] => list.list_of(read).map(Quantifier::Any),
        _ => {
            let forms: Vec<_> = names.iter().map(|name| format!("{{{name}: […]}}")).collect();
            node.expected(&one_of(&forms))
        }
    }
}

pub(super) fn read_scope(node: &Node<'_, '_>) -> Option<String> {
    let scope = node.string()?;
    if !is_scope(scope) {
        node.error(format!("`{scope}` is not one scope (RFC 6749 §3.3)"));
        return None;
    }
    Some(scope.to_string())
}
