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

#![expect(clippy::needless_pass_by_value, clippy::unwrap_in_result, reason = "outcomes are handed over; tests panic")]

mod issuer;
mod people;
mod promises;
mod secrets;
mod setup;
mod simulation;
mod steps;

use self::promises::Promise;
use self::setup::Mutant;
use self::simulation::Simulation;
use crate::seeds;

/// What every run of the tests runs.
const SEEDS: (u64, u64) = (1, 3);

#[test]
fn sessions_keep_their_promises_whatever_happens() {
    seeds::assert_kept::<Simulation>(SEEDS);
}

#[test]
fn each_promise_can_fail() {
    seeds::assert_found::<Simulation>([
        (Mutant::SecretsAtOnce, Promise::LastCookieOpens, 8),
        (Mutant::NothingIsShared, Promise::OneRefresh, 8),
        (Mutant::BrowsersDropCookies, Promise::StaysIn, 5),
        (Mutant::IssuerBreaksItsRule, Promise::StaysIn, 10),
        (Mutant::Lifetime, Promise::Bounds, 2),
        (Mutant::Idle, Promise::Bounds, 1),
        (Mutant::NotBefore, Promise::Bounds, 10),
        (Mutant::RefreshAfter, Promise::Bounds, 3),
        (Mutant::ClearText, Promise::SharedData, 1),
        (Mutant::ManyEntries, Promise::SharedData, 1),
        (Mutant::NobodyStaysIn, Promise::Recovery, 3),
    ]);
}
