//! What `jotgate explain` says, and that it is what the engine decides.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod bound;
mod command;
mod introspection;
mod login;
