//! Tests of the engine as a whole: requests in, decisions out.

mod access;
mod audit;
mod cache;
mod canonical;
mod config;
mod credentials;
mod discovery;
mod extraction;
mod grants;
#[cfg(not(target_family = "wasm"))]
mod hygiene;
#[cfg(not(target_family = "wasm"))]
mod key_sets;
mod keys;
mod metadata;
mod paths;
mod requests;
mod sharing;
pub(crate) mod support;
mod tokens;
mod waiting;
