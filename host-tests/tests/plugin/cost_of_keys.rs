//! What an unsigned token costs under hostile key sets, in instructions, where the module checks signatures itself.

use std::sync::LazyLock;

use serde_json::{Value, json};
use strict_host::{Proxy, VerifySignature, VmOptions};
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::base64url;

use crate::world::{ISSUER, get, plugin, summary};

/// How many times as much as a token under one key of 4,096 bits an unsigned one may cost, whatever the keys.
const MOST: f64 = 1.9;
/// The same under a single key of 4,096 bits: the largest exponent takes twice the time of the usual one.
const MOST_ALONE: f64 = 2.1;
const USUAL: u32 = 65_537;
const LARGEST: u32 = 131_071;
const BAD: &str = "401 bad_signature";
const UNKNOWN: &str = "401 unknown_key";

/// A key set without `kid`s, and what becomes of a token that claims to be signed with one of its keys.
struct Set {
    name: &'static str,
    keys: Vec<Value>,
    algorithm: &'static str,
    /// As long as a good one, and in range.
    signature: Vec<u8>,
    verdict: &'static str,
}

/// A number that nobody knows the factors of; `number` makes it another one.
fn rsa(bits: usize, exponent: u32, number: usize) -> Value {
    let mut modulus = vec![0xff; bits / 8];
    modulus[8] = u8::try_from(number).unwrap();
    json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent.to_be_bytes())})
}

/// A signature of that many bits, less than each of those moduli.
fn bits(bits: usize) -> Vec<u8> {
    vec![0x7f; bits / 8]
}

/// Elliptic keys; they take time to make.
static CURVES: LazyLock<Vec<(&str, Vec<Value>)>> = LazyLock::new(|| {
    let algorithms = [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA];
    let key = |algorithm| {
        let mut jwk = SigningKey::generate(algorithm).public_jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    algorithms.map(|algorithm| (algorithm.name(), (0..5).map(|_| key(algorithm)).collect())).into()
});

fn curve(algorithm: &str, count: usize) -> Vec<Value> {
    CURVES.iter().find(|(name, _)| *name == algorithm).unwrap().1[..count].to_vec()
}

fn set(
    name: &'static str,
    keys: Vec<Value>,
    algorithm: &'static str,
    signature: Vec<u8>,
    verdict: &'static str,
) -> Set {
    Set { name, keys, algorithm, signature, verdict }
}

fn rsa_keys(count: usize, bits: usize, exponent: u32) -> Vec<Value> {
    (0..count).map(|number| rsa(bits, exponent, number)).collect()
}

fn sets() -> Vec<Set> {
    let mixed = || [rsa_keys(1, 4096, LARGEST), rsa_keys(4, 2048, LARGEST)].concat();
    vec![
        set("8,192 bits, exponent 2^32-1", rsa_keys(5, 8192, u32::MAX), "RS256", bits(8192), UNKNOWN),
        set("8,192 bits, exponent 2^32-1, PSS", rsa_keys(5, 8192, u32::MAX), "PS256", bits(8192), UNKNOWN),
        set("2,048 bits, exponent 2^32-1", rsa_keys(5, 2048, u32::MAX), "RS256", bits(2048), UNKNOWN),
        set("8,192 bits, largest exponent", rsa_keys(5, 8192, LARGEST), "RS256", bits(8192), UNKNOWN),
        set("8,192 bits, PSS", rsa_keys(5, 8192, USUAL), "PS256", bits(8192), UNKNOWN),
        set("8,192 bits, one key", rsa_keys(1, 8192, USUAL), "PS256", bits(8192), UNKNOWN),
        set("4,096 bits, largest exponent", rsa_keys(5, 4096, LARGEST), "PS512", bits(4096), UNKNOWN),
        set("4,096 bits", rsa_keys(5, 4096, USUAL), "RS256", bits(4096), UNKNOWN),
        set("4,096 bits, two keys", rsa_keys(2, 4096, USUAL), "RS256", bits(4096), UNKNOWN),
        set("3,072 bits", rsa_keys(5, 3072, USUAL), "RS256", bits(3072), UNKNOWN),
        set("2,048 bits, largest exponent", rsa_keys(5, 2048, LARGEST), "RS256", bits(2048), UNKNOWN),
        set("2,048 bits, ninety keys", rsa_keys(90, 2048, USUAL), "RS256", bits(2048), UNKNOWN),
        set("4,096 and 2,048 bits", mixed(), "RS256", bits(2048), UNKNOWN),
        set("P-521", curve("ES512", 5), "ES512", vec![1; 132], UNKNOWN),
        set("P-384", curve("ES384", 5), "ES384", vec![1; 96], UNKNOWN),
        set("P-256", curve("ES256", 5), "ES256", vec![1; 64], UNKNOWN),
        // What honest issuers without `kid`s have.
        set("2,048 bits, five keys", rsa_keys(5, 2048, USUAL), "RS256", bits(2048), BAD),
        set("2,048 bits, five keys, PSS", rsa_keys(5, 2048, USUAL), "PS256", bits(2048), BAD),
        set("3,072 bits, two keys", rsa_keys(2, 3072, USUAL), "RS256", bits(3072), BAD),
        set("P-256, two keys", curve("ES256", 2), "ES256", vec![1; 64], BAD),
        set("Ed25519, four keys", curve("EdDSA", 4), "EdDSA", vec![1; 64], BAD),
    ]
}

/// What an unsigned token costs, and what becomes of it.
fn cost(set: &Set, host: VerifySignature) -> (f64, String) {
    let proxy = Proxy::new();
    let vm = proxy.vm(plugin(), VmOptions::new());
    vm.set_verify_signature(host);
    // A set needs a key, whatever becomes of the others.
    let keys: Vec<_> = set.keys.iter().chain(&curve("EdDSA", 5)[4..]).cloned().collect();
    let issuer = json!({"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": {"inline": {"keys": keys}}});
    let root = vm.start(json!({"issuers": [issuer], "rules": [{"access": "authenticated"}]}).to_string()).unwrap();
    let send = |number: u8| {
        let header = json!({"alg": set.algorithm}).to_string();
        let payload = json!({"iss": ISSUER, "aud": "api", "jti": number}).to_string();
        let token = format!("{}.{}.{}", base64url(header), base64url(payload), base64url(&set.signature));
        let before = vm.fuel();
        let stream = get(&root, "/x", &[("authorization", &format!("Bearer {token}"))]);
        let verdict = summary(&stream);
        stream.end();
        (f64::from(u32::try_from(vm.fuel() - before).unwrap()), verdict)
    };
    // What is made once, metrics for example, is made for the first one.
    send(0);
    send(1)
}

#[test]
fn an_unsigned_token_costs_about_what_one_large_key_does_whatever_the_key_set() {
    let alone = |exponent| set("alone", rsa_keys(1, 4096, exponent), "PS256", bits(4096), BAD);
    let (unit, _) = cost(&alone(USUAL), VerifySignature::Missing);
    let mut wrong = Vec::new();
    let (twice, _) = cost(&alone(LARGEST), VerifySignature::Missing);
    if twice > unit * MOST_ALONE {
        wrong.push(format!("a single key of 4,096 bits: {:.2}", twice / unit));
    }
    for set in sets() {
        let (cost, verdict) = cost(&set, VerifySignature::Missing);
        let line = format!("{:>5.2} {}: {verdict}, expected {}", cost / unit, set.name, set.verdict);
        println!("{line}");
        if cost > unit * MOST || verdict != set.verdict {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "more than a token under one key of 4,096 bits costs ({unit}): {wrong:#?}");
}

#[test]
fn keys_of_8192_bits_are_tried_where_the_host_verifies_and_two_of_them_at_most() {
    for (count, algorithm, host, verdict) in [
        (1, "RS256", VerifySignature::Real, BAD),
        (2, "RS512", VerifySignature::Real, BAD),
        (3, "RS256", VerifySignature::Real, UNKNOWN),
        (1, "PS256", VerifySignature::Real, UNKNOWN),
        (1, "RS256", VerifySignature::Missing, UNKNOWN),
        (1, "RS256", VerifySignature::AlwaysTrue, UNKNOWN),
    ] {
        let set = set("8,192 bits", rsa_keys(count, 8192, USUAL), algorithm, bits(8192), verdict);
        assert_eq!(cost(&set, host).1, verdict, "{count} {algorithm} {host:?}");
    }
}
