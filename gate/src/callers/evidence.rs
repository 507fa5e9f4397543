//! What is certain about a caller, whatever vouches for it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jose::json::Value;
use jose::jws::Token;

/// What is certain about a caller. Rules, headers and the cache see this, and not what it was made from.
///
/// It has no public constructor: its maker has checked what it stands for. There are three makers: the
/// verification of a token, an opened session, and what an issuer says of a token that only it can read.
#[derive(Debug)]
pub(crate) struct Evidence<'e> {
    /// The issuer, by index.
    pub(super) issuer: usize,
    pub(super) source: EvidenceSource<'e>,
    /// From claims alone; sorted, each once.
    pub(super) scopes: Vec<String>,
    pub(super) groups: Groups,
    pub(super) audiences: Vec<String>,
    /// While its dates certainly allow it, since the epoch.
    pub(super) valid: Range<Duration>,
}

/// The groups of a token.
#[derive(Debug)]
pub(super) enum Groups {
    /// Their claim has a form that cannot be read: what is wrong with it.
    Odd(Arc<str>),
    /// In the order of the token, each once.
    Read(Vec<String>),
}

impl Groups {
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Odd(_) => &[],
            Self::Read(names) => names,
        }
    }
}

/// What the claims were taken from.
#[derive(Debug)]
pub(super) enum EvidenceSource<'e> {
    /// What an issuer said of a token, checked as the claims of a token are.
    Answer(Value<'e>),
    /// Claims of a session: a verified token's, and perhaps those of its issuer's userinfo endpoint.
    Session(Value<'e>),
    /// A token whose signature, type, dates and audience were all checked.
    Token(Token<'e>),
}

impl Evidence<'_> {
    /// The issuer, by index.
    pub(crate) fn issuer(&self) -> usize {
        self.issuer
    }

    /// While its dates certainly allow it, since the epoch.
    pub(crate) fn valid(&self) -> Range<Duration> {
        self.valid.clone()
    }

    /// Whether it was made from a JWT.
    pub(super) fn is_of_jwt(&self) -> bool {
        matches!(self.source, EvidenceSource::Token(_))
    }

    /// Whether the gate itself vouches for it. The tokens that it was made from came to the gate alone: what they are
    /// bound to is no matter of the browser's.
    pub(super) const fn is_session(&self) -> bool {
        matches!(self.source, EvidenceSource::Session(_))
    }

    /// What it says about its subject.
    pub(crate) fn claims(&self) -> Value<'_> {
        match &self.source {
            EvidenceSource::Answer(claims) | EvidenceSource::Session(claims) => *claims,
            EvidenceSource::Token(token) => token.claims(),
        }
    }
}
