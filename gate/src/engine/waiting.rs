//! Requests that wait for keys, bounded in number and time.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use jose::sorting::sort_by;

use super::effect::RequestId;
use crate::policy::Limits;
use crate::question::{Subject, Topic};
use crate::sessions::SessionId;
use crate::time::Timestamp;

/// A request whose headers were handed in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    /// How it has waited until now.
    pub(crate) waited: Option<Waiter>,
    pub(crate) has_body: bool,
    /// Whether it can wait for answers no longer.
    pub(crate) is_late: bool,
    /// Whether it has waited for newer keys, or cannot.
    pub(crate) has_all_keys: bool,
}

impl Arrival {
    /// A request that comes back has the deadline that it had.
    pub(crate) fn deadline(&self, now: Timestamp, wait_for: Duration) -> Timestamp {
        self.waited.map_or_else(|| now.after(wait_for), |waiter| waiter.deadline)
    }

    /// The same request, decided anew in this call: whatever else it waits for, it has the deadline that it has.
    pub(crate) fn again(self, now: Timestamp, wait_for: Duration) -> Self {
        let deadline = self.deadline(now, wait_for);
        Self { waited: Some(Waiter { deadline, awaits: Awaited::Nothing, has_body: self.has_body }), ..self }
    }
}

/// A request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waiter {
    /// When it has waited long enough.
    pub(crate) deadline: Timestamp,
    pub(crate) awaits: Awaited,
    /// Whether it has a body, of which the proxy holds a part.
    pub(crate) has_body: bool,
}

/// What a request waits for. Issuers by index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Awaited {
    /// The keys of an issuer, of which none are usable.
    Keys { issuer: usize },
    /// A key of an issuer that is not among its usable ones.
    NewKeys { issuer: usize },
    /// A provider's answer.
    Answer(Topic),
    /// Whether its proof was used before.
    Proof,
    /// The refresh of a session.
    Session(SessionId),
    /// Nothing any more: it is to be decided anew.
    Nothing,
}

impl Awaited {
    /// The issuer whose keys, or whose word on a token, are awaited.
    pub(crate) fn issuer(self) -> Option<usize> {
        match self {
            Self::Answer(Topic { subject: Subject::Token(issuer, _), .. })
            | Self::Keys { issuer }
            | Self::NewKeys { issuer } => Some(issuer),
            Self::Answer(_) | Self::Nothing | Self::Proof | Self::Session(_) => None,
        }
    }

    fn is_new_keys(self) -> bool {
        matches!(self, Self::NewKeys { .. })
    }
}

/// How many wait for the keys of one issuer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Taken {
    all: usize,
    /// Those of them that need a key that is not among the usable ones.
    for_new_keys: usize,
}

/// How many wait, in all and for each issuer.
#[derive(Clone, Debug, Default)]
struct Slots {
    len: usize,
    taken: BTreeMap<Option<usize>, Taken>,
}

impl Slots {
    /// Whether `limit` leaves room for one more. An issuer among others gets no more slots than it leaves free, so that
    /// others do not starve where it stalls. Neither do requests for new keys beside usable ones: anybody can make up a
    /// token for that.
    fn has_room(&self, waiter: Waiter, is_alone: bool, limit: usize) -> bool {
        let taken = self.taken(waiter.awaits.issuer());
        let held = match (is_alone, waiter.awaits.is_new_keys()) {
            (true, false) => 0,
            (true, true) => taken.for_new_keys,
            (false, _) => taken.all,
        };
        self.len.saturating_add(held) < limit
    }

    fn taken(&self, issuer: Option<usize>) -> Taken {
        self.taken.get(&issuer).copied().unwrap_or_default()
    }

    fn take(&mut self, waiter: Waiter) {
        let taken = self.taken.entry(waiter.awaits.issuer()).or_default();
        self.len = self.len.saturating_add(1);
        taken.all = taken.all.saturating_add(1);
        taken.for_new_keys = taken.for_new_keys.saturating_add(usize::from(waiter.awaits.is_new_keys()));
    }

    fn free(&mut self, waiter: Waiter) {
        let taken = self.taken.entry(waiter.awaits.issuer()).or_default();
        self.len = self.len.saturating_sub(1);
        taken.all = taken.all.saturating_sub(1);
        taken.for_new_keys = taken.for_new_keys.saturating_sub(usize::from(waiter.awaits.is_new_keys()));
    }
}

/// All requests that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<RequestId, Waiter>,
    /// Those that were not ready yet, by deadline.
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

    /// Whether a request waits for the keys of this issuer.
    pub(crate) fn is_awaited(&self, issuer: usize) -> bool {
        self.slots.taken(Some(issuer)).all > 0
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
        self.wake(&|waiter| waiter.deadline <= now)
    }

    /// Picks requests, the longest waiting first. What was picked is picked once: it is remembered, with its
    /// deadline, until it is removed or inserted again.
    pub(crate) fn wake(&mut self, wakes: &dyn Fn(&Waiter) -> bool) -> Vec<RequestId> {
        let waiters = &self.waiters;
        let picked = |&(_, id): &(Timestamp, RequestId)| waiters.get(&id).is_some_and(wakes);
        self.deadlines.extract_if(.., picked).map(|(_, id)| id).collect()
    }

    /// All waiting requests, the longest waiting first, with nothing left of each but its deadline and its slot.
    pub(crate) fn into_ready(self) -> (Self, Vec<RequestId>) {
        let mut ids: Vec<_> = self.waiters.iter().map(|(&id, waiter)| (waiter.deadline, id, waiter.has_body)).collect();
        sort_by(&mut ids, Ord::cmp);
        let mut ready = Self::default();
        for &(deadline, id, has_body) in &ids {
            ready.insert(id, Waiter { deadline, awaits: Awaited::Nothing, has_body });
        }
        ready.deadlines.clear();
        (ready, ids.into_iter().map(|(_, id, _)| id).collect())
    }
}
