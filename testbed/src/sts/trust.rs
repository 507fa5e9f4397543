//! The issuer whose ID tokens are good: its keys, by its discovery document.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::TcpStream;

use crate::verify::verified_claims;

/// No document is larger.
const LIMIT: usize = 1 << 20;

/// The claims of an ID token that this issuer has made for that audience; or why it is none.
pub(super) async fn claims(issuer: &str, audience: &str, token: &str) -> Result<Map<String, Value>, String> {
    let document = fetched(&format!("{issuer}/.well-known/openid-configuration")).await?;
    let uri = document.get("jwks_uri").and_then(Value::as_str).ok_or("the discovery document names no keys")?;
    let keys = fetched(uri).await?;
    let claims = tokio::task::block_in_place(|| verified_claims(token, &keys))?;
    let is = |name: &str, expected: &str| claims.get(name).and_then(Value::as_str) == Some(expected);
    if !is("iss", issuer) {
        return Err("it is of another issuer".into());
    }
    let audiences = claims.get("aud").and_then(Value::as_array);
    if !is("aud", audience) && !audiences.is_some_and(|all| all.iter().any(|one| one == audience)) {
        return Err("it is for another audience".into());
    }
    Ok(claims)
}

/// A JSON document; over HTTP only, since all of it is on this machine.
async fn fetched(uri: &str) -> Result<Value, String> {
    let fail = |error: &dyn std::fmt::Display| format!("`{uri}`: {error}");
    let parsed: Uri = uri.parse().map_err(|error| fail(&error))?;
    let authority = parsed.authority().ok_or_else(|| fail(&"it has no host"))?;
    let stream = TcpStream::connect(authority.as_str()).await.map_err(|error| fail(&error))?;
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|error| fail(&error))?;
    tokio::spawn(connection);
    let path = parsed.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header("host", authority.as_str()).body(Empty::<Bytes>::new());
    let response = sender.send_request(request.map_err(|error| fail(&error))?).await.map_err(|error| fail(&error))?;
    if response.status() != 200 {
        return Err(fail(&response.status()));
    }
    let body = Limited::new(response.into_body(), LIMIT).collect().await.map_err(|error| fail(&error))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| fail(&error))
}
