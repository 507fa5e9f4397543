//! Vectors from outside the project, read from `JOTGATE_VECTORS` (default: `../shared/vectors` beside the checkout).

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "vectors are files, and may be absent")]

use std::fs;
use std::path::PathBuf;

use jose::json::Document;
use jose::jwk::{Candidates, KeySet, Origin};
use jose::jws::EncodedToken;
use jose::signature::{SignatureVerifier as _, Software};
use serde_json::Value;

/// Relative paths start at the root of the checkout.
fn root() -> PathBuf {
    let given = std::env::var_os("JOTGATE_VECTORS").unwrap_or_else(|| "../shared/vectors".into());
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(given)
}

/// Says so where there are no vectors; CI must not pass without them.
fn are_absent() -> bool {
    let is_absent = !root().exists();
    let text = format!("there are no test vectors at {}: set JOTGATE_VECTORS to their folder", root().display());
    assert!(!is_absent || std::env::var_os("CI").is_none(), "{text}");
    if is_absent {
        eprintln!("SKIPPED: {text}");
    }
    is_absent
}

fn vectors(path: &str) -> PathBuf {
    let path = root().join(path);
    assert!(path.exists(), "{} is missing from the test vectors", path.display());
    path
}

fn read_json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(vectors(path)).unwrap()).unwrap()
}

/// Whether one of `jwks` (JWK values) makes `token` a verified one.
fn verifies(token: &str, jwks: &Value) -> Result<(), String> {
    let keys =
        KeySet::from_json(jwks.to_string().as_bytes(), 100, Origin::Issuer).map_err(|error| error.to_string())?;
    let encoded = EncodedToken::decode(token.as_bytes()).map_err(|error| error.to_string())?;
    let token = encoded.parse().map_err(|error| error.to_string())?;
    let algorithm = token.algorithm().ok_or("unsupported algorithm")?;
    match keys.candidates(token.kid().map(ToString::to_string).as_deref(), algorithm) {
        Candidates::Keys(keys) => token.verify(&keys, &Software).map(|_| ()).map_err(|error| error.to_string()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn json_texts_are_read_as_the_grammar_says() {
    if are_absent() {
        return;
    }
    let mut counts = [0, 0];
    for entry in fs::read_dir(vectors("json-test-suite/test_parsing")).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) = (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(&path).unwrap());
        let parsed = Document::parse(&text);
        // Members that occur twice are legal JSON; a verifier refuses them all the same.
        let is_duplicate = name.starts_with("y_object_duplicated_key");
        match name.as_bytes()[0] {
            b'y' if !is_duplicate => assert!(parsed.is_ok(), "{name} was refused: {parsed:?}"),
            b'n' => assert!(parsed.is_err(), "{name} was accepted"),
            _ if is_duplicate => assert!(parsed.is_err(), "{name} was accepted"),
            _ => {}
        }
        counts[usize::from(parsed.is_ok())] += 1;
        // serde_json reads numbers as doubles, which not every number fits.
        if parsed.is_ok() && !name.starts_with("i_number") {
            assert!(serde_json::from_slice::<Value>(&text).is_ok(), "serde_json refuses what was accepted: {name}");
        }
    }
    assert!(counts[0] > 180 && counts[1] > 90, "the suite is not whole: {counts:?}");
}

#[test]
fn rfc_7515_examples_verify() {
    if are_absent() {
        return;
    }
    for (example, key, verdict) in [
        ("rfc7515_A.2", "rfc7515_A.2.jwk", Ok(())),
        ("rfc7515_A.3", "rfc7515_A.3.jwk", Ok(())),
        // ES512 and HMAC are not supported, an empty signature never is.
        ("rfc7515_A.1", "rfc7515_A.1.jwk", Err(())),
        ("rfc7515_A.5", "rfc7515_A.3.jwk", Err(())),
    ] {
        let mut key = read_json(&format!("latchset-jose/{key}"));
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            key.as_object_mut().unwrap().remove(private);
        }
        let token = fs::read_to_string(vectors(&format!("latchset-jose/{example}.jwsc"))).unwrap();
        let found = verifies(token.trim(), &serde_json::json!({"keys": [key]}));
        assert_eq!(found.clone().map_err(drop), verdict, "{example}: {found:?}");
    }
}

#[test]
fn private_keys_are_refused() {
    if are_absent() {
        return;
    }
    let key = read_json("latchset-jose/rfc7515_A.2.jwk");
    let error =
        KeySet::from_json(serde_json::json!({"keys": [key]}).to_string().as_bytes(), 1, Origin::Issuer).unwrap_err();
    assert!(error.to_string().contains("private key"), "{error}");
}

/// RFC 8037 A.4 signs a text that is no claims set: the key and the signature are taken by themselves.
#[test]
fn rfc_8037_example_verifies() {
    if are_absent() {
        return;
    }
    let example = read_json("rfc7520-cookbook/curve25519/jws.json");
    let mut key = example["input"]["key"].clone();
    key.as_object_mut().unwrap().remove("d");
    let keys = KeySet::from_json(serde_json::json!({"keys": [key]}).to_string().as_bytes(), 1, Origin::Issuer).unwrap();
    let token = example["output"]["compact"].as_str().unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = jose::base64url::decode(signature.as_bytes()).unwrap();
    let check = |input: &str, signature: &[u8]| {
        Software.verify(keys.keys()[0].material(), jose::Algorithm::EdDsa, input.as_bytes(), signature)
    };
    assert!(check(input, &signature));
    assert!(!check(&input[1..], &signature) && !check(input, &signature[1..]) && !check(input, &[0; 64]));
}

#[test]
fn tokens_of_other_implementations_verify() {
    if are_absent() {
        return;
    }
    let mut verified = 0;
    for (index, case) in read_json("verified_tokens.json").as_array().unwrap().iter().enumerate() {
        let supported = ["RS256", "ES256", "EdDSA"].contains(&case["alg"].as_str().unwrap());
        if !supported || case["payload_is_json_object"] != true || case["jwk"].get("n").is_some_and(is_short) {
            continue;
        }
        let mut jwk = case["jwk"].clone();
        // The sets say which key verifies; how it is named is not what is tested here.
        for member in ["kid", "alg", "use", "key_ops"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        let keys =
            KeySet::from_json(serde_json::json!({"keys": [jwk]}).to_string().as_bytes(), 1, Origin::Issuer).unwrap();
        let encoded = EncodedToken::decode(case["token"].as_str().unwrap().as_bytes()).unwrap();
        let token = encoded.parse().unwrap();
        let keys: Vec<_> = keys.keys().iter().collect();
        assert!(token.verify(&keys, &Software).is_ok(), "case {index} from {}", case["source"]);
        verified += 1;
    }
    assert!(verified >= 10, "only {verified} tokens were checked");
}

fn is_short(modulus: &Value) -> bool {
    modulus.as_str().unwrap().len() < 340
}

#[test]
fn wycheproof_signatures_are_judged_as_a_strict_verifier_must() {
    if are_absent() {
        return;
    }
    let expectations = read_json("wycheproof/jws_strict_expectations.json");
    let suite = read_json("wycheproof/json_web_signature_test.json");
    let mut counts = [0, 0];
    for group in suite["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        for test in group["tests"].as_array().unwrap() {
            let id = &test["tcId"];
            let expected = expectations["tests"].as_array().unwrap().iter().find(|entry| &entry["tcId"] == id).unwrap();
            let accepts = test["jws"].as_str().is_some_and(|token| verifies_any_payload(token, key));
            let wanted = expected["asymmetric_only_product"] == "accept"
                && ["RS256", "ES256", "EdDSA"].contains(&key["alg"].as_str().unwrap_or_default());
            if accepts {
                assert!(expected["asymmetric_only_product"] == "accept", "test {id} was accepted: {}", test["comment"]);
            } else {
                assert!(!wanted, "test {id} was refused: {}", test["comment"]);
            }
            counts[usize::from(accepts)] += 1;
        }
    }
    assert!(counts[1] >= 5 && counts[0] >= 300, "{counts:?}");
}

/// Like [`verifies`], for payloads that need not be claims.
fn verifies_any_payload(token: &str, key: &Value) -> bool {
    let Ok(keys) = KeySet::from_json(serde_json::json!({"keys": [key]}).to_string().as_bytes(), 1, Origin::Issuer)
    else {
        return false;
    };
    let Some((input, signature)) = token.rsplit_once('.') else { return false };
    let Some((header, payload)) = input.split_once('.') else { return false };
    let (Some(header), Some(_), Some(signature)) = (
        jose::base64url::decode(header.as_bytes()),
        jose::base64url::decode(payload.as_bytes()),
        jose::base64url::decode(signature.as_bytes()),
    ) else {
        return false;
    };
    let Ok(header) = Document::parse(&header) else { return false };
    let Some(algorithm) =
        header.root().get("alg").and_then(jose::json::Value::as_str).and_then(jose::Algorithm::from_name)
    else {
        return false;
    };
    let kid = header.root().get("kid").and_then(jose::json::Value::as_str);
    matches!(keys.candidates(kid, algorithm), Candidates::Keys(keys)
        if keys.iter().any(|key| Software.verify(key.material(), algorithm, input.as_bytes(), &signature)))
}
