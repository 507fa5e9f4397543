//! Which sets of an issuer a VM must know of by now.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::world::{LOOK, MAX_STALE, REFRESH, TIMEOUT};

/// What was served to the VMs of a proxy, and when it got there.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    /// Good sets: when the issuer made the answer, when it arrived, and for which VM.
    arrivals: Vec<(Duration, Duration, u32)>,
    /// When the store was last spoilt.
    spoilt: Option<Duration>,
    /// When the clock was last set back: that hides from each VM the time since it was last called.
    set_back: Option<Duration>,
    /// When each VM began.
    begun: BTreeMap<u32, Duration>,
}

impl Knowledge {
    pub(crate) fn vm_begins(&mut self, vm: u32, now: Duration) {
        self.begun.insert(vm, now);
    }

    /// What is under way to it arrives nowhere.
    pub(crate) fn vm_ends(&mut self, vm: u32, now: Duration) {
        self.arrivals.retain(|&(_, arrived, by)| by != vm || arrived < now);
    }

    pub(crate) fn served(&mut self, now: Duration, delay: Duration, vm: u32) {
        if delay < TIMEOUT {
            self.arrivals.push((now, now + delay, vm));
        }
    }

    pub(crate) fn spoil(&mut self, now: Duration) {
        self.spoilt = Some(now);
    }

    /// A clock that is set forward ends what is under way: it seems to take too long.
    pub(crate) fn set_clock(&mut self, is_forward: bool, now: Duration) {
        match is_forward {
            true => self.arrivals.retain(|&(_, arrived, _)| arrived < now),
            false => self.set_back = Some(now),
        }
    }

    /// When the issuer made the latest set that `vm` must know of, and that is not too old to use.
    pub(crate) fn known(&self, vm: u32, now: Duration, skew: Duration) -> Option<Duration> {
        let begun = self.begun[&vm];
        let knows = |&&(_, arrived, by): &&(Duration, Duration, u32)| {
            // Whoever did not fetch looks for itself, unless somebody spoilt what there was to see.
            let seen = arrived.max(begun) + LOOK;
            let is_spoilt = self.spoilt.is_some_and(|spoilt| spoilt + LOOK >= arrived);
            let is_late = self.set_back.is_some_and(|at| at + REFRESH > now);
            (by == vm && arrived < now) || (seen < now && !is_spoilt && !is_late)
        };
        let latest = self.arrivals.iter().filter(knows).map(|(made, ..)| *made).max()?;
        (latest + REFRESH + MAX_STALE > now + LOOK + skew).then_some(latest)
    }
}
