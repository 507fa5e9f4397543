//! One fetch for all VMs of a proxy: the shared entry says who fetches, and holds what the last fetch brought.
//!
//! A VM that needs keys looks at the entry. Keys in it that are newer than its own it takes over; while another VM
//! has the word that it fetches (a lease, which ends by itself should that VM die), it looks again. Otherwise it
//! writes itself in, on the condition that nobody wrote in between, and fetches. Where any of that fails, it fetches
//! for itself: then there is a callout too many, never one too few.

use std::time::Duration;

use jose::jwk::{KeySet, Origin};

use super::entry::{Entry, SharedName};
use super::{Fetch, FetchId, FetchedKeys, GRACE, Held, LONGEST_BACK_OFF, State};
use crate::config::{KeySetLocation, Limits};
use crate::random::Jitter;
use crate::time::{SteadyClock, Timestamp};

/// How far the instants of another VM may lie ahead: its call may have begun later than ours.
const SLACK: Duration = Duration::from_secs(5);
/// How often a write is tried that others get in the way of.
const TRIES: usize = 3;

/// The data that the VMs of a proxy share.
pub trait SharedData {
    /// The value of `name`; `None` if there is none.
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError>;

    /// Writes the value of `name`, if it still has that `version`; without one, if there is no value yet.
    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError>;
}

/// A value in the shared data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SharedValue {
    /// What was written.
    pub bytes: Vec<u8>,
    /// Another one after each write.
    pub version: u32,
}

/// Why shared data was not read or written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SharedDataError {
    /// Somebody else has written in between.
    Changed,
    /// The host has no such data, or it fails.
    Unavailable,
}

/// What came of a look at the shared entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Exchanged {
    /// A callout to make.
    pub(crate) fetch: Option<Fetch>,
    /// What was waited for is over; whether with newer keys.
    pub(crate) concluded: Option<bool>,
}

/// The present instant, by the clock of the engine and by that of the host, and what is acceptable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) clock: SteadyClock,
    pub(crate) limits: Limits,
}

impl Moment {
    /// An instant that was, on this engine's clock; `None` if it is still to come.
    fn past(self, instant: Timestamp) -> Option<Timestamp> {
        self.ahead(instant, Duration::ZERO)
    }

    /// An instant that may lie ahead, but no further than `most`.
    fn ahead(self, instant: Timestamp, most: Duration) -> Option<Timestamp> {
        let steady = self.clock.to_steady(instant);
        (steady <= self.now.after(most).after(SLACK)).then_some(steady)
    }
}

impl FetchedKeys {
    /// Reads and writes the shared entry, as far as that is wanted.
    pub(crate) fn exchange(
        &mut self,
        id: FetchId,
        at: Moment,
        jitter: &mut Jitter,
        shared: &mut dyn SharedData,
    ) -> Exchanged {
        let Some(name) = self.settings.share.clone() else { return Exchanged::default() };
        if std::mem::take(&mut self.is_unpublished) {
            self.publish(&name, at, jitter, shared);
        }
        match self.state {
            State::Looking { may_fetch } => self.look(id, &name, may_fetch, at, jitter, shared),
            _ => Exchanged::default(),
        }
    }

    fn look(
        &mut self,
        id: FetchId,
        name: &SharedName,
        may_fetch: bool,
        at: Moment,
        jitter: &mut Jitter,
        shared: &mut dyn SharedData,
    ) -> Exchanged {
        self.looked = Some(at.now);
        self.state = State::Idle;
        for _ in 0..TRIES {
            let Ok(found) = shared.read(name.as_str()) else { break };
            let version = found.as_ref().map(|found| found.version);
            let entry = found.and_then(|found| Entry::open(&found.bytes, name, at.limits.key_set_bytes));
            let entry = entry.unwrap_or_default();
            if self.adopt(&entry, at, jitter) {
                self.wants_extra = false;
                // If they are due already, the next poll sees to that.
                return Exchanged { fetch: None, concluded: Some(true) };
            }
            let lease = entry.lease.and_then(|end| at.ahead(end, self.lease()));
            if let Some(until) = lease.filter(|&end| end > at.now) {
                self.wants_extra = false;
                self.state = State::Following { until };
                return Exchanged::default();
            }
            self.wants_extra &= !self.is_cooling_down(at.now);
            let is_due = self.due <= at.now || self.wants_extra;
            if !is_due || !may_fetch {
                return Exchanged { fetch: None, concluded: Some(false) };
            }
            let mut claim = self.clone();
            let fetch = claim.start(id, at.now, &at.limits);
            let lease = Some(at.clock.to_host(at.now.after(self.lease())));
            match shared.write(name.as_str(), &Entry { lease, ..claim.entry(at) }.seal(name), version) {
                Ok(()) => {
                    *self = claim;
                    return Exchanged { fetch: Some(fetch), concluded: None };
                }
                Err(SharedDataError::Changed) => {}
                Err(SharedDataError::Unavailable) => break,
            }
        }
        match may_fetch && (self.due <= at.now || self.wants_extra) {
            true => Exchanged { fetch: Some(self.start(id, at.now, &at.limits)), concluded: None },
            false => Exchanged { fetch: None, concluded: Some(false) },
        }
    }

    /// Tells the others how a fetch ended, unless they know better, and that nobody fetches now.
    fn publish(&mut self, name: &SharedName, at: Moment, jitter: &mut Jitter, shared: &mut dyn SharedData) {
        for _ in 0..TRIES {
            let Ok(found) = shared.read(name.as_str()) else { return };
            let version = found.as_ref().map(|found| found.version);
            let entry = found.and_then(|found| Entry::open(&found.bytes, name, at.limits.key_set_bytes));
            let entry = entry.unwrap_or_default();
            if let (Some(held), Some((text, fetched))) = (&mut self.held, &entry.keys)
                && held.fetched == at.clock.to_steady(*fetched)
                && held.text != *text
            {
                // Two sets of one instant: the one that comes last is the newer.
                held.fetched = held.fetched.after(Duration::from_nanos(1));
            }
            // Of failures this VM knows the latest: it had the word.
            self.adopt(&Entry { failures: 0, ..entry }, at, jitter);
            match shared.write(name.as_str(), &self.entry(at).seal(name), version) {
                Err(SharedDataError::Changed) => {}
                _ => return,
            }
        }
    }

    /// Takes over what the entry says, as far as it can be true and is no older than what is known here; says
    /// whether there are newer keys.
    fn adopt(&mut self, entry: &Entry, at: Moment, jitter: &mut Jitter) -> bool {
        let extra_fetch = entry.extra_fetch.and_then(|instant| at.past(instant));
        self.extra_fetch = self.extra_fetch.max(extra_fetch);
        let fetched = entry.keys.as_ref().and_then(|(text, fetched)| Some((text, at.past(*fetched)?)));
        let fetched = fetched.filter(|(_, fetched)| at.now.since(*fetched) <= self.longest_use());
        let known = self.held.as_ref().map(|held| (&held.text, held.fetched));
        let newer = fetched.filter(|(_, fetched)| known.is_none_or(|(_, known)| *fetched > known));
        let newer = newer.and_then(|(text, fetched)| {
            let keys = KeySet::from_json(text, at.limits.keys, Origin::Issuer).ok()?;
            Some(Held { keys, text: text.clone(), fetched })
        });
        let is_newer = newer.is_some();
        if !is_newer && fetched != known {
            return false;
        }
        if let Some(held) = newer {
            let latest = held.fetched.after(self.settings.refresh_after);
            let due = at.clock.to_steady(entry.due).clamp(held.fetched, latest);
            self.hold(held, due, jitter);
        }
        if entry.failures > 0 {
            self.failures = entry.failures;
            self.told = Some(entry.failure);
            self.due = at.ahead(entry.due, LONGEST_BACK_OFF.saturating_mul(2)).unwrap_or(self.due);
        }
        is_newer
    }

    /// What this VM knows.
    fn entry(&self, at: Moment) -> Entry {
        Entry {
            keys: self.held.as_ref().map(|held| (held.text.clone(), at.clock.to_host(held.fetched))),
            due: at.clock.to_host(self.due),
            extra_fetch: self.extra_fetch.map(|instant| at.clock.to_host(instant)),
            lease: None,
            failures: self.failures,
            failure: self.told.unwrap_or_default(),
        }
    }

    /// How long a fetch may take.
    fn lease(&self) -> Duration {
        let callouts = if matches!(self.settings.location, KeySetLocation::Discovered(_)) { 2 } else { 1 };
        self.settings.timeout.saturating_add(GRACE).saturating_mul(callouts)
    }
}
