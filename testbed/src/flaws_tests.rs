#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::keys::Algorithm;

#[test]
fn none_has_no_signature() {
    let token = flawed(Flaw::AlgNone);
    assert_eq!(header(&token, "alg"), "none");
    assert!(token.ends_with('.') && token.matches('.').count() == 2);
}

#[test]
fn a_bad_signature_differs_in_one_bit() {
    let key = SigningKey::generate(Algorithm::EdDSA);
    let bad = mint_flawed(Flaw::BadSignature, &key, &Map::new(), &claims()).unwrap();
    let good = mint(&key, &Map::new(), &claims());
    let different: u32 = part(&bad, 2).iter().zip(part(&good, 2)).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((part(&bad, 0), part(&bad, 1)), (part(&good, 0), part(&good, 1)));
    assert_eq!(different, 1);
}

#[test]
fn a_public_key_becomes_a_secret() {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = mint_flawed(Flaw::Hs256PublicKey, &key, &Map::new(), &claims()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let expected = SigningKey::hs256(key.public_pem().unwrap()).sign(input.as_bytes());
    assert_eq!((header(&token, "alg"), header(&token, "kid")), ("HS256".into(), key.kid().into()));
    assert_eq!(signature, base64url(expected));
}

#[test]
fn a_der_signature_is_read_as_der() {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = mint_flawed(Flaw::DerSignature, &key, &Map::new(), &claims()).unwrap();
    assert!(check_p256::ecdsa::DerSignature::from_bytes(&part(&token, 2)).is_ok());
}

#[test]
fn the_kid_says_what_it_should() {
    let key = SigningKey::generate(Algorithm::EdDSA).with_kid("k");
    let kid = |flaw| header(&mint_flawed(flaw, &key, &Map::new(), &claims()).unwrap(), "kid");
    assert_eq!(kid(Flaw::UnknownKid), "k-unknown");
    assert_eq!(kid(Flaw::ForeignKey), "k");
    assert_eq!(kid(Flaw::EmbeddedJwk), "k");
    assert_ne!(kid(Flaw::UnpublishedKey), "k");
}

#[test]
fn tampering_keeps_the_signature() {
    let token = flawed(Flaw::Tampered);
    let claims: Value = serde_json::from_slice(&part(&token, 1)).unwrap();
    assert_eq!(claims.get("sub").unwrap(), "mallory");
    assert_eq!(part(&token, 2).len(), 64);
}

#[test]
fn duplicates_are_written_out() {
    assert_eq!(part(&flawed(Flaw::DuplicateMember), 1), br#"{"sub":"a","sub":"b","iss":"i"}"#);
}

#[test]
fn padding_fills_each_part() {
    let token = flawed(Flaw::Padded);
    assert!(token.contains('=') && token.split('.').all(|part| part.len() % 4 == 0), "{token}");
}

fn flawed(flaw: Flaw) -> String {
    mint_flawed(flaw, &SigningKey::generate(Algorithm::EdDSA), &Map::new(), &claims()).unwrap()
}

fn claims() -> Map<String, Value> {
    object(json!({"iss": "i"}))
}

fn header(token: &str, name: &str) -> Value {
    let header: Value = serde_json::from_slice(&part(token, 0)).unwrap();
    header.get(name).cloned().unwrap_or_default()
}

fn part(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
}
