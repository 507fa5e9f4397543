//! Everything at once, for long: tokens of all kinds, sessions, floods, rotations, outages and updates of the
//! configuration, in a real Envoy. No answer may be wrong, and what the gate counted is what clients saw.
//!
//! `make soak-envoy` runs it for an hour (`MINUTES`), and shows what happens in each; with the other tests it runs for
//! forty seconds. `JOTGATE_SOAK_SECONDS` says how long.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod clients;
mod ledger;
mod trouble;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use test_support::{SOON, eventually};
use testbed::issuer::Behaviour;

use crate::clients::Client;
use crate::ledger::{Ledger, State};
use crate::trouble::Trouble;
use crate::world::World;

const SECONDS: u64 = 40;
/// Browsers, and clients that send signed tokens.
const BROWSERS: u64 = 3;
const SIGNERS: u64 = 2;
/// By so much may memory grow once a quarter of the time is over. Caches are full long before.
const GROWTH: u64 = 48 << 20;

#[test]
fn no_answer_is_wrong_and_what_was_counted_is_what_clients_saw() {
    let seconds = std::env::var("JOTGATE_SOAK_SECONDS").ok().map_or(SECONDS, |text| text.parse().unwrap());
    let time = Duration::from_secs(seconds);
    let world = World::start();
    // Responses to refreshes are lost now and then: providers that end sessions for it have their own tests.
    world.provider.set_behaviour(Behaviour { grace_ms: 600_000, ..Behaviour::default() });
    world.update(0);
    eventually("the listener is there", || std::net::TcpStream::connect(world.changing.address()).is_ok());
    let (trouble, ledger, start) = (Trouble::new(&world), Ledger::default(), Instant::now());
    let at_start = world.resident();
    let warm = thread::scope(|scope| {
        let client = |seed| Client::new(&world, &trouble, &ledger, seed);
        scope.spawn(|| trouble.run(&world));
        for seed in 0..SIGNERS {
            let client = client(seed);
            scope.spawn(move || client.sign());
        }
        for seed in 0..BROWSERS {
            let client = client(100 + seed);
            scope.spawn(move || client.browse());
        }
        let (flood, look_up) = (client(200), client(300));
        scope.spawn(move || flood.flood());
        scope.spawn(move || look_up.look_up());
        let warm = watch(&world, &trouble, &ledger, start, time);
        trouble.end();
        warm
    });
    let state = ledger.state();
    let rows = settled(&world, &state);
    println!("\n{:>40}  clients    gate", "");
    for (name, [seen, counted]) in &rows {
        println!("{name:>40} {seen:8} {counted:7}");
    }
    let late = world.resident();
    println!("memory: {} M at the start, {} M warm, {} M in the end", at_start >> 20, warm >> 20, late >> 20);
    assert_eq!(state.wrong, 0, "{:#?}", state.examples);
    assert!(rows.values().all(|[seen, counted]| seen == counted), "clients saw other than the gate counted");
    assert_eq!(world.upstream.count(), state.allowed(), "requests arrived");
    assert_eq!(world.changing.envoy().stat("listener_manager.lds.update_rejected").unwrap(), 0);
    assert!(late < warm + GROWTH, "memory grows");
}

/// Shows what happens. What comes back is the memory after a quarter of the time.
fn watch(world: &World, trouble: &Trouble, ledger: &Ledger, start: Instant, time: Duration) -> u64 {
    let step = (time / 3).min(Duration::from_mins(1));
    let mut warm = 0;
    println!("    time  requests  allowed  wrong  logins  refreshes  rotations  outages  updates  memory");
    while start.elapsed() < time {
        sleep(step.min(time.saturating_sub(start.elapsed())));
        let (state, happened) = (ledger.state(), &trouble.happened);
        println!(
            "{:6} s {:9} {:8} {:6} {:7} {:10} {:10} {:8} {:8} {:5} M",
            start.elapsed().as_secs(),
            state.requests(),
            state.allowed(),
            state.wrong,
            state.log_ins,
            world.provider.granted("refresh_token"),
            happened.rotations.load(Ordering::SeqCst),
            happened.outages.load(Ordering::SeqCst),
            happened.updates.load(Ordering::SeqCst),
            world.resident() >> 20,
        );
        if warm == 0 && start.elapsed() >= time / 4 {
            warm = world.resident();
        }
    }
    warm
}

/// What clients saw beside what the gate counted. A counter may be late, and never for long.
fn settled(world: &World, state: &State) -> BTreeMap<String, [u64; 2]> {
    let start = Instant::now();
    loop {
        let rows = state.beside(&world.counters());
        if rows.values().all(|[seen, counted]| seen == counted) || start.elapsed() > SOON {
            return rows;
        }
        sleep(Duration::from_millis(200));
    }
}
