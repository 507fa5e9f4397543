//! Tokens that other implementations made, with the keys that they verify with.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::BTreeMap;

use jose::jwk::Origin;
use serde_json::Value;

use crate::verify::{verify_jws, verify_token};

#[test]
fn tokens_of_other_implementations_verify() {
    if vectors::are_absent() {
        return;
    }
    let mut verified: BTreeMap<String, usize> = BTreeMap::new();
    for (index, case) in vectors::read_json::<Value>("verified_tokens.json").as_array().unwrap().iter().enumerate() {
        let mut jwk = case["jwk"].clone();
        // The cases say which key verifies; how it is named is not what is tested here.
        for member in ["kid", "alg", "use", "key_ops"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        if let Some(kid) = case["header"].get("kid") {
            jwk["kid"] = kid.clone();
        }
        let token = case["token"].as_str().unwrap();
        let found = match case["payload_is_json_object"] == true {
            true => verify_token(token, &jwk, Origin::Issuer),
            false => verify_jws(token, &jwk, Origin::Issuer),
        };
        // Some were made with keys that are too weak by now, or that are written without their leading zero.
        let octets =
            |member: &str| jose::base64url::decode(jwk[member].as_str()?.as_bytes()).map(|octets| octets.len());
        let is_short = octets("n").is_some_and(|octets| octets < 256);
        let is_cut = jwk["crv"] == "P-521" && octets("y") == Some(65);
        match &found {
            Ok(()) if !is_short && !is_cut => *verified.entry(case["alg"].as_str().unwrap().into()).or_default() += 1,
            Err(error) if is_short && error.contains("bits, expected 2048") => {}
            Err(error) if is_cut && error.contains("its `y` has 65 octets, expected 66") => {}
            _ => panic!("case {index} from {}: {found:?}", case["source"]),
        }
        let tampered = token.replacen('.', ".e", 1);
        assert!(verify_jws(&tampered, &jwk, Origin::Issuer).is_err(), "case {index}");
    }
    let algorithms: Vec<_> = verified.keys().map(String::as_str).collect();
    assert_eq!(
        algorithms,
        ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
        "{verified:?}"
    );
}
