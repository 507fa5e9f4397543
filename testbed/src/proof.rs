//! Proofs of possession (RFC 9449 §4): who holds a key says which request it is for.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::encoding::base64url;
use crate::keys::SigningKey;
use crate::mint::{mint, object};

/// What a proof says, and which key it is signed with.
#[derive(Clone, Debug)]
pub struct Proof<'k> {
    /// The key, whose public part is in the header.
    pub key: &'k SigningKey,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl<'k> Proof<'k> {
    /// One for that method and URL, of now.
    pub fn new(key: &'k SigningKey, method: &str, url: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{}-{}", clock::elapsed().as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { key, claims: object(json!({"jti": unique, "htm": method, "htu": url, "iat": clock::now()})) }
    }

    /// For that token.
    #[must_use]
    pub fn of(mut self, token: &str) -> Self {
        self.claims.insert("ath".into(), base64url(Sha256::digest(token)).into());
        self
    }

    /// With that nonce.
    #[must_use]
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.claims.insert("nonce".into(), nonce.into());
        self
    }

    /// The compact JWS.
    pub fn text(&self) -> String {
        let header = object(json!({"typ": "dpop+jwt", "jwk": members(self.key), "kid": null}));
        mint(self.key, &header, &self.claims)
    }
}

/// `jkt`: the thumbprint of a key (RFC 7638 §3).
pub fn thumbprint(key: &SigningKey) -> String {
    // Members are sorted, as they have to be.
    base64url(Sha256::digest(members(key).to_string()))
}

/// What makes a public key, and nothing about it.
fn members(key: &SigningKey) -> Value {
    let jwk = object(key.public_jwk());
    let is_kept = |name: &str| matches!(name, "crv" | "e" | "kty" | "n" | "x" | "y");
    Value::Object(jwk.into_iter().filter(|(name, _)| is_kept(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Algorithm;

    #[test]
    fn a_proof_is_for_one_request_and_no_two_are_the_same() {
        let key = SigningKey::generate(Algorithm::ES256);
        let proof = Proof::new(&key, "GET", "https://api.example/a").of("token").nonce("n");
        let hash = json!(base64url(Sha256::digest("token")));
        let said = ["htm", "nonce", "ath"].map(|name| proof.claims.get(name));
        assert_eq!(said, [Some(&json!("GET")), Some(&json!("n")), Some(&hash)]);
        assert_ne!(proof.claims.get("jti"), Proof::new(&key, "GET", "https://api.example/a").claims.get("jti"));
    }

    /// The key of RFC 8037 A.3, which has no other thumbprint.
    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        });
        let key = SigningKey::from_private_jwk(&jwk);
        assert_eq!(key.as_ref().map(thumbprint).as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }
}
