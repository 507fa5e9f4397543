//! What a host lends the engine for the time of one call.

use std::fmt;

use jose::sign::Signer;
use jose::signature::SignatureVerifier;

use crate::random::Randomness;
use crate::time::Timestamp;

/// What a host lends the engine for the time of one call.
#[derive(Clone, Copy)]
pub struct Capabilities<'h> {
    /// The present instant.
    pub now: Timestamp,
    /// What checks signatures.
    pub signatures: &'h dyn SignatureVerifier,
    /// What signs.
    pub signer: &'h dyn Signer,
    /// What draws randomness.
    pub random: &'h dyn Randomness,
}

impl fmt::Debug for Capabilities<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Capabilities").field("now", &self.now).finish_non_exhaustive()
    }
}
