//! The sessions of this VM whose claims are fetched again, and what came of it: one refresh for each at a time.
//!
//! ```text
//!           want               lease               answered
//!   Idle ─────────▶ Checking ─────────▶ Asking ──────────────▶ Idle, with a successor or a failure
//!     ▲               │   ▲                                      │
//!     │    successor  │   │ poll                                 └─▶ published, for the other VMs
//!     └───────────────┴─ Following ◀── another VM has the lease
//! ```
//!
//! After a failure it pauses. A wish in such a pause goes from Idle to Looking and back: another VM may have succeeded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::successors::Holder;
use crate::callers::Entry;
use crate::time::Timestamp;

/// What a session is known by.
pub(crate) type SessionId = [u8; 16];

/// How many sessions are remembered. Those that are forgotten are found in what is shared.
const MOST: usize = 1024;
/// How long a successor or a failure is remembered at least.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How often a lease of another VM is looked at; and in a pause after a failure, at most, what others made.
const POLL: Duration = Duration::from_millis(50);
/// How often keys that are missing are looked for.
const KEYS_POLL: Duration = Duration::from_secs(1);
/// The pauses after failures: the first, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The refreshes of this VM. Instants are those of the steady clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refreshes {
    sessions: BTreeMap<SessionId, Refresh>,
    /// INVARIANT: those of `sessions` that are under way, or have something to publish. They are few.
    active: BTreeSet<SessionId>,
}

/// The refresh of one session.
#[derive(Clone, Debug)]
struct Refresh {
    /// The newest that is known of it.
    newest: Arc<Entry>,
    stage: Stage,
    /// Failures in a row, of which the issuer may recover.
    failures: u32,
    /// When another try makes sense.
    next_try: Timestamp,
    /// Until then nothing new is expected of other VMs.
    next_look: Timestamp,
    /// The generation that its issuer does not renew.
    ended: Option<u32>,
    /// Whether a browser was sent to come again for it.
    was_bounced: bool,
    /// This VM's lease.
    lease: Option<Holder>,
    /// Whether what came of it is to be shared.
    publishes: Option<Outcome>,
    touched: Timestamp,
}

/// What a refresh comes to, for the other VMs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing: this lease is given up.
    Failed(Holder),
    /// There is a successor.
    Renewed,
}

/// What is to be done with what is shared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// Ask for the lease.
    Claim,
    /// Look for a successor.
    Find,
    /// Ask for more time: there are tokens, which cannot be checked yet.
    Prolong(Option<Holder>),
    /// Share this.
    Publish(Outcome),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Idle,
    /// A lease is to be asked for.
    Checking,
    /// A successor is to be looked for.
    Looking,
    /// Another VM has the lease, which ends by itself.
    Following {
        until: Timestamp,
        next: Timestamp,
    },
    /// The provider is asked, until then at most; `again` is when to go on where nothing else says so.
    Asking {
        until: Timestamp,
        again: Timestamp,
        more_time: MoreTime,
    },
}

/// Whether a refresh needs more time than others: once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MoreTime {
    NotNeeded,
    Wanted,
    AskedFor,
}

/// What is known of a session's refresh.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status<'r>(Option<&'r Refresh>);

impl<'r> Status<'r> {
    /// A newer one than this generation.
    pub(crate) fn successor(self, generation: u32) -> Option<&'r Arc<Entry>> {
        let newest = &self.0?.newest;
        newest.session.as_ref().filter(|open| open.session.generation > generation).map(|_| newest)
    }

    /// Whether its issuer does not renew this generation, or one that followed it.
    pub(crate) fn is_ended(self, generation: u32) -> bool {
        self.0.is_some_and(|refresh| refresh.ended.is_some_and(|ended| generation <= ended))
    }

    /// Whether the last try to renew this generation failed, or is late.
    pub(crate) fn has_failed(self, generation: u32) -> bool {
        self.0.is_some_and(|refresh| refresh.failures > 0 && refresh.generation() == generation)
    }

    /// Likewise, the next is not yet due, and no other VM has succeeded meanwhile.
    pub(crate) fn is_backing_off(self, generation: u32, now: Timestamp) -> bool {
        let is_pausing = |refresh: &Refresh| now < refresh.next_try && now < refresh.next_look;
        self.has_failed(generation) && self.0.is_some_and(is_pausing)
    }

    /// Whether a browser was sent to come again.
    pub(crate) fn was_bounced(self) -> bool {
        self.0.is_some_and(|refresh| refresh.was_bounced)
    }
}

impl Refreshes {
    /// What is known, and what is under way. Each session is what `reopen` makes of it: another policy may see another
    /// caller in it, or none.
    pub(crate) fn inherited(mut self, reopen: impl Fn(&Entry) -> Option<Arc<Entry>>) -> Self {
        self.sessions.retain(|_, refresh| {
            let Some(newest) = reopen(&refresh.newest) else { return false };
            refresh.newest = newest;
            true
        });
        self.active.retain(|id| self.sessions.contains_key(id));
        self
    }

    /// What is known of a session.
    pub(crate) fn status(&self, id: &SessionId) -> Status<'_> {
        Status(self.sessions.get(id))
    }

    /// The claims of a session are to be fetched again, unless that is under way, or failed a short time ago. Says
    /// whether it is under way now.
    pub(crate) fn want(&mut self, entry: &Arc<Entry>, now: Timestamp) -> bool {
        let Some(open) = &entry.session else { return false };
        let (id, generation) = (open.session.id, open.session.generation);
        if !self.sessions.contains_key(&id) && !self.has_room(now) {
            return false;
        }
        let refresh = self.sessions.entry(id).or_insert_with(|| Refresh::new(Arc::clone(entry), now));
        refresh.touched = now;
        if refresh.generation() < generation {
            // What is under way for the one before has been overtaken: another proxy was first.
            refresh.go_on_with(Arc::clone(entry), now);
        } else if refresh.stage == Stage::Idle && refresh.is_replaced_by(entry) {
            // Its user may have chosen another role, in another VM.
            refresh.newest = Arc::clone(entry);
        }
        match refresh.stage {
            Stage::Idle if refresh.ended == Some(generation) => false,
            Stage::Idle if now < refresh.next_try && now < refresh.next_look => false,
            Stage::Idle => {
                refresh.stage = if now < refresh.next_try { Stage::Looking } else { Stage::Checking };
                self.active.insert(id);
                true
            }
            _ => true,
        }
    }

    /// The same session, which its user has changed: what is under way goes on with that.
    pub(crate) fn replace(&mut self, entry: &Arc<Entry>) {
        let id = entry.session.as_ref().map(|open| open.session.id);
        if let Some(refresh) = id.and_then(|id| self.find(&id)).filter(|refresh| refresh.is_same_as(entry)) {
            refresh.newest = Arc::clone(entry);
        }
    }

    /// Whether what is shared is to be looked at, or written.
    pub(crate) fn wants_exchange(&self) -> bool {
        self.active().any(|(_, refresh)| refresh.wish().is_some())
    }

    /// The sessions for which that is so, with the newest that is known of each.
    pub(crate) fn exchanges(&self) -> Vec<(SessionId, Arc<Entry>, Wish)> {
        let wanted = self.active().filter_map(|(id, refresh)| Some((id, refresh, refresh.wish()?)));
        wanted.map(|(id, refresh, wish)| (*id, Arc::clone(&refresh.newest), wish)).collect()
    }

    /// It was published, or cannot be.
    pub(crate) fn published(&mut self, id: &SessionId) {
        self.change(id, |refresh| refresh.publishes = None);
    }

    /// This VM asks the provider, until then at most.
    pub(crate) fn ask(&mut self, id: &SessionId, lease: Option<Holder>, until: Timestamp) {
        self.change(id, |refresh| {
            refresh.stage = Stage::Asking { until, again: until, more_time: MoreTime::NotNeeded };
            refresh.lease = lease;
        });
    }

    /// What the provider answered cannot be checked without its keys: they may be there a little later.
    pub(crate) fn ask_again(&mut self, id: &SessionId, now: Timestamp) {
        self.change(id, |refresh| {
            if let Stage::Asking { again, more_time, .. } = &mut refresh.stage {
                *again = now.after(KEYS_POLL);
                if *more_time == MoreTime::NotNeeded {
                    *more_time = MoreTime::Wanted;
                }
            }
        });
    }

    /// It was asked for more time; `longer` is until when there is, if it was granted.
    pub(crate) fn prolonged(&mut self, id: &SessionId, longer: Option<Timestamp>) {
        self.change(id, |refresh| {
            if let Stage::Asking { until, more_time, .. } = &mut refresh.stage {
                *until = longer.unwrap_or(*until);
                *more_time = MoreTime::AskedFor;
            }
        });
    }

    /// Another VM does, until then at most.
    pub(crate) fn follow(&mut self, id: &SessionId, until: Timestamp, now: Timestamp) {
        self.change(id, |refresh| refresh.stage = Stage::Following { until, next: now.after(POLL) });
    }

    /// Those for which this VM asks, each with the end of its time.
    pub(crate) fn asking(&self) -> Vec<(SessionId, Arc<Entry>, Timestamp)> {
        let asking = self.active().filter_map(|(id, refresh)| match refresh.stage {
            Stage::Asking { until, .. } => Some((*id, Arc::clone(&refresh.newest), until)),
            _ => None,
        });
        asking.collect()
    }

    /// There is a successor; `is_own` if this VM made it.
    pub(crate) fn renewed(&mut self, id: &SessionId, successor: Arc<Entry>, is_own: bool, now: Timestamp) {
        self.change(id, |refresh| {
            refresh.go_on_with(successor, now);
            refresh.publishes = is_own.then_some(Outcome::Renewed);
        });
    }

    /// No other VM has renewed it.
    pub(crate) fn found_nothing(&mut self, id: &SessionId, now: Timestamp) {
        self.change(id, |refresh| {
            refresh.next_look = now.after(POLL);
            refresh.stage = Stage::Idle;
        });
    }

    /// The issuer does not renew it.
    pub(crate) fn ended(&mut self, id: &SessionId, now: Timestamp) {
        self.change(id, |refresh| {
            refresh.ended = Some(refresh.generation());
            refresh.stage = Stage::Idle;
            refresh.publishes = refresh.lease.take().map(Outcome::Failed);
            refresh.touched = now;
        });
    }

    /// It failed, and may succeed later.
    pub(crate) fn failed(&mut self, id: &SessionId, now: Timestamp) {
        self.change(id, |refresh| {
            refresh.back_off(now);
            refresh.stage = Stage::Idle;
            refresh.publishes = refresh.lease.take().map(Outcome::Failed);
            refresh.touched = now;
        });
    }

    /// A request has waited for it long enough; it goes on. Says whether it is known.
    pub(crate) fn is_late(&mut self, id: &SessionId, now: Timestamp) -> bool {
        let (first, _) = BACK_OFF;
        self.change(id, |refresh| {
            refresh.failures = refresh.failures.max(1);
            refresh.next_try = refresh.next_try.max(now.after(first));
            refresh.next_look = now.after(POLL);
        });
        self.sessions.contains_key(id)
    }

    /// A browser was sent to come again.
    pub(crate) fn bounced(&mut self, id: &SessionId) {
        self.change(id, |refresh| refresh.was_bounced = true);
    }

    /// The user has logged out.
    pub(crate) fn forget(&mut self, id: &SessionId) {
        self.sessions.remove(id);
        self.active.remove(id);
    }

    /// Looks again at what other VMs do, where that is due.
    pub(crate) fn poll(&mut self, now: Timestamp) {
        let is_due = |stage| matches!(stage, Stage::Following { until, next } if next <= now || until <= now);
        for id in &self.active {
            if let Some(refresh) = self.sessions.get_mut(id).filter(|refresh| is_due(refresh.stage)) {
                refresh.stage = Stage::Checking;
            }
        }
    }

    /// When there is something to look at again.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let events = self.active().filter_map(|(_, refresh)| match refresh.stage {
            Stage::Asking { until, again, .. } => Some(until.min(again)),
            Stage::Following { until, next } => Some(until.min(next)),
            Stage::Checking | Stage::Idle | Stage::Looking => None,
        });
        events.min()
    }

    /// Whether a refresh of this session is under way.
    pub(crate) fn is_under_way(&self, id: &SessionId) -> bool {
        self.sessions.get(id).is_some_and(|refresh| refresh.stage != Stage::Idle)
    }

    fn active(&self) -> impl Iterator<Item = (&SessionId, &Refresh)> {
        self.active.iter().filter_map(|id| self.sessions.get_key_value(id))
    }

    fn change(&mut self, id: &SessionId, change: impl FnOnce(&mut Refresh)) {
        let Some(refresh) = self.find(id) else { return };
        change(refresh);
        let is_active = refresh.stage != Stage::Idle || refresh.publishes.is_some();
        self.track(id, is_active);
    }

    // Not inlined: each change of a session would bring the search along.
    #[inline(never)]
    fn find(&mut self, id: &SessionId) -> Option<&mut Refresh> {
        self.sessions.get_mut(id)
    }

    #[inline(never)]
    fn track(&mut self, id: &SessionId, is_active: bool) {
        match is_active {
            true => self.active.insert(*id),
            false => self.active.remove(id),
        };
    }

    /// Makes room, if there is none: what is not under way, and was not of use for the longest time, goes.
    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.sessions.len() < MOST {
            return true;
        }
        let is_old = |refresh: &Refresh| now.since(refresh.touched) >= REMEMBERED;
        let idle = self.sessions.iter().filter(|(id, refresh)| !self.active.contains(*id) && is_old(refresh));
        let oldest = idle.min_by_key(|(_, refresh)| refresh.touched).map(|(id, _)| *id);
        oldest.is_some_and(|id| self.sessions.remove(&id).is_some())
    }
}

impl Refresh {
    fn wish(&self) -> Option<Wish> {
        match (self.publishes, self.stage) {
            (Some(outcome), _) => Some(Wish::Publish(outcome)),
            (None, Stage::Checking) => Some(Wish::Claim),
            (None, Stage::Looking) => Some(Wish::Find),
            (None, Stage::Asking { more_time: MoreTime::Wanted, .. }) => Some(Wish::Prolong(self.lease)),
            (None, Stage::Asking { .. } | Stage::Following { .. } | Stage::Idle) => None,
        }
    }

    fn new(newest: Arc<Entry>, now: Timestamp) -> Self {
        Self {
            newest,
            stage: Stage::Idle,
            failures: 0,
            next_try: now,
            next_look: now,
            ended: None,
            was_bounced: false,
            lease: None,
            publishes: None,
            touched: now,
        }
    }

    /// The next try makes sense after a pause that grows.
    fn back_off(&mut self, now: Timestamp) {
        let (first, longest) = BACK_OFF;
        let pause = first.saturating_mul(1 << self.failures.min(8)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.next_try = now.after(pause);
    }

    /// There is a newer one. If its claims are no newer, its issuer gave tokens and then no claims: they are to be fetched
    /// again after a pause, whichever VM it was that asked.
    fn go_on_with(&mut self, newer: Arc<Entry>, now: Timestamp) {
        let claims_at = |entry: &Entry| entry.session.as_ref().map(|open| open.session.claims_at);
        let has_failed = claims_at(&newer) <= claims_at(&self.newest);
        let failures = self.failures;
        *self = Self::new(newer, now);
        if has_failed {
            self.failures = failures;
            self.back_off(now);
        }
    }

    fn is_same_as(&self, entry: &Entry) -> bool {
        entry.session.as_ref().is_some_and(|open| open.session.generation == self.generation())
    }

    /// Whether that is another seal of the same generation, and no older one: requests may be late.
    fn is_replaced_by(&self, entry: &Entry) -> bool {
        let last_seen = |entry: &Entry| entry.session.as_ref().map(|open| open.session.last_seen);
        self.is_same_as(entry) && last_seen(&self.newest) <= last_seen(entry)
    }

    fn generation(&self) -> u32 {
        self.newest.session.as_ref().map_or(0, |open| open.session.generation)
    }
}
