//! What binds a token to its sender, and what shows that the sender is the one.
//!
//! | file | subject |
//! | --- | --- |
//! | `confirmation` | what `cnf` says (RFC 7800, RFC 8705 §3.1, RFC 9449 §6.1) |
//! | `certificate` | the certificate of the client's connection, or what a proxy in front says of it |
//! | `lack` | what a request lacks that comes with a token |
//! | `proof` | a proof that holds, and what became of it |
//! | `replay` | the proofs that were used, once for all VMs of a proxy |
//! | `nonce` | nonces that only the gate can have made (RFC 9449 §9) |

mod certificate;
mod confirmation;
mod lack;
mod nonce;
mod proof;
mod replay;

pub(crate) use self::certificate::{in_header, of_connection};
pub(crate) use self::confirmation::Confirmation;
pub(crate) use self::lack::Lack;
pub(crate) use self::nonce::Nonces;
pub(crate) use self::proof::{FreshProof, ProofUse, UsedProof};
pub(crate) use self::replay::{OwnProofs, record};
