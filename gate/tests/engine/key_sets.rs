//! Key sets that are odd or hostile: what is logged of them, and what becomes of tokens.

use jose::Algorithm;
use jose::base64url;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};
use serde_json::{Value, json};

use crate::support::{ISSUER, Key, NOW, World, fetched, inline};
use gate::explain::trace;
use gate::{Policy, Request, Timestamp};

/// A host that checks RS* and finds every signature bad.
struct Host;

impl SignatureVerifier for Host {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

/// A number of that many bits whose factors are unknown; `number` makes it another one.
fn rsa(bits: usize, number: u8, more: &Value) -> Value {
    let mut modulus = vec![0xff; bits / 8];
    modulus[8] = number;
    let mut jwk = json!({"kty": "RSA", "n": base64url::encode(&modulus), "e": "AQAB"});
    crate::support::merge(&mut jwk, more);
    jwk
}

fn odd_keys() -> Vec<Value> {
    vec![
        rsa(2048, 0, &json!({"kid": "large-exponent", "e": "AgAB"})),
        rsa(2048, 0, &json!({"kid": "small-exponent", "e": "Aw"})),
        rsa(1024, 0, &json!({"kid": "small"})),
        rsa(8200, 0, &json!({"kid": "huge"})),
        rsa(8192, 0, &json!({"kid": "large"})),
        rsa(4096, 0, &json!({})),
        rsa(4096, 1, &json!({})),
        Key::new("a").jwk(),
    ]
}

fn with_keys(keys: &[Value]) -> Value {
    let mut config = inline(&json!({}));
    config["issuers"][0]["keys"]["inline"]["keys"] = json!(keys);
    config
}

fn unsigned(header: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let claims = json!({"iss": ISSUER, "aud": "api", "exp": NOW + 60});
    format!("{}.{}.{}", part(header), part(&claims), base64url::encode(&[1; 64]))
}

#[test]
fn keys_that_are_skipped_or_need_a_host_are_logged() {
    let inline = World::new(&with_keys(&odd_keys())).log;
    let mut world = World::new(&fetched(&json!({}), &json!({})));
    world.answer("200", &json!({"keys": odd_keys()}).to_string());
    insta::assert_snapshot!([inline, world.log].concat().join("\n"));
}

#[test]
fn explanations_name_the_keys_that_are_not_tried_and_why() {
    let policy = |keys: &[Value]| Policy::parse(with_keys(keys).to_string().as_bytes(), &|_| None).expect("is usable");
    let (odd, crowd) = (odd_keys(), (0..6).map(|number| rsa(2048, number, &json!({}))).collect::<Vec<_>>());
    let only_large = [rsa(8192, 0, &json!({})), Key::new("a").jwk()];
    let mut report = Vec::new();
    for (keys, header) in [
        (&odd[..], json!({"alg": "RS256", "kid": "large-exponent"})),
        (&odd, json!({"alg": "RS256", "kid": "small-exponent"})),
        (&odd, json!({"alg": "RS256", "kid": "huge"})),
        (&odd, json!({"alg": "RS256", "kid": "large"})),
        (&odd, json!({"alg": "PS256", "kid": "large"})),
        (&odd, json!({"alg": "RS256", "kid": "a"})),
        (&odd, json!({"alg": "RS256", "kid": "b"})),
        (&odd, json!({"alg": "RS256"})),
        (&odd, json!({"alg": "PS256"})),
        (&only_large, json!({"alg": "RS256"})),
        (&crowd, json!({"alg": "RS256"})),
    ] {
        let policy = policy(keys);
        let value = format!("Bearer {}", unsigned(&header));
        let lines = [(":method", "GET"), (":path", "/x"), (":authority", "h"), ("authorization", value.as_str())];
        let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        for (verifier, name) in [(&Software as &dyn SignatureVerifier, "module"), (&Host, "host")] {
            let trace = trace(&policy, &Request::new(&lines), Timestamp::from_secs(NOW), verifier, None);
            let token = trace.token.expect("is looked at");
            let reason = token.failed.map_or("none", |(_, reason)| reason.name());
            report.push(format!("{header} {name}: {reason}, {}", token.detail.unwrap_or_default()));
        }
    }
    insta::assert_snapshot!(report.join("\n"));
}
