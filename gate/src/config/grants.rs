//! `grants`: the groups and scopes that an issuer's tokens can give.

use super::access;
use super::reader::{Node, all};
use crate::policy::Grants;
use crate::rules::Wildcard;

pub(super) fn read(node: &Node<'_, '_>) -> Option<Grants> {
    let mut object = node.object()?;
    // One could take it for a grant of nothing, and another for one of everything.
    if node.value.members().next().is_none() {
        return node.expected("`groups`, `scopes` or both; a list without entries gives none");
    }
    let groups =
        object.or("groups", None, |node| read_patterns(node, |node: &Node<'_, '_>| node.owned_text()).map(Some));
    let scopes = object.or("scopes", None, |node| read_patterns(node, access::read_scope).map(Some));
    object.finish();
    Some(Grants { groups: groups?, scopes: scopes? })
}

/// A list without entries is fine: the issuer's tokens give none then.
fn read_patterns(node: &Node<'_, '_>, read: impl Fn(&Node<'_, '_>) -> Option<String>) -> Option<Vec<Wildcard>> {
    let texts = all(node.elements()?.iter().map(read))?;
    Some(texts.iter().map(|text| Wildcard::new(text)).collect())
}
