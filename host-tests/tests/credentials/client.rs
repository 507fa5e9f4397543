//! A client of oidc-provider.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};

use crate::world::CLIENT_SECRET;

/// A client that gets tokens for itself, in the options of the provider.
pub(crate) fn registered(id: &str) -> Value {
    json!({"id": id, "authentication": "basic", "secret": CLIENT_SECRET, "grants": ["client_credentials"]})
}

/// `Authorization` of a client (RFC 6749 §2.3.1).
pub(crate) fn basic(id: &str) -> String {
    let escaped: Vec<String> = CLIENT_SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("Basic {}", STANDARD.encode(format!("{id}:{}", escaped.concat())))
}

/// A request for a token with the scope `read`.
pub(crate) fn token_request(id: &str) -> Request {
    let request = Request::new("POST", "/token").header("authorization", basic(id));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body("grant_type=client_credentials&scope=read")
}

/// The token in an answer.
pub(crate) fn access_token(response: &Response) -> String {
    response.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", response.text())).to_owned()
}

/// A token that is not bound to anything.
pub(crate) fn bearer_token(provider: SocketAddr, id: &str) -> String {
    access_token(&token_request(id).send(provider).unwrap())
}
