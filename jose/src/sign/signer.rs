//! What makes signatures.

use alloc::vec::Vec;

use super::SigningKey;
use crate::signature::Software;

/// What makes signatures. A host may be faster than this crate.
pub trait Signer {
    /// The signature of `message` as it stands in a JWS.
    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8>;
}

impl Signer for Software {
    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8> {
        key.sign(message)
    }
}
