//! OAuth 2.0 and OpenID Connect, from the client's side, as values: what is sent, and what may be believed of what
//! comes back.
//!
//! | module | subject | follows |
//! | --- | --- | --- |
//! | [`metadata`] | what an authorization server says of itself | RFC 8414, OpenID Connect Discovery 1.0 |
//! | [`endpoint`] | the URIs of its endpoints | RFC 6749 §3 |
//! | [`form`] | `application/x-www-form-urlencoded`, written and read | RFC 6749 App. B |
//! | [`pkce`] | code verifier and code challenge | RFC 7636 |
//! | [`authorization`] | the authorization request, and the response at the callback | RFC 6749 §4.1, RFC 9207 |
//! | [`client`] | how a client authenticates | RFC 6749 §2.3, RFC 7523 |
//! | [`token`] | requests to the token endpoint, and its responses | RFC 6749 §4.1.3, §5, §6, RFC 8693 |
//! | [`id_token`] | what an ID token must say beside its signature, dates and issuer | OpenID Connect Core 1.0 §3.1.3.7, §12.2 |
//! | [`userinfo`] | claims of the userinfo endpoint | OpenID Connect Core 1.0 §5.3 |
//! | [`introspection`] | tokens that only their issuer can read | RFC 7662 |
//! | [`github`] | a provider without ID tokens: its API says who logged in | GitHub REST API 2022-11-28 |
//! | [`dpop`] | proofs that the sender of a token has the key that it is bound to | RFC 9449 |
//! | [`logout`] | logout at the provider | OpenID Connect RP-Initiated Logout 1.0 |
//! | [`revocation`] | tokens that are given back | RFC 7009 |
//!
//! # Contract
//!
//! - **Pure.** No clock, no randomness, no I/O: nonces, identifiers and instants are arguments.
//! - **Strict.** A parameter or member that occurs twice, or has the wrong type, is an error. `null` is an absent
//!   member.
//! - **Bounded.** Whatever a client or a provider sent is read in time that is linear in it (`n log n` where names are
//!   compared), up to a limit, and never panics.
//! - **Silent.** No error and no `Debug` shows a code, token, verifier, nonce or secret.
//!
//! Signatures, `iss`, `exp` and `nbf` of tokens are checked by others: [`id_token`] takes a [`jose::jws::Token`].

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests fail by panicking"))]

pub mod authorization;
pub mod client;
pub mod dpop;
pub mod endpoint;
pub mod form;
pub mod github;
pub mod id_token;
pub mod introspection;
pub mod logout;
pub mod metadata;
pub mod pkce;
pub mod revocation;
pub mod token;
pub mod userinfo;

mod error_code;
mod request;
mod response;
mod secret;
mod text;

#[cfg(not(target_family = "wasm"))]
#[cfg(test)]
mod messages;
#[cfg(not(target_family = "wasm"))]
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use error_code::ErrorCode;
pub use request::{ACCEPT, CONTENT_TYPE, Request};
pub use response::{MAX_BODY, ResponseError};
pub use secret::Secret;
