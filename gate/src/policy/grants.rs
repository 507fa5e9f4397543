//! What an issuer's tokens can give.

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
