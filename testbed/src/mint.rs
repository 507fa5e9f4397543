//! Tokens from a key, a header and claims. Pure: times are in the claims that are given.

use serde_json::{Map, Value, json};

pub use crate::encoding::base64url;
use crate::keys::SigningKey;

/// The claims of an ordinary token: valid from `now` for `lifetime` seconds.
pub fn usual_claims(issuer: &str, audience: &str, subject: &str, now: i64, lifetime: i64) -> Map<String, Value> {
    object(json!({
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now.saturating_add(lifetime),
    }))
}

/// A token signed by `key`. Its header has the key's `alg` and `kid` and the `typ` `JWT`; the members of
/// `header` replace or add to these, and those that are null are left out.
pub fn mint(key: &SigningKey, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    mint_text(key, &to_text(&full_header(key, header)), &to_text(claims))
}

/// A token signed by `key` over these exact texts, for those that no JSON library would write.
pub fn mint_text(key: &SigningKey, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = base64url(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// `defaults` with the members of `overrides` in their place; those that are null are removed.
pub fn merge(mut defaults: Map<String, Value>, overrides: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in overrides {
        if value.is_null() {
            defaults.remove(name);
        } else {
            defaults.insert(name.clone(), value.clone());
        }
    }
    defaults
}

/// The members of a JSON object; none for any other value.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The header that [`mint`] signs.
pub(crate) fn full_header(key: &SigningKey, overrides: &Map<String, Value>) -> Map<String, Value> {
    let defaults = object(json!({"alg": key.algorithm().name(), "kid": key.kid(), "typ": "JWT"}));
    merge(defaults, overrides)
}

pub(crate) fn to_text(members: &Map<String, Value>) -> String {
    Value::Object(members.clone()).to_string()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::keys::Algorithm;

    #[test]
    fn header_members_replace_add_and_remove() {
        let key = SigningKey::generate(Algorithm::EdDSA).with_kid("k1");
        let header = object(json!({"typ": "at+jwt", "x": 1, "kid": null}));
        let token = mint(&key, &header, &Map::new());
        assert_eq!(decode(&token, 0), json!({"alg": "EdDSA", "typ": "at+jwt", "x": 1}));
    }

    #[test]
    fn usual_claims_are_valid_from_now() {
        let claims = usual_claims("https://i", "a", "s", 1000, 60);
        let expected = json!({"iss": "https://i", "aud": "a", "sub": "s", "iat": 1000, "exp": 1060});
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn text_is_signed_as_it_stands() {
        let key = SigningKey::generate(Algorithm::EdDSA);
        let token = mint_text(&key, r#"{"alg":"EdDSA"}"#, r#"{"a":1,"a":2}"#);
        assert_eq!(decode_bytes(&token, 1), br#"{"a":1,"a":2}"#);
    }

    fn decode(token: &str, part: usize) -> Value {
        serde_json::from_slice(&decode_bytes(token, part)).unwrap_or_default()
    }

    fn decode_bytes(token: &str, part: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap_or_default()).unwrap_or_default()
    }
}
