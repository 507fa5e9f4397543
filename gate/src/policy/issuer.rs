//! An issuer: who may sign tokens, and what they may give.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jose::Algorithm;
use jose::jwk::SkippedKey;

use super::grants::Grants;
use super::key_source::{KeySource, large_keys};
use crate::claims::ClaimRef;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What rules, metrics and logs call it.
    pub name: Arc<str>,
    /// What `iss` must be, byte for byte.
    pub issuer: String,
    /// What `aud` must name.
    pub audiences: Audiences,
    /// The algorithms that its tokens may use.
    pub algorithms: Vec<Algorithm>,
    /// The `typ` that its tokens must have; absent: not checked.
    pub token_types: Option<Vec<String>>,
    /// Whether a token needs `exp`.
    pub require_expiration: bool,
    /// How long `exp` may lie after `iat`; whole seconds.
    pub max_lifetime: Option<Duration>,
    /// How far clocks may differ.
    pub clock_skew: Duration,
    /// Whether each `email` in its tokens counts as verified.
    pub trust_email: bool,
    /// What its tokens can give.
    pub grants: Grants,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The claims that hold scopes, united.
    pub scope_claims: Vec<ClaimRef>,
    /// The claim that holds groups.
    pub groups_claim: ClaimRef,
    /// The scopes that membership in one of their groups gives.
    pub group_scopes: BTreeMap<String, Vec<String>>,
}

impl Issuer {
    /// Whether its tokens may use `algorithm`: it is listed, and where it takes a shared secret, there is one for it
    /// in the configuration.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && (!algorithm.is_symmetric() || self.keys.has_key_for(algorithm))
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
            KeySource::Fetched(_) => &[],
            KeySource::Inline(keys) => keys.skipped(),
        }
    }

    /// What is to be said of inline keys that only some hosts can verify with.
    pub(crate) fn large_keys(&self) -> Option<String> {
        match &self.keys {
            KeySource::Fetched(_) => None,
            KeySource::Inline(keys) => large_keys(keys),
        }
    }
}

/// The audiences that an issuer's tokens may be for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Audiences {
    /// The check is switched off.
    Any,
    /// The token needs one of them.
    OneOf(Vec<String>),
}
