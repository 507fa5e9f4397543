//! Tokens that the tests make themselves.

use serde_json::{Map, Value, json};
use testbed::keys::SigningKey;
use testbed::mint::{base64url, merge, mint, object};

use crate::setting::{OWN_KEYS, STRANGER};

/// The claims of a token to be.
#[derive(Clone, Debug)]
pub(crate) struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// Good ones of the issuer whose keys the tests have.
    pub(crate) fn own(now: u64) -> Self {
        Self::of("own", now)
    }

    /// Good ones of `https://<name>.example`.
    pub(crate) fn of(name: &str, now: u64) -> Self {
        Self(object(json!({
            "iss": format!("https://{name}.example"), "aud": "api", "sub": "alice", "scope": "read",
            "iat": now - 10, "exp": now + 3600,
        })))
    }

    /// With `changes`; null takes a claim away.
    pub(crate) fn with(self, changes: Value) -> Self {
        Self(merge(self.0, &object(changes)))
    }

    /// A token of issuer `own`, signed with ES256.
    pub(crate) fn token(&self) -> String {
        mint(own_key("ES256"), &Map::new(), &self.0)
    }

    /// A token signed with the stranger's key.
    pub(crate) fn strangers_token(&self) -> String {
        mint(&STRANGER, &Map::new(), &self.0)
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// A good token of issuer `own` of exactly this length.
    pub(crate) fn sized_token(&self, length: usize) -> String {
        let key = own_key("ES256");
        // Not every length can be had by filling one part alone.
        for header_fill in 0..3 {
            let header = format!(r#"{{"alg":"ES256","kid":"ES256","x":"{}"}}"#, "x".repeat(header_fill));
            let rest = length.saturating_sub(self.text().len() * 4 / 3 + header.len() * 4 / 3 + 86 + 2);
            for fill in (rest * 3 / 4).saturating_sub(30)..=rest * 3 / 4 {
                let payload = self.clone().with(json!({"x": "x".repeat(fill)})).text();
                let encoded = |text: &str| (text.len() * 4).div_ceil(3);
                if encoded(&header) + encoded(&payload) + 86 + 2 == length {
                    return sign(key, header.as_bytes(), payload.as_bytes());
                }
            }
        }
        panic!("no token has {length} bytes")
    }
}

/// The key of issuer `own` for an algorithm.
pub(crate) fn own_key(algorithm: &str) -> &'static SigningKey {
    OWN_KEYS.iter().find(|key| key.kid() == algorithm).unwrap()
}

/// A token over these very bytes.
pub(crate) fn sign(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let signature = base64url(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}
