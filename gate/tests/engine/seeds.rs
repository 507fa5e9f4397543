//! Simulations from seeds: what a seed decides, which of them are run (`JOTGATE_SEEDS=first..last` chooses them), and
//! what is made of a promise that was broken.

#![expect(clippy::disallowed_methods, reason = "the seeds are in the environment")]

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::NOW;
use gate::Timestamp;

/// How many steps a run has, before the faults stop.
const STEPS: usize = 120;

/// What a seed decides, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.below(2);
        random
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("is small") % end
    }

    pub(crate) fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn choose<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    /// At least `from`, less than `to`.
    pub(crate) fn duration(&mut self, from: Duration, to: Duration) -> Duration {
        let millis = usize::try_from(to.saturating_sub(from).as_millis()).expect("is short");
        from + Duration::from_millis(self.below(millis) as u64)
    }
}

/// A simulation, in which something may be broken on purpose.
pub(crate) trait Simulated {
    type Mutant: Copy + Debug;
    type Promise: Debug + PartialEq;

    fn start(seed: u64, mutant: Option<Self::Mutant>) -> Self;

    fn go_on(&mut self);

    /// The faults stop: all has to be well again.
    fn end(&mut self);

    fn record(&mut self) -> &mut Record<Self::Promise>;
}

/// What happened, and the first promise that was broken.
pub(crate) struct Record<P> {
    lines: Vec<String>,
    violation: Option<Violation<P>>,
}

pub(crate) struct Violation<P> {
    promise: P,
    words: String,
}

impl<P: Debug> Record<P> {
    pub(crate) fn of(setup: &impl Debug) -> Self {
        Self { lines: vec![format!("{setup:?}")], violation: None }
    }

    pub(crate) fn note(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        let at = now.since(Timestamp::from_secs(NOW));
        self.lines.push(format!("{:>10.3} {}", at.as_secs_f64(), line()));
    }

    pub(crate) fn fail(&mut self, now: Timestamp, promise: P, words: String) {
        self.note(now, || format!("{promise:?}: {words}"));
        self.violation.get_or_insert(Violation { promise, words });
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.violation.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }
}

/// What a seed breaks, with what happened before.
fn run<S: Simulated>(seed: u64, mutant: Option<S::Mutant>) -> Option<(Violation<S::Promise>, Vec<String>)> {
    let mut simulation = S::start(seed, mutant);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            simulation.go_on();
            if simulation.record().is_broken() {
                return;
            }
        }
        simulation.end();
    }));
    let record = simulation.record();
    let lines = std::mem::take(&mut record.lines);
    assert!(outcome.is_ok(), "seed {seed} panicked, after\n{}", lines.join("\n"));
    record.violation.take().map(|violation| (violation, lines))
}

/// Runs these seeds, or those of the environment: each promise is kept.
pub(crate) fn assert_kept<S: Simulated>(usual: (u64, u64)) {
    let (first, last) = chosen(usual);
    for seed in first..=last {
        if let Some((Violation { promise, words }, lines)) = run::<S>(seed, None) {
            panic!("{}\nseed {seed}: {promise:?}: {words}\nto run it again: JOTGATE_SEEDS={seed}", lines.join("\n"));
        }
    }
}

/// Whatever is broken on purpose is found: by a seed that is known to, or by one of those after it, once the engine draws
/// in another order.
pub(crate) fn assert_found<S: Simulated>(mutants: impl IntoIterator<Item = (S::Mutant, S::Promise, u64)>) {
    for (mutant, promise, seed) in mutants {
        let mut found = (seed..seed + 5).filter_map(|seed| run::<S>(seed, Some(mutant)));
        assert!(found.any(|(violation, _)| violation.promise == promise), "{mutant:?}: expected {promise:?}");
    }
}

/// The first and the last seed to run; `otherwise`, if the environment does not say.
fn chosen(otherwise: (u64, u64)) -> (u64, u64) {
    let Ok(text) = std::env::var("JOTGATE_SEEDS") else { return otherwise };
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => (first, last),
        _ => panic!("JOTGATE_SEEDS: expected `first..last`, found `{text}`"),
    }
}
