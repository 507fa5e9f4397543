//! Clients, and how they authenticate (RFC 6749 §2.3, OpenID Connect Core 1.0 §9).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::keys::SigningKey;

/// What a client assertion is declared as (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that may log people in.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// How it authenticates; no other method is accepted.
    pub authentication: Authentication,
    /// Where the browser may be sent back to; anywhere, if there are none.
    pub redirect_uris: Vec<String>,
}

/// How a client authenticates.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// `client_secret_basic`, with this secret.
    Basic(String),
    /// A bearer token, which nothing but introspection takes (RFC 7662 §2.1).
    Bearer(String),
    /// `none`: a public client.
    None,
    /// `client_secret_post`, with this secret.
    Post(String),
    /// `private_key_jwt`, with this key.
    PrivateKey(Box<SigningKey>),
}

impl Client {
    /// A client that may be sent back anywhere.
    pub fn new(id: &str, authentication: Authentication) -> Self {
        Self { id: id.into(), authentication, redirect_uris: Vec::new() }
    }

    pub(super) fn may_return_to(&self, uri: &str) -> bool {
        self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri)
    }

    /// Whether these are its credentials, and nothing else is. `audiences` are what an assertion may be for.
    fn proves(&self, presented: &Presented, audiences: &[String], used: &mut BTreeSet<String>) -> bool {
        match (&self.authentication, presented) {
            (Authentication::Basic(secret), Presented::Basic(sent))
            | (Authentication::Post(secret), Presented::Post(sent)) => secret == sent,
            (Authentication::None, Presented::Nothing) => true,
            (Authentication::PrivateKey(key), Presented::Assertion(text)) => {
                asserts(key, text, &self.id, audiences, used)
            }
            _ => false,
        }
    }
}

enum Presented {
    Assertion(String),
    Basic(String),
    Nothing,
    Post(String),
}

/// The client that a request is from. Where no clients are known, each is believed.
pub(super) fn authenticate(
    clients: &[Client],
    authorization: Option<&str>,
    parameters: &Parameters,
    audiences: &[String],
    used: &mut BTreeSet<String>,
) -> Result<String, Refusal> {
    if let Some(secret) = authorization.and_then(|value| value.strip_prefix("Bearer ")) {
        let is_it = |client: &&Client| matches!(&client.authentication, Authentication::Bearer(own) if own == secret);
        let client = clients.iter().find(is_it);
        return client.map(|client| client.id.clone()).ok_or_else(|| Refusal::new(401, "invalid_client"));
    }
    let (id, presented) = presented(authorization, parameters)?;
    if clients.is_empty() {
        return Ok(id);
    }
    let client = clients.iter().find(|client| client.id == id);
    let client = client.filter(|client| client.proves(&presented, audiences, used));
    client.map(|client| client.id.clone()).ok_or_else(|| Refusal::new(401, "invalid_client"))
}

/// Exactly one method may be used (RFC 6749 §2.3).
fn presented(authorization: Option<&str>, parameters: &Parameters) -> Result<(String, Presented), Refusal> {
    let refusal = || Refusal::new(401, "invalid_client");
    let named = parameters.get("client_id").map(str::to_owned);
    let secret = parameters.get("client_secret").map(str::to_owned);
    let assertion = parameters.get("client_assertion").map(str::to_owned);
    match (authorization, secret, assertion) {
        (Some(authorization), None, None) => {
            let (id, secret) = basic(authorization).ok_or_else(refusal)?;
            if named.is_some_and(|named| named != id) { Err(refusal()) } else { Ok((id, Presented::Basic(secret))) }
        }
        (None, Some(secret), None) => Ok((named.ok_or_else(refusal)?, Presented::Post(secret))),
        (None, None, Some(text)) if parameters.get("client_assertion_type") == Some(ASSERTION_TYPE) => {
            let id = named.or_else(|| claims(&text)?.get("sub")?.as_str().map(str::to_owned));
            Ok((id.ok_or_else(refusal)?, Presented::Assertion(text)))
        }
        (None, None, None) => Ok((named.ok_or_else(refusal)?, Presented::Nothing)),
        _ => Err(Refusal::new(400, "invalid_request")),
    }
}

/// Both parts are form-encoded first (RFC 6749 §2.3.1).
fn basic(authorization: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("a={text}")).ok()?;
    match pairs.as_slice() {
        [(_, value)] => Some(value.clone()),
        _ => None,
    }
}

/// RFC 7523 §3. Each assertion is good once.
fn asserts(key: &SigningKey, text: &str, id: &str, audiences: &[String], used: &mut BTreeSet<String>) -> bool {
    let Some((input, signature)) = text.rsplit_once('.') else { return false };
    let (Ok(signature), Some(claims)) = (URL_SAFE_NO_PAD.decode(signature), claims(text)) else { return false };
    let is = |name: &str, expected: &str| claims.get(name).and_then(Value::as_str) == Some(expected);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = crate::clock::now();
    key.verifies(input.as_bytes(), &signature)
        && is("iss", id)
        && is("sub", id)
        && audiences.iter().any(|audience| is("aud", audience))
        && number("exp").is_some_and(|end| end > now)
        && number("iat").is_none_or(|start| start <= now + 5)
        && claims.get("jti").and_then(Value::as_str).is_some_and(|unique| used.insert(unique.to_owned()))
}

fn claims(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?).ok()
}
