//! The plugin in a real Envoy, over real HTTP, against a real issuer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod bodies;
mod bound;
mod configuration;
mod cors;
mod credentials;
mod keys;
mod observed;
mod operations;
mod paths;
mod proof;
mod reasons;
mod requests;
mod rules;
mod sharing;
mod streams;
mod updates;
mod upstream;
mod world;
