//! Proofs of possession: a request that comes with a token which is bound to a key shows that its sender has that key
//! (RFC 9449).
//!
//! | file | subject |
//! | --- | --- |
//! | `proof` | the checks of a proof, in their order |
//! | `error` | which of them failed |
//! | `target` | what a proof and a request are compared by: their URIs, normalised |

mod error;
mod proof;
mod target;
#[cfg(test)]
mod tests;

pub use error::ProofError;
pub use proof::{Expected, Proof, check};
pub use target::Target;

/// The algorithms that proofs may use, as a challenge lists them (RFC 9449 §7.1).
pub const ALGORITHMS: &str = "EdDSA ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512";
