//! DESIGN's promises about keys, held against the real module: several VMs over one shared store and one virtual
//! clock, issuers that rotate, fail, stall and lie, a neighbour that spoils the shared store, and requests all the
//! while; all of it from a seed.
//!
//! | module | subject |
//! | --- | --- |
//! | `issuer` | an issuer: which keys it publishes when, and what it answers |
//! | `knowledge` | which sets a VM must know of by now |
//! | `budget` | how often an issuer may be asked |
//! | `world` | the proxy, its VMs and its requests |
//! | `steps` | what happens |
//!
//! `JOTGATE_SEEDS=first..last` chooses the seeds (`make soak SEEDS=…`).

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unchecked_time_subtraction,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod budget;
mod issuer;
mod knowledge;
mod steps;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::world::World;

/// What `make test` runs.
const SEEDS: (u64, u64) = (1, 200);
const STEPS: usize = 120;

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("JOTGATE_SEEDS") else { return SEEDS };
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => (first, last),
        _ => panic!("JOTGATE_SEEDS: expected `first..last`, found `{text}`"),
    }
}

fn run_seed(seed: u64) -> Result<(), String> {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            steps::play_one(&mut world);
        }
        steps::recover(&mut world);
    }));
    outcome.map_err(|problem| {
        let text = problem.downcast_ref::<String>().cloned();
        let text = text.or_else(|| problem.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("seed {seed}: {}\n{}", text.unwrap_or_default(), world.trace())
    })
}

#[test]
fn keys_keep_their_promises_whatever_happens() {
    let (first, last) = seeds();
    let next = AtomicU64::new(first);
    let failure = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > last {
                            return None;
                        }
                        if let Err(failure) = run_seed(seed) {
                            next.store(last + 1, Ordering::Relaxed);
                            return Some((seed, failure));
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).min()
    });
    if let Some((seed, failure)) = failure {
        panic!("{failure}\nto run it again: make soak SEEDS={seed}..{seed}");
    }
}
