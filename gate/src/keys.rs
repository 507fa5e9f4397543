//! The keys of one issuer: a state machine that takes time and fetch results, and asks for fetches.
//!
//! ```text
//!           due                     answer
//!  Idle ───────────▶ InFlight ───────────────▶ Idle, due after `refreshAfter` or a back-off
//!   ▲                    │ no answer in time
//!   └────────────────────┘
//! ```
//!
//! Whatever the issuer answers, keys that were good stay in use until they are `refreshAfter` + `maxStale` old.

mod fetch;

use std::fmt::Write as _;
use std::time::Duration;

use jose::jwk::KeySet;

pub(crate) use self::fetch::read as read_answer;
pub use self::fetch::{Fetch, FetchFailure, FetchId, FetchResponse};
use crate::config::{FetchSettings, KeySource, Limits};
use crate::random::Jitter;
use crate::time::Timestamp;

/// The delay before the second try, doubled for each further one.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest delay between two tries.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// A host that does not call back by then never will.
const GRACE: Duration = Duration::from_secs(1);

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct IssuerKeys {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Fetched(Box<FetchedKeys>),
    Inline(KeySet),
}

/// What a fetch changed, for those who wait and for the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finished {
    /// Whether there is a new answer about what keys the issuer has.
    pub(crate) succeeded: bool,
    /// A change of state that people should know of.
    pub(crate) notice: Option<Notice>,
}

/// A line for the log, where keys get into trouble or out of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Notice {
    pub(crate) is_trouble: bool,
    pub(crate) text: String,
}

/// What becomes of a token whose key is not in the set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UnknownKeyFetch {
    /// There was a fetch for such a token lately: the set is as it is.
    CoolingDown,
    /// A fetch is under way.
    InFlight(FetchId),
    /// A fetch should be made at once.
    Wanted,
}

impl IssuerKeys {
    pub(crate) fn new(source: &KeySource, now: Timestamp) -> Self {
        let source = match source {
            KeySource::Fetched(settings) => Source::Fetched(Box::new(FetchedKeys::new(settings.clone(), now))),
            KeySource::Inline(keys) => Source::Inline(keys.clone()),
        };
        Self { source }
    }

    /// The keys that tokens may be verified with.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<&KeySet> {
        match &self.source {
            Source::Fetched(fetched) => fetched.usable(now),
            Source::Inline(keys) => Some(keys),
        }
    }

    /// The part that is fetched; none where the keys are inline.
    pub(crate) fn fetched_mut(&mut self) -> Option<&mut FetchedKeys> {
        match &mut self.source {
            Source::Fetched(fetched) => Some(fetched),
            Source::Inline(_) => None,
        }
    }

    /// The part that is fetched; none where the keys are inline.
    pub(crate) fn fetched(&self) -> Option<&FetchedKeys> {
        match &self.source {
            Source::Fetched(fetched) => Some(fetched),
            Source::Inline(_) => None,
        }
    }
}

/// Keys that are fetched from their issuer.
#[derive(Clone, Debug)]
pub(crate) struct FetchedKeys {
    settings: FetchSettings,
    keys: Option<(KeySet, Timestamp)>,
    state: State,
    /// Failures since the last good answer.
    failures: u32,
    /// The failure that people were told of last.
    told: Option<FetchFailure>,
    /// When a fetch was last made for an unknown key.
    extra_fetch: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle { due: Timestamp },
    InFlight { id: FetchId, until: Timestamp },
}

impl FetchedKeys {
    fn new(settings: FetchSettings, now: Timestamp) -> Self {
        let state = State::Idle { due: now };
        Self { settings, keys: None, state, failures: 0, told: None, extra_fetch: None }
    }

    /// When [`FetchedKeys::poll`] has something to do.
    pub(crate) fn next_event(&self) -> Timestamp {
        match self.state {
            State::Idle { due } => due,
            State::InFlight { until, .. } => until,
        }
    }

    /// The instant until which a request has to wait for the next news, at best.
    pub(crate) fn next_news(&self, now: Timestamp) -> Timestamp {
        match self.state {
            State::Idle { due } => due,
            State::InFlight { .. } => now,
        }
    }

    /// A fetch is due: makes it one that is under way.
    pub(crate) fn start(&mut self, id: FetchId, now: Timestamp, limits: &Limits) -> Option<Fetch> {
        match self.state {
            State::Idle { due } if due <= now => {}
            _ => return None,
        }
        self.state = State::InFlight { id, until: now.after(self.settings.timeout).after(GRACE) };
        Some(Fetch::new(id, &self.settings, limits))
    }

    /// Takes the answer to a fetch; `None` if it is not the one that is under way.
    pub(crate) fn finish(
        &mut self,
        id: FetchId,
        now: Timestamp,
        answer: Result<KeySet, FetchFailure>,
        jitter: &mut Jitter,
    ) -> Option<Finished> {
        match self.state {
            State::InFlight { id: expected, .. } if expected == id => {}
            _ => return None,
        }
        let succeeded = answer.is_ok();
        let notice = match answer {
            Ok(keys) => self.accept(keys, now, jitter),
            Err(failure) => self.fail(failure, now, jitter),
        };
        Some(Finished { succeeded, notice })
    }

    /// A fetch whose answer never came.
    pub(crate) fn expire(&mut self, now: Timestamp, jitter: &mut Jitter) -> Option<Finished> {
        match self.state {
            State::InFlight { id, until } if until <= now => self.finish(id, now, Err(FetchFailure::NoAnswer), jitter),
            _ => None,
        }
    }

    /// A token names a key that is not in the set.
    pub(crate) fn unknown_key(&mut self, now: Timestamp) -> UnknownKeyFetch {
        let cooldown = self.settings.unknown_key_cooldown;
        match (self.state, self.extra_fetch) {
            (State::InFlight { id, .. }, _) => UnknownKeyFetch::InFlight(id),
            (_, Some(last)) if now < last.after(cooldown) && last <= now => UnknownKeyFetch::CoolingDown,
            _ => {
                self.extra_fetch = Some(now);
                self.state = State::Idle { due: now };
                UnknownKeyFetch::Wanted
            }
        }
    }

    /// Whether the fetch `id` is still under way.
    pub(crate) fn is_in_flight(&self, wanted: FetchId) -> bool {
        matches!(self.state, State::InFlight { id, .. } if id == wanted)
    }

    fn usable(&self, now: Timestamp) -> Option<&KeySet> {
        let (keys, fetched) = self.keys.as_ref()?;
        let most = self.settings.refresh_after.saturating_add(self.settings.max_stale);
        (now.since(*fetched) <= most).then_some(keys)
    }

    fn accept(&mut self, keys: KeySet, now: Timestamp, jitter: &mut Jitter) -> Option<Notice> {
        let refresh = self.settings.refresh_after;
        // However it falls, the next fetch comes well before these keys are too stale to use.
        let spread = jitter.tenth_of(refresh.min(self.settings.max_stale));
        self.state = State::Idle { due: now.after(refresh).after(spread) };
        let is_news = self.told.take().is_some() || self.failures > 0 || self.keys.is_none();
        let is_odd = self.keys.as_ref().is_none_or(|(known, _)| known.skipped() != keys.skipped());
        let usable = keys.keys().len();
        let mut text = format!("{usable} usable");
        for key in keys.skipped().iter().take(5) {
            // Writing to a string cannot fail.
            let _ = write!(text, "; passed over: {key}");
        }
        let is_trouble = is_odd && !keys.skipped().is_empty();
        self.failures = 0;
        self.keys = Some((keys, now));
        (is_news || is_trouble).then_some(Notice { is_trouble, text })
    }

    fn fail(&mut self, failure: FetchFailure, now: Timestamp, jitter: &mut Jitter) -> Option<Notice> {
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << self.failures.min(10)).min(LONGEST_BACK_OFF);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Idle { due: now.after(doubled).after(jitter.tenth_of(doubled)) };
        if self.told.as_ref().is_some_and(|told| told.is_alike(&failure)) {
            return None;
        }
        let cluster = &self.settings.cluster;
        let consequence = match (self.usable(now), &self.keys) {
            (Some(keys), Some((_, fetched))) => format!(
                "{} keys of {}s ago stay in use for up to {}s more",
                keys.keys().len(),
                now.since(*fetched).as_secs(),
                (self.settings.refresh_after.saturating_add(self.settings.max_stale))
                    .saturating_sub(now.since(*fetched))
                    .as_secs()
            ),
            _ => String::from("there are none to use, requests with tokens of this issuer get 503"),
        };
        let text = format!("not fetched from cluster `{cluster}`: {failure}; {consequence}");
        self.told = Some(failure);
        Some(Notice { is_trouble: true, text })
    }
}
