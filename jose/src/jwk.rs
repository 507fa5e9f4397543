//! Public keys as issuers publish them (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! A key is bound to the algorithms it may verify when it is imported; a token never chooses. What is not fit to
//! verify is not a key, and one odd key never spoils its set.

mod key;
mod set;
#[cfg(test)]
mod tests;

pub use key::{KeyError, PublicKey, VerificationKey};
pub use set::{Candidates, KeySet, KeySetError, SkippedKey};
