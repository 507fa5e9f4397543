//! The examples of RFC 7515, 7517, 7520, 7797 and 8037.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use jose::Algorithm;
use jose::jwk::{KeySet, Origin};
use jose::signature::{SignatureVerifier as _, Software};
use serde_json::{Value, json};

use crate::verify::{key_set, verify_jws, verify_token};

#[test]
fn rfc_7515_examples_verify() {
    if vectors::are_absent() {
        return;
    }
    for (example, key, verdict) in [
        ("A.1", "A.1", Ok(())),
        ("A.2", "A.2", Ok(())),
        ("A.3", "A.3", Ok(())),
        // A.5 is the example for `none`.
        ("A.5", "A.3", Err(())),
    ] {
        let key = vectors::read_json::<Value>(&format!("latchset-jose/rfc7515_{key}.jwk"));
        let token = vectors::read_text(&format!("latchset-jose/rfc7515_{example}.jwsc"));
        let found = verify_token(token.trim(), &key, Origin::Configuration);
        assert_eq!(found.clone().map_err(drop), verdict, "{example}: {found:?}");
    }
    // The payload of A.4 is a word.
    let key = vectors::read_json::<Value>("latchset-jose/rfc7515_A.4.jwk");
    let jws = vectors::read_text("latchset-jose/rfc7515_A.4.jwsc");
    assert_eq!(verify_jws(jws.trim(), &key, Origin::Issuer), Ok(()));
    assert!(verify_token(jws.trim(), &key, Origin::Issuer).is_err(), "a word is no claims set");
}

#[test]
fn rfc_7520_signatures_verify_where_their_key_allows_it() {
    if vectors::are_absent() {
        return;
    }
    for (file, algorithm, verdict) in [
        ("4_1.rsa_v15_signature", Algorithm::Rs256, Ok(())),
        ("4_2.rsa-pss_signature", Algorithm::Ps384, Ok(())),
        ("4_3.ecdsa_signature", Algorithm::Es512, Ok(())),
        ("4_4.hmac-sha2_integrity_protection", Algorithm::Hs256, Ok(())),
        // Without a payload there is no compact JWS with one.
        ("4_5.signature_with_detached_content", Algorithm::Hs256, Err(())),
    ] {
        let example = vectors::read_json::<Value>(&format!("rfc7520-cookbook/jws/{file}.json"));
        let jws = example["output"]["compact"].as_str().unwrap();
        let key = &example["input"]["key"];
        let found = verify_jws(jws, key, Origin::Configuration);
        assert_eq!(found.clone().map_err(drop), verdict, "{file}: {found:?}");
        assert!(key_set(key, Origin::Configuration).unwrap().keys()[0].allows(algorithm), "{file}");
    }
    // These have no compact serialisation, or protect no header.
    for file in ["4_6.protecting_specific_header_fields", "4_7.protecting_content_only", "4_8.multiple_signatures"] {
        let example = vectors::read_json::<Value>(&format!("rfc7520-cookbook/jws/{file}.json"));
        let text = example["output"]["json"].to_string();
        let key = example["input"]["key"].clone();
        let key = if key.is_object() { key } else { example["input"]["key"][0].clone() };
        assert!(verify_jws(&text, &key, Origin::Configuration).is_err(), "{file}");
    }
}

/// RFC 7797: an unencoded payload is an optional extension.
#[test]
fn rfc_7797_examples_are_refused() {
    if vectors::are_absent() {
        return;
    }
    for name in vectors::list("rfc7520-cookbook/rfc7797") {
        let example = vectors::read_json::<Value>(&format!("rfc7520-cookbook/rfc7797/{name}"));
        let Some(jws) = example["output"]["compact"].as_str() else { continue };
        assert!(verify_jws(jws, &example["input"]["key"], Origin::Configuration).is_err(), "{name}");
    }
}

#[test]
fn encrypted_tokens_are_refused() {
    if vectors::are_absent() {
        return;
    }
    let mut refused = 0;
    for name in vectors::list("rfc7520-cookbook/jwe") {
        let example = vectors::read_json::<Value>(&format!("rfc7520-cookbook/jwe/{name}"));
        let Some(jwe) = example["output"]["compact"].as_str() else { continue };
        assert!(jose::jws::EncodedToken::decode(jwe.as_bytes()).is_err(), "{name}");
        refused += 1;
    }
    assert!(refused > 5, "only {refused}");
}

#[test]
fn rfc_7517_sets_hold_the_keys_that_are_for_signatures() {
    if vectors::are_absent() {
        return;
    }
    let set = vectors::read("latchset-jose/rfc7517_A.1.jwkset");
    let found = KeySet::from_json(&set, 10, Origin::Issuer).unwrap();
    let kids: Vec<_> = found.keys().iter().map(|key| key.kid().unwrap()).collect();
    assert_eq!(kids, ["2011-04-29"], "the other is for encryption");
    assert_eq!(found.skipped()[0].to_string(), "keys[0]: its `use` or `key_ops` do not allow verification");
    for (file, problem) in [("A.2", "private key"), ("A.3", "symmetric key")] {
        let set = vectors::read(&format!("latchset-jose/rfc7517_{file}.jwkset"));
        let error = KeySet::from_json(&set, 10, Origin::Issuer).unwrap_err().to_string();
        assert!(error.contains(problem), "{file}: {error}");
    }
}

#[test]
fn rfc_7520_keys_are_imported_as_what_they_are() {
    if vectors::are_absent() {
        return;
    }
    for (file, expected) in [
        ("3_1.ec_public_key", Ok(())),
        ("3_2.ec_private_key", Err("private key")),
        ("3_3.rsa_public_key", Ok(())),
        ("3_4.rsa_private_key", Err("private key")),
        ("3_5.symmetric_key_mac_computation", Err("symmetric key")),
        ("3_6.symmetric_key_encryption", Err("symmetric key")),
    ] {
        let key = vectors::read_json::<Value>(&format!("rfc7520-cookbook/jwk/{file}.json"));
        let found = KeySet::from_json(json!({"keys": [key]}).to_string().as_bytes(), 1, Origin::Issuer);
        match (found, expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(problem)) if error.to_string().contains(problem) => {}
            (found, _) => panic!("{file}: {found:?}"),
        }
    }
}

/// RFC 8037 A.4 signs a text that is no claims set: the key and the signature are taken by themselves.
#[test]
fn rfc_8037_example_verifies() {
    if vectors::are_absent() {
        return;
    }
    let example = vectors::read_json::<Value>("rfc7520-cookbook/curve25519/jws.json");
    let keys = key_set(&example["input"]["key"], Origin::Issuer).unwrap();
    let token = example["output"]["compact"].as_str().unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = jose::base64url::decode(signature.as_bytes()).unwrap();
    let check =
        |input: &[u8], signature: &[u8]| Software.verify(keys.keys()[0].material(), Algorithm::EdDsa, input, signature);
    assert!(check(input.as_bytes(), &signature));
    assert!(!check(&input.as_bytes()[1..], &signature) && !check(input.as_bytes(), &signature[1..]));
    assert!(!check(input.as_bytes(), &[0; 64]));
    // A key agreement key of the same family verifies nothing.
    let x25519: Value = json!({"kty": "OKP", "crv": "X25519", "x": example["input"]["key"]["x"]});
    assert!(key_set(&x25519, Origin::Issuer).is_err());
}
