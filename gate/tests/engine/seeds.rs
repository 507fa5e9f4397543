//! What seeds decide, and which of them are run: `JOTGATE_SEEDS=first..last` chooses them.

#![expect(clippy::disallowed_methods, reason = "the seeds are in the environment")]

use std::time::Duration;

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

/// The first and the last seed to run; `otherwise`, if the environment does not say.
pub(crate) fn chosen(otherwise: (u64, u64)) -> (u64, u64) {
    let Ok(text) = std::env::var("JOTGATE_SEEDS") else { return otherwise };
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => (first, last),
        _ => panic!("JOTGATE_SEEDS: expected `first..last`, found `{text}`"),
    }
}
