//! What is signed.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use crate::json::write;
use crate::{Algorithm, base64url};

/// The members of a JOSE header beside `alg` (RFC 7515 §4.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Header<'h> {
    /// Which key this is signed with (§4.1.4).
    pub kid: Option<&'h str>,
    /// What the payload is (§4.1.9).
    pub typ: Option<&'h str>,
}

/// A compact JWS without its signature, for signers that are not in this crate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsigned(String);

impl Unsigned {
    /// Encodes header and payload (RFC 7515 §5.1, steps 1 to 4).
    pub fn new(algorithm: Algorithm, header: Header<'_>, payload: &[u8]) -> Self {
        let mut text = format!(r#"{{"alg":"{algorithm}""#);
        for (name, value) in [("typ", header.typ), ("kid", header.kid)] {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(text, r#","{name}":{}"#, write::string(value));
            }
        }
        text.push('}');
        Self(format!("{}.{}", base64url::encode(text.as_bytes()), base64url::encode(payload)))
    }

    /// What is signed: the JWS Signing Input (RFC 7515 §2).
    pub fn signing_input(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The compact serialisation (RFC 7515 §7.1). An ECDSA `signature` is r‖s (RFC 7518 §3.4).
    #[must_use]
    pub fn attach(self, signature: &[u8]) -> String {
        format!("{}.{}", self.0, base64url::encode(signature))
    }
}
