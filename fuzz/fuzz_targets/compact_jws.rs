//! Tokens: `jose::jws` accepts what is strict in each part, shows it as it is, and verifies what was signed alone.
//!
//! An input is a token; or, where it begins with a brace, the parts of one in plain text, a line each: header, payload
//! and signature, which may be the name of an algorithm and is then the signature of the token that was signed with it.

#![no_main]

use std::sync::LazyLock;

use fuzz::json::{self, Tree};
use fuzz::signed::{KEYS, TOKENS};
use jose::jwk::{KeyMaterial, KeySet, Origin, VerificationKey};
use jose::jws::{EncodedToken, UntrustedToken};
use jose::signature::{SignatureVerifier, Software};
use jose::{Algorithm, base64url};
use libfuzzer_sys::fuzz_target;

static KEY_SET: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::from_json(KEYS.as_bytes(), 3, Origin::Issuer).expect("is a key set"));

fuzz_target!(|input: &[u8]| {
    let token = if input.first() == Some(&b'{') { &assemble(input) } else { input };
    let parts = Parts::decode(token);
    let encoded = EncodedToken::decode(token);
    assert_eq!(encoded.is_ok(), parts.is_some(), "{encoded:?}");
    let (Ok(encoded), Some(parts)) = (encoded, parts) else { return };
    assert_eq!(parts.encode().as_bytes(), token, "another text for the same token");

    let read = parts.read();
    let parsed = encoded.parse();
    assert_eq!(parsed.is_ok(), read.is_some(), "{parsed:?}");
    let (Ok(parsed), Some((header, payload))) = (parsed, read) else { return };
    check_what_is_shown(&parsed, &header, &payload);
    check_what_is_verified(parsed, token, &parts, &header, &payload);
    check_that_nothing_is_forged(encoded.parse().expect("was parsed before"), token);
});

/// A token of parts in plain text.
fn assemble(input: &[u8]) -> Vec<u8> {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let [header, payload, signature] = std::array::from_fn(|_| lines.next().unwrap_or_default());
    let signed = TOKENS.iter().find(|(algorithm, _)| algorithm.name().as_bytes() == signature);
    let signature = match signed.and_then(|(_, token)| token.rsplit('.').next()) {
        Some(signature) => signature.to_string(),
        None => base64url::encode(signature),
    };
    format!("{}.{}.{signature}", base64url::encode(header), base64url::encode(payload)).into_bytes()
}

/// The parts of a token, by another reading.
struct Parts {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    fn decode(token: &[u8]) -> Option<Self> {
        let parts: Vec<_> = token.split(|byte| *byte == b'.').map(fuzz::base64url::decode).collect::<Option<_>>()?;
        let [header, payload, signature] = parts.try_into().ok()?;
        Some(Self { header, payload, signature })
    }

    fn encode(&self) -> String {
        [&self.header, &self.payload, &self.signature].map(|part| base64url::encode(part)).join(".")
    }

    /// Header and payload, where the one has what it needs and both are strict JSON.
    fn read(&self) -> Option<(Tree<'_>, Tree<'_>)> {
        let (header, payload) = (json::read(&self.header).ok()?, json::read(&self.payload).ok()?);
        let is_string = |name| header.get(name).is_none_or(|member| member.string().is_some());
        let is_read = header.is_object()
            && payload.is_object()
            && header.get("alg").is_some()
            && ["alg", "kid", "typ"].into_iter().all(is_string);
        is_read.then_some((header, payload))
    }
}

fn check_what_is_shown(token: &UntrustedToken<'_>, header: &Tree<'_>, payload: &Tree<'_>) {
    let string = |name| header.get(name).and_then(Tree::string);
    assert_eq!(token.algorithm().map(Algorithm::name), string("alg").filter(|alg| is_supported(alg)));
    assert_eq!(token.kid(), string("kid"));
    let is_encoded = header.get("b64").is_none_or(|b64| b64.text == "true");
    assert_eq!(token.has_extensions(), header.get("crit").is_some() || !is_encoded);
    // Null is absent.
    let issuer = payload.get("iss").filter(|issuer| issuer.text != "null");
    assert_eq!(token.issuer().is_some(), issuer.is_some());
    assert_eq!(token.issuer().and_then(jose::json::Value::as_str), payload.get("iss").and_then(Tree::string));
}

fn is_supported(alg: &str) -> bool {
    let sized = |prefix| ["256", "384", "512"].iter().any(|bits| alg.strip_prefix(prefix) == Some(bits));
    alg == "EdDSA" || ["ES", "HS", "PS", "RS"].into_iter().any(sized)
}

/// Whether one of the keys is for this algorithm: no secret is among them, and one curve of the three.
fn has_key(alg: &str) -> bool {
    is_supported(alg) && !alg.starts_with("HS") && !["ES384", "ES512"].contains(&alg)
}

/// The verifier is asked about the bytes that were sent, under a key for the algorithm that the header names, and what
/// it lets pass is what these bytes say.
fn check_what_is_verified(
    token: UntrustedToken<'_>,
    text: &[u8],
    parts: &Parts,
    header: &Tree<'_>,
    payload: &Tree<'_>,
) {
    let alg = header.get("alg").and_then(Tree::string).unwrap_or_default();
    let witness = Witness { message: signing_input(text), signature: &parts.signature, alg };
    let verified = token.verify(&all_keys(), &witness);
    assert_eq!(verified.is_ok(), has_key(alg), "{alg}");
    let Ok(verified) = verified else { return };
    assert_eq!(verified.typ(), header.get("typ").and_then(Tree::string));
    json::assert_same(verified.claims(), payload, &mut |_| {});
}

/// Believes everything, as long as it is asked the right question.
struct Witness<'w> {
    message: &'w [u8],
    signature: &'w [u8],
    alg: &'w str,
}

impl SignatureVerifier for Witness<'_> {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        assert_eq!((message, signature, algorithm.name()), (self.message, self.signature, self.alg));
        let is_for_it = match key {
            KeyMaterial::Ed25519(_) => self.alg == "EdDSA",
            KeyMaterial::P256(..) => self.alg == "ES256",
            KeyMaterial::Rsa(..) => self.alg.starts_with("PS") || self.alg.starts_with("RS"),
            _ => false,
        };
        assert!(is_for_it, "{key:?} for {}", self.alg);
        true
    }
}

fn check_that_nothing_is_forged(token: UntrustedToken<'_>, text: &[u8]) {
    let verified = token.verify(&all_keys(), &Software).is_ok();
    let is_signed = |(algorithm, signed): &(Algorithm, &str)| match algorithm {
        // Anyone with a signature can make a second one for the same content: s and n - s both fit.
        Algorithm::Es256 => signing_input(signed.as_bytes()) == signing_input(text),
        _ => signed.as_bytes() == text,
    };
    assert!(!verified || TOKENS.iter().any(is_signed), "a forgery");
    assert!(verified || !TOKENS.iter().any(|(_, signed)| signed.as_bytes() == text), "not even what was signed");
}

fn all_keys() -> Vec<&'static VerificationKey> {
    KEY_SET.keys().iter().collect()
}

fn signing_input(token: &[u8]) -> &[u8] {
    &token[..token.iter().rposition(|byte| *byte == b'.').expect("there are two")]
}
