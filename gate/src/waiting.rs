//! Requests that wait for keys, bounded in number and time.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use crate::RequestId;
use crate::policy::Limits;
use crate::time::Timestamp;

/// A request whose headers were handed in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    /// How it has waited until now.
    pub(crate) waited: Option<Waiter>,
    pub(crate) has_body: bool,
}

impl Arrival {
    /// A request that comes back has the deadline that it had.
    pub(crate) fn deadline(&self, now: Timestamp, wait_for: Duration) -> Timestamp {
        self.waited.map_or_else(|| now.after(wait_for), |waiter| waiter.deadline)
    }
}

/// A request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waiter {
    /// When it has waited long enough.
    pub(crate) deadline: Timestamp,
    /// The issuer whose keys it needs.
    pub(crate) issuer: usize,
    /// Whether there are keys, and it needs one that is not among them.
    pub(crate) for_new_keys: bool,
    /// Whether it has a body, of which the proxy holds a part.
    pub(crate) has_body: bool,
}

/// How many wait for the keys of one issuer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Taken {
    all: usize,
    /// Those of them who need a key that is not among the usable ones.
    for_new_keys: usize,
}

/// How many wait, in all and for each issuer.
#[derive(Clone, Debug, Default)]
struct Slots {
    len: usize,
    taken: BTreeMap<usize, Taken>,
}

impl Slots {
    /// Whether `limit` leaves room for one more. An issuer among others gets no more slots than it leaves free, so that
    /// others do not starve where it stalls. Neither do requests for new keys beside usable ones: anybody can make up a
    /// token for that.
    fn has_room(&self, waiter: Waiter, is_alone: bool, limit: usize) -> bool {
        let taken = self.taken(waiter.issuer);
        let held = match (is_alone, waiter.for_new_keys) {
            (true, false) => 0,
            (true, true) => taken.for_new_keys,
            (false, _) => taken.all,
        };
        self.len.saturating_add(held) < limit
    }

    fn taken(&self, issuer: usize) -> Taken {
        self.taken.get(&issuer).copied().unwrap_or_default()
    }

    fn take(&mut self, waiter: Waiter) {
        let taken = self.taken.entry(waiter.issuer).or_default();
        self.len = self.len.saturating_add(1);
        taken.all = taken.all.saturating_add(1);
        taken.for_new_keys = taken.for_new_keys.saturating_add(usize::from(waiter.for_new_keys));
    }

    fn free(&mut self, waiter: Waiter) {
        let taken = self.taken.entry(waiter.issuer).or_default();
        self.len = self.len.saturating_sub(1);
        taken.all = taken.all.saturating_sub(1);
        taken.for_new_keys = taken.for_new_keys.saturating_sub(usize::from(waiter.for_new_keys));
    }
}

/// All requests that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<RequestId, Waiter>,
    /// Those that were not woken yet, by deadline.
    deadlines: BTreeSet<(Timestamp, RequestId)>,
    /// INVARIANT: counts `waiters`.
    slots: Slots,
    /// INVARIANT: counts those of `waiters` that have a body.
    bodies: Slots,
}

impl Waiting {
    pub(crate) fn contains(&self, id: RequestId) -> bool {
        self.waiters.contains_key(&id)
    }

    /// Whether somebody waits for the keys of this issuer.
    pub(crate) fn is_awaited(&self, issuer: usize) -> bool {
        self.slots.taken(issuer).all > 0
    }

    /// Whether one more may wait. A body takes memory of the proxy, so those that have one are fewer.
    pub(crate) fn has_room(&self, waiter: Waiter, is_alone: bool, limits: &Limits) -> bool {
        self.slots.has_room(waiter, is_alone, limits.waiting)
            && (!waiter.has_body || self.bodies.has_room(waiter, is_alone, limits.waiting_bodies))
    }

    pub(crate) fn insert(&mut self, id: RequestId, waiter: Waiter) {
        self.remove(id);
        self.deadlines.insert((waiter.deadline, id));
        self.waiters.insert(id, waiter);
        self.slots.take(waiter);
        if waiter.has_body {
            self.bodies.take(waiter);
        }
    }

    pub(crate) fn remove(&mut self, id: RequestId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        self.deadlines.remove(&(waiter.deadline, id));
        self.slots.free(waiter);
        if waiter.has_body {
            self.bodies.free(waiter);
        }
        Some(waiter)
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// Picks the requests whose deadline has come.
    pub(crate) fn wake_overdue(&mut self, now: Timestamp) -> Vec<RequestId> {
        self.wake(|waiter| waiter.deadline <= now)
    }

    /// Picks requests, the longest waiting first. What was picked is picked once: it is remembered, with its
    /// deadline, until it is removed or inserted again.
    pub(crate) fn wake(&mut self, wakes: impl Fn(&Waiter) -> bool) -> Vec<RequestId> {
        let waiters = &self.waiters;
        let picked = |&(_, id): &(Timestamp, RequestId)| waiters.get(&id).is_some_and(&wakes);
        self.deadlines.extract_if(.., picked).map(|(_, id)| id).collect()
    }

    /// All who wait, the longest waiting first, with nothing left of each but its deadline and its place.
    pub(crate) fn into_woken(self) -> (Self, Vec<RequestId>) {
        let mut ids: Vec<_> = self.waiters.iter().map(|(&id, waiter)| (waiter.deadline, id, waiter.has_body)).collect();
        ids.sort_unstable();
        let mut woken = Self::default();
        for &(deadline, id, has_body) in &ids {
            // Issuers of another configuration have other places: this one is nobody's.
            woken.insert(id, Waiter { deadline, issuer: usize::MAX, for_new_keys: false, has_body });
        }
        woken.deadlines.clear();
        (woken, ids.into_iter().map(|(_, id, _)| id).collect())
    }
}
