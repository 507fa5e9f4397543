//! The keys of one issuer: a state machine. Its inputs are time, the answers to callouts and what other VMs share;
//! its outputs are callouts.
//!
//! ```text
//!          due                  no VM fetches                answer
//!  Idle ────────▶ CheckingShared ───────────────▶ InFlight ─────────▶ Idle, due after `refreshAfter` or a back-off
//!   ▲              │  ▲ │                            │  ▲                │
//!   │ keys are new │  │ │ another VM fetches         └──┘ the location   └──▶ published to other VMs
//!   └──────────────┘  │ ▼                                 of the key set was discovered
//!                   Following
//! ```
//!
//! Without sharing there is neither `CheckingShared` nor `Following`. Whatever the issuer answers, keys that were good
//! stay in use until they are `refreshAfter` + `maxStale` old.

mod discovery;
mod entry;
mod exchange;
mod fetch;

use std::fmt::Write as _;
use std::time::Duration;

use jose::jwk::KeySet;

use self::discovery::Target;
pub(crate) use self::exchange::{Exchanged, Moment};
pub(crate) use self::fetch::FetchFailure;
use crate::callout::{Callout, CalloutId, CalloutOutcome};
use crate::http::{Response, freshness};
use crate::policy::{FetchSettings, KeySetLocation, KeySource, Limits, large_keys};
use crate::random::Jitter;
use crate::time::Timestamp;

/// The delay before the second try, doubled for each further one.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest delay between two tries.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// A host that does not call back by then never will.
const GRACE: Duration = Duration::from_secs(1);
/// However short-lived an answer says that it is, it is not asked for again before.
const LEAST_REFRESH: Duration = Duration::from_secs(30);
/// How often the entry of a VM that fetches is polled while requests wait for it.
const POLL_WHILE_AWAITED: Duration = Duration::from_millis(15);
/// How often it is polled otherwise.
const POLL_OTHERWISE: Duration = Duration::from_secs(1);

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct IssuerKeys {
    store: KeyStore,
}

#[derive(Clone, Debug)]
enum KeyStore {
    Fetched(Box<FetchedKeys>),
    Inline(KeySet),
}

/// The end of a callout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finished {
    /// How long it took.
    pub(crate) took: Duration,
    pub(crate) step: Step,
}

/// What follows from a callout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// The fetch is over.
    Done {
        /// Whether there is a new answer about what keys the issuer has.
        succeeded: bool,
        /// A change of state that is logged.
        notice: Option<Notice>,
    },
    /// The fetch goes on with this one.
    Next(Callout),
}

/// A line for the log, where keys get into trouble or out of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Notice {
    pub(crate) is_trouble: bool,
    pub(crate) text: String,
}

impl IssuerKeys {
    pub(crate) fn new(source: &KeySource, now: Timestamp) -> Self {
        let store = match source {
            KeySource::Fetched(settings) => KeyStore::Fetched(Box::new(FetchedKeys::new((**settings).clone(), now))),
            KeySource::Inline(keys) => KeyStore::Inline(keys.clone()),
            KeySource::Introspected(_) | KeySource::None => KeyStore::Inline(KeySet::default()),
        };
        Self { store }
    }

    /// The keys that tokens may be verified with.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<&KeySet> {
        match &self.store {
            KeyStore::Fetched(fetched) => fetched.usable(now),
            KeyStore::Inline(keys) => Some(keys),
        }
    }

    /// A number that changes with the usable keys; `None` without any.
    pub(crate) fn key_set(&self, now: Timestamp) -> Option<u64> {
        match &self.store {
            KeyStore::Fetched(fetched) => fetched.usable(now).map(|_| fetched.changes),
            KeyStore::Inline(_) => Some(0),
        }
    }

    /// The part that is fetched; none where the keys are inline.
    pub(crate) fn fetched_mut(&mut self) -> Option<&mut FetchedKeys> {
        match &mut self.store {
            KeyStore::Fetched(fetched) => Some(fetched),
            KeyStore::Inline(_) => None,
        }
    }

    /// The same, to keep.
    pub(crate) fn into_fetched(self) -> Option<FetchedKeys> {
        match self.store {
            KeyStore::Fetched(fetched) => Some(*fetched),
            KeyStore::Inline(_) => None,
        }
    }

    /// The part that is fetched; none where the keys are inline.
    pub(crate) fn fetched(&self) -> Option<&FetchedKeys> {
        match &self.store {
            KeyStore::Fetched(fetched) => Some(fetched),
            KeyStore::Inline(_) => None,
        }
    }
}

/// Keys that are fetched from their issuer.
#[derive(Clone, Debug)]
pub(crate) struct FetchedKeys {
    settings: FetchSettings,
    held: Option<Held>,
    /// How often other keys than before were held.
    changes: u64,
    /// The largest revision that was seen.
    latest: u64,
    state: State,
    /// When the next fetch is due.
    due: Timestamp,
    /// Whether a fetch is wanted for an unknown key.
    wants_unknown_kid_fetch: bool,
    /// When a fetch was last made for one.
    unknown_kid_fetch: Option<Timestamp>,
    /// Failures since the last good answer.
    failures: u32,
    /// The kind of the failure that was logged last.
    reported: Option<u8>,
    /// Where the key set was discovered. A fetch for an unknown key, which requests wait for, goes straight there;
    /// every other one asks again, so that a key set that moved is found without anything having to fail first.
    discovered: Option<Target>,
    /// When the shared entry was last read.
    checked_shared: Option<Timestamp>,
    /// Whether the outcome of a fetch is still to be published.
    is_unpublished: bool,
}

#[derive(Clone, Debug)]
struct Held {
    keys: KeySet,
    /// The text of the set, for other VMs; empty where keys are not shared.
    text: Vec<u8>,
    fetched: Timestamp,
    /// Larger than that of any set that was known when it was fetched.
    revision: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Idle,
    /// The shared entry is to be read.
    CheckingShared {
        /// Whether to fetch if no VM does.
        may_fetch: bool,
    },
    /// Another VM holds the fetch lease, until then.
    Following {
        until: Timestamp,
    },
    InFlight {
        id: CalloutId,
        stage: Stage,
        started: Timestamp,
        until: Timestamp,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Discovery,
    Keys,
}

impl FetchedKeys {
    /// A host may make an engine only to try a configuration out: the first step is to read the shared entry.
    fn new(settings: FetchSettings, now: Timestamp) -> Self {
        let state = if settings.share.is_some() { State::CheckingShared { may_fetch: false } } else { State::Idle };
        Self {
            settings,
            held: None,
            changes: 0,
            latest: 0,
            state,
            due: now,
            wants_unknown_kid_fetch: false,
            unknown_kid_fetch: None,
            failures: 0,
            reported: None,
            discovered: None,
            checked_shared: None,
            is_unpublished: false,
        }
    }

    /// When [`FetchedKeys::poll`] has something to do.
    pub(crate) fn next_event(&self, is_awaited: bool) -> Timestamp {
        match self.state {
            State::Idle => self.due,
            State::CheckingShared { .. } => Timestamp::default(),
            State::Following { until } => until.min(self.next_poll(is_awaited)),
            State::InFlight { until, .. } => until,
        }
    }

    /// The instant until which a request has to wait for the next news, at best.
    pub(crate) fn next_news(&self, now: Timestamp) -> Timestamp {
        match self.state {
            State::Idle => self.due,
            _ => now,
        }
    }

    /// Whether the shared entry is to be read or written.
    pub(crate) fn wants_exchange(&self) -> bool {
        self.is_unpublished || matches!(self.state, State::CheckingShared { .. })
    }

    /// Does what is due, which may be a callout. With sharing, the shared entry comes first.
    pub(crate) fn poll(&mut self, id: CalloutId, now: Timestamp, is_awaited: bool, limits: &Limits) -> Option<Callout> {
        match self.state {
            State::Idle if self.due > now && !self.wants_unknown_kid_fetch => None,
            State::Idle if self.settings.share.is_none() => Some(self.start(id, now, limits)),
            State::Idle => self.check_shared_first(),
            State::Following { until } if until <= now || self.next_poll(is_awaited) <= now => {
                self.check_shared_first()
            }
            _ => None,
        }
    }

    /// Takes the answer to a callout; `None` if it is not the one that is under way.
    pub(crate) fn finish(
        &mut self,
        id: CalloutId,
        outcome: CalloutOutcome<'_>,
        next: CalloutId,
        now: Timestamp,
        limits: &Limits,
        jitter: &mut Jitter,
    ) -> Option<Finished> {
        let State::InFlight { id: expected, stage, started, .. } = self.state else { return None };
        if expected != id {
            return None;
        }
        let answer = outcome.map_err(FetchFailure::from);
        let step = match (stage, &self.settings.location) {
            (Stage::Discovery, KeySetLocation::Discovered(discovery)) => {
                let read = |answer| fetch::read_discovery(&answer, discovery, &self.settings.cluster, limits);
                match answer.and_then(read) {
                    Ok(target) => self.follow_up(next, target, now, limits),
                    Err(failure) => self.fail(stage, &failure, now, jitter),
                }
            }
            _ => match answer.and_then(|answer| Ok((fetch::read_keys(&answer, self.settings.origin, limits)?, answer)))
            {
                Ok((keys, answer)) => self.accept(keys, &answer, now, jitter),
                Err(failure) => self.fail(stage, &failure, now, jitter),
            },
        };
        Some(Finished { took: now.since(started), step })
    }

    /// The callout whose answer never came.
    pub(crate) fn expired(&self, now: Timestamp) -> Option<CalloutId> {
        match self.state {
            State::InFlight { id, until, .. } if until <= now => Some(id),
            _ => None,
        }
    }

    /// A token names a key that is not in the set: says whether there is something to wait for. `has_waited`: it has
    /// waited for new keys before.
    pub(crate) fn unknown_key(&mut self, now: Timestamp, has_waited: bool) -> bool {
        if self.state != State::Idle {
            self.poll_shared_if_due(now);
            return true;
        }
        if has_waited && self.failures > 0 {
            return false;
        }
        // Other VMs may have newer keys even so; asking them costs little, but not nothing.
        let may_look = self.settings.share.is_some()
            && self.checked_shared.is_none_or(|checked| now.since(checked) >= POLL_OTHERWISE);
        self.wants_unknown_kid_fetch = !self.is_cooling_down(now);
        if may_look && !self.wants_unknown_kid_fetch {
            self.check_shared_first();
        }
        self.wants_unknown_kid_fetch || may_look
    }

    /// Where a request waits for another VM, its entry is polled; hosts without timers do so for each request.
    pub(crate) fn poll_shared_if_due(&mut self, now: Timestamp) {
        if matches!(self.state, State::Following { .. }) && self.next_poll(true) <= now {
            self.check_shared_first();
        }
    }

    /// Whether the callout `id` is still under way.
    pub(crate) fn is_in_flight(&self, wanted: CalloutId) -> bool {
        matches!(self.state, State::InFlight { id, .. } if id == wanted)
    }

    /// How old the keys are.
    pub(crate) fn age(&self, now: Timestamp) -> Option<Duration> {
        self.held.as_ref().map(|held| now.since(held.fetched))
    }

    /// Goes on where another engine is, if it fetches the same keys in the same way.
    pub(crate) fn inherit(&mut self, other: Self) {
        if self.settings == other.settings {
            *self = other;
        }
    }

    fn usable(&self, now: Timestamp) -> Option<&KeySet> {
        let held = self.held.as_ref()?;
        (now.since(held.fetched) <= self.longest_use()).then_some(&held.keys)
    }

    fn longest_use(&self) -> Duration {
        self.settings.refresh_after.saturating_add(self.settings.max_stale)
    }

    fn is_cooling_down(&self, now: Timestamp) -> bool {
        self.unknown_kid_fetch.is_some_and(|last| now < last.after(self.settings.unknown_key_cooldown))
    }

    fn check_shared_first(&mut self) -> Option<Callout> {
        self.state = State::CheckingShared { may_fetch: true };
        None
    }

    fn next_poll(&self, is_awaited: bool) -> Timestamp {
        let delay = if is_awaited { POLL_WHILE_AWAITED } else { POLL_OTHERWISE };
        self.checked_shared.unwrap_or_default().after(delay)
    }

    /// Begins a fetch.
    fn start(&mut self, id: CalloutId, now: Timestamp, limits: &Limits) -> Callout {
        let is_extra = std::mem::take(&mut self.wants_unknown_kid_fetch);
        if is_extra {
            self.unknown_kid_fetch = Some(now);
        }
        let cluster = self.settings.cluster.clone();
        let (stage, target) = match (&self.settings.location, &self.discovered) {
            (KeySetLocation::Known(uri), _) => (Stage::Keys, Target { uri: uri.clone(), cluster }),
            (KeySetLocation::Discovered(_), Some(target)) if is_extra => (Stage::Keys, target.clone()),
            (KeySetLocation::Discovered(discovery), _) => {
                let uri = discovery.internal_uri.as_ref().unwrap_or(&discovery.uri).clone();
                (Stage::Discovery, Target { uri, cluster })
            }
        };
        self.send(id, stage, &target, now, limits)
    }

    fn follow_up(&mut self, id: CalloutId, target: Target, now: Timestamp, limits: &Limits) -> Step {
        let fetch = self.send(id, Stage::Keys, &target, now, limits);
        self.discovered = Some(target);
        Step::Next(fetch)
    }

    fn send(&mut self, id: CalloutId, stage: Stage, target: &Target, now: Timestamp, limits: &Limits) -> Callout {
        let timeout = self.settings.timeout;
        self.state = State::InFlight { id, stage, started: now, until: now.after(timeout).after(GRACE) };
        fetch::callout(id, target, &self.settings, limits)
    }

    fn accept(&mut self, keys: KeySet, answer: &Response<'_>, now: Timestamp, jitter: &mut Jitter) -> Step {
        let longest = self.settings.refresh_after;
        let lifetime = freshness::lifetime(answer).unwrap_or(longest);
        let refresh = lifetime.clamp(LEAST_REFRESH.min(longest), longest);
        let is_news = self.reported.is_some() || self.failures > 0 || self.held.is_none();
        let is_odd = self.held.as_ref().is_none_or(|held| held.keys.skipped() != keys.skipped());
        let mut text = format!("{} usable", keys.keys().len());
        for key in keys.skipped().iter().take(5) {
            // Writing to a string cannot fail.
            let _ = write!(text, "; skipped: {key}");
        }
        if let Some(large) = large_keys(&keys) {
            let _ = write!(text, "; {large}");
        }
        let is_trouble = is_odd && !keys.skipped().is_empty();
        let body = if self.settings.share.is_some() { answer.body().to_vec() } else { Vec::new() };
        let revision = self.latest.saturating_add(1);
        self.hold(Held { keys, text: body, fetched: now, revision }, now.after(refresh), jitter);
        self.conclude();
        Step::Done { succeeded: true, notice: (is_news || is_trouble).then_some(Notice { is_trouble, text }) }
    }

    /// Uses these keys from now on; the next fetch is due then, or a little later.
    fn hold(&mut self, held: Held, due: Timestamp, jitter: &mut Jitter) {
        // However it falls, the next fetch comes well before these keys are too stale to use.
        let spread = jitter.tenth_of(due.since(held.fetched).min(self.settings.max_stale));
        self.due = due.after(spread);
        self.latest = held.revision;
        if self.held.as_ref().is_none_or(|before| before.keys.keys() != held.keys.keys()) {
            self.changes = self.changes.wrapping_add(1);
        }
        self.held = Some(held);
        self.failures = 0;
        self.reported = None;
    }

    fn fail(&mut self, stage: Stage, failure: &FetchFailure, now: Timestamp, jitter: &mut Jitter) -> Step {
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << self.failures.min(10)).min(LONGEST_BACK_OFF);
        self.failures = self.failures.saturating_add(1);
        self.due = now.after(doubled).after(jitter.tenth_of(doubled));
        let (kind, what, cluster) = match (stage, &self.discovered) {
            (Stage::Discovery, _) => (failure.kind() | 0x80, "not discovered through", &self.settings.cluster),
            (Stage::Keys, Some(target)) => (failure.kind(), "not fetched from", &target.cluster),
            (Stage::Keys, None) => (failure.kind(), "not fetched from", &self.settings.cluster),
        };
        let consequence = match (self.usable(now), self.age(now)) {
            (Some(keys), Some(age)) => format!(
                "{} keys of {}s ago stay in use for up to {}s more",
                keys.keys().len(),
                age.as_secs(),
                self.longest_use().saturating_sub(age).as_secs()
            ),
            _ => String::from("there are none to use, requests with tokens of this issuer get 503"),
        };
        let text = format!("{what} cluster `{cluster}`: {failure}; {consequence}");
        let is_news = self.reported.replace(kind) != Some(kind);
        self.discovered = None;
        self.conclude();
        Step::Done { succeeded: false, notice: is_news.then_some(Notice { is_trouble: true, text }) }
    }

    fn conclude(&mut self) {
        self.state = State::Idle;
        self.is_unpublished = self.settings.share.is_some();
    }
}
