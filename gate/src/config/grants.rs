//! `grants`: the groups and scopes that an issuer's tokens can give.

use super::access;
use super::reader::{Node, all};
use crate::rules::{ScopeMatch, Wildcard};

/// What an issuer's tokens can give. What is outside is dropped before rules and headers see it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Grants {
    /// What groups are like; absent: all of them.
    pub groups: Option<Vec<Wildcard>>,
    /// What scopes are like, those from `groupScopes` as well; absent: all of them.
    pub scopes: Option<Vec<Wildcard>>,
}

impl Grants {
    /// Whether its tokens can give the group `name`.
    pub fn has_group(&self, name: &str) -> bool {
        is_inside(self.groups.as_deref(), name)
    }

    /// Whether its tokens can give the scope `name`.
    pub fn has_scope(&self, name: &str) -> bool {
        is_inside(self.scopes.as_deref(), name)
    }

    /// Whether its tokens can give some scope that counts as `needed`.
    pub fn can_satisfy(&self, needed: &str, scope_match: ScopeMatch) -> bool {
        let parents = needed.match_indices(':').filter_map(|(end, _)| needed.get(..end));
        self.has_scope(needed)
            || (scope_match == ScopeMatch::Hierarchical
                && parents.into_iter().any(|parent| !parent.is_empty() && self.has_scope(parent)))
    }

    /// Drops the groups that its tokens cannot give.
    pub(crate) fn bound_groups(&self, groups: &mut Vec<String>) {
        bound(self.groups.as_deref(), groups);
    }

    /// Drops the scopes that its tokens cannot give.
    pub(crate) fn bound_scopes(&self, scopes: &mut Vec<String>) {
        bound(self.scopes.as_deref(), scopes);
    }
}

fn is_inside(bounds: Option<&[Wildcard]>, name: &str) -> bool {
    bounds.is_none_or(|bounds| bounds.iter().any(|bound| bound.matches(name)))
}

fn bound(bounds: Option<&[Wildcard]>, names: &mut Vec<String>) {
    if bounds.is_some() {
        names.retain(|name| is_inside(bounds, name));
    }
}

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
