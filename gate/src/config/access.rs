//! `access`: what a rule asks of a request.

use super::Issuer;
use super::reader::Node;
use crate::rules::{Access, Quantifier, Requirement};

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
    node.word(&words, &[])
}

fn read_requirement(node: &Node<'_, '_>, known: Option<&[Issuer]>) -> Option<Requirement> {
    if node.value.members().next().is_none() {
        return node.expected("at least one requirement; where any token will do, write `authenticated`");
    }
    let mut object = node.object()?;
    let issuers = object.or("issuers", None, |node| {
        let name = |node: &Node<'_, '_>| {
            let name = node.string()?;
            // Where the issuers themselves could not be read, no rule is to blame for naming one.
            let index = known.map_or(Some(0), |known| known.iter().position(|issuer| issuer.name == name));
            index.or_else(|| node.expected("the `name` of one of the `issuers`"))
        };
        node.list_of(name).map(Some)
    });
    let scopes = object.or("scopes", None, |node| read_quantifier(node, &["all", "any"], read_scope).map(Some));
    let groups = object.or("groups", None, |node| {
        read_quantifier(node, &["all", "any"], |node: &Node<'_, '_>| node.owned_text()).map(Some)
    });
    let audiences = object.or("audiences", None, |node| {
        read_quantifier(node, &["any"], |node: &Node<'_, '_>| node.owned_text()).map(Some)
    });
    object.planned(&["claims", "anyOf", "allOf", "not"]);
    object.finish();
    Some(Requirement { issuers: issuers?, scopes: scopes?, groups: groups?, audiences: audiences? })
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
            let expected = names.iter().map(|name| format!("`{{{name}: […]}}`")).collect::<Vec<_>>().join(" or ");
            node.expected(&expected)
        }
    }
}

fn read_scope(node: &Node<'_, '_>) -> Option<String> {
    let scope = node.string()?;
    if !is_scope(scope) {
        node.error(format!("`{scope}` is not one scope (RFC 6749 §3.3)"));
        return None;
    }
    Some(scope.to_string())
}

/// RFC 6749 §3.3: scope-token.
pub(super) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
