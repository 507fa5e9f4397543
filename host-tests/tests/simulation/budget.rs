//! How often an issuer may be asked for its keys.

use std::collections::VecDeque;
use std::time::Duration;

use crate::world::COOLDOWN;

/// A refresh, and one more for an unknown `kid`.
const UNDISTURBED: usize = 2;
/// 0, 1, 3 and 7 seconds after the first failure, and as late again for one that began before.
const AFTER_FAILURES: usize = 5;

/// The fetches of one issuer within a cooldown, by all VMs together.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    fetches: VecDeque<Duration>,
    failures: VecDeque<Duration>,
    /// What loses the word of who fetches, or what was fetched: a VM that dies, a spoilt store, a clock that is set.
    disturbances: VecDeque<(Duration, usize)>,
}

impl Budget {
    pub(crate) fn fetched(&mut self, now: Duration, is_good: bool) {
        self.fetches.push_back(now);
        if !is_good {
            self.failures.push_back(now);
        }
    }

    /// After it each of `vms` may have to ask for itself.
    pub(crate) fn disturb(&mut self, now: Duration, vms: usize) {
        self.disturbances.push_back((now, vms));
    }

    pub(crate) fn check(&mut self, name: &str, now: Duration) {
        // A failure moves the next fetches by up to the longest back-off, a disturbance by a lease.
        self.fetches.retain(|at| *at + COOLDOWN > now);
        self.failures.retain(|at| *at + COOLDOWN * 2 > now);
        self.disturbances.retain(|(at, _)| *at + COOLDOWN * 2 > now);
        let disturbed: usize = self.disturbances.iter().map(|(_, vms)| vms).sum();
        let failed = if self.failures.is_empty() { 0 } else { AFTER_FAILURES };
        let most = UNDISTURBED + failed + disturbed;
        let found = self.fetches.len();
        assert!(found <= most, "{name} was asked {found} times within {COOLDOWN:?}, expected {most} at most");
    }
}
