//! What others publish to test verifiers with. For tests only: what is missing or broken makes them panic.
//!
//! | module | subject |
//! | --- | --- |
//! | `files` | the folder of vectors, natively and under Node |
//! | `primitives` | Wycheproof's signatures, by algorithm of RFC 7518; not under Node, where they would weigh too much |
#![expect(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod files;
#[cfg(not(target_family = "wasm"))]
pub mod primitives;

pub use files::{are_absent, list, read, read_json, read_text};
