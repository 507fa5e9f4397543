//! What people do with a configuration before a proxy gets it: read, check, explain and test it, or make one of Istio's
//! policies.
//!
//! Everything is a function of values: no file or clock is read, and nothing printed; so it also runs in a browser. Every
//! decision is the engine's, `gate`.
//!
//! ```text
//! check, cases, explain, istio
//!    │              └──▶ engine ──▶ request
//!    ▼
//! configuration ──▶ locate ──▶ document ──▶ finding
//! ```

#![forbid(unsafe_code)]

pub mod cases;
pub mod check;
pub mod configuration;
pub mod document;
pub mod engine;
pub mod explain;
pub mod finding;
pub mod instant;
pub mod istio;
pub mod locate;
pub mod request;

mod stand_in_keys;
