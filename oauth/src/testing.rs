//! What several tests need.

use std::time::Duration;

use crate::client::{AssertionFacts, Authentication, Client};
use crate::{Request, Secret};
use jose::json::Document;
use jose::jwk::{Origin, VerificationKey};
use jose::jws::{EncodedToken, Token};
use jose::sign::{Header, SigningKey};
use jose::signature::Software;

/// RFC 8037 A.1.
pub(crate) const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// RFC 7515 A.3.1.
pub(crate) const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

pub(crate) const FACTS: AssertionFacts<'static> = AssertionFacts {
    audience: "https://idp.example.com",
    jti: "unique",
    issued_at: Duration::from_hours(500_000),
    lifetime: Duration::from_mins(1),
};

/// The client of the examples in RFC 6749.
pub(crate) fn client(authentication: Authentication) -> Client {
    Client::new("s6BhdRkqt3", authentication).expect("is a client")
}

/// The client of the examples in RFC 6749 that authenticates by Basic, and its header.
pub(crate) fn rfc_6749_client() -> (Client, &'static str) {
    (client(Authentication::Basic(Secret::new("gX1fBat3bV"))), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
}

pub(crate) fn body(request: &Request) -> String {
    request.body.as_str().to_string()
}

/// Calls `test` with a verified token of these claims.
pub(crate) fn with_token<T>(jwk: &str, claims: &str, test: impl FnOnce(&Token<'_>) -> T) -> T {
    let key = SigningKey::from_json(jwk.as_bytes()).expect("is a key");
    let public = key.public_jwk("k");
    let document = Document::parse(public.as_bytes()).expect("is JSON");
    let public = VerificationKey::from_jwk(document.root(), Origin::Issuer).expect("is a key");
    let jws = key.sign_compact(Header::default(), claims.as_bytes());
    let encoded = EncodedToken::decode(jws.as_bytes()).expect("is a JWS");
    let token = encoded.parse().expect("is a JWT").verify(&[&public], &Software).expect("verifies");
    test(&token)
}
