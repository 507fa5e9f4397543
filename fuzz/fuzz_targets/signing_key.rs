//! Private keys, as JWK or PEM: one that is accepted signs as other libraries expect it of its public half, which is
//! what the gate serves; its private half is served by nobody.
//!
//! An input is the text of a key. `$D` and `$X` stand for the halves of an Ed25519 key, `$d`, `$x` and `$y` for those of
//! a P-256 key.

#![no_main]

use driver::memory::{Exchange, Outcome, Proxy};
use ed25519_dalek::Verifier as _;
use fuzz::json::{self, Tree};
use fuzz::proxy::Gullible;
use fuzz::signed;
use gate::{Gate, Policy, Timestamp};
use jose::base64url;
use jose::sign::SigningKey;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"], "keys": {"inline": KEYS}
    }],
    "upstreamCredentials": [{
        "name": "internal",
        "token": {"issuer": "https://gate", "audience": "a", "keys": [{"env": "KEY"}], "claims": ["sub"], "jwks": "/jwks"}
    }],
    "upstream": "internal",
    "default": "authenticated"
}"#;
const NOW: u64 = 1_800_000_000;
const MESSAGE: &[u8] = b"message";
/// RFC 8037 App. A.1, RFC 7515 App. A.3.
const WORDS: [(&str, &str); 5] = [
    ("$D", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
    ("$X", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    ("$d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
    ("$x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
    ("$y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
];

fuzz_target!(|input: &[u8]| {
    let Ok(input) = str::from_utf8(input) else { return };
    let text = WORDS.iter().fold(input.to_string(), |text, (name, word)| text.replace(name, word));
    let is_pem = !text.trim_start().starts_with('{');
    let found = if is_pem { SigningKey::from_pem(&text) } else { SigningKey::from_json(text.as_bytes()) };
    let served = Policy::parse(CONFIGURATION.replace("KEYS", signed::KEYS).as_bytes(), &|name| {
        (name == "KEY").then(|| text.clone())
    });
    let Ok(key) = found else { return assert!(served.is_err(), "a key that is none is configured") };
    let public = key.public_jwk("kid");
    check_public(&key, &public);
    check_again(&key, &text, is_pem);
    let Ok(policy) = served else { return };
    check_served(policy, &key);
});

/// Others verify what it signs, and its thumbprint is that of its public half.
fn check_public(key: &SigningKey, public: &str) {
    let tree = json::read(public.as_bytes()).expect("is JSON");
    let text = |name: &str| tree.get(name).and_then(Tree::string).expect("is there");
    let octets = |name: &str| base64url::decode(text(name).as_bytes()).expect("is base64url");
    assert!(tree.get("d").is_none() && text("kid") == "kid" && text("use") == "sig");
    let signature = key.sign(MESSAGE);
    let members = match text("kty") {
        "OKP" => {
            let point = octets("x").try_into().expect("has 32 octets");
            let verifier = ed25519_dalek::VerifyingKey::from_bytes(&point).expect("is a point");
            let signature = ed25519_dalek::Signature::from_slice(&signature).expect("is one");
            verifier.verify(MESSAGE, &signature).expect("is its own");
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text("x"))
        }
        "EC" => {
            let point = [vec![4], octets("x"), octets("y")].concat();
            let verifier = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).expect("is a point");
            let signature = p256::ecdsa::Signature::from_slice(&signature).expect("is one");
            verifier.verify(MESSAGE, &signature).expect("is its own");
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y"))
        }
        other => panic!("nobody made a key of type {other}"),
    };
    assert_eq!(key.thumbprint(), base64url::encode(&Sha256::digest(members)));
}

/// What the text says of the key is true of it.
fn check_again(key: &SigningKey, text: &str, is_pem: bool) {
    let shown = format!("{key:?}");
    if is_pem {
        assert!(text.contains("-----BEGIN PRIVATE KEY-----") && key.kid().is_none());
        return;
    }
    let tree = json::read(text.as_bytes()).expect("is JSON");
    let text = |name: &str| tree.get(name).and_then(Tree::string);
    let private = text("d").expect("has a private half");
    assert!(!shown.contains(private), "{shown}");
    assert_eq!(base64url::decode(private.as_bytes()).map(|octets| octets.len()), Some(32));
    assert_eq!(key.kid(), text("kid").filter(|kid| !kid.is_empty()));
    assert!(text("alg").is_none_or(|alg| alg == key.algorithm().name()));
    let public = key.public_jwk("kid");
    for name in ["kty", "crv", "x", "y"] {
        let member = tree.get(name).and_then(Tree::string);
        assert!(member.is_none_or(|member| name == "y" || public.contains(&format!(r#""{name}":"{member}""#))));
    }
}

/// The set has the public half, and nothing of the private one; the token is signed by it.
fn check_served(policy: Policy, key: &SigningKey) {
    let gate = Gate::new(policy, Timestamp::from_secs(NOW), 1);
    let mut proxy = Proxy::new(gate, Gullible, Timestamp::from_secs(NOW));
    let line = |path: &'static str| [(":method", "GET"), (":path", path), (":authority", "api"), (":scheme", "https")];
    let Outcome::Replied { reply, .. } = proxy.decide(Exchange::new(line("/jwks"))).outcome else {
        panic!("the set is served");
    };
    assert_eq!(reply.status, 200);
    let set = json::read(reply.body.as_bytes()).expect("is JSON");
    let keys = set.get("keys").expect("is a set").elements();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].get("d").is_none());
    let kid = keys[0].get("kid").and_then(Tree::string).expect("has a kid");
    assert_eq!(keys[0].text, key.public_jwk(kid));
    let authorization = format!("Bearer {}", signed::TOKENS[0].1);
    let lines = line("/app").into_iter().chain([("authorization", authorization.as_str())]);
    let exchange = proxy.decide(Exchange::new(lines));
    assert_eq!(exchange.outcome, Outcome::Forwarded);
    let value = exchange.headers.value("authorization").expect("is there").to_vec();
    let token = String::from_utf8(value).expect("is text");
    let (input, signature) = token.strip_prefix("Bearer ").and_then(|token| token.rsplit_once('.')).expect("is a JWS");
    assert_eq!(base64url::decode(signature.as_bytes()), Some(key.sign(input.as_bytes())));
}
