//! Signatures, checked by a library in machine code where that is faster than [`Software`].
//!
//! RSA, P-256 and P-384 are. Ed25519 is not, and P-521 is not there: `docs/decisions/0036-native-signatures.md` has the
//! figures. Key rules come before it, as the seam has it: what a key may be is `jose`'s to say.

use std::cell::RefCell;
use std::fmt;

use graviola::hashing::{Sha256, Sha384};
use graviola::signing::{ecdsa, rsa};
use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};

/// How many keys are kept as the library has them. Issuers have a few; what is more comes from proofs, whose keys anyone
/// makes up.
const MOST_KEYS: usize = 32;

/// An uncompressed point of P-256, and of P-384.
const POINT_256: usize = 65;
const POINT_384: usize = 97;

/// RSA keys whose size is a multiple of so many bits are for the library.
const RSA_STEP: usize = 512;

/// Checks signatures with `graviola` or with [`Software`], whichever is faster.
#[derive(Default)]
pub(crate) struct Native {
    /// The most recent first, each by the octets that it was read from.
    keys: RefCell<Vec<(Box<[u8]>, Key)>>,
}

/// A key as the library has it: its tables are made once.
enum Key {
    P256(Box<ecdsa::VerifyingKey<ecdsa::P256>>),
    P384(Box<ecdsa::VerifyingKey<ecdsa::P384>>),
    Rsa(Box<rsa::VerifyingKey>),
}

impl SignatureVerifier for Native {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verify_natively(key, algorithm, message, signature)
            .unwrap_or_else(|| Software.verify(key, algorithm, message, signature))
    }

    /// As for the plugin: machine code is as fast here as there, and both accept the same keys.
    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Native")
    }
}

impl Native {
    /// `None` where the library does not do it.
    fn verify_natively(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], sig: &[u8]) -> Option<bool> {
        let octets = octets(key).filter(|_| is_supported())?;
        let mut keys = self.keys.try_borrow_mut().ok()?;
        if let Some(index) = keys.iter().position(|(own, _)| **own == *octets) {
            keys.get_mut(..=index)?.rotate_right(1);
        } else {
            let read = Key::read(key, octets)?;
            keys.truncate(MOST_KEYS - 1);
            keys.insert(0, (octets.into(), read));
        }
        let (_, key) = keys.first()?;
        Some(key.verify(algorithm, message, sig))
    }
}

impl Key {
    fn read(key: &KeyMaterial, octets: &[u8]) -> Option<Self> {
        match key {
            KeyMaterial::P256(..) => {
                Some(Self::P256(Box::new(ecdsa::VerifyingKey::from_x962_uncompressed(octets).ok()?)))
            }
            KeyMaterial::P384(..) => {
                Some(Self::P384(Box::new(ecdsa::VerifyingKey::from_x962_uncompressed(octets).ok()?)))
            }
            KeyMaterial::Rsa(_) => Some(Self::Rsa(Box::new(rsa::VerifyingKey::from_pkcs1_der(octets).ok()?))),
            _ => None,
        }
    }

    /// A pair of key and algorithm that do not belong together is never a good signature.
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verdict = match (self, algorithm) {
            (Self::P256(key), Algorithm::Es256) => key.verify::<Sha256>(&[message], signature),
            (Self::P384(key), Algorithm::Es384) => key.verify::<Sha384>(&[message], signature),
            (Self::Rsa(key), Algorithm::Ps256) => key.verify_pss_sha256(signature, message),
            (Self::Rsa(key), Algorithm::Ps384) => key.verify_pss_sha384(signature, message),
            (Self::Rsa(key), Algorithm::Ps512) => key.verify_pss_sha512(signature, message),
            (Self::Rsa(key), Algorithm::Rs256) => key.verify_pkcs1_sha256(signature, message),
            (Self::Rsa(key), Algorithm::Rs384) => key.verify_pkcs1_sha384(signature, message),
            (Self::Rsa(key), Algorithm::Rs512) => key.verify_pkcs1_sha512(signature, message),
            _ => return false,
        };
        verdict.is_ok()
    }
}

/// What the library reads a key from, and no other key has; `None` for those that are not for it.
fn octets(key: &KeyMaterial) -> Option<&[u8]> {
    match key {
        KeyMaterial::P256(_, spki) => spki.last_chunk::<POINT_256>().map(<[u8; POINT_256]>::as_slice),
        KeyMaterial::P384(_, spki) => spki.last_chunk::<POINT_384>().map(<[u8; POINT_384]>::as_slice),
        // Under keys of other sizes the library refuses good signatures.
        KeyMaterial::Rsa(key) => Some(key.pkcs1()).filter(|_| key.bits().is_multiple_of(RSA_STEP)),
        _ => None,
    }
}

/// Whether this machine has what the library asserts that there is.
#[cfg(target_arch = "x86_64")]
fn is_supported() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("adx") && has!("aes") && has!("avx") && has!("avx2") && has!("bmi1") && has!("bmi2") && has!("pclmulqdq")
}

/// Whether this machine has what the library asserts that there is.
#[cfg(target_arch = "aarch64")]
fn is_supported() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("aes") && has!("neon") && has!("pmull") && has!("sha2")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jose::base64url;
    use jose::jwk::{KeySet, Origin};
    use jose::signature::passes_examples;
    use serde_json::{Value, json};
    use vectors::primitives::groups;

    use super::*;

    /// A key, and a signature of it.
    struct Example {
        algorithm: Algorithm,
        key: KeyMaterial,
        message: Vec<u8>,
        signature: Vec<u8>,
    }

    /// A published signature for each algorithm.
    fn examples() -> Vec<Example> {
        let example = |algorithm| {
            let first = RefCell::new(None);
            passes_examples(algorithm, |key, message, signature| {
                let example =
                    || Example { algorithm, key: key.clone(), message: message.into(), signature: signature.into() };
                first.borrow_mut().get_or_insert_with(example);
                Some(true)
            });
            first.into_inner().expect("is there")
        };
        Algorithm::ALL.into_iter().map(example).collect()
    }

    /// What both say of a signature; they must not differ.
    fn verdict(key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8], what: &str) -> bool {
        let native = Native::default();
        let [native, software] =
            [&native as &dyn SignatureVerifier, &Software].map(|one| one.verify(key, algorithm, message, signature));
        assert_eq!(native, software, "{algorithm}: {what}: native, software");
        native
    }

    fn keys(jwk: &Value, origin: Origin) -> Option<KeySet> {
        let mut set = if jwk.get("keys").is_some() { jwk.clone() } else { json!({"keys": [jwk]}) };
        for key in set["keys"].as_array_mut()? {
            key.as_object_mut()?.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
        }
        KeySet::from_json(set.to_string().as_bytes(), 100, origin).ok()
    }

    /// Whether the library checks such a signature.
    fn is_native(key: &KeyMaterial, algorithm: Algorithm) -> bool {
        Native::default().verify_natively(key, algorithm, b"", b"").is_some()
    }

    #[test]
    fn rsa_and_p256_and_p384_are_checked_by_the_library_and_all_examples_are_judged_right() {
        let mut natively = Vec::new();
        for Example { algorithm, key, .. } in examples() {
            assert!(passes_examples(algorithm, |key, message, signature| {
                Some(Native::default().verify(key, algorithm, message, signature))
            }));
            natively.extend(is_native(&key, algorithm).then(|| algorithm.name()));
        }
        assert_eq!(natively, ["ES256", "ES384", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);
    }

    #[test]
    fn a_signature_is_good_under_its_own_key_and_algorithm_alone() {
        let examples = examples();
        for Example { algorithm, key: own, message, signature } in &examples {
            for Example { algorithm: other, key, .. } in &examples {
                assert_eq!(verdict(key, *algorithm, message, signature, "the key"), key == own, "{algorithm} {other}");
                let is_good = verdict(own, *other, message, signature, "the algorithm");
                assert_eq!(is_good, algorithm == other, "{algorithm} {other}");
            }
        }
    }

    #[test]
    fn wycheproofs_signatures_are_judged_as_a_strict_verifier_must() {
        // One for all of them: keys come and go.
        let native = Native::default();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for group in groups() {
            let algorithm = Algorithm::from_name(group.algorithm).unwrap();
            let Some(keys) = keys(&group.jwk, Origin::Configuration) else { continue };
            let key = keys.keys()[0].material();
            // The others are not decided here: `jose`'s own tests have them.
            if !is_native(key, algorithm) {
                continue;
            }
            for case in &group.cases {
                let is_good = native.verify(key, algorithm, &case.message, &case.signature);
                assert_eq!(is_good, case.is_good, "{} {}", group.name, case.name);
                *counts.entry(group.algorithm).or_default() += 1;
            }
        }
        assert_eq!(counts.len(), 8, "{counts:?}");
        assert!(counts.values().all(|count| *count >= 100), "{counts:?}");
    }

    #[test]
    fn wycheproofs_tokens_are_judged_as_by_software() {
        if vectors::are_absent() {
            return;
        }
        let suite = vectors::read_json::<Value>("wycheproof/json_web_signature_test.json");
        let mut compared = 0;
        for group in suite["testGroups"].as_array().unwrap() {
            let jwk = group.get("public").unwrap_or(&group["private"]);
            let Some(keys) = keys(jwk, Origin::Configuration) else { continue };
            for token in group["tests"].as_array().unwrap().iter().filter_map(|test| test["jws"].as_str()) {
                let Some((input, signature)) = token.rsplit_once('.') else { continue };
                let Some(signature) = base64url::decode(signature.as_bytes()) else { continue };
                for key in keys.keys() {
                    for algorithm in Algorithm::ALL {
                        verdict(key.material(), algorithm, input.as_bytes(), &signature, token);
                        compared += usize::from(is_native(key.material(), algorithm));
                    }
                }
            }
        }
        assert!(compared > 300, "{compared}");
    }

    #[test]
    fn a_forged_signature_is_refused_by_both() {
        for Example { algorithm, key, message, signature } in examples() {
            if !is_native(&key, algorithm) {
                continue;
            }
            assert!(verdict(&key, algorithm, &message, &signature, "the good one"));
            let refused = |signature: &[u8], what: &str| {
                assert!(!verdict(&key, algorithm, &message, signature, what), "{algorithm}: {what}");
            };
            // A prime number of bits between them: each octet, and each bit of an octet, has its turn.
            for bit in (0..signature.len() * 8).step_by(13) {
                let mut flipped = signature.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                refused(&flipped, &format!("bit {bit}"));
            }
            for (octets, what) in [
                (vec![], "empty"),
                (vec![0; signature.len()], "zeros"),
                (vec![0xff; signature.len()], "ones"),
                (signature[1..].to_vec(), "without the first octet"),
                (signature[..signature.len() - 1].to_vec(), "without the last octet"),
                ([&[0], &signature[..]].concat(), "with a zero in front"),
                ([&signature[..], &[0]].concat(), "with a zero behind"),
                ([&signature[..], &signature].concat(), "twice"),
            ] {
                refused(&octets, what);
            }
        }
    }

    /// `one` + `other`, of `one`'s length; `None` where that is too short.
    fn sum(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
        let mut octets = one.to_vec();
        let mut carry = 0;
        for (octet, other) in octets.iter_mut().rev().zip(other.iter().rev()) {
            let sum = u16::from(*octet) + u16::from(*other) + carry;
            (*octet, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        (carry == 0).then_some(octets)
    }

    #[test]
    fn numbers_that_are_the_same_only_modulo_something_are_refused_by_both() {
        const ORDER: [u8; 32] = [
            0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
            0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        ];
        let mut tried = 0;
        for Example { algorithm, key, message, signature } in examples() {
            let forged = match &key {
                KeyMaterial::Rsa(key) => {
                    let modulus: &[u8] = key.pkcs1().get(9..9 + signature.len()).unwrap();
                    vec![sum(&signature, modulus), Some(modulus.to_vec())]
                }
                KeyMaterial::P256(..) => {
                    let (r, s) = signature.split_at(32);
                    let zero = [0; 32];
                    let both = |r: Option<Vec<u8>>, s: Option<Vec<u8>>| Some([r?, s?].concat());
                    vec![
                        both(sum(r, &ORDER), Some(s.into())),
                        both(Some(r.into()), sum(s, &ORDER)),
                        both(Some(zero.into()), Some(s.into())),
                        both(Some(r.into()), Some(zero.into())),
                        both(Some(ORDER.into()), Some(s.into())),
                    ]
                }
                _ => continue,
            };
            for (index, octets) in forged.into_iter().enumerate() {
                let Some(octets) = octets else { continue };
                assert!(!verdict(&key, algorithm, &message, &octets, &format!("number {index}")));
                tried += 1;
            }
        }
        assert!(tried >= 9, "{tried}");
    }

    /// Good signatures of `message`, by OpenSSL; the sizes are those that libraries treat apart.
    #[test]
    fn a_good_signature_is_good_under_a_key_of_any_size() {
        let sizes: Value = serde_json::from_str(include_str!("signatures/sizes.json")).unwrap();
        let mut natively = 0;
        for size in sizes.as_array().unwrap() {
            let keys = keys(&json!({"kty": "RSA", "n": size["n"], "e": "AQAB"}), Origin::Issuer).unwrap();
            for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
                let signature = base64url::decode(size[algorithm.name()].as_str().unwrap().as_bytes()).unwrap();
                let what = size["bits"].to_string();
                let key = keys.keys()[0].material();
                assert!(verdict(key, algorithm, b"message", &signature, &what), "{what}");
                natively += usize::from(is_native(key, algorithm));
            }
        }
        assert_eq!(natively, 2 * 5, "2,048, 2,560, 3,072, 3,584 and 4,096 bits");
    }

    #[test]
    fn a_key_is_read_once_and_as_many_are_kept_as_issuers_have() {
        let examples = examples();
        let native = Native::default();
        let verify = |example: &Example| {
            let Example { algorithm, key, message, signature } = example;
            assert!(native.verify(key, *algorithm, message, signature), "{algorithm}");
        };
        let kept = || native.keys.borrow().iter().map(|(octets, _)| octets.clone()).collect::<Vec<_>>();
        examples.iter().chain(&examples).for_each(verify);
        let own: BTreeSet<_> = examples.iter().filter_map(|example| octets(&example.key)).collect();
        assert_eq!(kept().len(), own.len());
        // A key that was used last is the last to go.
        let es256 = examples.iter().find(|example| example.algorithm == Algorithm::Es256).unwrap();
        for index in 1..200_u8 {
            let signer = p256::ecdsa::SigningKey::from_slice(&[index; 32]).unwrap();
            let point = signer.verifying_key().to_sec1_point(false);
            let coordinate = |range| base64url::encode(point.as_bytes().get::<std::ops::Range<usize>>(range).unwrap());
            let jwk = json!({"kty": "EC", "crv": "P-256", "x": coordinate(1..33), "y": coordinate(33..65)});
            let keys = keys(&jwk, Origin::Issuer).unwrap();
            assert!(!native.verify(keys.keys()[0].material(), Algorithm::Es256, b"", &es256.signature));
            verify(es256);
        }
        assert_eq!(kept().len(), MOST_KEYS);
        assert_eq!(Some(&*kept()[0]), octets(&es256.key));
    }

    #[test]
    fn keys_of_all_sizes_that_nobody_has_chosen_verify_nothing_and_end_nothing() {
        let mut state = 1_u64;
        let mut octets = |count: usize| -> Vec<u8> {
            let next = || {
                // SplitMix64.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let one = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let two = (one ^ one >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                (two ^ two >> 31).to_le_bytes()[0]
            };
            std::iter::repeat_with(next).take(count).collect()
        };
        let encode = |octets: &[u8]| base64url::encode(octets);
        let mut imported = 0;
        for bits in [2047, 2048, 2049, 2055, 2056, 3072, 4095, 4096, 4097, 8191, 8192, 8193] {
            for exponent in [&[1, 0, 1][..], &[1, 0xff, 0xff], &[2, 0, 1], &[3]] {
                let size = usize::div_ceil(bits, 8);
                let mut modulus = octets(size);
                modulus[0] = (modulus[0] | 0x80) >> (size * 8 - bits);
                modulus[size - 1] |= 1;
                let jwk = json!({"kty": "RSA", "n": encode(&modulus), "e": encode(exponent)});
                let Some(keys) = keys(&jwk, Origin::Issuer) else { continue };
                imported += 1;
                for algorithm in [Algorithm::Rs256, Algorithm::Ps512] {
                    for signature in [octets(size), octets(size - 1), vec![0; size], modulus.clone()] {
                        assert!(!verdict(
                            keys.keys()[0].material(),
                            algorithm,
                            b"message",
                            &signature,
                            &bits.to_string()
                        ));
                    }
                }
            }
        }
        assert_eq!(imported, 20, "ten sizes and two exponents are those of keys");
    }
}
