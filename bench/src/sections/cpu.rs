//! CPU time per request: every variant in every round, so that whatever disturbs the machine disturbs all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::check;
use crate::failure::Result;
use crate::progress::step;
use crate::subject::Subject;
use crate::variant::{Fresh, Tokens, Variant};
use crate::world::World;

/// A variant, and its microseconds of CPU time per request in each round.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) variant: Variant,
    pub(crate) rounds: Vec<f64>,
}

/// Rounds before those that count: V8 compiles what is called often once more, in threads of the same process.
const WARM_UP: usize = 3;

/// Requests to a variant before it is the next one's turn.
const TURN: usize = 100;

/// Measures the variants against each other.
pub(crate) fn compare(world: &World, variants: &[Variant], rounds: usize, requests: usize) -> Result<Vec<Series>> {
    let sent = f64::from(u32::try_from(requests).unwrap_or(u32::MAX));
    let mut subjects = start(world, variants, (WARM_UP + rounds) * requests)?;
    for round in 0..WARM_UP {
        step(format!("warming up, {} of {WARM_UP}", round + 1));
        for subject in &mut subjects {
            subject.measure(requests)?;
        }
    }
    let mut series: Vec<Series> = Vec::new();
    for subject in &mut subjects {
        subject.start_counting()?;
        series.push(Series { variant: subject.variant.clone(), rounds: Vec::new() });
    }
    for round in 0..rounds {
        step(format!("round {} of {rounds}", round + 1));
        let used = in_turns(&mut subjects, round, requests)?;
        for (series, used) in series.iter_mut().zip(used) {
            series.rounds.push(used.as_secs_f64() * 1e6 / sent);
        }
    }
    subjects.iter().try_for_each(check::counters)?;
    Ok(series)
}

/// Sends so many requests to each, a few at a time, and returns the CPU time that each used: whoever else has work for
/// the machine has it for longer than a turn takes, and so disturbs all of them alike.
fn in_turns(subjects: &mut [Subject], round: usize, requests: usize) -> Result<Vec<Duration>> {
    let mut used = vec![Duration::ZERO; subjects.len()];
    for (turn, done) in (0..requests).step_by(TURN).enumerate() {
        let mut pairs: Vec<_> = subjects.iter_mut().zip(&mut used).collect();
        // The order stays, and starts elsewhere in each turn.
        let first = (round + turn) % pairs.len().max(1);
        pairs.rotate_left(first);
        for (subject, used) in pairs {
            *used += subject.measure(TURN.min(requests - done))?;
        }
    }
    Ok(used)
}

/// Starts all variants, with so many tokens for those that need new ones, and looks whether each does its work.
pub(crate) fn start(world: &World, variants: &[Variant], tokens: usize) -> Result<Vec<Subject>> {
    // Variants that are compared get the same tokens.
    let mut stock: BTreeMap<Tokens, Vec<String>> = BTreeMap::new();
    let kinds: BTreeSet<Tokens> = variants.iter().map(|variant| variant.load.tokens).collect();
    for kind in kinds.into_iter().filter(|kind| kind.fresh == Fresh::Tokens) {
        step(format!("signing {tokens} tokens with {}", kind.algorithm));
        stock.insert(kind, world.tokens(kind, tokens)?);
    }
    let mut subjects = Vec::new();
    for variant in variants {
        step(format!("starting Envoy: {}", variant.title));
        let mut subject = Subject::start(world, variant)?;
        check::answers(world, &subject)?;
        subject.take_tokens(stock.get(&variant.load.tokens).cloned().unwrap_or_default());
        subjects.push(subject);
    }
    Ok(subjects)
}
