//! Keys as issuers publish them (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! A key is bound to the algorithms it may verify when it is imported; a token never chooses. What is not fit to
//! verify is not a key, and one odd key never spoils its set.

mod error;
mod key;
mod material;
mod set;
#[cfg(test)]
mod tests;
mod work;

pub use error::KeyError;
pub use key::{Origin, VerificationKey};
use key::{optional_string, present};
pub use material::{KeyMaterial, SharedSecret};
pub use set::{Candidates, KeySet, KeySetError, SkippedKey};
