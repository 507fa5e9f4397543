//! What the gate says to AWS and reads of it, as values: from an ID token to a token for a cluster of EKS.
//!
//! | module | subject | follows |
//! | --- | --- | --- |
//! | [`sts`] | an ID token becomes the credentials of a role, for a while | STS API 2011-06-15, `AssumeRoleWithWebIdentity` |
//! | [`session_name`] | the name that AWS logs the caller by | the same, `RoleSessionName` |
//! | [`sigv4`] | requests are signed | AWS Signature Version 4 |
//! | [`eks`] | these credentials become a bearer token for a Kubernetes API server | aws-iam-authenticator, API authorization from outside a cluster |
//! | [`region`], [`arn`] | regions and their endpoints, roles and their names | AWS General Reference |
//! | [`instant`] | dates as text, read and written | RFC 3339 §5.6, ISO 8601 basic format |
//!
//! # Contract
//!
//! - **Pure.** No clock, no randomness, no I/O: instants are arguments, as the time since 1970.
//! - **Strict.** An answer of STS has each element once and where it belongs; XML that could be read in two ways is an
//!   error.
//! - **Bounded.** Answers are read in linear time, up to a limit, and never panic.
//! - **Silent.** No error and no `Debug` shows a token, a key, or a text that AWS sent.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests fail by panicking"))]

pub mod arn;
pub mod eks;
pub mod instant;
pub mod region;
pub mod session_name;
pub mod sigv4;
pub mod sts;

mod xml;

#[cfg(test)]
mod test_suite;
