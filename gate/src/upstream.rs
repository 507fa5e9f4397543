//! Credentials for the upstream: what a request whose access was granted gets in place of its caller's own.
//!
//! | file | subject |
//! | --- | --- |
//! | `caller` | for whom a credential is made |
//! | `minted` | a credential that was made, why there is none, and the cache |
//! | `kept` | a token that the session keeps |
//! | `signed`, `jwks` | a JWT that the gate signs, and the keys to check it with |
//! | `answered` | what others answer when a credential is asked for |
//! | `exchanged` | what an authorization server gives for the caller's token |
//! | `eks`, `roles` | a token for a cluster of Amazon EKS, and the role that it is for |

mod answered;
mod caller;
mod eks;
mod exchanged;
mod jwks;
mod kept;
mod minted;
mod roles;
mod signed;

use std::time::Duration;

pub(crate) use self::caller::Caller;
pub(crate) use self::jwks::KeySets;
pub(crate) use self::minted::{Lack, Minted, MintedCache};
pub(crate) use self::roles::names as role_names;
use crate::callers::Entry;
use crate::known::Known;
use crate::policy::{CredentialSource, UpstreamCredential};
use crate::question::{Answered, Step};
use crate::time::Timestamp;

/// Makes the credential of that index for `caller`. One that is good for more than this request says until when.
#[inline(never)]
pub(crate) fn mint(
    index: usize,
    credential: &UpstreamCredential,
    caller: &Caller<'_>,
    known: &Known<'_>,
) -> Result<Minted, Lack> {
    match &credential.source {
        CredentialSource::Eks(settings) => eks::mint(index, credential, settings, caller, known),
        CredentialSource::Exchange(settings) => exchanged::mint(index, credential, settings, caller, known),
        CredentialSource::Session(token) => kept::mint(credential, *token, caller),
        CredentialSource::Token(settings) => signed::mint(credential, settings, caller, known),
    }
}

/// How long an answer is good that a credential can be made of; it took so long.
#[inline(never)]
pub(crate) fn kept(
    credential: &UpstreamCredential,
    step: Step,
    answered: &Answered,
    now: Timestamp,
    took: Duration,
) -> Option<Duration> {
    match (&credential.source, step) {
        (CredentialSource::Eks(_), Step::Role) => eks::kept(answered, now),
        (CredentialSource::Exchange(settings), Step::Tokens) => exchanged::kept(settings, answered, took),
        _ => None,
    }
}

/// What there is to say to operators about an answer of which no credential can be made.
#[inline(never)]
pub(crate) fn trouble(
    credential: &UpstreamCredential,
    step: Step,
    answered: &Answered,
    now: Timestamp,
) -> Option<String> {
    let words = match &credential.source {
        CredentialSource::Eks(settings) => eks::trouble(settings, answered, now),
        CredentialSource::Exchange(settings) => exchanged::trouble(settings, step, answered),
        CredentialSource::Session(_) | CredentialSource::Token(_) => None,
    };
    words.map(|words| ["upstream credential `", credential.name(), "` failed: ", &words].concat())
}

/// Whether a session has nothing left that one of its credentials could be made of.
pub(crate) fn is_over(entry: &Entry, known: &Known<'_>) -> bool {
    let caller = Caller::of(entry);
    let credentials = known.verification.policy.upstream.credentials.iter().enumerate();
    let mut clusters = credentials.filter(|(_, credential)| matches!(credential.source, CredentialSource::Eks(_)));
    clusters.any(|(index, credential)| matches!(mint(index, credential, &caller, known), Err(Lack::SessionOver)))
}
