//! Issuers and rules that look strict, and can accept nothing at all.

use gate::Policy;
use gate::policy::{Issuer, KeySource};
use gate::rules::{GroupTest, Quantifier, Requirement};
use jose::Algorithm;
use jose::jwk::{Candidates, KeySet};
use jose::signature::CheckedBy;

use crate::configuration::is_stand_in;
use crate::document::Node;
use crate::finding::Finding;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for ((path, node), issuer) in tree.indexed("issuers").zip(policy.issuers()) {
        if let Some(message) = no_token(issuer) {
            findings.push(Finding::warning("never-accepts", path.clone(), message, node.span.clone()));
        }
        lint_placeholder(node, &path, issuer, findings);
    }
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        let (Some(requirement), Some(access)) = (rule.access.requirement(), node.get("access")) else { continue };
        if !(0..policy.issuers().len()).any(|issuer| may_hold(requirement, issuer, policy)) {
            let message = "no token can have all of this: what one part asks for, the issuers of another cannot give, or \
                           their `grants` drop it";
            findings.push(Finding::warning("never-accepts", format!("{path}.access"), message, access.span.clone()));
        }
    }
}

/// Why no token of an issuer can be accepted.
fn no_token(issuer: &Issuer) -> Option<String> {
    let usable: Vec<_> = issuer.algorithms().iter().copied().filter(|&algorithm| issuer.allows(algorithm)).collect();
    let keys = match issuer.keys() {
        KeySource::Inline(keys) if !is_stand_in(keys) => keys,
        _ if usable.is_empty() => {
            return Some(String::from(
                "no token of this issuer can be accepted: an HMAC algorithm needs an inline `oct` key, and there is no \
                 other in `algorithms`",
            ));
        }
        _ => return None,
    };
    let is_used = |algorithm: &Algorithm| keys.keys().iter().any(|key| key.allows(*algorithm));
    if !keys.keys().iter().any(|key| issuer.uses(key)) {
        return Some(String::from(
            "no token of this issuer can be accepted: each of its keys is for other `algorithms` or another issuer",
        ));
    }
    let has_names = keys.keys().iter().any(|key| key.kid().is_some());
    (!has_names && usable.iter().filter(|algorithm| is_used(algorithm)).all(|algorithm| is_crowded(keys, *algorithm)))
        .then(|| {
            String::from(
                "no token of this issuer can be accepted: so many of its keys without `kid` fit each that they are not \
                 tried; give them a `kid`",
            )
        })
}

fn is_crowded(keys: &KeySet, algorithm: Algorithm) -> bool {
    let found = keys.candidates(None, algorithm, CheckedBy::in_envoy(algorithm));
    matches!(found, Candidates::TooMany | Candidates::TooMuchWork)
}

/// Entra ID writes `{tenantid}` in its documents, and the tenant into the claim `tid`.
fn lint_placeholder(node: &Node, path: &str, issuer: &Issuer, findings: &mut Vec<Finding>) {
    let is_of_entra =
        |claim: &str| claim.eq_ignore_ascii_case("tenantid") && issuer.identifier().contains("microsoftonline");
    if let (Some(pattern), Some(node)) = (issuer.tenants(), node.get("issuer"))
        && is_of_entra(pattern.claim())
    {
        let message = "no token of this issuer can be accepted: the placeholder names the claim with the tenant, which \
                       Entra ID calls `tid`: write `{tid}`";
        findings.push(Finding::warning("never-accepts", format!("{path}.issuer"), message, node.span.clone()));
    }
}

/// Whether some token of an issuer may meet a requirement, as far as the configuration alone says.
fn may_hold(requirement: &Requirement, index: usize, policy: &Policy) -> bool {
    let Some(issuer) = policy.issuers().get(index) else { return false };
    match requirement {
        Requirement::AllOf(parts) => parts.iter().all(|part| may_hold(part, index, policy)),
        Requirement::AnyOf(parts) => parts.iter().any(|part| may_hold(part, index, policy)),
        Requirement::Groups(GroupTest::Named(wanted)) => holds(wanted, |name| issuer.grants().has_group(name)),
        Requirement::Issuers(issuers) => issuers.contains(&index),
        Requirement::Not(part) => !certainly_holds(part, index),
        Requirement::Scopes(wanted) => holds(wanted, |name| issuer.grants().can_satisfy(name, policy.scope_match())),
        _ => true,
    }
}

/// Whether every token of an issuer meets it.
fn certainly_holds(requirement: &Requirement, index: usize) -> bool {
    match requirement {
        Requirement::AllOf(parts) => parts.iter().all(|part| certainly_holds(part, index)),
        Requirement::AnyOf(parts) => parts.iter().any(|part| certainly_holds(part, index)),
        Requirement::Issuers(issuers) => issuers.contains(&index),
        _ => false,
    }
}

fn holds(wanted: &Quantifier, is_there: impl Fn(&str) -> bool) -> bool {
    match wanted {
        Quantifier::All(names) => names.iter().all(|name| is_there(name)),
        Quantifier::Any(names) => names.iter().any(|name| is_there(name)),
    }
}
