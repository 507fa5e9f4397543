//! A configuration, a token that it takes, and what became of a request in one line.

use gate::{Gate, Policy, RequestId, Timestamp};
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;
use jose::{Algorithm, base64url};
use serde_json::{Value, json};

use crate::driver::Driver;
use crate::memory::{Answer, Exchange, Memory, Outcome, Proxy};

pub(super) const NOW: u64 = 1_800_000_000;

/// A verifier to which each signature is a good one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trusting;

impl SignatureVerifier for Trusting {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// Keys are fetched from `jwks_uri`.
pub(super) fn configuration(jwks_uri: &str) -> Value {
    json!({
        "issuers": [{
            "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"],
            "keys": {"jwksUri": jwks_uri, "cluster": "idp"},
        }],
        "rules": [
            {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
            {"name": "rest", "access": "authenticated"},
        ],
    })
}

pub(super) fn gate(configuration: &Value, now: Timestamp) -> Gate {
    let policy = Policy::parse(configuration.to_string().as_bytes(), &|_| None);
    Gate::new(policy.unwrap_or_else(|errors| panic!("{errors}")), now, 1)
}

/// A proxy whose first timer has run out, if it has one: the callout for keys is under way.
pub(super) fn proxy_on(host: Memory) -> Proxy<Trusting> {
    let now = host.now;
    let mut proxy = Proxy::on(host, gate(&configuration("https://idp.example.com/jwks"), now), Trusting);
    proxy.pass_to_timer();
    proxy
}

/// A driver that was started on this host.
pub(super) fn driver_on(host: &mut Memory) -> Driver<Trusting> {
    let now = host.now;
    let mut driver = Driver::new(1, gate(&configuration("https://idp.example.com/jwks"), now), Trusting);
    driver.start(host, now);
    driver
}

pub(super) fn proxy() -> Proxy<Trusting> {
    proxy_on(host())
}

pub(super) fn host() -> Memory {
    Memory::new(Timestamp::from_secs(NOW))
}

pub(super) fn get(path: &str) -> Exchange {
    Exchange::new([(":method", "GET"), (":path", path), (":authority", "api.example.com"), (":scheme", "https")])
}

/// A request with a good token.
pub(super) fn with_token() -> Exchange {
    let part = |value: Value| base64url::encode(value.to_string().as_bytes());
    let claims = json!({"iss": "https://idp.example.com", "aud": "api", "sub": "alice", "exp": NOW + 3600});
    let token = [part(json!({"alg": "ES256", "kid": "a"})), part(claims), base64url::encode(&[7; 64])].join(".");
    let mut exchange = get("/x");
    exchange.headers.0.push((b"authorization".to_vec(), format!("Bearer {token}").into_bytes()));
    exchange
}

/// The key of RFC 7515 A.3.
pub(super) fn keys() -> Answer {
    Answer::new(
        200,
        r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    )
}

/// `forwarded`, `waiting`, or the status and the response code details.
pub(super) fn summary(proxy: &Proxy<Trusting>, id: RequestId) -> String {
    match proxy.outcome(id) {
        None => String::from("gone"),
        Some(Outcome::Forwarded) => String::from("forwarded"),
        Some(Outcome::Waiting) => String::from("waiting"),
        Some(Outcome::Replied { reply, details }) => format!("{} {details}", reply.status),
    }
}

/// What the upstream is told of the caller.
pub(super) fn user(proxy: &Proxy<Trusting>, id: RequestId) -> Option<String> {
    let value = proxy.host.requests.get(&id)?.headers.value("x-auth-request-user")?;
    Some(String::from_utf8_lossy(value).into_owned())
}
