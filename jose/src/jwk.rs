//! Keys as issuers publish them (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! A key is bound to the algorithms it may verify when it is imported; a token never chooses. What is not fit to
//! verify is not a key, and one odd key never spoils its set.

mod error;
mod key;
mod material;
mod member;
mod origin;
mod set;
#[cfg(test)]
mod tests;
mod thumbprint;
mod work;

pub use error::KeyError;
pub use key::VerificationKey;
pub use material::{KeyMaterial, SharedSecret};
pub use origin::Origin;
pub use set::{Candidates, KeySet, KeySetError, SkippedKey};
pub use thumbprint::{has_private_member, thumbprint};
