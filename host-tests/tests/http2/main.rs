//! Every kind of HTTP through the plugin in a real Envoy: many streams of many callers over a few connections, answers,
//! credentials, identity headers, and what flows in both directions.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod answers;
mod callers;
mod client;
mod crowd;
mod hygiene;
mod locations;
#[path = "../envoy/proof.rs"]
mod proof;
#[path = "../envoy/reasons.rs"]
mod reasons;
mod streams;
#[path = "../envoy/world.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod world;

use test_support::random::Random;

/// The same numbers for the same seed, which a failing test shows.
fn seeded() -> Random {
    let seed = std::env::var("JOTGATE_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("JOTGATE_SEED={seed} runs the same again");
    Random::new(seed)
}
