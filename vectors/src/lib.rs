//! What others publish to test verifiers with. For tests only: what is missing or broken makes them panic.
//!
//! | module | subject |
//! | --- | --- |
//! | `files` | the folder of vectors, natively and as Wasm |
//! | `primitives` | Wycheproof's signatures, by algorithm of RFC 7518; not as Wasm, where they would weigh too much |
#![expect(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod files;
#[cfg(not(target_family = "wasm"))]
pub mod primitives;

pub use files::{are_absent, list, read, read_json, read_text};
