//! The thumbprint of a public key, by which others name it (RFC 7638, RFC 8037 §2).

use alloc::string::String;

use crate::hash::Hash;
use crate::json::Value;

/// Members that no public key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Whether a JWK has a member of private or shared keys, be it null.
pub fn has_private_member(jwk: Value<'_>) -> bool {
    PRIVATE.iter().any(|member| jwk.get(member).is_some())
}

/// The thumbprint of a public JWK, with SHA-256; `None` where a member is missing that its type needs. It is that of the
/// members as they stand: whether they make a key is another question.
pub fn thumbprint(jwk: Value<'_>) -> Option<[u8; 32]> {
    // RFC 7638 §3.2, §3.3: the required members, in the order of their names, without blanks.
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut text = String::new();
    for member in members {
        let value = jwk.get(member)?.as_str().filter(|value| is_plain(value))?;
        let separator = if text.is_empty() { "{\"" } else { ",\"" };
        for part in [separator, member, "\":\"", value, "\""] {
            text.push_str(part);
        }
    }
    text.push('}');
    Hash::Sha256.digest(&[text.as_bytes()]).try_into().ok()
}

/// Names of types and curves, and base64url: nothing that JSON would escape.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::base64url;
    use crate::json::Document;
    use crate::sign::SigningKey;

    fn of(jwk: &str) -> Option<String> {
        let document = Document::parse(jwk.as_bytes()).expect("is JSON");
        thumbprint(document.root()).map(|digest| base64url::encode(&digest))
    }

    #[test]
    fn published_thumbprints_are_found() {
        // RFC 7638 §3.1
        let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        assert_eq!(of(rsa).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        // RFC 8037 A.3
        let okp = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(of(okp).as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
        // RFC 9449 §4.1, §6.1
        let ec = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        assert_eq!(of(ec).as_deref(), Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
    }

    #[test]
    fn it_is_that_of_the_key_that_signs() {
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        let key = SigningKey::from_json(jwk.as_bytes()).expect("is a key");
        assert_eq!(of(&key.public_jwk("k")), Some(key.thumbprint()));
    }

    #[test]
    fn what_is_no_public_key_has_none() {
        for jwk in [
            "{}",
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"oct","k":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":1}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"A\""}"#,
        ] {
            assert_eq!(of(jwk), None, "{jwk}");
        }
    }

    #[test]
    fn private_members_are_seen_even_if_null() {
        for member in PRIVATE {
            let jwk = alloc::format!("{{\"kty\":\"EC\",\"{member}\":null}}");
            assert!(has_private_member(Document::parse(jwk.as_bytes()).expect("is JSON").root()), "{member}");
        }
        assert!(!has_private_member(Document::parse(b"{\"kty\":\"EC\",\"x\":\"d\"}").expect("is JSON").root()));
    }
}
