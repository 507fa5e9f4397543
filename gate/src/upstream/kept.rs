//! A token that the session keeps.

use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::policy::{KeptToken, UpstreamCredential};
use crate::time::Timestamp;

pub(super) fn mint(credential: &UpstreamCredential, token: KeptToken, caller: &Caller<'_>) -> Result<Minted, Lack> {
    let kept = caller.kept(token).ok_or(Lack::Denied)?;
    Ok(Minted { value: credential.value(kept.reveal()), ends: Timestamp::default() })
}
