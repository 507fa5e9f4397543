//! A token for a cluster of Amazon EKS.

use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::known::Known;
use crate::policy::{Eks, UpstreamCredential};

pub(super) fn mint(_: usize, _: &UpstreamCredential, _: &Eks, _: &Caller<'_>, _: &Known<'_>) -> Result<Minted, Lack> {
    Err(Lack::Denied)
}
