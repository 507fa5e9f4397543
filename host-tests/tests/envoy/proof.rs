//! A client with a key of its own, which proves that it has it (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jose::json::Document;
use jose::jwk::thumbprint;
use jose::{Hash, base64url};
use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::{merge, mint, object};

static NUMBER: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Client(SigningKey);

impl Client {
    pub(crate) fn new() -> Self {
        Self(SigningKey::generate(Algorithm::ES256))
    }

    pub(crate) fn of(algorithm: Algorithm) -> Self {
        Self(SigningKey::generate(algorithm))
    }

    fn jwk(&self) -> Value {
        self.0.public_jwk()
    }

    /// What `cnf` says of its key.
    pub(crate) fn confirmation(&self) -> Value {
        let text = self.jwk().to_string();
        let document = Document::parse(text.as_bytes()).unwrap();
        json!({"jkt": base64url::encode(&thumbprint(document.root()).unwrap())})
    }

    /// A proof for a request to `localhost`, with `changes` to its claims.
    pub(crate) fn proof(&self, method: &str, path: &str, token: &str, changes: &Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": self.0.algorithm().name(), "jwk": self.jwk()});
        let claims = json!({
            "jti": format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)),
            "htm": method,
            "htu": format!("http://localhost{path}"),
            "iat": SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
            "ath": base64url::encode(&Hash::Sha256.digest(&[token.as_bytes()])),
        });
        mint(&self.0, &object(header), &merge(object(claims), &object(changes.clone())))
    }

    pub(crate) fn request(&self, method: &str, path: &str, token: &str, changes: &Value) -> Request {
        let request = Request::new(method, path).header("authorization", format!("DPoP {token}"));
        request.header("dpop", self.proof(method, path, token, changes))
    }
}
