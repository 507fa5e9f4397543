//! What is promised to callers whose credentials others know or give, held against the engine: two proxies of some VMs
//! each, clients with parallel requests, tokens that are issued and revoked, services that fail, stall and lie, and
//! whatever else can go wrong; all of it from a seed.
//!
//! | module | subject |
//! | --- | --- |
//! | `setup` | what a seed decides of a run, and what is broken on purpose |
//! | `issuers` | what is true of tokens, and what introspection, exchange and STS answer |
//! | `simulation` | proxies, VMs, callouts and time |
//! | `clients` | clients, what they come with, and their requests |
//! | `promises` | what is promised |
//! | `steps` | what happens |
//!
//! `JOTGATE_SEEDS=first..last` chooses the seeds.

mod clients;
mod issuers;
mod promises;
mod setup;
mod simulation;
mod steps;

use self::promises::Promise;
use self::setup::Mutant;
use self::simulation::Simulation;
use crate::seeds;

/// What every run of the tests runs.
const SEEDS: (u64, u64) = (1, 8);

#[test]
fn callers_are_served_as_promised_whatever_happens() {
    seeds::assert_kept::<Simulation>(SEEDS);
}

#[test]
fn each_promise_can_fail() {
    seeds::assert_found::<Simulation>([
        (Mutant::CacheFor, Promise::Fresh, 1),
        (Mutant::CalloutTwice, Promise::Effects, 1),
        (Mutant::ClearText, Promise::Bounds, 1),
        (Mutant::CredentialEnd, Promise::CredentialEnd, 1),
        (Mutant::Expiry, Promise::Expiry, 10),
        (Mutant::Forgetful, Promise::StaysInUse, 1),
        (Mutant::KeysAreAway, Promise::Untouched, 1),
        (Mutant::ManyLookups, Promise::Bounds, 1),
        (Mutant::NothingIsShared, Promise::ProofOnce, 1),
        (Mutant::OneVm, Promise::OneLookup, 1),
        (Mutant::OtherCaller, Promise::Caller, 1),
        (Mutant::OtherToken, Promise::Entry, 1),
        (Mutant::StaysBad, Promise::Recovery, 1),
        (Mutant::Unbound, Promise::Bound, 1),
        (Mutant::WaitFor, Promise::WaitFor, 1),
    ]);
}
