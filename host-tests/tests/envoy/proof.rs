//! A client with a key of its own, which proves that it has it (RFC 9449).

use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::{merge, object};
use testbed::proof::{Proof, thumbprint};

pub(crate) struct Client(SigningKey);

impl Client {
    pub(crate) fn new() -> Self {
        Self::of(Algorithm::ES256)
    }

    pub(crate) fn of(algorithm: Algorithm) -> Self {
        Self(SigningKey::generate(algorithm))
    }

    /// What `cnf` says of its key.
    pub(crate) fn confirmation(&self) -> Value {
        json!({"jkt": thumbprint(&self.0)})
    }

    /// A proof for a request to `localhost`, with `changes` to its claims.
    pub(crate) fn proof(&self, method: &str, path: &str, token: &str, changes: &Value) -> String {
        let mut proof = Proof::new(&self.0, method, &format!("http://localhost{path}")).of(token);
        proof.claims = merge(proof.claims, &object(changes.clone()));
        proof.text()
    }

    pub(crate) fn request(&self, method: &str, path: &str, token: &str, changes: &Value) -> Request {
        let request = Request::new(method, path).header("authorization", format!("DPoP {token}"));
        request.header("dpop", self.proof(method, path, token, changes))
    }
}
