//! The differential test: which rule did the gate take, which route Envoy, which handler the server?
//!
//! `JOTGATE_CASES=…` runs more of them, `JOTGATE_SEED=…` others.

use std::collections::BTreeMap;
use std::env;

use test_support::random::Random;

use crate::check::is_harmless;
use crate::policy::HANDLERS;
use crate::requests::Case;
use crate::server::{ALL, Kind};
use crate::world::{Outcome, Version, World};

const CASES: u64 = 1200;
/// Each handler runs so often at least, over all servers.
const LEAST: usize = 20;

#[test]
fn the_handler_that_runs_is_what_the_rule_is_meant_for() {
    let Some(world) = World::shared() else { return };
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, cases) = (number("JOTGATE_SEED", 1), number("JOTGATE_CASES", CASES));
    let mut failures = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut refused, mut passed) = (0, 0);
    for seed in seed..seed + cases {
        let case = Case::generate(&mut Random::new(seed));
        let gateway = if seed % 4 == 0 { "lenient" } else { "strict" };
        let outcomes = run_case(&world, gateway, case.clone());
        match &outcomes[0] {
            Outcome::Refused(_, reason) => {
                *counts.entry(format!("refused: {reason}")).or_default() += 1;
                refused += 1;
            }
            _ => passed += 1,
        }
        for (kind, outcome) in ALL.iter().zip(outcomes) {
            if !outcome.handler().is_empty() {
                *counts.entry(format!("handler: {}", outcome.handler())).or_default() += 1;
            }
            if is_harmless(&outcome) {
                continue;
            }
            match KNOWN.iter().find(|(_, differs)| differs(*kind, &outcome)) {
                Some((what, _)) => *counts.entry(format!("known: {what}")).or_default() += 1,
                None => failures
                    .push(format!("JOTGATE_SEED={seed} JOTGATE_CASES=1: {kind:?}, {gateway}, {case:?}: {outcome:?}")),
            }
        }
    }
    println!("{refused} of {} requests were refused, {passed} passed to {} servers", refused + passed, ALL.len());
    for (what, count) in &counts {
        println!("{count:6} {what}");
    }
    assert!(failures.is_empty(), "{} failures:\n- {}", failures.len(), failures.join("\n- "));
    if cases >= CASES {
        for (handler, _) in HANDLERS {
            let count = counts.get(&format!("handler: {handler}")).copied().unwrap_or_default();
            assert!(count >= LEAST, "{handler} ran {count} times only");
        }
        for (what, _) in KNOWN {
            assert!(counts.contains_key(&format!("known: {what}")), "this is no difference any more: {what}");
        }
        assert!(refused > 100 && passed > 100, "{refused} refused, {passed} passed");
    }
}

type Differs = fn(Kind, &Outcome) -> bool;

/// Where a server takes other paths for the same than rules do, by its defaults, and no request can tell: what protects
/// there is a catch-all rule that asks for as much (docs/paths.md).
const KNOWN: [(&str, Differs); 2] = [
    ("Express compares paths without their case", |kind, outcome| {
        kind == Kind::Express && path(outcome).bytes().any(|byte| byte.is_ascii_uppercase()) && is_caught(outcome)
    }),
    ("Express ignores a slash at the end", |kind, outcome| {
        kind == Kind::Express && path(outcome).ends_with('/') && is_caught(outcome)
    }),
];

fn path(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Ran(seen) => &seen.path,
        _ => "",
    }
}

/// Whether the last rule took it, which asks for a token.
fn is_caught(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ran(seen) if seen.rule == "rest")
}

/// What came of it at each server; of what the gate refused, at the first.
fn run_case(world: &World, gateway: &str, mut case: Case) -> Vec<Outcome> {
    let address = world.gateway(gateway);
    let probe = |case: &Case| case.version.try_send(&case.request().header("x-server", ALL[0].cluster()), address);
    // The library refuses what it takes for no HTTP/2.
    if case.version == Version::Http2 && probe(&case).is_err() {
        case.version = Version::Http1;
    }
    let first = world.send(gateway, ALL[0], case.version, &case.request());
    if matches!(first, Outcome::Refused(..)) {
        return vec![first];
    }
    let others = ALL[1..].iter().map(|kind| world.send(gateway, *kind, case.version, &case.request()));
    std::iter::once(first).chain(others).collect()
}
