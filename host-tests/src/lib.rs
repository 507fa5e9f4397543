//! Tests of the plugin as proxies run it.
//!
//! [`host`] is a strict proxy-wasm host on wasmtime, in which a test moves the clock and plays the network;
//! [`cases`] runs behaviours in it that are written as data. [`envoy`] starts a real Envoy. [`child`] ends processes
//! with their test, and [`random`] makes from a seed what tests play. The first two are the feature `host`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is a library for tests, and a panic is how a test fails"
)]
#![cfg_attr(feature = "host", expect(clippy::unwrap_in_result, reason = "likewise"))]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a panic is how a test fails"))]

mod built;
#[cfg(feature = "host")]
pub mod cases;
pub mod child;
pub mod envoy;
#[cfg(feature = "host")]
pub mod host;
mod installed;
pub mod random;

#[cfg(feature = "host")]
pub use built::built;
pub use built::{built_path, tool};
pub use installed::are_installed;
