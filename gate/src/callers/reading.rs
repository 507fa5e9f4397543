//! What evidence says about its subject, read as the policy has it.

use std::sync::Arc;

use jose::json::Value;

use super::evidence::{Evidence, Groups};
use super::principal::{Principal, UnclearNames};
use crate::binding::Confirmation;
use crate::claims::ClaimRef;
use crate::identity::{ClaimSource, PreparedClaims};
use crate::policy::{Issuer, IssuerKind, Policy, present};

impl Principal {
    /// Reads what `evidence`, which came as the token `text` if it did, says about its subject.
    pub(crate) fn new(mut evidence: Evidence<'_>, text: Option<&str>, policy: &Policy, issuer: &Issuer) -> Self {
        let groups = std::mem::replace(&mut evidence.groups, Groups::Read(Vec::new()));
        let (mut groups, odd_groups) = match groups {
            Groups::Read(groups) => (groups, None),
            Groups::Odd(detail) => (Vec::new(), Some(detail)),
        };
        issuer.grants.bound_groups(&mut groups);
        let mut scopes = std::mem::take(&mut evidence.scopes);
        let given = issuer.group_scopes.iter().filter(|(_, needed)| needed.iter().any(|group| groups.contains(group)));
        for (scope, _) in given {
            // INVARIANT: sorted, each once.
            if let Err(index) = scopes.binary_search(scope) {
                scopes.insert(index, scope.clone());
            }
        }
        issuer.grants.bound_scopes(&mut scopes);
        let payload = text.filter(|_| evidence.is_of_jwt()).and_then(|text| text.split('.').nth(1));
        let claims = evidence.claims();
        let source = ClaimSource {
            token: text,
            payload,
            claims,
            issuer: named_issuer(claims, issuer),
            trusts_email: issuer.trust_email,
            scopes: &scopes,
            groups: &groups,
            max_bytes: policy.limits.header_bytes,
        };
        let identity = policy.identity.iter().map(|header| header.render(&source)).collect();
        let signed = policy.upstream.signed().map(|token| PreparedClaims::new(&token.claims, &source)).collect();
        let tested = policy.tested_claims.iter();
        let tested = tested.filter_map(|claim| Some((claim.clone(), claim.value(claims)?))).collect();
        let confirmation = if evidence.is_session() { None } else { Confirmation::in_claims(claims) };
        let subject = claims.get("sub").and_then(Value::as_str).map(Arc::from);
        Self {
            issuer: evidence.issuer,
            confirmation,
            subject,
            scopes,
            unclear: unclear(claims, issuer),
            audiences: evidence.audiences,
            groups,
            odd_groups,
            claims: tested,
            identity,
            signed,
        }
    }
}

/// Groups that cannot be found may give scopes.
fn unclear(claims: Value<'_>, issuer: &Issuer) -> UnclearNames {
    let is_unclear = |reference: &ClaimRef| reference.unclear(claims).is_some();
    let groups = is_unclear(&issuer.groups_claim.claim);
    UnclearNames {
        scopes: issuer.scope_claims.iter().any(is_unclear) || (groups && !issuer.group_scopes.is_empty()),
        groups,
        audiences: issuer.audience_claims.iter().any(is_unclear),
    }
}

/// What headers call the issuer: the `iss` of the token's own tenant.
fn named_issuer<'c>(claims: Value<'c>, issuer: &'c Issuer) -> &'c str {
    let iss = match issuer.kind {
        IssuerKind::Tenants(_) => present(claims, "iss").and_then(Value::as_str),
        IssuerKind::Exact | IssuerKind::TrustDomain => None,
    };
    iss.unwrap_or(&issuer.identifier)
}
