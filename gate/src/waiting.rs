//! Requests that wait for keys, bounded in number and time.

use std::collections::{BTreeMap, BTreeSet};

use crate::RequestId;
use crate::keys::FetchId;
use crate::time::Timestamp;

/// A request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waiter {
    /// When it has waited long enough.
    pub(crate) deadline: Timestamp,
    /// The issuer whose keys it needs.
    pub(crate) issuer: usize,
    /// The one fetch that it waits for; otherwise any news will do.
    pub(crate) fetch: Option<FetchId>,
}

/// All requests that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<RequestId, Waiter>,
    /// Those that were not woken yet, by deadline.
    deadlines: BTreeSet<(Timestamp, RequestId)>,
}

impl Waiting {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn contains(&self, id: RequestId) -> bool {
        self.waiters.contains_key(&id)
    }

    pub(crate) fn insert(&mut self, id: RequestId, waiter: Waiter) {
        self.remove(id);
        self.deadlines.insert((waiter.deadline, id));
        self.waiters.insert(id, waiter);
    }

    pub(crate) fn remove(&mut self, id: RequestId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        self.deadlines.remove(&(waiter.deadline, id));
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
}
