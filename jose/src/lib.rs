//! JOSE for a verifier: what stands between bytes that an adversary wrote and a token that may be believed. What is
//! signed on behalf of the gate is made here, too.
//!
//! | module | subject | follows |
//! | --- | --- | --- |
//! | [`base64url`] | the encoding of every part of a token | RFC 4648 §5, RFC 7515 §2 |
//! | [`hex`] | octets in names, logs and signatures | RFC 4648 §8 |
//! | [`json`] | JSON texts whose author is not trusted | RFC 8259, RFC 7493 |
//! | [`jwk`] | public keys and key sets | RFC 7517, RFC 7518 §6, RFC 8037 |
//! | [`jws`] | the compact serialisation and its signature | RFC 7515 |
//! | [`claims`] | the registered claims, dates above all | RFC 7519 |
//! | `rsa` | the public half of RSA, fast in Wasm | RFC 8017 |
//! | [`sign`] | private keys, and what is signed with them | RFC 7515 §5.1, RFC 6979, RFC 8032 |
//! | [`swar`] | long texts, eight bytes at a time | – |
//! | [`signature`] | the seam behind which signatures are checked | RFC 7518 §3, RFC 8037 §3.1 |
//! | [`sorting`] | sorting by code that is there once | – |
//!
//! # Contract
//!
//! - **Pure.** No clock, no randomness, no I/O, no global state: the same arguments give the same answer.
//! - **Strict.** What two parsers could read differently is refused, never repaired: padding and stray bits in
//!   base64url, members that occur twice, lone surrogates, numbers outside the grammar.
//! - **Bounded.** Every parser runs in time that is linear (`n log n` where names are compared) in its input,
//!   without recursion, and never panics, whatever the input.
//! - **Verified by type.** An [`jws::UntrustedToken`] becomes a [`jws::Token`] only through a signature check
//!   under a key that was bound to its algorithm when it was imported.
//!
//! All values are provided by the adversary until a [`jws::Token`] says otherwise.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests fail by panicking"))]

extern crate alloc;

pub mod algorithm;
pub mod base64url;
pub mod claims;
mod hash;
pub mod hex;
pub mod json;
pub mod jwk;
pub mod jws;
mod rsa;
pub mod sign;
pub mod signature;
pub mod sorting;
pub mod swar;

pub use algorithm::Algorithm;
pub use hash::Hash;
pub use rsa::RsaPublicKey;
