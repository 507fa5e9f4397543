//! Every kind of HTTP through the plugin in a real Envoy: many streams of many callers over a few connections, answers,
//! credentials, identity headers, and what flows in both directions.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod answers;
mod callers;
mod client;
mod crowd;
mod places;
#[path = "../simulation/random.rs"]
#[expect(dead_code, reason = "the simulation needs more of it")]
mod random;
#[path = "../envoy/reasons.rs"]
mod reasons;
#[path = "../envoy/world.rs"]
mod world;
