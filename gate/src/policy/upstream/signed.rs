//! JWTs that the gate signs (RFC 7519).

use std::time::Duration;

use jose::json::write;
use jose::sign::SigningKey;

use crate::identity::SignedClaim;

/// How a JWT is made that the gate signs.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The index among those that the gate signs: what a caller's claims are prepared for.
    pub(crate) index: usize,
    /// `iss`.
    pub(crate) issuer: String,
    /// `aud`: one text, or a list of them.
    pub(crate) audiences: Vec<String>,
    /// How long it is good; whole seconds.
    pub(crate) lifetime: Duration,
    /// INVARIANT: one of them signs at least.
    pub(crate) keys: Vec<SigningEntry>,
    /// What it says of the caller beside `sub` and `act`.
    pub(crate) claims: Vec<SignedClaim>,
    /// Where the public keys are.
    pub(crate) jwks: Option<String>,
}

/// One of its keys.
#[derive(Clone, Debug)]
pub(crate) struct SigningEntry {
    pub(crate) key: SigningKey,
    /// Its thumbprint (RFC 7638).
    pub(crate) kid: String,
    pub(crate) purpose: KeyUse,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyUse {
    /// It is published, and signs nothing yet or nothing more.
    Publish,
    /// The first of these signs; all are published.
    Sign,
}

impl SignedToken {
    /// How long it is good.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Where the public keys are.
    pub fn jwks(&self) -> Option<&str> {
        self.jwks.as_deref()
    }

    /// What it says of the caller beside `sub` and `act`.
    pub fn claims(&self) -> &[SignedClaim] {
        &self.claims
    }

    /// `aud` as JSON.
    pub(crate) fn audience(&self) -> String {
        let texts: Vec<_> = self.audiences.iter().map(|text| write::string(text)).collect();
        match &*texts {
            [one] => one.clone(),
            _ => ["[", &texts.join(","), "]"].concat(),
        }
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> Option<&SigningEntry> {
        self.keys.iter().find(|entry| entry.purpose == KeyUse::Sign)
    }
}
