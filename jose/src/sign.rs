//! Signing: compact JWS from private keys (RFC 7515 §5.1, RFC 7518 §3.4, RFC 8037 §3.1).
//!
//! Both algorithms are deterministic: ES256 takes its nonce from key and message (RFC 6979), EdDSA does by definition
//! (RFC 8032 §5.1.6). So signing needs no randomness, and the same arguments give the same octets.
//!
//! A [`SigningKey`] is zeroised when it is dropped. The text that it was read from belongs to the caller.

mod error;
mod key;
mod pem;
mod signer;
#[cfg(test)]
mod tests;
mod unsigned;

use alloc::string::String;

use crate::signature::Software;

pub use error::SigningKeyError;
pub use key::SigningKey;
pub use signer::Signer;
pub use unsigned::{Header, Unsigned};

impl SigningKey {
    /// Signs `payload`: a JWS in the compact serialisation.
    pub fn sign_compact(&self, header: Header<'_>, payload: &[u8]) -> String {
        self.sign_compact_by(&Software, header, payload)
    }

    /// The same, where `signer` makes the signature.
    pub fn sign_compact_by(&self, signer: &dyn Signer, header: Header<'_>, payload: &[u8]) -> String {
        let unsigned = Unsigned::new(self.algorithm(), header, payload);
        let signature = signer.sign(self, unsigned.signing_input());
        unsigned.attach(&signature)
    }
}
