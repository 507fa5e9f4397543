//! Which of the roles of a cluster a caller gets.

use crate::callers::Principal;
use crate::policy::{Eks, Role, Upstream};
use crate::rules::ScopeMatch;

/// What becomes of the roles that a caller may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice<'r> {
    /// It may take none.
    None,
    /// It gets this one.
    Role(&'r Role),
    /// It has to choose.
    Several,
}

/// The role that a caller gets: the only one that it may take, or the one that it chose, as long as it may.
pub(super) fn role_of<'r>(
    settings: &'r Eks,
    principal: &Principal,
    scope_match: ScopeMatch,
    chosen: Option<&str>,
) -> Choice<'r> {
    let mut allowed = allowed(settings, principal, scope_match);
    match (allowed.next(), allowed.next()) {
        (None, _) => Choice::None,
        (Some(only), None) => Choice::Role(only),
        (Some(first), Some(second)) => {
            let found = [first, second].into_iter().chain(allowed).find(|role| Some(&*role.name) == chosen);
            found.map_or(Choice::Several, Choice::Role)
        }
    }
}

/// The names of all roles that a caller may take, each once, in the order of the configuration.
pub(crate) fn names<'u>(upstream: &'u Upstream, principal: &Principal, scope_match: ScopeMatch) -> Vec<&'u str> {
    let mut names: Vec<&str> = Vec::new();
    for role in upstream.eks().flat_map(|eks| allowed(eks, principal, scope_match)) {
        if !names.contains(&&*role.name) {
            names.push(&role.name);
        }
    }
    names
}

fn allowed<'r>(settings: &'r Eks, principal: &Principal, scope_match: ScopeMatch) -> impl Iterator<Item = &'r Role> {
    settings
        .roles
        .iter()
        .filter(move |role| role.access.requirement().is_none_or(|access| access.holds_for(principal, scope_match)))
}
