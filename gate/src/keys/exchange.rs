//! One fetch for all VMs of a proxy: the shared entry says who fetches, and holds what the last fetch brought.
//!
//! A VM that needs keys reads the entry. It takes over keys that are newer than its own. While another VM holds the
//! fetch lease (which expires by itself should that VM die), it polls the entry. Otherwise it takes the lease, on the
//! condition that no VM wrote in between, and fetches. If any of that fails, it fetches for itself: then there is a
//! callout too many, never one too few.

use std::time::Duration;

use jose::jwk::KeySet;

use super::entry::{Entry, nanos};
use super::{FetchedKeys, GRACE, Held, LONGEST_BACK_OFF, State};
use crate::callout::{Callout, CalloutId};
use crate::policy::{KeySetLocation, Limits};
use crate::random::Jitter;
use crate::sealing::SharedName;
use crate::shared::{SharedData, SharedDataError};
use crate::time::{SteadyClock, Timestamp};

/// How far the instants of another VM may lie ahead: its call may have begun later than ours.
const SLACK: Duration = Duration::from_secs(5);
/// How often a write is tried that others get in the way of.
const TRIES: usize = 3;

/// The outcome of reading the shared entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Exchanged {
    /// A callout to make.
    pub(crate) fetch: Option<Callout>,
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
        id: CalloutId,
        at: Moment,
        jitter: &mut Jitter,
        shared: &mut dyn SharedData,
    ) -> Exchanged {
        let Some(name) = self.settings.share.clone() else { return Exchanged::default() };
        if std::mem::take(&mut self.is_unpublished) {
            self.publish(&name, at, jitter, shared);
        }
        match self.state {
            State::CheckingShared { may_fetch } => self.look(id, &name, may_fetch, at, jitter, shared),
            _ => Exchanged::default(),
        }
    }

    fn look(
        &mut self,
        id: CalloutId,
        name: &SharedName,
        may_fetch: bool,
        at: Moment,
        jitter: &mut Jitter,
        shared: &mut dyn SharedData,
    ) -> Exchanged {
        self.checked_shared = Some(at.now);
        self.state = State::Idle;
        for _ in 0..TRIES {
            let Ok(found) = shared.read(name.as_str()) else { break };
            let version = found.as_ref().map(|found| found.version);
            let entry = found.and_then(|found| Entry::open(&found.bytes, name, at.limits.key_set_bytes));
            let entry = entry.unwrap_or_default();
            let news = self.adopt(&entry, at, jitter).then_some(true);
            let lease = entry.lease.and_then(|end| at.ahead(end, self.lease()));
            let lease = lease.filter(|&end| end > at.now);
            if let Some(until) = lease {
                // Even newer keys may come of that fetch.
                self.state = State::Following { until };
            }
            if news.is_some() || lease.is_some() {
                self.wants_unknown_kid_fetch = false;
                // If they are due already, the next poll sees to that.
                return Exchanged { fetch: None, concluded: news };
            }
            self.wants_unknown_kid_fetch &= !self.is_cooling_down(at.now);
            let is_due = self.due <= at.now || self.wants_unknown_kid_fetch;
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
        match may_fetch && (self.due <= at.now || self.wants_unknown_kid_fetch) {
            true => Exchanged { fetch: Some(self.start(id, at.now, &at.limits)), concluded: None },
            false => Exchanged { fetch: None, concluded: Some(false) },
        }
    }

    /// Publishes how a fetch ended, unless the entry is newer, and gives up the lease.
    fn publish(&mut self, name: &SharedName, at: Moment, jitter: &mut Jitter, shared: &mut dyn SharedData) {
        for _ in 0..TRIES {
            let Ok(found) = shared.read(name.as_str()) else { return };
            let version = found.as_ref().map(|found| found.version);
            let entry = found.and_then(|found| Entry::open(&found.bytes, name, at.limits.key_set_bytes));
            let entry = entry.unwrap_or_default();
            self.raise(&entry, at);
            // Of failures this VM knows the latest: it had the word.
            self.adopt(&Entry { failures: 0, ..entry }, at, jitter);
            match shared.write(name.as_str(), &self.entry(at).seal(name), version) {
                Err(SharedDataError::Changed) => {}
                _ => return,
            }
        }
    }

    /// Gives up the lease of the fetch that is under way: nobody will take its answer, and others may fetch at once.
    pub(crate) fn release(&self, at: Moment, shared: &mut dyn SharedData) {
        let (Some(name), State::InFlight { .. }) = (&self.settings.share, self.state) else { return };
        for _ in 0..TRIES {
            let Ok(Some(found)) = shared.read(name.as_str()) else { return };
            let Some(entry) = Entry::open(&found.bytes, name, at.limits.key_set_bytes) else { return };
            let released = Entry { lease: None, unknown_kid_fetch: None, ..entry }.seal(name);
            if shared.write(name.as_str(), &released, Some(found.version)) != Err(SharedDataError::Changed) {
                return;
            }
        }
    }

    /// A set that was fetched now is newer than all that anybody knew, and so is its revision; by the clock, so that
    /// this holds for a VM that knew nothing, and above what is there, so that it holds when the clock was set back.
    fn raise(&mut self, entry: &Entry, at: Moment) {
        let Some(held) = self.held.as_mut().filter(|_| self.failures == 0) else { return };
        held.revision = held.revision.max(nanos(at.clock.to_host(at.now))).max(entry.revision.saturating_add(1));
        self.latest = held.revision;
    }

    /// Takes over what the entry says, as far as it can be true and is no older than what is known here; says
    /// whether there are newer keys.
    fn adopt(&mut self, entry: &Entry, at: Moment, jitter: &mut Jitter) -> bool {
        // One whose outcome is not there yet counts once it is: until then, its lease keeps others from another.
        let concluded = entry.unknown_kid_fetch.filter(|_| entry.lease.is_none());
        let unknown_kid_fetch = concluded.and_then(|instant| at.past(instant));
        self.unknown_kid_fetch = self.unknown_kid_fetch.max(unknown_kid_fetch);
        let fetched = entry.keys.as_ref().and_then(|(text, fetched)| Some((text, at.past(*fetched)?)));
        let fetched = fetched.filter(|(_, fetched)| at.now.since(*fetched) <= self.longest_use());
        let known = self.held.as_ref().map_or(0, |held| held.revision);
        self.latest = self.latest.max(entry.revision);
        let newer = fetched.filter(|_| entry.revision > known);
        let newer = newer.and_then(|(text, fetched)| {
            let keys = KeySet::from_json(text, at.limits.keys, self.settings.origin).ok()?;
            Some(Held { keys, text: text.clone(), fetched, revision: entry.revision })
        });
        let is_newer = newer.is_some();
        if !is_newer && entry.revision != known {
            return false;
        }
        if let Some(held) = newer {
            let latest = held.fetched.after(self.settings.refresh_after);
            let due = at.clock.to_steady(entry.due).clamp(held.fetched, latest);
            self.hold(held, due, jitter);
        }
        if entry.failures > 0 {
            self.failures = entry.failures;
            self.reported = Some(entry.failure);
            self.due = at.ahead(entry.due, LONGEST_BACK_OFF.saturating_mul(2)).unwrap_or(self.due);
        }
        is_newer
    }

    /// What this VM knows.
    fn entry(&self, at: Moment) -> Entry {
        Entry {
            keys: self.held.as_ref().map(|held| (held.text.clone(), at.clock.to_host(held.fetched))),
            revision: self.held.as_ref().map_or(0, |held| held.revision),
            due: at.clock.to_host(self.due),
            unknown_kid_fetch: self.unknown_kid_fetch.map(|instant| at.clock.to_host(instant)),
            lease: None,
            failures: self.failures,
            failure: self.reported.unwrap_or_default(),
        }
    }

    /// How long a fetch may take.
    fn lease(&self) -> Duration {
        let callouts = if matches!(self.settings.location, KeySetLocation::Discovered(_)) { 2 } else { 1 };
        self.settings.timeout.saturating_add(GRACE).saturating_mul(callouts)
    }
}

#[cfg(test)]
mod tests {
    use jose::json::Document;
    use jose::jwk::Origin;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HttpUri;
    use crate::policy::FetchSettings;
    use crate::shared::SharedValue;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_hours(24);
    const KEYS: &[u8] = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// One entry, which takes any write.
    struct One(Option<Vec<u8>>);

    impl SharedData for One {
        fn read(&mut self, _: &str) -> Result<Option<SharedValue>, SharedDataError> {
            Ok(self.0.clone().map(|bytes| SharedValue { bytes, version: 1 }))
        }

        fn write(&mut self, _: &str, value: &[u8], _: Option<u32>) -> Result<(), SharedDataError> {
            self.0 = Some(value.to_vec());
            Ok(())
        }
    }

    fn name() -> SharedName {
        SharedName::new("https://idp.example.com", Document::parse(b"{}").expect("is JSON").root(), "")
    }

    /// A VM without keys that finds this entry, a good second after its start.
    fn vm(entry: &Entry) -> (FetchedKeys, Exchanged, One) {
        let settings = FetchSettings {
            location: KeySetLocation::Known(HttpUri::parse("https://idp.example.com/jwks").expect("is a URI")),
            cluster: "idp".to_string(),
            origin: Origin::Issuer,
            headers: Vec::new(),
            timeout: Duration::from_secs(5),
            refresh_after: Duration::from_mins(5),
            max_stale: DAY,
            unknown_key_cooldown: Duration::from_secs(30),
            share: Some(name()),
        };
        let mut keys = FetchedKeys::new(settings, NOW);
        keys.state = State::CheckingShared { may_fetch: true };
        let mut clock = SteadyClock::default();
        let at = Moment { now: clock.advance(NOW), clock, limits: Limits::default() };
        let mut shared = One(Some(entry.seal(&name())));
        let exchanged = keys.exchange(CalloutId(0), at, &mut Jitter::new(1), &mut shared);
        (keys, exchanged, shared)
    }

    fn with_keys(fetched: Timestamp) -> Entry {
        let due = fetched.after(Duration::from_mins(5));
        Entry { keys: Some((KEYS.to_vec(), fetched)), revision: 1, due, ..Entry::default() }
    }

    #[test]
    fn keys_are_taken_if_they_can_be_true_and_are_not_too_old() {
        for (fetched, is_taken) in [
            (NOW, true),
            (NOW.after(Duration::from_secs(1)), true),
            (NOW.before(DAY), true),
            (NOW.before(DAY * 2), false),
            (NOW.after(Duration::from_secs(6)), false),
            (NOW.after(DAY * 400), false),
            (Timestamp::from_nanos(u64::MAX), false),
            (Timestamp::from_nanos(1), false),
        ] {
            let (keys, exchanged, _) = vm(&with_keys(fetched));
            assert_eq!(keys.usable(NOW).is_some(), is_taken, "{fetched:?}");
            assert_eq!(exchanged.fetch.is_none(), is_taken, "a VM that takes none fetches: {fetched:?}");
        }
    }

    #[test]
    fn the_next_refresh_is_never_further_off_than_the_own_configuration_says() {
        for due in [Timestamp::default(), NOW, NOW.after(DAY * 400), Timestamp::from_nanos(u64::MAX)] {
            let (keys, ..) = vm(&Entry { due, ..with_keys(NOW) });
            assert!(keys.due >= NOW && keys.due <= NOW.after(Duration::from_mins(5) / 10 * 11), "{:?}", keys.due);
        }
    }

    #[test]
    fn a_lease_is_heeded_until_it_ends_and_only_if_it_ends_in_time() {
        for (seconds, is_heeded) in [(1, true), (6, true), (0, false), (12, false), (86_400, false)] {
            let lease = Some(NOW.after(Duration::from_secs(seconds)));
            let (keys, exchanged, _) = vm(&Entry { lease, ..Entry::default() });
            assert_eq!(matches!(keys.state, State::Following { .. }), is_heeded, "{seconds}");
            assert_eq!(exchanged.fetch.is_none(), is_heeded, "{seconds}");
        }
        let (_, exchanged, _) = vm(&Entry { lease: Some(Timestamp::from_nanos(u64::MAX)), ..Entry::default() });
        assert!(exchanged.fetch.is_some());
    }

    #[test]
    fn failures_of_others_delay_a_try_no_longer_than_own_ones() {
        let failed = |due| Entry { due, failures: u32::MAX, failure: u8::MAX, ..Entry::default() };
        let (keys, exchanged, _) = vm(&failed(NOW.after(LONGEST_BACK_OFF)));
        assert_eq!((exchanged.fetch, keys.due), (None, NOW.after(LONGEST_BACK_OFF)));
        for due in [NOW, NOW.before(DAY), NOW.after(DAY), Timestamp::from_nanos(u64::MAX)] {
            let (_, exchanged, _) = vm(&failed(due));
            assert!(exchanged.fetch.is_some(), "{due:?}");
        }
    }

    #[test]
    fn a_cooldown_that_begins_later_is_ignored() {
        for (unknown_kid_fetch, is_cooling) in [(NOW, true), (NOW.before(DAY), false), (NOW.after(DAY), false)] {
            let (keys, ..) = vm(&Entry { unknown_kid_fetch: Some(unknown_kid_fetch), ..with_keys(NOW) });
            assert_eq!(keys.is_cooling_down(NOW), is_cooling, "{unknown_kid_fetch:?}");
        }
    }

    #[test]
    fn a_set_that_is_not_usable_here_is_not_taken() {
        for text in [&b""[..], b"{}", b"{\"keys\": []}", b"\xff"] {
            let keys = Some((text.to_vec(), NOW));
            let (keys, exchanged, _) = vm(&Entry { keys, revision: 1, ..Entry::default() });
            assert!(keys.usable(NOW).is_none() && exchanged.fetch.is_some());
        }
    }

    #[test]
    fn a_claim_keeps_the_keys_that_are_there() {
        let fetched = NOW.before(Duration::from_hours(1));
        let (mut keys, _, mut shared) = vm(&with_keys(fetched));
        keys.state = State::CheckingShared { may_fetch: true };
        let mut clock = SteadyClock::default();
        let at = Moment { now: clock.advance(NOW), clock, limits: Limits::default() };
        let exchanged = keys.exchange(CalloutId(1), at, &mut Jitter::new(1), &mut shared);
        assert!(exchanged.fetch.is_some());
        let entry = Entry::open(&shared.0.expect("is written"), &name(), 1000).expect("is authentic");
        assert_eq!(entry.keys, Some((KEYS.to_vec(), fetched)));
        assert_eq!(entry.lease, Some(NOW.after(Duration::from_secs(6))));
    }
}
