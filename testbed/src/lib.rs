//! What a gate meets in the world: an [`issuer`] that can rotate, fail and stall, and an [`upstream`] that
//! echoes and streams.
//!
//! The binary `testbed` serves both for demos and benchmarks. Tests use the same pieces in-process:
//! [`issuer::Issuer`] and [`upstream::Upstream`] run on a thread of their own and stop when dropped,
//! [`keys`] and [`mint`] make tokens without any server, [`proof`] what shows who holds a key, and [`flaws`] makes the bad
//! ones. [`raw`] answers with any
//! bytes. [`github::GitHub`] is GitHub as far as people log in with it. [`sts::Sts`] is AWS as far as a dashboard of an EKS cluster needs it.
//!
//! Signing shares no code with the plugin: it is done by `jwt-compact` and the generation of `RustCrypto` under it.
//! Nothing here is fit for production: keys live in memory and anybody may ask for any token.

mod clock;
mod encoding;
pub mod error;
mod faults;
pub mod flaws;
pub mod github;
pub mod issuer;
pub mod keys;
mod locked;
pub mod mint;
pub mod proof;
pub mod raw;
pub mod server;
pub mod sts;
pub mod upstream;
pub mod verify;

pub use error::BadRequest;
