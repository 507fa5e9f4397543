//! Tests of the engine as a whole: requests in, decisions out.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

mod access;
mod audit;
mod bound;
mod bound_attacks;
mod browser;
#[cfg(not(target_family = "wasm"))]
mod browsers;
mod cache;
#[cfg(not(target_family = "wasm"))]
mod callers;
mod canonical;
mod config;
mod credentials;
mod discovery;
mod eks;
mod exchange;
#[cfg(not(target_family = "wasm"))]
mod fleet;
mod grants;
#[cfg(not(target_family = "wasm"))]
mod hygiene;
mod introspection;
mod issuers;
#[cfg(not(target_family = "wasm"))]
mod key_sets;
mod keys;
mod login_attacks;
mod login_config;
mod logins;
mod metadata;
mod nonces;
mod paths;
mod relations;
mod renewals;
mod requests;
mod reviews;
#[cfg(not(target_family = "wasm"))]
mod seeds;
mod sharing;
mod support;
mod tokens;
mod undecided;
mod upstream;
mod upstream_attacks;
mod waiting;
