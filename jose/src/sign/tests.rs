//! The examples of the RFCs, and what is near them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use alloc::vec;

use super::*;
use crate::json::Document;
use crate::jwk::{KeySet, Origin, VerificationKey};
use crate::jws::EncodedToken;
use crate::signature::{SignatureVerifier as _, Software, passes_examples};
use crate::{Algorithm, base64url};

/// RFC 7515 A.3.1.
pub(super) const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// RFC 8037 A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn key(jwk: &str) -> SigningKey {
    SigningKey::from_json(jwk.as_bytes()).expect(jwk)
}

fn error(jwk: &str) -> SigningKeyError {
    SigningKey::from_json(jwk.as_bytes()).expect_err(jwk)
}

fn verification_key(key: &SigningKey) -> VerificationKey {
    let jwk = key.public_jwk("k");
    let document = Document::parse(jwk.as_bytes()).expect("is JSON");
    VerificationKey::from_jwk(document.root(), Origin::Issuer).expect("is a public key")
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|digit| digit.to_digit(16).expect("is hexadecimal")).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("fits")).collect()
}

/// RFC 6979 A.2.5.
#[test]
fn es256_gives_the_signatures_of_rfc_6979() {
    let member = |hex| base64url::encode(&octets(hex));
    let key = key(&format!(
        r#"{{"kty":"EC","crv":"P-256","d":"{}","x":"{}","y":"{}"}}"#,
        member("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
        member("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
        member("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
    ));
    for (message, r, s) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        assert_eq!(key.sign(message.as_bytes()), [octets(r), octets(s)].concat(), "{message}");
    }
}

/// RFC 8037 A.2 to A.4.
#[test]
fn eddsa_gives_the_example_of_rfc_8037() {
    let key = key(ED25519);
    assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(
        key.sign_compact(Header::default(), b"Example of Ed25519 signing"),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

/// RFC 7515 A.3: the published signature has a random nonce, so the example shows that the key is the same.
#[test]
fn the_key_of_rfc_7515_is_the_one_that_its_example_verifies_with() {
    let public = verification_key(&key(P256));
    assert!(passes_examples(Algorithm::Es256, |example, message, signature| {
        (example == public.material()).then(|| Software.verify(example, Algorithm::Es256, message, signature))
    }));
    assert_eq!(key(P256).thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

#[test]
fn what_was_signed_verifies_and_is_the_same_each_time() {
    let payload = br#"{"iss":"https://gate.example.com","sub":"alice"}"#;
    for jwk in [P256, ED25519] {
        let key = key(jwk);
        let header = Header { kid: Some("k\"1\"\n"), typ: Some("at+jwt") };
        let text = key.sign_compact(header, payload);
        assert_eq!(text, key.clone().sign_compact(header, payload));
        let encoded = EncodedToken::decode(text.as_bytes()).expect("is a JWS");
        let token = encoded.parse().expect("is a JWT");
        assert_eq!((token.algorithm(), token.kid()), (Some(key.algorithm()), header.kid));
        let token = token.verify(&[&verification_key(&key)], &Software).expect("verifies");
        assert_eq!(token.typ(), header.typ);
        assert_eq!(token.claims().get("sub").and_then(crate::json::Value::as_str), Some("alice"));

        let other = SigningKey::from_json(if jwk == P256 { ED25519 } else { P256 }.as_bytes()).expect("is a key");
        let again = encoded.parse().expect("is a JWT");
        assert!(again.verify(&[&verification_key(&other)], &Software).is_err(), "another key");
    }
}

#[test]
fn a_signature_from_elsewhere_makes_the_same_token() {
    let key = key(ED25519);
    let unsigned = Unsigned::new(key.algorithm(), Header::default(), b"{}");
    let signature = key.sign(unsigned.signing_input());
    assert_eq!(unsigned.attach(&signature), key.sign_compact(Header::default(), b"{}"));
}

#[test]
fn the_public_half_is_an_entry_of_a_key_set_and_has_nothing_private() {
    for jwk in [P256, ED25519] {
        let key = key(jwk);
        let public = key.public_jwk("a\"b");
        let set = format!(r#"{{"keys":[{public}]}}"#);
        let set = KeySet::from_json(set.as_bytes(), 1, Origin::Issuer).expect("is a key set");
        assert_eq!(set.keys()[0].kid(), Some("a\"b"));
        assert!(set.keys()[0].allows(key.algorithm()));
        let document = Document::parse(jwk.as_bytes()).expect("is JSON");
        let d = document.root().get("d").and_then(crate::json::Value::as_str).expect("is private");
        for text in [public, format!("{key:?}"), format!("{key:#?}")] {
            assert!(!text.contains(d), "{text}");
        }
    }
}

#[test]
fn a_key_whose_public_members_are_others_is_rejected() {
    let other_d = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
    for (jwk, d) in [
        (P256, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
        (ED25519, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
    ] {
        assert_eq!(error(&jwk.replace(d, other_d)), SigningKeyError::Mismatch);
    }
    // -P has the same x.
    let y = base64url::decode(b"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").expect("is base64url");
    let order = octets("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    let mut borrow = 0;
    let mut negated = vec![0; 32];
    for index in (0..32).rev() {
        let difference = i32::from(order[index]) - i32::from(y[index]) - borrow;
        borrow = i32::from(difference < 0);
        negated[index] = u8::try_from(difference.rem_euclid(256)).expect("fits");
    }
    let negated = P256.replace("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", &base64url::encode(&negated));
    assert_eq!(error(&negated), SigningKeyError::Mismatch);
}

#[test]
fn private_keys_are_read_strictly() {
    use SigningKeyError::{
        Algorithm, DuplicateMember, Encoding, Invalid, Json, Mismatch, Missing, NotAnObject, Size, Type, UnknownCurve,
        UnknownType, Use,
    };
    const D: &str = r#","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#;
    let p256 = |from: &str, to: &str| P256.replace(from, to);
    let with = |member: &str| p256(D, &format!("{D},{member}"));
    let d = |octets: &[u8]| p256("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", &base64url::encode(octets));
    let order = octets("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for (jwk, expected) in [
        ("[]".to_string(), NotAnObject),
        (p256(D, ""), Missing("d")),
        (p256(D, r#","d":null"#), Missing("d")),
        (p256(D, r#","d":1"#), Type("d")),
        (p256(D, r#","d":"a=""#), Encoding("d")),
        (d(&[]), Size { member: "d", octets: 0, expected: 32 }),
        (d(&[1; 31]), Size { member: "d", octets: 31, expected: 32 }),
        (d(&[0; 33]), Size { member: "d", octets: 33, expected: 32 }),
        (d(&[0; 32]), Invalid),
        (d(&order), Invalid),
        (d(&[255; 32]), Invalid),
        (d(&[1; 32]), Mismatch),
        (p256(r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#, ""), Missing("x")),
        (p256(r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","#, ""), Missing("y")),
        (p256(r#""crv":"P-256","#, ""), Missing("crv")),
        (p256("P-256", "P-384"), UnknownCurve),
        (p256("P-256", "Ed25519"), UnknownCurve),
        (p256(r#""kty":"EC","#, ""), Missing("kty")),
        (p256("EC", "RSA"), UnknownType),
        (p256("EC", "oct"), UnknownType),
        (with(r#""alg":"ES384""#), Algorithm),
        (with(r#""alg":7"#), Type("alg")),
        (with(r#""kid":7"#), Type("kid")),
        (with(r#""use":"enc""#), Use),
        (with(r#""key_ops":["verify"]"#), Use),
        (with(r#""key_ops":"sign""#), Type("key_ops")),
        (ED25519.replace("Ed25519", "X25519"), UnknownCurve),
        (ED25519.replace(r#","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#, ""), Missing("x")),
    ] {
        assert_eq!(error(&jwk), expected, "{jwk}");
    }
    assert!(matches!(error(&with(D.trim_start_matches(','))), DuplicateMember | Json(_)));
    assert!(matches!(error("{"), Json(_)));
    for accepted in [r#""alg":"ES256""#, r#""use":"sig","key_ops":["sign","verify"]"#, r#""kid":"k","x5t":"a""#] {
        assert!(SigningKey::from_json(with(accepted).as_bytes()).is_ok(), "{accepted}");
    }
    assert_eq!(key(&with(r#""kid":"k""#)).kid(), Some("k"));
    for without in [r#""kid":"""#, r#""kid":null,"alg":null,"use":null,"key_ops":null"#] {
        assert_eq!(key(&with(without)).kid(), None, "{without}");
    }
}

#[test]
fn messages_name_what_is_expected_and_no_key_material() {
    use SigningKeyError::{
        Algorithm, DuplicateMember, Encoding, Encrypted, Invalid, Mismatch, Missing, NotAnObject, Pem, Size, Type,
        UnknownCurve, UnknownKey, UnknownType, Use,
    };
    for (error, message) in [
        (Algorithm, "its `alg` is not the algorithm of this key"),
        (DuplicateMember, "one of its members occurs twice"),
        (Encoding("d"), "its `d` is not strict base64url"),
        (Encrypted, "it is encrypted, expected a private key without a passphrase"),
        (Invalid, "it is not a valid private key of its curve"),
        (error("{"), "it is not strict JSON: expected a member name in double quotes (at byte 1)"),
        (Mismatch, "its public part does not belong to its private part"),
        (Missing("d"), "its `d` is missing, expected a private key"),
        (Missing("x"), "its `x` is missing"),
        (NotAnObject, "it is not a JSON object"),
        (Size { member: "d", octets: 31, expected: 32 }, "its `d` has 31 octets, expected 32, leading zeros included"),
        (Type("d"), "its `d` has the wrong type"),
        (UnknownCurve, "its `crv` is not supported, expected `P-256` or `Ed25519`"),
        (Pem, "it is not PKCS#8 in PEM, expected `-----BEGIN PRIVATE KEY-----`"),
        (UnknownKey, "it is a key of another type, expected one of P-256 or Ed25519"),
        (UnknownType, "its `kty` is not supported, expected `EC` or `OKP`"),
        (Use, "its `use` or `key_ops` do not allow signing"),
    ] {
        assert_eq!(error.to_string(), message);
    }
}
