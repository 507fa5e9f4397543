//! What an authorization server gives for the token of the caller (RFC 8693).

use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::known::Known;
use crate::policy::{TokenExchange, UpstreamCredential};

pub(super) fn mint(
    _: usize,
    _: &UpstreamCredential,
    _: &TokenExchange,
    _: &Caller<'_>,
    _: &Known<'_>,
) -> Result<Minted, Lack> {
    Err(Lack::Denied)
}
