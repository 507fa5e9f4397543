#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use jose::json::Document;
use jose::jwk::{KeyMaterial, thumbprint};
use jose::sign::SigningKey;
use jose::signature::{SignatureVerifier, Software};
use jose::{Algorithm, Hash, base64url};
use serde_json::{Value, json};

use super::*;
use crate::testing::{ED25519, P256};

/// RFC 9449 §7.1.
const EXAMPLE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const EXAMPLE_TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// RFC 9449 §6.1.
const EXAMPLE_KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const TOKEN: &[u8] = b"header.payload.signature";
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn public(key: &SigningKey) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk("k")).expect("is JSON");
    for member in ["kid", "use", "alg"] {
        jwk.as_object_mut().expect("is an object").remove(member);
    }
    jwk
}

fn thumb(jwk: &Value) -> [u8; 32] {
    thumbprint(Document::parse(jwk.to_string().as_bytes()).expect("is JSON").root()).expect("is a key")
}

fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = [part(header), part(claims)].join(".");
    [input.as_str(), &base64url::encode(&key.sign(input.as_bytes()))].join(".")
}

fn key(jwk: &str) -> SigningKey {
    SigningKey::from_json(jwk.as_bytes()).expect("is a key")
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": public(key)})
}

fn claims() -> Value {
    json!({
        "jti": "a",
        "htm": "GET",
        "htu": "https://api.example.com/orders",
        "iat": NOW.as_secs(),
        "ath": base64url::encode(&Hash::Sha256.digest(&[TOKEN])),
    })
}

fn expected(key: &[u8; 32]) -> Expected<'_> {
    Expected {
        method: b"GET",
        target: Target { is_https: true, authority: b"api.example.com", path: b"/orders" },
        token: TOKEN,
        key,
        now: NOW,
        window: Duration::from_mins(1),
        skew: Duration::from_secs(30),
        accepts_nonce: None,
    }
}

/// What becomes of a proof that differs by these members of its header and of its claims; null: it has none.
fn outcome(header_changes: &Value, claim_changes: &Value) -> Result<(), ProofError> {
    let key = key(P256);
    let change = |mut value: Value, changes: &Value| {
        for (name, change) in changes.as_object().expect("is an object") {
            match change {
                Value::Null => drop(value.as_object_mut().expect("is an object").remove(name)),
                change => value[name] = change.clone(),
            }
        }
        value
    };
    let text = sign(&key, &change(header(&key), header_changes), &change(claims(), claim_changes));
    check(text.as_bytes(), &expected(&thumb(&public(&key))), &Software).map(drop)
}

#[test]
fn the_example_of_the_rfc_holds() {
    let key: [u8; 32] =
        base64url::decode(EXAMPLE_KEY.as_bytes()).and_then(|key| key.try_into().ok()).expect("is a digest");
    let expected = Expected {
        target: Target { is_https: true, authority: b"resource.example.org", path: b"/protectedresource" },
        token: EXAMPLE_TOKEN,
        now: Duration::from_secs(1_562_262_618),
        ..expected(&key)
    };
    let ends = Duration::from_secs(1_562_262_618 + 61);
    assert_eq!(
        check(EXAMPLE.as_bytes(), &expected, &Software),
        Ok(Proof { jti: "e1j3V_bKic8-LAEB".into(), path: "/protectedresource".into(), nonce: None, ends })
    );
    let another = Expected { token: b"another", ..expected };
    assert_eq!(check(EXAMPLE.as_bytes(), &another, &Software), Err(ProofError::Token));
}

#[test]
fn a_proof_of_each_kind_of_key_holds() {
    for jwk in [P256, ED25519] {
        let key = key(jwk);
        let text = sign(&key, &header(&key), &claims());
        assert!(check(text.as_bytes(), &expected(&thumb(&public(&key))), &Software).is_ok(), "{jwk}");
    }
}

#[test]
fn the_header_is_that_of_a_proof() {
    use ProofError::*;
    let jwk = public(&key(P256));
    let with = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        json!({"jwk": jwk})
    };
    assert_eq!(outcome(&json!({"kid": "any"}), &json!({})), Ok(()));
    for (changes, error) in [
        (json!({"typ": null}), Type),
        (json!({"typ": "JWT"}), Type),
        (json!({"typ": "DPoP+JWT"}), Type),
        (json!({"typ": "application/dpop+jwt"}), Type),
        (json!({"alg": "none"}), Algorithm),
        (json!({"alg": "HS256"}), Algorithm),
        (json!({"alg": "es256"}), Algorithm),
        (json!({"alg": "ES384"}), Algorithm),
        (json!({"alg": "EdDSA"}), Algorithm),
        (json!({"alg": "RS256"}), Algorithm),
        (json!({"crit": ["x"], "x": 1}), Extension),
        (json!({"crit": []}), Extension),
        (json!({"b64": false}), Extension),
        (json!({"x5c": ["MII"]}), Extension),
        (json!({"x5u": "https://evil.example/"}), Extension),
        (json!({"jku": "https://evil.example/"}), Extension),
        (json!({"jwk": null}), Key),
        (json!({"jwk": "text"}), Key),
        (json!({"jwk": [jwk]}), Key),
        (json!({"jwk": {"kty": "oct", "k": "AAAA"}}), Key),
        (with("d", json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")), Key),
        (with("d", json!(null)), Key),
        (with("k", json!("AA")), Key),
        (with("oth", json!([])), Key),
        (with("use", json!("enc")), Key),
        (with("alg", json!("ES384")), Key),
        (with("alg", json!("RS256")), Key),
        (with("alg", json!(1)), Key),
        (with("key_ops", json!(["sign"])), Key),
        (with("key_ops", json!("verify")), Key),
        (with("y", json!("AA")), OtherKey),
        (with("kty", json!("OKP")), OtherKey),
        (json!({"jwk": public(&key(ED25519))}), OtherKey),
    ] {
        assert_eq!(outcome(&changes, &json!({})), Err(error), "{changes}");
    }
}

/// Whoever has a token for such a key could have the gate calculate for long.
#[test]
fn keys_that_cost_too_much_are_refused_before_their_signature() {
    struct Unasked;
    impl SignatureVerifier for Unasked {
        fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
            panic!("no signature is checked")
        }
    }
    let modulus = |octets: usize| base64url::encode(&[&[0xc1], vec![0x55; octets - 1].as_slice()].concat());
    let exponent = |number: u32| base64url::encode(&number.to_be_bytes());
    for (n, e) in [
        (modulus(128), exponent(65537)),
        (modulus(255), exponent(65537)),
        (modulus(513), exponent(65537)),
        (modulus(1024), exponent(65537)),
        (modulus(1025), exponent(65537)),
        (modulus(256), exponent(3)),
        (modulus(256), exponent(1)),
        (modulus(256), exponent(0)),
        (modulus(256), exponent(65536)),
        (modulus(256), exponent(u32::MAX)),
        (modulus(256), modulus(256)),
        (String::new(), exponent(65537)),
    ] {
        let jwk = json!({"kty": "RSA", "n": n, "e": e});
        for alg in ["RS256", "PS512"] {
            let text = sign(&key(P256), &json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk}), &claims());
            assert_eq!(check(text.as_bytes(), &expected(&thumb(&jwk)), &Unasked), Err(ProofError::Key), "{jwk}");
        }
    }
    // Nor is one that another key made, whatever it is, or one for another request.
    let good = key(P256);
    let text = sign(&good, &header(&good), &claims());
    for expected in [
        Expected { method: b"POST", ..expected(&thumb(&public(&good))) },
        Expected { token: b"another", ..expected(&thumb(&public(&good))) },
        expected(&[7; 32]),
    ] {
        assert!(check(text.as_bytes(), &expected, &Unasked).is_err());
    }
}

#[test]
fn the_claims_are_those_of_this_request() {
    use ProofError::*;
    let now = NOW.as_secs();
    for (changes, error) in [
        (json!({"jti": null}), Identifier),
        (json!({"jti": ""}), Identifier),
        (json!({"jti": 1}), Identifier),
        (json!({"jti": "a".repeat(129)}), Identifier),
        (json!({"htm": null}), Method),
        (json!({"htm": "get"}), Method),
        (json!({"htm": "POST"}), Method),
        (json!({"htm": ["GET"]}), Method),
        (json!({"htu": null}), Target),
        (json!({"htu": "https://api.example.com/others"}), Target),
        (json!({"htu": "https://other.example.com/orders"}), Target),
        (json!({"htu": "http://api.example.com/orders"}), Target),
        (json!({"htu": ["https://api.example.com/orders"]}), Target),
        (json!({"ath": null}), Token),
        (json!({"ath": ""}), Token),
        (json!({"ath": base64url::encode(&Hash::Sha256.digest(&[b"another"]))}), Token),
        (json!({"iat": null}), Instant),
        (json!({"iat": "1700000000"}), Instant),
        (json!({"iat": now - 61}), Instant),
        (json!({"iat": now + 31}), Instant),
        (json!({"iat": -1}), Instant),
        (json!({"exp": now}), Instant),
        (json!({"exp": "x"}), Instant),
        (json!({"nbf": now + 31}), Instant),
    ] {
        assert_eq!(outcome(&json!({}), &changes), Err(error), "{changes}");
    }
    for changes in [
        json!({"iat": now - 60}),
        json!({"iat": now + 30}),
        json!({"jti": "a".repeat(128)}),
        json!({"exp": now + 1, "nbf": now}),
        json!({"htu": "https://API.example.com:443/./orders?x#y"}),
        json!({"other": true}),
    ] {
        assert_eq!(outcome(&json!({}), &changes), Ok(()), "{changes}");
    }
}

#[test]
fn it_is_remembered_for_as_long_as_it_could_be_used() {
    let key = key(P256);
    let thumb = thumb(&public(&key));
    for iat in [NOW.as_secs() + 30, NOW.as_secs() - 60] {
        let mut claims = claims();
        claims["iat"] = json!(iat);
        let text = sign(&key, &header(&key), &claims);
        let ends = check(text.as_bytes(), &expected(&thumb), &Software).expect("holds").ends;
        let at = |now| check(text.as_bytes(), &Expected { now, ..expected(&thumb) }, &Software);
        assert_eq!(at(ends), Err(ProofError::Instant), "{iat}");
        assert!(at(ends.saturating_sub(Duration::from_secs(1))).is_ok(), "{iat}");
    }
}

#[test]
fn a_nonce_is_compared_where_one_is_needed() {
    let key = key(P256);
    let thumb = thumb(&public(&key));
    let accepts = |nonce: &str| nonce == "good";
    let expected = Expected { accepts_nonce: Some(&accepts), ..expected(&thumb) };
    for (nonce, outcome) in [
        (json!("good"), Ok(())),
        (json!("bad"), Err(ProofError::Nonce)),
        (json!(null), Err(ProofError::Nonce)),
        (json!(["good"]), Err(ProofError::Nonce)),
    ] {
        let mut claims = claims();
        claims["nonce"] = nonce;
        let text = sign(&key, &header(&key), &claims);
        assert_eq!(check(text.as_bytes(), &expected, &Software).map(drop), outcome, "{claims}");
    }
}

#[test]
fn another_text_is_no_proof() {
    let (key, other_key) = (key(P256), key(ED25519));
    let thumb = thumb(&public(&key));
    let good = sign(&key, &header(&key), &claims());
    let outcome = |text: &str| check(text.as_bytes(), &expected(&thumb), &Software).map(drop);
    assert_eq!(outcome(&good), Ok(()));
    let (signed, signature) = good.rsplit_once('.').expect("has parts");
    let other = sign(&other_key, &header(&key), &claims());
    let dup = |header: &str| {
        let input =
            [base64url::encode(header.as_bytes()), base64url::encode(claims().to_string().as_bytes())].join(".");
        [input.as_str(), &base64url::encode(&key.sign(input.as_bytes()))].join(".")
    };
    let jwk = public(&key);
    for (text, error) in [
        (String::new(), ProofError::Form),
        (String::from(signed), ProofError::Form),
        ([&good, ","].concat(), ProofError::Form),
        ([good.as_str(), ", ", &good].concat(), ProofError::Form),
        ([&good, "="].concat(), ProofError::Form),
        ([&good, ".a"].concat(), ProofError::Form),
        ([signed, "."].concat(), ProofError::Signature),
        (
            [signed, ".", &signature.replace(signature.get(..4).unwrap_or_default(), "AAAA")].concat(),
            ProofError::Signature,
        ),
        (other, ProofError::Signature),
        (dup(&format!(r#"{{"typ":"dpop+jwt","typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#)), ProofError::Form),
        (dup(&format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk},"jwk":{jwk}}}"#)), ProofError::Form),
        ("a".repeat(9 << 10), ProofError::TooLarge),
    ] {
        assert_eq!(outcome(&text), Err(error), "{text}");
    }
}

#[test]
fn challenges_list_the_algorithms_that_are_accepted() {
    let accepted = Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).map(Algorithm::name);
    assert!(accepted.eq(ALGORITHMS.split(' ')));
}

#[test]
fn errors_fit_an_error_description() {
    use ProofError::*;
    let all = [
        Algorithm, Extension, Form, Instant, Identifier, Key, Method, Nonce, OtherKey, Signature, Target, Token,
        TooLarge, Type,
    ];
    let fits = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(all.iter().all(|error| error.text().bytes().all(fits)));
}
