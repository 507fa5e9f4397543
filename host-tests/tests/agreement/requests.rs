//! Requests of all kinds.

use real_envoy::http::Request;
use serde_json::{Value, json};
use test_support::random::Random;
use testbed::flaws::Flaw;
use testbed::issuer::{Issuer, TokenRequest};

/// A request.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) host: &'static str,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

const METHODS: [&str; 6] = ["GET", "GET", "POST", "PUT", "DELETE", "OPTIONS"];
const HOSTS: [&str; 5] =
    ["api.example.com", "API.Example.com:8443", "example.org", "u@api.example.com", "a.b.example.com."];
const PATHS: [&str; 26] = [
    "/",
    "/home/7",
    "/home/%37",
    "/home/7/",
    "/public",
    "/public/x",
    "/public/%2e%2e/api/x",
    "/public/../api/x",
    "/public/..;/api/x",
    "/public//x",
    "/closed",
    "/c:d",
    "/c%3Ad",
    "/c%3ad",
    "/api",
    "/api/items",
    "/api/items",
    "/api/admin",
    "/api/admin/users",
    "/%61pi/items",
    "/api%2Fitems",
    "/api;v=1/items",
    "/api/%C3%A9",
    "/api/%c0%ae%c0%ae/x",
    "/api/%zz",
    "/elsewhere",
];

/// A token, good or not; sometimes none.
pub(crate) fn token(random: &mut Random, issuer: &Issuer) -> Option<String> {
    let mut asked = TokenRequest::subject("alice");
    asked.scope = random.pick(&[None, Some("read"), Some("read write"), Some("admin:x admin")]).map(String::from);
    if random.once_in(3) {
        asked.groups = Some(vec![String::from(random.pick(&["ops", "dev"]))]);
    }
    if random.once_in(2) {
        asked.alg = Some(String::from(random.pick(&["ES256", "RS256"])));
    }
    let mut claim = |name: &str, value: Value| asked.claims.insert(name.to_string(), value);
    match random.below(24) {
        0 => claim("email", json!("alice@example.com")),
        1 => claim("aud", json!(["else", "other"])),
        2 => claim("aud", json!(7)),
        3 => claim("exp", json!(1_600_000_000)),
        4 => claim("exp", json!(null)),
        5 => claim("exp", json!(4_000_000_000_u64)),
        6 => claim("nbf", json!(4_000_000_000_u64)),
        7 => claim("iss", json!("https://stranger.example.com")),
        8 => claim("scope", json!(7)),
        9 => claim("sub", json!("a\u{7}b")),
        10 => claim("iat", json!("now")),
        _ => None,
    };
    asked.flaw = match random.below(24) {
        0 => Flaw::AlgNone,
        1 => Flaw::BadSignature,
        2 => Flaw::DuplicateMember,
        3 => Flaw::EmptySignature,
        4 => Flaw::ForeignKey,
        5 => Flaw::Hs256PublicKey,
        6 => Flaw::Padded,
        7 => Flaw::Tampered,
        8 => Flaw::UnknownKid,
        _ => Flaw::None,
    };
    match random.below(12) {
        0 => None,
        1 => Some(String::from(random.pick(&["nonsense", "a.b.c", "e30.e30.e30"]))),
        2 => Some("x".repeat(17_000)).filter(|_| random.once_in(2)),
        _ => Some(issuer.token(&asked).expect("is minted")),
    }
}

impl Sent {
    /// Any request, with that token somewhere.
    pub(crate) fn any(random: &mut Random, token: Option<&str>, number: usize) -> Self {
        let mut path = format!("{}?n={number}", random.pick(&PATHS));
        let mut headers = Vec::new();
        let mut add = |name: &str, value: String| headers.push((name.to_string(), value));
        if let Some(token) = token {
            match random.below(10) {
                0 => add("x-token", token.to_string()),
                1 => add("cookie", format!("theme=dark; session={token}")),
                2 => path = format!("{path}&token={token}"),
                3 => add("authorization", format!("bearer  {token}")),
                4 => add("authorization", format!("Bearer {token}, Bearer {token}")),
                5 => {
                    add("authorization", format!("Bearer {token}"));
                    add("x-token", token.to_string());
                }
                _ => add("authorization", format!("Bearer {token}")),
            }
        } else if random.once_in(2) {
            add("authorization", String::from(random.pick(&["Bearer", "Basic eDp5", "Bearer a b"])));
        }
        if random.once_in(4) {
            add("x-auth-request-user", String::from("mallory"));
            add("x-auth-request-forged", String::from("yes"));
        }
        if random.once_in(4) {
            add("x-tenant", String::from(random.pick(&["acme", "other"])));
        }
        Self { method: random.pick(&METHODS), host: random.pick(&HOSTS), path, headers }
    }

    pub(crate) fn request(&self) -> Request {
        let request = Request::new(self.method, &self.path).header("host", self.host);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// The number of the request for this path.
pub(crate) fn number(path: &str) -> Option<usize> {
    let behind = path.split("?n=").nth(1)?;
    behind.split('&').next()?.parse().ok()
}
