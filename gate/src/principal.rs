//! Who is calling, once that is certain.

use std::rc::Rc;

use crate::claims::{ClaimRef, ClaimValue};
use crate::config::{Issuer, Policy};
use crate::edit::HeaderEdit;
use crate::heap;
use crate::identity::{Occasion, Rendered, Unrepresentable, Verified};
use crate::token::VerifiedToken;

/// A caller whose token was verified, with all that rules and headers need of it.
///
/// The only way to make one is from a `VerifiedToken`.
#[derive(Clone, Debug)]
pub struct Principal {
    issuer: usize,
    subject: Option<Rc<str>>,
    scopes: Vec<String>,
    groups: Vec<String>,
    audiences: Vec<String>,
    /// Those that a rule tests.
    claims: Vec<(ClaimRef, ClaimValue)>,
    identity: Vec<Rendered>,
}

impl Principal {
    /// Reads what a verified token, which came as `text`, says about its subject.
    pub(crate) fn new(mut token: VerifiedToken<'_>, text: &str, policy: &Policy, issuer: &Issuer) -> Self {
        let mut groups = std::mem::take(&mut token.groups);
        issuer.grants.bound_groups(&mut groups);
        let mut scopes = std::mem::take(&mut token.scopes);
        let given = issuer.group_scopes.iter().filter(|(_, needed)| needed.iter().any(|group| groups.contains(group)));
        for (scope, _) in given {
            // INVARIANT: sorted, each once.
            if let Err(place) = scopes.binary_search(scope) {
                scopes.insert(place, scope.clone());
            }
        }
        issuer.grants.bound_scopes(&mut scopes);
        let claims = token.claims();
        let verified = Verified {
            token: text,
            claims,
            issuer: &issuer.issuer,
            trusts_email: issuer.trust_email,
            scopes: &scopes,
            groups: &groups,
            max_bytes: policy.limits.header_bytes,
        };
        let identity = policy.identity.iter().map(|header| header.render(&verified)).collect();
        let tested = policy.tested_claims.iter();
        let tested = tested.filter_map(|claim| Some((claim.clone(), ClaimValue::of(claim.find(claims)?)))).collect();
        let subject = claims.get("sub").and_then(jose::json::Value::as_str).map(Rc::from);
        Self { issuer: token.issuer, subject, scopes, audiences: token.audiences, groups, claims: tested, identity }
    }

    /// The issuer of the token, by its place in the configuration.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// `sub`, where it is a string.
    pub fn subject(&self) -> Option<&Rc<str>> {
        self.subject.as_ref()
    }

    /// The scopes from claims and groups that the issuer can give; sorted, each once.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The groups that the issuer can give, in the order of the token.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// What `aud` names.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// A claim that a rule tests, unless it is absent or null.
    pub fn claim(&self, reference: &ClaimRef) -> Option<&ClaimValue> {
        self.claims.iter().find(|(claim, _)| claim == reference).map(|(_, value)| value)
    }

    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        [
            heap::texts(&self.scopes),
            heap::texts(&self.groups),
            heap::texts(&self.audiences),
            heap::list(&self.claims, |(claim, value)| claim.heap_bytes().saturating_add(value.heap_bytes())),
            heap::list(&self.identity, Rendered::heap_bytes),
            self.subject.as_deref().map_or(0, heap::shared),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// Adds the identity headers on this occasion.
    pub(crate) fn add_identity(
        &self,
        occasion: &Occasion<'_>,
        edits: &mut Vec<HeaderEdit>,
    ) -> Result<(), Unrepresentable> {
        for header in &self.identity {
            edits.extend(header.complete(occasion)?);
        }
        Ok(())
    }

    /// The same, without the headers whose values do not fit one.
    pub(crate) fn add_representable(&self, occasion: &Occasion<'_>, edits: &mut Vec<HeaderEdit>) {
        edits.extend(self.identity.iter().filter_map(|header| header.complete(occasion).ok().flatten()));
    }
}
