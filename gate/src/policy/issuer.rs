//! An issuer: what signs tokens, and what they may grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jose::Algorithm;
use jose::jwk::{SkippedKey, VerificationKey};

use super::grants::Grants;
use super::identity::{IssuerKind, SPIFFE, TenantPattern, is_key_for};
use super::introspection::IntrospectionSettings;
use super::key_source::{KeySource, large_keys};
use super::required_binding::RequiredBinding;
use crate::claims::ClaimRef;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What rules, metrics and logs call it.
    pub(crate) name: Arc<str>,
    /// What `iss` must be, with a placeholder for a tenant; of a trust domain, what its SPIFFE IDs begin with.
    pub(crate) identifier: String,
    /// By what its tokens are known.
    pub(crate) kind: IssuerKind,
    /// What its tokens must be for.
    pub(crate) audiences: Audiences,
    /// The claims that say so, united.
    pub(crate) audience_claims: Vec<ClaimRef>,
    /// The algorithms that its tokens may use.
    pub(crate) algorithms: Vec<Algorithm>,
    /// The `typ` that its tokens must have; absent: not checked.
    pub(crate) token_types: Option<Vec<String>>,
    /// Whether a token needs `exp`.
    pub(crate) require_expiration: bool,
    /// How long `exp` may lie after `iat`; whole seconds.
    pub(crate) max_lifetime: Option<Duration>,
    /// How far clocks may differ.
    pub(crate) clock_skew: Duration,
    /// Whether each `email` in its tokens counts as verified.
    pub(crate) trust_email: bool,
    /// What its tokens can give.
    pub(crate) grants: Grants,
    /// What its tokens must be bound to, beside what the policy or the rule asks for.
    pub(crate) require: RequiredBinding,
    /// Where its keys come from.
    pub(crate) keys: KeySource,
    /// The claims that hold scopes, united.
    pub(crate) scope_claims: Vec<ClaimRef>,
    /// The claim that holds groups.
    pub(crate) groups_claim: GroupsClaim,
    /// The scopes that membership in one of their groups gives.
    pub(crate) group_scopes: BTreeMap<String, Vec<String>>,
}

impl Issuer {
    /// What rules, metrics and logs call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `iss` must be, with a placeholder for a tenant; of a trust domain, what its SPIFFE IDs begin with.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The pattern of its `iss`, where it has tenants.
    pub fn tenants(&self) -> Option<&TenantPattern> {
        match &self.kind {
            IssuerKind::Tenants(pattern) => Some(pattern),
            IssuerKind::Exact | IssuerKind::TrustDomain => None,
        }
    }

    /// The name of the SPIFFE trust domain that it is.
    pub fn trust_domain(&self) -> Option<&str> {
        self.identifier.strip_prefix(SPIFFE).filter(|_| self.kind == IssuerKind::TrustDomain)
    }

    /// Whether some token can be both its and the other's.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (IssuerKind::Tenants(one), IssuerKind::Tenants(other)) => one.overlaps(other),
            (IssuerKind::Tenants(pattern), IssuerKind::Exact) => pattern.tenant_in(&other.identifier).is_some(),
            (IssuerKind::Exact, IssuerKind::Tenants(pattern)) => pattern.tenant_in(&self.identifier).is_some(),
            (one, other_kind) => one == other_kind && self.identifier == other.identifier,
        }
    }

    /// What its tokens must be for.
    pub fn audiences(&self) -> &Audiences {
        &self.audiences
    }

    /// The claims that say what its tokens are for, united.
    pub fn audience_claims(&self) -> &[ClaimRef] {
        &self.audience_claims
    }

    /// The algorithms that its tokens may use.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The `typ` that its tokens must have; absent: not checked.
    pub fn token_types(&self) -> Option<&[String]> {
        self.token_types.as_deref()
    }

    /// How long `exp` may be after `iat`; whole seconds.
    pub fn max_lifetime(&self) -> Option<Duration> {
        self.max_lifetime
    }

    /// How far clocks may differ.
    pub fn clock_skew(&self) -> Duration {
        self.clock_skew
    }

    /// Whether each `email` in its tokens counts as verified.
    pub fn trusts_email(&self) -> bool {
        self.trust_email
    }

    /// What its tokens can give.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Where its keys come from.
    pub fn keys(&self) -> &KeySource {
        &self.keys
    }

    /// The claims that hold scopes, united.
    pub fn scope_claims(&self) -> &[ClaimRef] {
        &self.scope_claims
    }

    /// The claim that holds groups.
    pub fn groups_claim(&self) -> &ClaimRef {
        &self.groups_claim.claim
    }

    /// The member that names each group, where groups are objects.
    pub fn groups_member(&self) -> Option<&str> {
        self.groups_claim.member.as_deref()
    }

    /// Whether its tokens may use `algorithm`: it is listed, and where it takes a shared secret, there is one for it
    /// in the configuration.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && (!algorithm.is_symmetric() || self.keys.has_key_for(algorithm))
    }

    /// Whether it signs tokens; other kinds only say who logged in, or are asked about each token.
    pub fn signs(&self) -> bool {
        !matches!(self.keys, KeySource::Introspected(_) | KeySource::None)
    }

    /// How it is asked about its tokens, where only it can read them.
    pub fn introspection(&self) -> Option<&IntrospectionSettings> {
        match &self.keys {
            KeySource::Introspected(settings) => Some(settings),
            KeySource::Fetched(_) | KeySource::Inline(_) | KeySource::None => None,
        }
    }

    /// Whether only it can read its tokens.
    pub fn is_introspected(&self) -> bool {
        self.introspection().is_some()
    }

    /// How long after `exp` its tokens are good: what an issuer says of a token at this moment needs no margin.
    pub(crate) fn expiry_skew(&self) -> Duration {
        if self.is_introspected() { Duration::ZERO } else { self.clock_skew }
    }

    /// Whether its keys are fetched.
    pub(crate) fn is_fetched(&self) -> bool {
        matches!(self.keys, KeySource::Fetched(_))
    }

    /// The algorithms that are listed without effect.
    pub(crate) fn algorithms_without_effect(&self) -> impl Iterator<Item = Algorithm> {
        self.algorithms.iter().copied().filter(|&algorithm| !self.allows(algorithm))
    }

    /// The entries of its inline key set that are no keys.
    pub(crate) fn skipped_keys(&self) -> &[SkippedKey] {
        match &self.keys {
            KeySource::Fetched(_) | KeySource::Introspected(_) | KeySource::None => &[],
            KeySource::Inline(keys) => keys.skipped(),
        }
    }

    /// What is to be said of inline keys that no token of its can use.
    pub(crate) fn unused_keys(&self) -> Vec<String> {
        let KeySource::Inline(keys) = &self.keys else { return Vec::new() };
        let name = |key: &VerificationKey| match key.kid() {
            Some(kid) => format!("the key `{}`", kid.escape_debug()),
            None => String::from("the key without `kid`"),
        };
        let of_key = |key: &VerificationKey| {
            let fitting = Algorithm::ALL.into_iter().filter(|&algorithm| key.allows(algorithm));
            if !self.algorithms.iter().any(|&algorithm| key.allows(algorithm)) {
                let fitting: Vec<_> = fitting.map(|algorithm| format!("`{algorithm}`")).collect();
                let fitting = fitting.join(", ");
                return Some(format!("{} has no effect: `algorithms` has none of its own ({fitting})", name(key)));
            }
            let issuer = key.issuer().filter(|_| !self.uses(key))?;
            Some(format!("{} has no effect: it is for tokens of `{}` alone", name(key), issuer.escape_debug()))
        };
        keys.keys().iter().filter_map(of_key).collect()
    }

    /// Whether some token of its may be signed with this key.
    pub fn uses(&self, key: &VerificationKey) -> bool {
        let is_for_its = |issuer: &str| match &self.kind {
            IssuerKind::Exact => is_key_for(issuer, &self.identifier),
            IssuerKind::Tenants(pattern) => pattern.is_in_document(issuer),
            // Its tokens may name any issuer.
            IssuerKind::TrustDomain => true,
        };
        self.algorithms.iter().any(|&algorithm| key.allows(algorithm)) && key.issuer().is_none_or(is_for_its)
    }

    /// What is to be said of inline keys that only some hosts can verify with.
    pub(crate) fn large_keys(&self) -> Option<String> {
        match &self.keys {
            KeySource::Fetched(_) | KeySource::Introspected(_) | KeySource::None => None,
            KeySource::Inline(keys) => large_keys(keys),
        }
    }
}

/// The claim that holds groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupsClaim {
    /// Where it is.
    pub claim: ClaimRef,
    /// Of groups that are objects, the member that names them.
    pub member: Option<String>,
}

/// The audiences that an issuer's tokens may be for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Audiences {
    /// The check is switched off.
    Any,
    /// The token needs one of them.
    OneOf(Vec<String>),
}
