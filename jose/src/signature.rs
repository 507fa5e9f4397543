//! The seam behind which signatures are checked.
//!
//! Key rules come before it, at import: an implementation answers for the arithmetic alone, so that a host's own
//! cryptography can take its place.

mod examples;

use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier;
use sha2::{Sha256, Sha384, Sha512};

pub use self::examples::passes_examples;
use crate::Algorithm;
use crate::hash::Hash;
use crate::jwk::KeyMaterial;

/// Checks signatures.
pub trait SignatureVerifier {
    /// Whether `signature` is one of `message` under `key` and `algorithm`.
    ///
    /// `signature` is as it stands in a token: for ECDSA the concatenation r‖s (RFC 7518 §3.4). A pair of key and
    /// algorithm that do not belong together is never a good signature.
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;

    /// What checks signatures of `algorithm`, which decides how many keys are tried for one token, and how large ones.
    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        let _ = algorithm;
        CheckedBy::Module
    }
}

impl<V: SignatureVerifier + ?Sized> SignatureVerifier for &V {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        (**self).verify(key, algorithm, message, signature)
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        (**self).checked_by(algorithm)
    }
}

/// What checks signatures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckedBy {
    /// A host, whose machine code is several times faster than Wasm.
    Host,
    /// The code in this crate, or code that is as slow.
    Module,
}

impl CheckedBy {
    /// What does it in Envoy.
    pub fn in_envoy(algorithm: Algorithm) -> Self {
        use Algorithm::{Es256, Es384, Es512, Rs256, Rs384, Rs512};
        match algorithm {
            Es256 | Es384 | Es512 | Rs256 | Rs384 | Rs512 => Self::Host,
            _ => Self::Module,
        }
    }
}

/// Checks signatures with the code in this crate alone.
#[derive(Clone, Copy, Debug)]
pub struct Software;

impl SignatureVerifier for Software {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let hash = algorithm.hash();
        match key {
            _ if !key.fits(algorithm) => false,
            KeyMaterial::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            KeyMaterial::Oct(secret) => is_mac(secret.octets(), hash, message, signature),
            KeyMaterial::P256(key, _) => is_good(key, message, p256::ecdsa::Signature::from_slice(signature)),
            KeyMaterial::P384(key, _) => is_good(key, message, p384::ecdsa::Signature::from_slice(signature)),
            KeyMaterial::P521(key, _) => is_good(key, message, p521::ecdsa::Signature::from_slice(signature)),
            KeyMaterial::Rsa(key) => match algorithm {
                Ps256 | Ps384 | Ps512 => key.verify_pss(hash, message, signature),
                Rs256 | Rs384 | Rs512 => key.verify_pkcs1(hash, message, signature),
                _ => false,
            },
        }
    }
}

fn is_good<S, E>(key: &impl Verifier<S>, message: &[u8], signature: Result<S, E>) -> bool {
    signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// Compares in constant time: an attacker that can guess a MAC octet by octet does not need the secret.
fn is_mac(secret: &[u8], hash: Hash, message: &[u8], mac: &[u8]) -> bool {
    fn is_mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8], mac: &[u8]) -> bool {
        <M as KeyInit>::new_from_slice(secret)
            .is_ok_and(|expected| expected.chain_update(message).verify_slice(mac).is_ok())
    }
    match hash {
        Hash::Sha256 => is_mac::<Hmac<Sha256>>(secret, message, mac),
        Hash::Sha384 => is_mac::<Hmac<Sha384>>(secret, message, mac),
        Hash::Sha512 => is_mac::<Hmac<Sha512>>(secret, message, mac),
    }
}

/// An ECDSA signature in DER (`ECDSA-Sig-Value`, RFC 3279 §2.2.3), as hosts take it; `None` unless `algorithm` is an
/// ECDSA one and `signature` two numbers of its size and in range.
pub fn ecdsa_to_der(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Es256 => Some(p256::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec()),
        Algorithm::Es384 => Some(p384::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec()),
        Algorithm::Es512 => Some(p521::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec()),
        _ => None,
    }
}

/// The inverse of [`ecdsa_to_der`], for what a host signed: r‖s as it stands in a token.
pub fn ecdsa_from_der(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Es256 => Some(p256::ecdsa::Signature::from_der(signature).ok()?.to_bytes().to_vec()),
        Algorithm::Es384 => Some(p384::ecdsa::Signature::from_der(signature).ok()?.to_bytes().to_vec()),
        Algorithm::Es512 => Some(p521::ecdsa::Signature::from_der(signature).ok()?.to_bytes().to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::examples::{EXAMPLES, KEYS};
    use super::*;
    use crate::base64url;
    use crate::jwk::{KeySet, Origin};

    fn keys() -> KeySet {
        KeySet::from_json(KEYS.as_bytes(), EXAMPLES.len(), Origin::Configuration).expect("is a key set")
    }

    #[test]
    fn published_examples_verify_and_nothing_near_them_does() {
        let keys = keys();
        assert_eq!(EXAMPLES.map(|(algorithm, ..)| algorithm), Algorithm::ALL, "each has one");
        for (algorithm, input, signature) in EXAMPLES {
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            let mut fitting = 0;
            for key in keys.keys() {
                for other in Algorithm::ALL {
                    let fits = key.allows(algorithm) && other == algorithm;
                    fitting += usize::from(fits);
                    assert_eq!(
                        Software.verify(key.material(), other, input.as_bytes(), &signature),
                        fits,
                        "{algorithm} {other}"
                    );
                }
                let verify =
                    |input: &[u8], signature: &[u8]| Software.verify(key.material(), algorithm, input, signature);
                assert!(!verify(&input.as_bytes()[1..], &signature));
                for bad in [&[][..], &[0; 64], &[0; 256], &signature[1..], &[&signature[..], &[0]].concat()] {
                    assert!(!verify(input.as_bytes(), bad), "{algorithm}");
                }
                for bit in 0..8 {
                    let mut flipped = signature.clone();
                    flipped[7] ^= 1 << bit;
                    assert!(!verify(input.as_bytes(), &flipped), "{algorithm} {bit}");
                }
            }
            assert_eq!(fitting, 1, "{algorithm} has one key");
        }
    }

    #[test]
    fn signatures_for_hosts_are_in_der_or_none() {
        for (algorithm, _, signature) in EXAMPLES {
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            let Some(der) = ecdsa_to_der(algorithm, &signature) else {
                assert!(!algorithm.name().starts_with("ES"), "{algorithm}");
                continue;
            };
            assert_eq!(der.first(), Some(&0x30));
            assert_eq!(ecdsa_from_der(algorithm, &der).as_ref(), Some(&signature));
            for bad in [&[][..], &signature, &der[1..], &der[..der.len() - 1], &[&der[..], &[0]].concat()] {
                assert_eq!(ecdsa_from_der(algorithm, bad), None, "{algorithm}");
            }
            for bad in [vec![0; signature.len()], vec![0xff; signature.len()], der, signature[1..].to_vec()] {
                assert_eq!(ecdsa_to_der(algorithm, &bad), None, "{algorithm}");
            }
        }
    }

    #[test]
    fn only_correct_verifiers_pass_the_examples() {
        for (algorithm, message, signature) in EXAMPLES {
            assert!(passes_examples(algorithm, |key, message, signature| {
                Some(Software.verify(key, algorithm, message, signature))
            }));
            for answer in [Some(true), Some(false), None] {
                assert!(!passes_examples(algorithm, |_, _, _| answer), "{algorithm} {answer:?}");
            }
            // One that looks at the signature alone, and one that looks at the message alone.
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            assert!(!passes_examples(algorithm, |_, _, found| Some(found == signature)));
            assert!(!passes_examples(algorithm, |_, found, _| Some(found == message.as_bytes())));
        }
    }
}
