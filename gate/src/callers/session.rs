//! The second maker of evidence: a session, which only the gate can have sealed.

use std::ops::Range;
use std::time::Duration;

use jose::json::Value;

use super::evidence::{Evidence, EvidenceSource};
use super::rejection::Rejection;
use super::verification::{check_tenant, groups_in, sorted, united};
use crate::claims::add_scopes;
use crate::policy::Issuer;

/// Why the claims of a session cannot be read; holds no value of theirs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OddClaims(pub(crate) String);

impl From<Rejection> for OddClaims {
    fn from(rejection: Rejection) -> Self {
        Self(rejection.detail.unwrap_or_else(|| rejection.reason.detail().to_string()))
    }
}

impl<'e> Evidence<'e> {
    /// What the claims of a session say. They were verified when it began, and stood under the gate's own seal since.
    /// Its audience is the client that logged in.
    pub(crate) fn of_session(
        claims: Value<'e>,
        (index, issuer): (usize, &Issuer),
        client: &str,
        valid: Range<Duration>,
    ) -> Result<Self, OddClaims> {
        // Tenants may be fewer than they were.
        check_tenant(claims, issuer)?;
        let scopes = sorted(united(&issuer.scope_claims, claims, add_scopes)?);
        let groups = groups_in(claims, issuer)?;
        let source = EvidenceSource::Session(claims);
        Ok(Self { issuer: index, source, scopes, groups, audiences: vec![client.to_string()], valid })
    }
}
