//! LOGIN's promises about browsers, held against the engine: two proxies of four VMs each, people with parallel
//! requests, an issuer that rotates its refresh tokens, and whatever can go wrong; all of it from a seed.
//!
//! | module | subject |
//! | --- | --- |
//! | `setup` | what a seed decides of a run, and what is broken on purpose |
//! | `issuer` | which refresh tokens are good, and what is answered |
//! | `simulation` | proxies, VMs, and time |
//! | `secrets` | the rotation of the session's secret |
//! | `people` | browsers and their requests |
//! | `promises` | what is promised |
//! | `steps` | what happens |
//!
//! `JOTGATE_SEEDS=first..last` chooses the seeds.

#![expect(
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    clippy::unwrap_in_result,
    reason = "the seeds are in the environment; outcomes are handed over; tests panic"
)]

mod issuer;
mod people;
mod promises;
mod secrets;
mod setup;
mod simulation;
mod steps;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::promises::{Promise, Violation};
use self::setup::Mutant;
use self::simulation::Simulation;

/// What every run of the tests runs.
const SEEDS: (u64, u64) = (1, 3);
const STEPS: usize = 120;

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("JOTGATE_SEEDS") else { return SEEDS };
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => (first, last),
        _ => panic!("JOTGATE_SEEDS: expected `first..last`, found `{text}`"),
    }
}

/// What a seed breaks, with what happened before.
fn run(seed: u64, mutant: Option<Mutant>) -> Option<(Violation, Vec<String>)> {
    let mut simulation = Simulation::new(seed, mutant);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            simulation.step();
            if simulation.violation.is_some() {
                return;
            }
        }
        simulation.recover();
    }));
    let trace = simulation.trace.clone();
    assert!(outcome.is_ok(), "seed {seed} panicked, after\n{}", trace.join("\n"));
    simulation.violation.map(|violation| (violation, trace))
}

#[test]
fn sessions_keep_their_promises_whatever_happens() {
    let (first, last) = seeds();
    for seed in first..=last {
        if let Some((Violation { promise, words }, trace)) = run(seed, None) {
            panic!("{}\nseed {seed}: {promise:?}: {words}\nto run it again: JOTGATE_SEEDS={seed}", trace.join("\n"));
        }
    }
}

/// Whatever is broken on purpose is found.
#[test]
#[ignore = "it takes minutes"]
fn each_promise_can_fail() {
    for (mutant, promise) in [
        (Mutant::SecretsAtOnce, Promise::LastCookieOpens),
        (Mutant::NothingIsShared, Promise::OneRefresh),
        (Mutant::BrowsersDropCookies, Promise::StaysIn),
        (Mutant::IssuerBreaksItsRule, Promise::StaysIn),
        (Mutant::Lifetime, Promise::Bounds),
        (Mutant::Idle, Promise::Bounds),
        (Mutant::NotBefore, Promise::Bounds),
        (Mutant::RefreshAfter, Promise::Bounds),
        (Mutant::ClearText, Promise::SharedData),
        (Mutant::ManyEntries, Promise::SharedData),
        (Mutant::NobodyStaysIn, Promise::Recovery),
    ] {
        let found: Vec<_> = (1..=20)
            .filter_map(|seed| run(seed, Some(mutant)).map(|(violation, _)| (seed, violation.promise)))
            .collect();
        let first = found.iter().find(|(_, found)| *found == promise);
        assert!(first.is_some(), "{mutant:?}: expected {promise:?}, found {found:?}");
    }
}
