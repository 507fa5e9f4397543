//! The caller, once verified.

use std::sync::Arc;

use crate::binding::Confirmation;
use crate::claims::{ClaimRef, ClaimValue};
use crate::heap;
use crate::http::HeaderEdit;
use crate::identity::{PreparedClaims, PreparedHeader, RequestFacts, UnrepresentableHeader};

/// A caller that is certain, with all that rules and headers need of it.
///
/// The only way to make one is from evidence.
#[derive(Clone, Debug)]
pub struct Principal {
    pub(super) issuer: usize,
    /// What its token is bound to; few are. A session stands for itself.
    pub(super) confirmation: Option<Box<Confirmation>>,
    pub(super) subject: Option<Arc<str>>,
    pub(super) scopes: Vec<String>,
    pub(super) groups: Vec<String>,
    /// What is wrong with the claim of groups, where they cannot be read; the list is empty then.
    pub(super) odd_groups: Option<Arc<str>>,
    pub(super) audiences: Vec<String>,
    pub(super) unclear: UnclearNames,
    /// Those that a rule tests.
    pub(super) claims: Vec<(ClaimRef, ClaimValue)>,
    pub(super) identity: Vec<PreparedHeader>,
    /// What each token says that the gate signs in its name.
    pub(super) signed: Vec<PreparedClaims>,
}

/// Which names there may be more of: the claim that holds them was not found, and is not absent for certain.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UnclearNames {
    pub(crate) scopes: bool,
    pub(crate) groups: bool,
    pub(crate) audiences: bool,
}

impl Principal {
    /// The issuer of the token, by index.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// Whether its token is bound to a key, and whether to a certificate.
    pub fn binding(&self) -> [bool; 2] {
        match self.confirmation() {
            Some(Confirmation::Bound { key, certificate }) => [key.is_some(), certificate.is_some()],
            Some(Confirmation::Unsupported) | None => [false; 2],
        }
    }

    /// What its token is bound to.
    pub(crate) fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_deref()
    }

    /// `sub`, where it is a string.
    pub fn subject(&self) -> Option<&Arc<str>> {
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

    /// What is wrong with the claim of groups, where they cannot be read; the list is empty then.
    pub fn odd_groups(&self) -> Option<&Arc<str>> {
        self.odd_groups.as_ref()
    }

    /// What its tokens are for, by all of its issuer's `audienceClaims`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// Which of these there may be more of.
    pub(crate) fn unclear(&self) -> UnclearNames {
        self.unclear
    }

    /// A claim that a rule tests, unless it is absent or null.
    pub fn claim(&self, reference: &ClaimRef) -> Option<&ClaimValue> {
        self.claims.iter().find(|(claim, _)| claim == reference).map(|(_, value)| value)
    }

    /// What the token of that index says that the gate signs in its name.
    pub(crate) fn signed_claims(&self, index: usize) -> Option<&PreparedClaims> {
        self.signed.get(index)
    }

    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        [
            heap::texts(&self.scopes),
            heap::texts(&self.groups),
            heap::texts(&self.audiences),
            heap::list(&self.claims, |(claim, value)| claim.heap_bytes().saturating_add(value.heap_bytes())),
            heap::list(&self.identity, PreparedHeader::heap_bytes),
            heap::list(&self.signed, PreparedClaims::heap_bytes),
            self.subject.as_deref().map_or(0, heap::shared),
            self.odd_groups.as_deref().map_or(0, heap::shared),
            self.confirmation.as_ref().map_or(0, |_| heap::allocation(size_of::<Confirmation>())),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// Adds the identity headers on this facts.
    pub(crate) fn add_identity(
        &self,
        facts: &RequestFacts<'_>,
        edits: &mut Vec<HeaderEdit>,
    ) -> Result<(), UnrepresentableHeader> {
        for header in &self.identity {
            edits.extend(header.complete(facts)?);
        }
        Ok(())
    }

    /// The same, without the headers whose values do not fit one.
    pub(crate) fn add_representable(&self, facts: &RequestFacts<'_>, edits: &mut Vec<HeaderEdit>) {
        edits.extend(self.identity.iter().filter_map(|header| header.complete(facts).ok().flatten()));
    }
}
