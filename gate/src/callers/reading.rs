//! What evidence says about its subject, read as the policy has it.

use std::sync::Arc;

use super::evidence::Evidence;
use super::principal::Principal;
use crate::claims::ClaimValue;
use crate::identity::Verified;
use crate::policy::{Issuer, Policy};

impl Principal {
    /// Reads what `evidence`, which came as `text`, says about its subject.
    pub(crate) fn new(mut evidence: Evidence<'_>, text: &str, policy: &Policy, issuer: &Issuer) -> Self {
        let mut groups = std::mem::take(&mut evidence.groups);
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
        let claims = evidence.claims();
        let verified = Verified {
            token: text,
            claims,
            issuer: &issuer.identifier,
            trusts_email: issuer.trust_email,
            scopes: &scopes,
            groups: &groups,
            max_bytes: policy.limits.header_bytes,
        };
        let identity = policy.identity.iter().map(|header| header.render(&verified)).collect();
        let tested = policy.tested_claims.iter();
        let tested = tested.filter_map(|claim| Some((claim.clone(), ClaimValue::of(claim.find(claims)?)))).collect();
        let subject = claims.get("sub").and_then(jose::json::Value::as_str).map(Arc::from);
        Self {
            issuer: evidence.issuer,
            subject,
            scopes,
            audiences: evidence.audiences,
            groups,
            claims: tested,
            identity,
        }
    }
}
