//! The seam behind which signatures are checked.
//!
//! Key rules come before it, at import: an implementation answers for the arithmetic alone, so that a host's own
//! cryptography can take its place.

mod examples;

use alloc::vec::Vec;

use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest, Sha256};

pub use self::examples::passes_examples;
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

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::examples::{EXAMPLES, KEYS};
    use super::*;
    use crate::base64url;
    use crate::jwk::KeySet;

    #[test]
    fn published_examples_verify_and_nothing_near_them_does() {
        let keys = KeySet::from_json(KEYS.as_bytes(), 3).expect("is a key set");
        for (algorithm, input, signature) in EXAMPLES {
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            for key in keys.keys() {
                for other in Algorithm::ALL {
                    let fits = key.kid() == Some(algorithm.name()) && other == algorithm;
                    assert_eq!(
                        Software.verify(key.key(), other, input.as_bytes(), &signature),
                        fits,
                        "{algorithm} {other}"
                    );
                }
                assert!(!Software.verify(key.key(), algorithm, &input.as_bytes()[1..], &signature));
                for bad in [&[][..], &[0; 64], &[0; 256], &signature[1..], &[&signature[..], &[0]].concat()] {
                    assert!(!Software.verify(key.key(), algorithm, input.as_bytes(), bad), "{algorithm}");
                }
                for bit in 0..8 {
                    let mut flipped = signature.clone();
                    flipped[7] ^= 1 << bit;
                    assert!(!Software.verify(key.key(), algorithm, input.as_bytes(), &flipped), "{algorithm} {bit}");
                }
            }
        }
    }

    #[test]
    fn signatures_for_hosts_are_in_der_or_none() {
        let (_, _, signature) = EXAMPLES[1];
        let der = es256_to_der(&base64url::decode(signature.as_bytes()).expect("is base64url")).expect("is in range");
        assert_eq!(der.first(), Some(&0x30));
        assert_eq!((es256_to_der(&[0; 64]), es256_to_der(&[0xff; 64]), es256_to_der(&der)), (None, None, None));
    }

    #[test]
    fn only_what_judges_right_passes_the_examples() {
        for algorithm in Algorithm::ALL {
            assert!(passes_examples(algorithm, |key, message, signature| {
                Some(Software.verify(key, algorithm, message, signature))
            }));
            for answer in [Some(true), Some(false), None] {
                assert!(!passes_examples(algorithm, |_, _, _| answer), "{algorithm} {answer:?}");
            }
            // One that looks at the signature alone, and one that looks at the message alone.
            let (_, message, signature) = EXAMPLES.into_iter().find(|(of, ..)| *of == algorithm).expect("is there");
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            assert!(!passes_examples(algorithm, |_, _, found| Some(found == signature)));
            assert!(!passes_examples(algorithm, |_, found, _| Some(found == message.as_bytes())));
        }
    }
}
