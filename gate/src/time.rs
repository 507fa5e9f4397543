//! Time as the host provides it. The engine has no clock.

use core::time::Duration;

/// An instant: the time since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The instant `nanoseconds` after the epoch, as proxies count.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(Duration::from_nanos(nanoseconds))
    }

    /// The instant `seconds` after the epoch, as tokens count.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The time since the epoch.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this instant; zero where the clock was set back in between.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant that lies `duration` earlier, at the epoch at the earliest.
    #[must_use]
    pub(crate) const fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }

    /// The instant that lies `duration` later.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// Of two instants that may come, the first.
pub(crate) fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A clock that never runs backwards, made from one that may: what has to be waited for is measured by it.
///
/// Where the host's clock is set back, this one goes on from where it was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SteadyClock {
    /// The host's clock, as it was last seen.
    last: Timestamp,
    /// How far the host's clock is behind, by all the times it was set back.
    lag: Duration,
}

impl SteadyClock {
    /// The steady instant, when the host's clock shows `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.lag = self.lag.saturating_add(self.last.since(now));
        self.last = now;
        now.after(self.lag)
    }

    /// What the host's clock shows at a steady instant, unless it is set again.
    pub(crate) fn to_host(self, steady: Timestamp) -> Timestamp {
        steady.before(self.lag)
    }

    /// The steady instant at which the host's clock shows `host`, as it is set now.
    pub(crate) fn to_steady(self, host: Timestamp) -> Timestamp {
        host.after(self.lag)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_steady_clock_never_runs_backwards() {
        let mut clock = SteadyClock::default();
        let mut last = Timestamp::default();
        for (host, steady) in [(100, 100), (110, 110), (50, 110), (55, 115), (5, 115), (200, 310)] {
            let found = clock.advance(Timestamp::from_secs(host));
            assert_eq!(found, Timestamp::from_secs(steady));
            assert!(found >= last);
            assert_eq!(clock.to_host(found), Timestamp::from_secs(host));
            assert_eq!(clock.to_steady(Timestamp::from_secs(host)), found);
            last = found;
        }
    }
}
