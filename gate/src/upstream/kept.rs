//! A token that the session keeps.

use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::policy::{KeptToken, UpstreamCredential};
use crate::time::Timestamp;

pub(super) fn mint(credential: &UpstreamCredential, token: KeptToken, caller: &Caller<'_>) -> Result<Minted, Lack> {
    let session = caller.session.ok_or(Lack::Denied)?;
    let kept = match token {
        KeptToken::Access => &session.access_token,
        KeptToken::Id => &session.id_token,
    };
    let kept = kept.as_ref().ok_or(Lack::Denied)?;
    Ok(Minted { value: credential.value(kept.reveal()), ends: Timestamp::default() })
}
