//! Vectors from outside the project, natively and as Wasm under Node.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod json;
#[cfg(not(target_family = "wasm"))]
mod primitives;
mod rfc;
mod tokens;
mod verify;
mod wycheproof;
