//! What tests with a real Envoy and with the strict host have in common.
//!
//! [`built_path`], [`tool`] and [`workspace`] find what `make` builds and installs, [`child`] and [`server`] stop
//! processes with their test, [`providers`] are OpenID providers that others wrote, [`aws`] and [`verifiers`] others'
//! word on credentials, and [`random`] makes test input from a seed; [`eventually`] waits for what should happen soon.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is a library for tests, and a panic is how a test fails"
)]

pub mod aws;
mod built;
pub mod child;
mod installed;
mod patience;
pub mod providers;
pub mod random;
pub mod server;
pub mod verifiers;

pub use built::{built_path, target, tool, workspace};
pub use installed::are_installed;
pub use patience::{SOON, eventually};
