//! Signatures, checked by a library in machine code where that is faster than [`Software`].
//!
//! RSA and P-256 are. Ed25519 is not, P-384 is slower, and P-521 is not there: `docs/decisions/0036-native-signatures.md`
//! has the figures. Key rules come before it, as the seam has it: what a key may be is `jose`'s to say.

use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};

/// Checks signatures with `ring` or with [`Software`], whichever is faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Native;

/// An uncompressed point of P-256.
const POINT: usize = 65;

impl SignatureVerifier for Native {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match ring(key, algorithm) {
            Some((algorithm, key)) => UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok(),
            None => Software.verify(key, algorithm, message, signature),
        }
    }

    /// As for the plugin: machine code is as fast here as there, and both accept the same keys.
    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

/// What checks such a signature, and the key as it takes it.
fn ring(key: &KeyMaterial, algorithm: Algorithm) -> Option<(&'static dyn VerificationAlgorithm, &[u8])> {
    let (checks, key): (&'static dyn VerificationAlgorithm, &[u8]) = match (algorithm, key) {
        (Algorithm::Es256, KeyMaterial::P256(_, spki)) => (&ECDSA_P256_SHA256_FIXED, spki.last_chunk::<POINT>()?),
        (Algorithm::Ps256, KeyMaterial::Rsa(key)) => (&RSA_PSS_2048_8192_SHA256, key.pkcs1()),
        (Algorithm::Ps384, KeyMaterial::Rsa(key)) => (&RSA_PSS_2048_8192_SHA384, key.pkcs1()),
        (Algorithm::Ps512, KeyMaterial::Rsa(key)) => (&RSA_PSS_2048_8192_SHA512, key.pkcs1()),
        (Algorithm::Rs256, KeyMaterial::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA256, key.pkcs1()),
        (Algorithm::Rs384, KeyMaterial::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA384, key.pkcs1()),
        (Algorithm::Rs512, KeyMaterial::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA512, key.pkcs1()),
        _ => return None,
    };
    Some((checks, key))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

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
        let [native, software] =
            [&Native as &dyn SignatureVerifier, &Software].map(|one| one.verify(key, algorithm, message, signature));
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

    #[test]
    fn rsa_and_p256_are_checked_by_the_library_and_all_examples_are_judged_right() {
        let mut natively = Vec::new();
        for Example { algorithm, key, .. } in examples() {
            assert!(passes_examples(algorithm, |key, message, signature| {
                Some(Native.verify(key, algorithm, message, signature))
            }));
            natively.extend(ring(&key, algorithm).map(|_| algorithm.name()));
        }
        assert_eq!(natively, ["ES256", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);
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
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for group in groups() {
            let algorithm = Algorithm::from_name(group.algorithm).unwrap();
            let Some(keys) = keys(&group.jwk, Origin::Configuration) else { continue };
            let key = keys.keys()[0].material();
            // The others are not decided here: `jose`'s own tests have them.
            if ring(key, algorithm).is_none() {
                continue;
            }
            for case in &group.cases {
                let is_good = Native.verify(key, algorithm, &case.message, &case.signature);
                assert_eq!(is_good, case.is_good, "{} {}", group.name, case.name);
                *counts.entry(group.algorithm).or_default() += 1;
            }
        }
        assert_eq!(counts.len(), 7, "{counts:?}");
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
                        compared += usize::from(ring(key.material(), algorithm).is_some());
                    }
                }
            }
        }
        assert!(compared > 300, "{compared}");
    }

    #[test]
    fn a_forged_signature_is_refused_by_both() {
        for Example { algorithm, key, message, signature } in examples() {
            if ring(&key, algorithm).is_none() {
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
