//! Keys in place of an issuer's: published public keys, which sign nothing here.

use jose::jwk::{KeySet, Origin};
use serde_json::{Value, json};

/// A key of every kind. RFC 7515 A.1 to A.4, RFC 6979 A.2.6 and RFC 8037 A.1 publish them.
const KEYS: &str = include_str!("stand_in_keys/keys.json");

/// A key of every kind, all with this `kid`, or without one; `has_secret` adds a symmetric one.
pub(crate) fn stand_in_keys(kid: Option<&str>, has_secret: bool) -> Result<KeySet, String> {
    let set: Value = serde_json::from_str(KEYS).map_err(|error| error.to_string())?;
    let mut keys = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    keys.retain(|key| has_secret || key.get("kty") != Some(&json!("oct")));
    for key in keys.iter_mut().filter_map(Value::as_object_mut) {
        match kid {
            Some(kid) => key.insert(String::from("kid"), json!(kid)),
            None => key.remove("kid"),
        };
    }
    let text = json!({ "keys": keys }).to_string();
    KeySet::from_json(text.as_bytes(), keys.len(), Origin::Configuration).map_err(|error| error.to_string())
}
