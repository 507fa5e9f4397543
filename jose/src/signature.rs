//! The seam behind which signatures are checked.
//!
//! Key rules come before it, at import: an implementation answers for the arithmetic alone, so that a host's own
//! cryptography can take its place.

use alloc::vec::Vec;

use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest, Sha256};

use crate::Algorithm;
use crate::jwk::PublicKey;

/// Checks signatures.
pub trait SignatureVerifier {
    /// Whether `signature` is one of `message` under `key` and `algorithm`.
    ///
    /// `signature` is as it stands in a token: for ECDSA the concatenation r‖s (RFC 7518 §3.4). A pair of key and
    /// algorithm that do not belong together is never a good signature.
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;
}

/// Checks signatures with the code in this module alone.
#[derive(Clone, Copy, Debug)]
pub struct Software;

impl SignatureVerifier for Software {
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (key, algorithm) {
            (PublicKey::Ed25519(key), Algorithm::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            (PublicKey::P256(key, _), Algorithm::Es256) => {
                use p256::ecdsa::signature::Verifier as _;
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            (PublicKey::Rsa(key, _), Algorithm::Rs256) => {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature).is_ok()
            }
            _ => false,
        }
    }
}

/// An ES256 signature in DER (`ECDSA-Sig-Value`, RFC 3279 §2.2.3), as hosts take it; `None` unless it is two
/// numbers of 32 octets in range.
pub fn es256_to_der(signature: &[u8]) -> Option<Vec<u8>> {
    p256::ecdsa::Signature::from_slice(signature).ok().map(|signature| signature.to_der().as_bytes().to_vec())
}
