//! Credentials for the upstream: what a request whose access was granted gets in place of its caller's own.
//!
//! | file | subject |
//! | --- | --- |
//! | `caller` | for whom a credential is made |
//! | `minted` | a credential that was made, why there is none, and the cache |
//! | `kept` | a token that the session keeps |
//! | `signed`, `jwks` | a JWT that the gate signs, and the keys to check it with |
//! | `exchanged` | what an authorization server gives for the caller's token |
//! | `eks` | a token for a cluster of Amazon EKS |

mod caller;
mod eks;
mod exchanged;
mod jwks;
mod kept;
mod minted;
mod signed;

pub(crate) use self::caller::Caller;
pub(crate) use self::jwks::KeySets;
pub(crate) use self::minted::{Lack, Minted, MintedCache};
use crate::known::Known;
use crate::policy::{CredentialSource, UpstreamCredential};

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
