//! The engine: state in the middle, events in, decisions and effects out.

use std::collections::VecDeque;
use std::time::Duration;

use jose::signature::SignatureVerifier;

use crate::answer::{Challenger, Refusal};
use crate::callers::{TokenCache, Verification};
use crate::callout::{Callout, CalloutFailure, CalloutId, CalloutOutcome};
use crate::decision::{Judgement, Verdict, decide};
use crate::http::{CanonicalPath, HeaderEdit, HeaderLine, Reply, Request};
use crate::keys::{Exchanged, FetchedKeys, IssuerKeys, Moment, Step};
use crate::policy::Policy;
use crate::random::Jitter;
use crate::report::{Facts, Metric, Reason, Report};
use crate::shared::{NoSharedData, SharedData};
use crate::time::{SteadyClock, Timestamp};
use crate::waiting::{Arrival, Waiter, Waiting};

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
    Count(Metric),
    /// Make a request, and hand its outcome to [`Gate::handle_callout`].
    Callout(Callout),
    /// Set a gauge.
    Gauge(Metric, u64),
    /// Write a line to the log.
    Log(Level, String),
    /// Add a value to a histogram.
    Record(Metric, u64),
    /// Hand the request to [`Gate::handle_request`] again, headers and all.
    Resume(RequestId),
    /// Hand the data that all VMs of the proxy share to [`Gate::handle_shared`]. A host that does not has none.
    Share,
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
/// How often the age of keys is told, if nothing else happens: about as often as metrics are collected.
const GAUGES_EVERY: Duration = Duration::from_secs(15);

/// The engine. See the crate's documentation for its contract.
#[derive(Clone, Debug)]
pub struct Gate {
    policy: Policy,
    /// INVARIANT: one entry for each of `policy.issuers`, in their order. Their instants are those of `clock`, as
    /// are those of `waiting`.
    keys: Vec<IssuerKeys>,
    cache: TokenCache,
    waiting: Waiting,
    effects: VecDeque<Effect>,
    /// Requests that are to be resumed, the longest waiting first.
    woken: VecDeque<RequestId>,
    /// How many of them may still be resumed before the host calls again.
    resumable: usize,
    /// The request whose call this is. Nobody else is resumed in it: a proxy that answers others in this call holds
    /// this request, whatever was decided on it.
    entered: Option<RequestId>,
    jitter: Jitter,
    clock: SteadyClock,
    fetches: u64,
    /// Whether the host was asked for shared data since it called.
    has_asked: bool,
    next_gauges: Timestamp,
}

impl Gate {
    /// An engine for `policy`. It takes the keys that other VMs share; what is missing is fetched from the first
    /// timeout on, which is due at once: hosts make engines that they throw away again, callouts and all.
    ///
    /// `seed` spreads the fetches of several proxies in time; it need not be secret.
    pub fn new(policy: Policy, now: Timestamp, seed: u64) -> Self {
        let mut clock = SteadyClock::default();
        let steady = clock.advance(now);
        let keys = policy.issuers.iter().map(|issuer| IssuerKeys::new(&issuer.keys, steady)).collect();
        let mut gate = Self {
            cache: TokenCache::new(policy.limits.token_cache_bytes),
            policy,
            keys,
            waiting: Waiting::default(),
            effects: VecDeque::new(),
            woken: VecDeque::new(),
            resumable: RESUMED_AT_ONCE,
            entered: None,
            jitter: Jitter::new(seed),
            clock,
            fetches: 0,
            has_asked: false,
            next_gauges: steady,
        };
        gate.warn_of_what_is_configured_in_vain();
        gate
    }

    /// Takes over the requests that wait for `predecessor`, and its keys of the same issuers with the callouts that
    /// are under way for them. To be called before anything else.
    pub fn inherit(&mut self, predecessor: Self) {
        self.clock = predecessor.clock;
        self.fetches = predecessor.fetches;
        for (issuer, keys) in predecessor.policy.issuers.iter().zip(predecessor.keys) {
            let heir = self.policy.issuers.iter().position(|heir| heir.issuer == issuer.issuer);
            let heir = heir.and_then(|index| self.keys.get_mut(index)?.fetched_mut());
            if let (Some(heir), Some(keys)) = (heir, keys.into_fetched()) {
                heir.inherit(keys);
            }
        }
        // Each is decided on anew, by the new policy.
        let (waiting, requests) = predecessor.waiting.into_woken();
        self.waiting = waiting;
        self.wake(requests);
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
        self.has_asked = false;
        // A host without timers still makes the fetches that are due, one request late.
        if self.next_event().is_some_and(|due| due <= steady) {
            self.do_what_is_due(steady);
        }
        let waited = self.waiting.remove(id);
        if waited.is_none() {
            self.entered = Some(id);
        }
        let arrival = Arrival { id, waited, has_body: request.has_body() };
        let mut facts = Facts::default();
        let verification = Verification { policy: &self.policy, keys: &self.keys, verifier, now, steady };
        let Judgement { verdict, audited } = decide(request, &verification, &mut self.cache, &mut facts);
        if facts.checked_signature {
            self.effects.push_back(Effect::Count(Metric::TokensVerified));
        }
        if facts.was_cached {
            self.effects.push_back(Effect::Count(Metric::TokensCached));
        }
        let refusal = match verdict {
            Verdict::Answer(reply) => return Decision::Reply(reply, facts.answered(&self.policy)),
            Verdict::Forward(edits) => return Decision::Forward(edits, facts.allowed(&self.policy)),
            Verdict::Refuse(refusal) => refusal,
            Verdict::NeedsKeys { issuer } => match self.wait_for_keys(arrival, issuer, steady) {
                Ok(()) => return Decision::Wait,
                Err(refusal) => refusal,
            },
            Verdict::NeedsNewKeys { issuer, reason } => match self.wait_for_new_keys(arrival, issuer, steady) {
                Ok(true) => return Decision::Wait,
                Ok(false) => reason.into(),
                Err(refusal) => refusal,
            },
        };
        match audited {
            Some(edits) => Decision::Forward(edits, facts.audited(&self.policy, refusal.reason, request)),
            None => self.refuse(&refusal, request, facts),
        }
    }

    /// What the proxy calls a metric.
    pub fn metric_name(&self, metric: Metric) -> String {
        metric.name(&self.policy)
    }

    /// Whether decisions depend on the address that requests come from.
    pub fn asks_for_peer(&self) -> bool {
        self.policy.needs.client_ip || self.policy.hygiene.asks_for_peer()
    }

    /// The edits that request trailers need.
    pub fn handle_trailers(&self, trailers: &[HeaderLine<'_>]) -> Vec<HeaderEdit> {
        self.policy.hygiene.trailer_edits(trailers)
    }

    /// A request is gone, whether it was decided or not.
    pub fn cancel(&mut self, id: RequestId) {
        self.waiting.remove(id);
    }

    /// Takes the outcome of a callout. Answers to callouts that are over are ignored.
    pub fn handle_callout(&mut self, id: CalloutId, outcome: CalloutOutcome<'_>, now: Timestamp) {
        let now = self.clock.advance(now);
        self.has_asked = false;
        self.entered = None;
        self.finish_fetch(id, outcome, now);
    }

    /// Takes the data that all VMs of the proxy share, to read and to write: see [`Effect::Share`].
    pub fn handle_shared(&mut self, shared: &mut dyn SharedData, now: Timestamp) {
        let now = self.clock.advance(now);
        self.exchange(shared, now);
    }

    /// Does what is due. To be called when [`Gate::next_timeout`] has come; calling it earlier does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let steady = self.clock.advance(now);
        self.resumable = RESUMED_AT_ONCE;
        self.has_asked = false;
        self.entered = None;
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
        // Before anybody is resumed, who might need what others share.
        let wants_exchange = |keys: &IssuerKeys| keys.fetched().is_some_and(FetchedKeys::wants_exchange);
        if !self.has_asked && self.keys.iter().any(wants_exchange) {
            self.has_asked = true;
            return Some(Effect::Share);
        }
        if let Some(id) = self.entered {
            let index = self.woken.iter().position(|&woken| woken == id)?;
            return self.woken.remove(index).map(Effect::Resume);
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

    fn refuse(&self, refusal: &Refusal, request: &Request<'_>, facts: Facts) -> Decision {
        let rule = facts.rule.and_then(|index| self.policy.rules.get(index));
        let path = CanonicalPath::of(request.path(), self.policy.paths).ok();
        let challenger = Challenger {
            realm: &self.policy.realm,
            scheme: rule.map(|rule| rule.challenge).unwrap_or_default(),
            resource_metadata: path.and_then(|path| self.policy.metadata.url(request, &path)),
        };
        Decision::Reply(refusal.answer(request, challenger), facts.denied(&self.policy, refusal.reason, request))
    }

    fn wake(&mut self, requests: Vec<RequestId>) {
        if self.woken.is_empty() {
            self.resumable = RESUMED_AT_ONCE;
        }
        self.woken.extend(requests);
    }

    fn warn_of_what_is_configured_in_vain(&mut self) {
        for issuer in &self.policy.issuers {
            let algorithms = issuer.useless_algorithms().map(|algorithm| {
                format!("`{algorithm}` is listed in vain: it needs an inline `oct` key as long as its hash")
            });
            // Of keys that are fetched, those who watch are told with each set.
            let keys = issuer.skipped_keys().iter().map(|key| format!("passed over: {key}"));
            let texts = algorithms.chain(keys).map(|text| format!("issuer `{}`: {text}", issuer.name));
            self.effects.extend(texts.map(|text| Effect::Log(Level::Warn, text)));
            let large = issuer.large_keys().map(|text| format!("issuer `{}`: {text}", issuer.name));
            self.effects.extend(large.map(|text| Effect::Log(Level::Info, text)));
        }
    }

    fn do_what_is_due(&mut self, now: Timestamp) {
        // A host that did not hand over shared data when it was asked to has none.
        self.exchange(&mut NoSharedData, now);
        for issuer in 0..self.keys.len() {
            if let Some(id) = self.keys.get(issuer).and_then(|keys| keys.fetched()?.expired(now)) {
                self.finish_fetch(id, Err(CalloutFailure::NoAnswer), now);
            }
            self.poll_keys(issuer, now);
        }
        if self.next_gauges <= now {
            self.next_gauges = now.after(GAUGES_EVERY);
            (0..self.keys.len()).for_each(|issuer| self.tell_gauges(issuer, now));
        }
        let overdue = self.waiting.wake_overdue(now);
        self.wake(overdue);
    }

    fn next_event(&self) -> Option<Timestamp> {
        let keys = self.keys.iter().enumerate();
        let keys = keys.filter_map(|(issuer, keys)| Some(keys.fetched()?.next_event(self.waiting.is_awaited(issuer))));
        let gauges = self.keys.iter().any(|keys| keys.fetched().is_some()).then_some(self.next_gauges);
        // Those who were not resumed in one go with others are to be resumed as soon as may be.
        let woken = (!self.woken.is_empty()).then(Timestamp::default);
        keys.chain(gauges).chain(self.waiting.next_deadline()).chain(woken).min()
    }

    /// A request of an issuer without usable keys: it waits while news is due in time.
    fn wait_for_keys(&mut self, arrival: Arrival, issuer: usize, now: Timestamp) -> Result<(), Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let news = self.fetched_mut(issuer).map(|(keys, _)| {
            keys.look_soon(now);
            keys.next_news(now)
        });
        match news {
            Some(news) if news < deadline && now < deadline => {
                self.admit(arrival, Waiter { deadline, issuer, for_new_keys: false, has_body: arrival.has_body })
            }
            news => Err(Refusal {
                retry_after: Some(news.map_or(60, |news| whole_seconds(news, now))),
                ..Refusal::from(Reason::KeysUnavailable)
            }),
        }
    }

    /// A request whose key is not in the set: it waits for one fetch, if one may be made. Says whether it does.
    fn wait_for_new_keys(&mut self, arrival: Arrival, issuer: usize, now: Timestamp) -> Result<bool, Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let has_waited = arrival.waited.is_some_and(|waiter| waiter.for_new_keys);
        let Some((keys, _)) = self.fetched_mut(issuer) else { return Ok(false) };
        if !keys.unknown_key(now, has_waited) {
            return Ok(false);
        }
        self.poll_keys(issuer, now);
        if deadline <= now {
            return Ok(false);
        }
        self.admit(arrival, Waiter { deadline, issuer, for_new_keys: true, has_body: arrival.has_body }).map(|()| true)
    }

    fn admit(&mut self, arrival: Arrival, waiter: Waiter) -> Result<(), Refusal> {
        let is_alone = self.keys.iter().filter(|keys| keys.fetched().is_some()).count() == 1;
        if !self.waiting.has_room(waiter, is_alone, &self.policy.limits) {
            return Err(Refusal { retry_after: Some(1), ..Refusal::from(Reason::Overloaded) });
        }
        self.waiting.insert(arrival.id, waiter);
        Ok(())
    }

    /// Reads and writes what is shared, for the issuers for which that is wanted.
    fn exchange(&mut self, shared: &mut dyn SharedData, now: Timestamp) {
        let at = Moment { now, clock: self.clock, limits: self.policy.limits };
        for issuer in 0..self.keys.len() {
            let id = CalloutId(self.fetches);
            let Some((keys, jitter)) = self.fetched_mut(issuer).filter(|(keys, _)| keys.wants_exchange()) else {
                continue;
            };
            let Exchanged { fetch, concluded } = keys.exchange(id, at, jitter, shared);
            if let Some(fetch) = fetch {
                self.send(fetch);
            }
            if let Some(succeeded) = concluded {
                self.tell_gauges(issuer, now);
                self.wake_waiters(issuer, succeeded, now);
            }
        }
        self.has_asked = false;
    }

    fn poll_keys(&mut self, issuer: usize, now: Timestamp) {
        let (id, limits, is_awaited) = (CalloutId(self.fetches), self.policy.limits, self.waiting.is_awaited(issuer));
        let fetch = self.fetched_mut(issuer).and_then(|(keys, _)| keys.poll(id, now, is_awaited, &limits));
        if let Some(fetch) = fetch {
            self.send(fetch);
        }
    }

    /// Has a callout made; the next one gets another number.
    fn send(&mut self, fetch: Callout) {
        self.fetches = self.fetches.wrapping_add(1);
        self.effects.push_back(Effect::Callout(fetch));
    }

    /// Takes the end of a callout, and tells those who wait, and those who watch.
    fn finish_fetch(&mut self, id: CalloutId, outcome: CalloutOutcome<'_>, now: Timestamp) {
        let is_it = |keys: &IssuerKeys| keys.fetched().is_some_and(|keys| keys.is_in_flight(id));
        let Some(issuer) = self.keys.iter().position(is_it) else { return };
        let (next, limits) = (CalloutId(self.fetches), self.policy.limits);
        let was_sent = !matches!(outcome, Err(CalloutFailure::NotSent { .. }));
        let finished =
            self.fetched_mut(issuer).and_then(|(keys, jitter)| keys.finish(id, outcome, next, now, &limits, jitter));
        let Some(finished) = finished else { return };
        if was_sent {
            let took = u64::try_from(finished.took.as_millis()).unwrap_or(u64::MAX);
            self.effects.push_back(Effect::Record(Metric::CalloutMilliseconds, took));
        }
        let (succeeded, notice) = match finished.step {
            Step::Done { succeeded, notice } => (succeeded, notice),
            Step::Next(fetch) => return self.send(fetch),
        };
        let name = self.policy.issuers.get(issuer).map_or("", |issuer| &issuer.name);
        let outcome = if succeeded { Metric::KeysFetched } else { Metric::KeysFailed };
        self.effects.push_back(Effect::Count(outcome(issuer)));
        if let Some(notice) = notice {
            let level = if notice.is_trouble { Level::Warn } else { Level::Info };
            self.effects.push_back(Effect::Log(level, format!("keys of issuer `{name}`: {}", notice.text)));
        }
        self.tell_gauges(issuer, now);
        self.wake_waiters(issuer, succeeded, now);
    }

    fn tell_gauges(&mut self, issuer: usize, now: Timestamp) {
        let Some(keys) = self.keys.get(issuer) else { return };
        let Some(fetched) = keys.fetched() else { return };
        // A VM that never had keys has nothing to say: gauges belong to the whole proxy.
        if let Some(age) = fetched.age(now) {
            let usable = keys.usable(now).map_or(0, |keys| keys.keys().len());
            let usable = u64::try_from(usable).unwrap_or(u64::MAX);
            self.effects.push_back(Effect::Gauge(Metric::KeysAge(issuer), age.as_secs()));
            self.effects.push_back(Effect::Gauge(Metric::KeysUsable(issuer), usable));
        }
    }

    /// What was waited for is over. After a failure those go on waiting who can expect another try in time.
    fn wake_waiters(&mut self, issuer: usize, succeeded: bool, now: Timestamp) {
        let next = self.keys.get(issuer).and_then(IssuerKeys::fetched).map(|keys| keys.next_news(now));
        let wakes = |waiter: &Waiter| {
            let can_wait = !waiter.for_new_keys && next.is_some_and(|next| next < waiter.deadline);
            waiter.issuer == issuer && (succeeded || !can_wait)
        };
        let resumed = self.waiting.wake(wakes);
        self.wake(resumed);
    }

    fn fetched_mut(&mut self, issuer: usize) -> Option<(&mut FetchedKeys, &mut Jitter)> {
        Some((self.keys.get_mut(issuer)?.fetched_mut()?, &mut self.jitter))
    }
}

/// From `now` until `then` in whole seconds, 1 to 60.
fn whole_seconds(then: Timestamp, now: Timestamp) -> u64 {
    let wait = then.since(now);
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).clamp(1, 60)
}
