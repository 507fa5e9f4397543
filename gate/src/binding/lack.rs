//! What a request lacks that comes with a token.

use super::proof::FreshProof;
use crate::answer::ProofChallenge;
use crate::report::Cause;

/// What a request lacks that comes with a token.
#[derive(Debug)]
pub(crate) enum Lack {
    /// It is refused; with what a challenge says of proofs, where it says something.
    Refused(Cause, Option<ProofChallenge>),
    /// Its proof holds, if it was not used before.
    Unused(FreshProof),
}
