//! What is known when a request is decided on.

use jose::sign::Signer;

use crate::binding::UsedProof;
use crate::callers::Verification;
use crate::introspection::Endpoints;
use crate::question::AnswersAtHand;
use crate::random::Randomness;
use crate::sessions::{KeptClaims, Refreshes};
use crate::upstream::MintedCache;

/// What is known when a request is decided on.
#[derive(Clone, Copy)]
pub(crate) struct Known<'c> {
    pub(crate) verification: &'c Verification<'c>,
    pub(crate) signer: &'c dyn Signer,
    pub(crate) random: &'c dyn Randomness,
    pub(crate) answers: AnswersAtHand<'c>,
    /// The introspection endpoints that are in trouble.
    pub(crate) endpoints: &'c Endpoints,
    /// What became of the proof of the request, if that was asked.
    pub(crate) proof: Option<UsedProof>,
    pub(crate) refreshes: &'c Refreshes,
    /// What of the claims of each login's users sessions keep.
    pub(crate) kept: &'c [KeptClaims],
    /// The credentials for the upstream that are still good.
    pub(crate) minted: &'c MintedCache,
    /// Whether nobody has sent the request: somebody asks what would become of it.
    pub(crate) is_check: bool,
    /// Whether no issuer has newer keys to wait for.
    pub(crate) has_all_keys: bool,
}
