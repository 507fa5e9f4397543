//! The caller, once verified.
//!
//! | file | subject |
//! | --- | --- |
//! | `evidence` | what is certain about a caller, whatever vouches for it |
//! | `verification` | the first maker of evidence: a token (RFC 7519) whose signature and claims were checked |
//! | `check`, `trace` | its checks in their order, and what became of them |
//! | `rejection` | why a token is rejected, and which claim is at fault |
//! | `introspected` | the third: what an issuer says of a token that only it can read (RFC 7662) |
//! | `session` | the second: a session that the gate itself has sealed |
//! | `principal` | a caller, with all that rules and headers need |
//! | `reading` | from evidence to a principal, as the policy has it read |
//! | `digest` | what stands for it in other caches |
//! | `cache` | tokens that were verified, so that one that comes again need not be |

mod cache;
mod check;
mod digest;
mod evidence;
mod introspected;
mod principal;
mod reading;
mod rejection;
mod session;
mod trace;
mod verification;

pub(crate) use self::cache::{Entry, TokenCache};
pub use self::check::Check;
pub(crate) use self::digest::{digest_of_answer, digest_of_session, digest_of_token};
pub(crate) use self::evidence::Evidence;
pub use self::principal::Principal;
pub(crate) use self::session::OddClaims;
pub use self::trace::{TokenTrace, Withheld};
pub(crate) use self::verification::{Claimed, Failure, Verification};
