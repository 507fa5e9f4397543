//! Requests that wait for keys, bounded in number and time.

use std::collections::{BTreeMap, BTreeSet};

use crate::RequestId;
use crate::time::Timestamp;

/// A request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waiter {
    /// When it has waited long enough.
    pub(crate) deadline: Timestamp,
    /// The issuer whose keys it needs.
    pub(crate) issuer: usize,
    /// Whether there are keys, and it needs one that is not among them.
    pub(crate) for_new_keys: bool,
}

/// How many wait for the keys of one issuer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Taken {
    pub(crate) all: usize,
    /// Those of them who need a key that is not among the usable ones.
    pub(crate) for_new_keys: usize,
}

/// All requests that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<RequestId, Waiter>,
    /// Those that were not woken yet, by deadline.
    deadlines: BTreeSet<(Timestamp, RequestId)>,
    /// INVARIANT: counts `waiters`, by issuer.
    taken: BTreeMap<usize, Taken>,
}

impl Waiting {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn contains(&self, id: RequestId) -> bool {
        self.waiters.contains_key(&id)
    }

    /// Whether somebody waits for the keys of this issuer.
    pub(crate) fn is_awaited(&self, issuer: usize) -> bool {
        self.taken(issuer).all > 0
    }

    pub(crate) fn taken(&self, issuer: usize) -> Taken {
        self.taken.get(&issuer).copied().unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, id: RequestId, waiter: Waiter) {
        self.remove(id);
        self.deadlines.insert((waiter.deadline, id));
        self.waiters.insert(id, waiter);
        let taken = self.taken.entry(waiter.issuer).or_default();
        taken.all = taken.all.saturating_add(1);
        taken.for_new_keys = taken.for_new_keys.saturating_add(usize::from(waiter.for_new_keys));
    }

    pub(crate) fn remove(&mut self, id: RequestId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        self.deadlines.remove(&(waiter.deadline, id));
        if let Some(taken) = self.taken.get_mut(&waiter.issuer) {
            taken.all = taken.all.saturating_sub(1);
            taken.for_new_keys = taken.for_new_keys.saturating_sub(usize::from(waiter.for_new_keys));
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
        let mut ids: Vec<_> = self.waiters.iter().map(|(&id, waiter)| (waiter.deadline, id)).collect();
        ids.sort_unstable();
        let mut woken = Self::default();
        for &(deadline, id) in &ids {
            // Issuers of another configuration have other places: this one is nobody's.
            woken.insert(id, Waiter { deadline, issuer: usize::MAX, for_new_keys: false });
        }
        woken.deadlines.clear();
        (woken, ids.into_iter().map(|(_, id)| id).collect())
    }
}
