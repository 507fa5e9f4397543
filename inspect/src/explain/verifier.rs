//! Signature checks where keys may not be known.

use std::cell::Cell;

use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};

/// Checks signatures, unless it is to trust them or has no keys to check them with.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trusts: bool,
    /// The keys of the token's issuer are not known.
    pub(super) keys_unknown: bool,
    /// Whether a decision depended on a signature that it could not check.
    pub(super) assumed_signature: Cell<bool>,
}

impl SignatureVerifier for Verifier {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self.trusts, self.keys_unknown) {
            (true, _) => true,
            (false, true) => {
                self.assumed_signature.set(true);
                false
            }
            (false, false) => Software.verify(key, algorithm, message, signature),
        }
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}
