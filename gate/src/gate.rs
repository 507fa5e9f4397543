//! The engine: state in the middle, events in, decisions and effects out.

use std::collections::VecDeque;

use jose::signature::SignatureVerifier;

use crate::answer::{Refusal, Reply};
use crate::config::Policy;
use crate::decision::{Verdict, decide};
use crate::edit::HeaderEdit;
use crate::keys::{Fetch, FetchFailure, FetchId, FetchResponse, Finished, IssuerKeys, UnknownKeyFetch, read_answer};
use crate::random::Jitter;
use crate::reason::Reason;
use crate::report::{Facts, Report};
use crate::request::{HeaderLine, Request};
use crate::time::{SteadyClock, Timestamp};
use crate::token::Verification;
use crate::waiting::{Waiter, Waiting};

/// Names a request; the host chooses it, and uses it for one request at a time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u32);

/// What is to be done with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Send it on, after these edits.
    Forward(Vec<HeaderEdit>, Report),
    /// Answer it.
    Reply(Reply, Report),
    /// Hold all of it, body included, until [`Effect::Resume`] names it.
    Wait,
}

/// What the engine wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Increase a counter by one.
    Count(String),
    /// Make a request, and hand its outcome to [`Gate::handle_fetch`].
    Fetch(Fetch),
    /// Set a gauge.
    Gauge(String, u64),
    /// Write a line to the log.
    Log(Level, String),
    /// Hand the request to [`Gate::handle_request`] again, headers and all.
    Resume(RequestId),
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warn,
}

/// How many requests are resumed in one go. Proxies carry out what was asked of them when a call ends, one request
/// inside the other: hundreds of answers at once exhaust their stack.
const RESUMED_AT_ONCE: usize = 32;

/// The engine. See the crate's documentation for its contract.
#[derive(Clone, Debug)]
pub struct Gate {
    policy: Policy,
    /// INVARIANT: one entry for each of `policy.issuers`, in their order. Their instants are those of `clock`, as
    /// are those of `waiting`.
    keys: Vec<IssuerKeys>,
    waiting: Waiting,
    effects: VecDeque<Effect>,
    /// Requests that are to be resumed, the longest waiting first.
    woken: VecDeque<RequestId>,
    /// How many of them may still be resumed before the host calls again.
    resumable: usize,
    jitter: Jitter,
    clock: SteadyClock,
    fetches: u64,
}

impl Gate {
    /// An engine for `policy`. Its first effects, the fetches of all keys, are there at once.
    ///
    /// `seed` spreads the fetches of several proxies in time; it need not be secret.
    pub fn new(policy: Policy, now: Timestamp, seed: u64) -> Self {
        let mut clock = SteadyClock::default();
        let steady = clock.advance(now);
        let keys = policy.issuers.iter().map(|issuer| IssuerKeys::new(&issuer.keys, steady)).collect();
        let mut gate = Self {
            policy,
            keys,
            waiting: Waiting::default(),
            effects: VecDeque::new(),
            woken: VecDeque::new(),
            resumable: RESUMED_AT_ONCE,
            jitter: Jitter::new(seed),
            clock,
            fetches: 0,
        };
        gate.warn_of_useless_algorithms();
        gate.handle_timeout(now);
        gate
    }

    /// Decides on a request whose headers have arrived, or that was resumed.
    pub fn handle_request(
        &mut self,
        id: RequestId,
        request: &Request<'_>,
        now: Timestamp,
        verifier: &dyn SignatureVerifier,
    ) -> Decision {
        let steady = self.clock.advance(now);
        // A host without timers still makes the fetches that are due, one request late.
        if self.next_event().is_some_and(|due| due <= steady) {
            self.do_what_is_due(steady);
        }
        let waited = self.waiting.remove(id);
        if waited.is_none() {
            self.resumable = RESUMED_AT_ONCE;
        }
        let mut facts = Facts::default();
        let verification = Verification { policy: &self.policy, keys: &self.keys, verifier, now, steady };
        let refusal = match decide(request, &verification, &mut facts) {
            Verdict::Forward(edits) => return Decision::Forward(edits, facts.allowed()),
            Verdict::Refuse(refusal) => refusal,
            Verdict::NeedsKeys { issuer } => match self.wait_for_keys(id, waited, issuer, steady) {
                Ok(()) => return Decision::Wait,
                Err(refusal) => refusal,
            },
            Verdict::NeedsNewKeys { issuer, reason } => match self.wait_for_new_keys(id, waited, issuer, steady) {
                Ok(true) => return Decision::Wait,
                Ok(false) => reason.into(),
                Err(refusal) => refusal,
            },
        };
        Decision::Reply(refusal.answer(request, &self.policy.realm), facts.denied(refusal.reason, request))
    }

    /// The edits that request trailers need.
    pub fn handle_trailers(&self, trailers: &[HeaderLine<'_>]) -> Vec<HeaderEdit> {
        let mut edits = self.policy.hygiene.removals(trailers.iter().copied());
        // Trailers are merged into headers by some servers: no credential gets in that way.
        for header in self.policy.credentials.headers() {
            if trailers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header.as_bytes())) {
                HeaderEdit::remove_once(&mut edits, header.as_bytes());
            }
        }
        edits
    }

    /// A request is gone, whether it was decided or not.
    pub fn cancel(&mut self, id: RequestId) {
        self.waiting.remove(id);
    }

    /// Takes the outcome of a fetch. Answers to fetches that are over are ignored.
    pub fn handle_fetch(&mut self, id: FetchId, outcome: Result<FetchResponse<'_>, FetchFailure>, now: Timestamp) {
        let now = self.clock.advance(now);
        let limits = self.policy.limits;
        let Some((issuer, keys)) = self.keys.iter_mut().enumerate().find_map(|(issuer, keys)| {
            let keys = keys.fetched_mut().filter(|keys| keys.is_in_flight(id))?;
            Some((issuer, keys))
        }) else {
            return;
        };
        let answer = outcome.and_then(|response| read_answer(response, &limits));
        if let Some(finished) = keys.finish(id, now, answer, &mut self.jitter) {
            self.conclude(issuer, finished, now);
        }
    }

    /// Does what is due. To be called when [`Gate::next_timeout`] has come; calling it earlier does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let steady = self.clock.advance(now);
        self.resumable = RESUMED_AT_ONCE;
        self.do_what_is_due(steady);
    }

    /// When [`Gate::handle_timeout`] should be called next, by the host's clock as it was last seen.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.next_event().map(|steady| self.clock.to_host(steady))
    }

    /// The next thing to do. Effects are to be taken until there are none, after every call.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.effects.pop_front() {
            return Some(effect);
        }
        let left = self.resumable.checked_sub(1)?;
        // Who is gone meanwhile is passed over.
        while let Some(id) = self.woken.pop_front() {
            if self.waiting.contains(id) {
                self.resumable = left;
                return Some(Effect::Resume(id));
            }
        }
        None
    }

    fn wake(&mut self, requests: Vec<RequestId>) {
        if self.woken.is_empty() {
            self.resumable = RESUMED_AT_ONCE;
        }
        self.woken.extend(requests);
    }

    fn warn_of_useless_algorithms(&mut self) {
        for issuer in &self.policy.issuers {
            for algorithm in issuer.useless_algorithms() {
                let name = &issuer.name;
                let text = format!(
                    "issuer `{name}`: `{algorithm}` is listed in vain: it needs an inline `oct` key as long as its hash"
                );
                self.effects.push_back(Effect::Log(Level::Warn, text));
            }
        }
    }

    fn do_what_is_due(&mut self, now: Timestamp) {
        for issuer in 0..self.keys.len() {
            let expired = self.fetched_mut(issuer).map(|(keys, jitter)| keys.expire(now, jitter));
            if let Some(finished) = expired.flatten() {
                self.conclude(issuer, finished, now);
            }
            self.start_fetch(issuer, now);
        }
        let overdue = self.waiting.wake_overdue(now);
        self.wake(overdue);
    }

    fn next_event(&self) -> Option<Timestamp> {
        let keys = self.keys.iter().filter_map(|keys| Some(keys.fetched()?.next_event()));
        // Those who were not resumed in one go with others are to be resumed as soon as may be.
        let woken = (!self.woken.is_empty()).then(Timestamp::default);
        keys.chain(self.waiting.next_deadline()).chain(woken).min()
    }

    /// A request of an issuer without usable keys: it waits while news is due in time.
    fn wait_for_keys(
        &mut self,
        id: RequestId,
        waited: Option<Waiter>,
        issuer: usize,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let deadline = self.deadline(waited, now);
        let news = self.keys.get(issuer).and_then(IssuerKeys::fetched).map(|keys| keys.next_news(now));
        match news {
            Some(news) if news < deadline && now < deadline => {
                self.admit_waiter(id, Waiter { deadline, issuer, fetch: None })
            }
            news => Err(Refusal {
                retry_after: Some(news.map_or(60, |news| whole_seconds(news, now))),
                ..Refusal::from(Reason::KeysUnavailable)
            }),
        }
    }

    /// A request whose key is not in the set: it waits for one fetch, if one may be made. Says whether it does.
    fn wait_for_new_keys(
        &mut self,
        id: RequestId,
        waited: Option<Waiter>,
        issuer: usize,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let Some((keys, _)) = self.fetched_mut(issuer) else { return Ok(false) };
        // It has waited for its fetch: either that is still under way, or it brought nothing.
        let fetch = match waited.and_then(|waiter| waiter.fetch) {
            Some(fetch) => keys.is_in_flight(fetch).then_some(fetch),
            None => match keys.unknown_key(now) {
                UnknownKeyFetch::CoolingDown => None,
                UnknownKeyFetch::InFlight(fetch) => Some(fetch),
                UnknownKeyFetch::Wanted => self.start_fetch(issuer, now),
            },
        };
        let deadline = self.deadline(waited, now);
        match fetch {
            Some(fetch) if now < deadline => {
                self.admit_waiter(id, Waiter { deadline, issuer, fetch: Some(fetch) }).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// A request that comes back has the deadline that it had.
    fn deadline(&self, waited: Option<Waiter>, now: Timestamp) -> Timestamp {
        waited.map_or_else(|| now.after(self.policy.limits.wait_for), |waiter| waiter.deadline)
    }

    fn admit_waiter(&mut self, id: RequestId, waiter: Waiter) -> Result<(), Refusal> {
        if self.waiting.len() >= self.policy.limits.waiting {
            return Err(Refusal { retry_after: Some(1), ..Refusal::from(Reason::Overloaded) });
        }
        self.waiting.insert(id, waiter);
        Ok(())
    }

    fn start_fetch(&mut self, issuer: usize, now: Timestamp) -> Option<FetchId> {
        let (id, limits) = (FetchId(self.fetches), self.policy.limits);
        let fetch = self.fetched_mut(issuer)?.0.start(id, now, &limits)?;
        self.fetches = self.fetches.wrapping_add(1);
        self.effects.push_back(Effect::Fetch(fetch));
        Some(id)
    }

    /// Tells those who wait, and those who watch, how a fetch ended.
    fn conclude(&mut self, issuer: usize, finished: Finished, now: Timestamp) {
        let name = self.policy.issuers.get(issuer).map_or("", |issuer| issuer.name.as_str());
        let outcome = if finished.succeeded { "fetched" } else { "failed" };
        self.effects.push_back(Effect::Count(format!("jotgate_keys_{outcome}_{name}")));
        let usable = self.keys.get(issuer).and_then(|keys| keys.usable(now)).map_or(0, |keys| keys.keys().len());
        self.effects
            .push_back(Effect::Gauge(format!("jotgate_keys_usable_{name}"), u64::try_from(usable).unwrap_or(0)));
        if let Some(notice) = finished.notice {
            let level = if notice.is_trouble { Level::Warn } else { Level::Info };
            self.effects.push_back(Effect::Log(level, format!("keys of issuer `{name}`: {}", notice.text)));
        }
        let next = self.keys.get(issuer).and_then(IssuerKeys::fetched).map(|keys| keys.next_news(now));
        // After a failure those go on waiting who can expect another try in time.
        let wakes = |waiter: &Waiter| {
            let can_wait = waiter.fetch.is_none() && next.is_some_and(|next| next < waiter.deadline);
            waiter.issuer == issuer && (finished.succeeded || !can_wait)
        };
        let resumed = self.waiting.wake(wakes);
        self.wake(resumed);
    }

    fn fetched_mut(&mut self, issuer: usize) -> Option<(&mut crate::keys::FetchedKeys, &mut Jitter)> {
        Some((self.keys.get_mut(issuer)?.fetched_mut()?, &mut self.jitter))
    }
}

/// From `now` until `then` in whole seconds, 1 to 60.
fn whole_seconds(then: Timestamp, now: Timestamp) -> u64 {
    let wait = then.since(now);
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).clamp(1, 60)
}
