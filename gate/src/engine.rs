//! The engine: state in the middle, events in, decisions and effects out.

mod browser;
mod effect;
mod introspection;
mod key_updates;
mod known_proofs;
mod proofs;
mod questions;
mod waiting;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use self::effect::{Decision, Effect, Level, RequestId, ResponseDecision};
use self::known_proofs::Proofs;
use self::waiting::{Arrival, Waiting};
use crate::answer::{Challenger, DpopChallenge, Refusal, printable};
use crate::callers::{TokenCache, Verification};
use crate::callout::{CalloutFailure, CalloutId, CalloutOutcome};
use crate::capabilities::Capabilities;
use crate::decision::decide;
use crate::http::{CanonicalPath, HeaderEdit, HeaderLine, Request};
use crate::introspection::Endpoints;
use crate::keys::{FetchedKeys, IssuerKeys};
use crate::known::Known;
use crate::policy::{Policy, RequiredBinding};
use crate::question::Answers;
use crate::random::Jitter;
use crate::report::{Facts, Metric, Reason};
use crate::rules::Rule;
use crate::sessions::{KeptClaims, Refreshes, SessionId, SessionUse};
use crate::shared::{NoSharedData, SharedData};
use crate::time::{SteadyClock, Timestamp, sooner};
use crate::upstream::MintedCache;
use crate::verdict::{FailedLogin, Judgement, Verdict};

/// How many requests are resumed in one go. Proxies carry out what was asked of them when a call ends, one request
/// inside the other: hundreds of answers at once exhaust their stack.
const RESUMED_AT_ONCE: usize = 32;
/// How long after its timeout a callout is waited for, if the host never ends it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the age of keys is reported, if nothing else happens: about as often as metrics are collected.
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
    ready: VecDeque<RequestId>,
    /// How many of them may still be resumed before the host calls again.
    resume_budget: usize,
    /// The request whose call this is. No other is resumed in it: a proxy that answers others in this call holds
    /// this request, whatever was decided on it.
    current_request: Option<RequestId>,
    jitter: Jitter,
    clock: SteadyClock,
    fetches: u64,
    /// Whether the host was asked for shared data since it called.
    has_shared: bool,
    next_gauges: Timestamp,
    /// What of the claims of each login's users sessions keep, in the order of the logins.
    kept: Vec<KeptClaims>,
    /// What providers answered. Its instants are those of `clock`.
    answers: Answers,
    /// The introspection endpoints that are in trouble.
    endpoints: Endpoints,
    /// The questions that are under way, with when they were asked.
    asked: BTreeMap<CalloutId, Timestamp>,
    /// Credentials for the upstream. Their instants are those of `clock`.
    minted: MintedCache,
    /// What is known of the proofs of requests, and of those that were used.
    proofs: Proofs,
    refreshes: Refreshes,
    /// The requests with sessions whose responses may have a newer cookie.
    responses: BTreeMap<RequestId, SessionUse>,
    /// The responses that wait for a newer cookie, each until then at most.
    held: BTreeMap<RequestId, Timestamp>,
    /// The connections that end with their sessions.
    sockets: BTreeMap<RequestId, SessionUse>,
    next_sockets: Timestamp,
    /// Whether the list of sessions that are over is to be read.
    wants_ended: bool,
    /// Sessions that are over, each with the index of its login, of which other VMs are to know.
    endings: Vec<(usize, SessionId)>,
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
        let kept = KeptClaims::of_logins(&policy);
        let logins = policy.browser.iter().flat_map(|browser| &browser.logins);
        let introspection = policy.issuers.iter().filter_map(|issuer| issuer.introspection());
        let timeouts = logins.map(|login| login.timeout).chain(introspection.map(|settings| settings.timeout));
        let longest = timeouts.max().unwrap_or_default();
        let patience = longest.max(policy.upstream.longest_timeout()).saturating_add(PATIENCE);
        let answers = Answers::new(policy.limits.lookups, patience);
        let mut gate = Self {
            minted: MintedCache::new(policy.limits.token_cache_bytes),
            cache: TokenCache::new(policy.limits.token_cache_bytes),
            policy,
            keys,
            waiting: Waiting::default(),
            effects: VecDeque::new(),
            ready: VecDeque::new(),
            resume_budget: RESUMED_AT_ONCE,
            current_request: None,
            jitter: Jitter::new(seed),
            clock,
            fetches: 0,
            has_shared: false,
            next_gauges: steady,
            answers,
            endpoints: Endpoints::default(),
            asked: BTreeMap::new(),
            proofs: Proofs::default(),
            refreshes: Refreshes::default(),
            responses: BTreeMap::new(),
            held: BTreeMap::new(),
            sockets: BTreeMap::new(),
            next_sockets: steady,
            wants_ended: false,
            endings: Vec::new(),
            kept,
        };
        gate.warn_of_settings_without_effect();
        gate
    }

    /// Takes over the requests that wait for `predecessor`, and its keys of the same issuers with the callouts that
    /// are under way for them. To be called before anything else.
    pub fn inherit(&mut self, predecessor: Self) {
        self.clock = predecessor.clock;
        self.fetches = predecessor.fetches;
        for (issuer, keys) in predecessor.policy.issuers.iter().zip(predecessor.keys) {
            let heir = self.policy.issuers.iter().position(|heir| heir.identifier == issuer.identifier);
            let heir = heir.and_then(|index| self.keys.get_mut(index)?.fetched_mut());
            if let (Some(heir), Some(keys)) = (heir, keys.into_fetched()) {
                heir.inherit(keys);
            }
        }
        self.proofs = predecessor.proofs;
        self.inherit_sessions(predecessor.refreshes, predecessor.responses, predecessor.sockets);
        self.inherit_questions(predecessor.answers, predecessor.asked, &predecessor.policy.issuers);
        self.effects.extend(predecessor.held.keys().copied().map(Effect::ResumeResponse));
        self.held = predecessor.held;
        // Each is decided on anew, by the new policy.
        let (waiting, requests) = predecessor.waiting.into_ready();
        self.waiting = waiting;
        self.wake(requests);
    }

    /// Decides on a request whose headers have arrived, or that was resumed.
    pub fn handle_request(&mut self, id: RequestId, request: &Request<'_>, capabilities: Capabilities<'_>) -> Decision {
        let steady = self.clock.advance(capabilities.now);
        self.has_shared = false;
        // A host without timers still makes the fetches that are due, one request late.
        if self.next_event().is_some_and(|due| due <= steady) {
            self.run_due_timers(capabilities, steady);
        }
        let waited = self.waiting.remove(id);
        if waited.is_none() {
            self.current_request = Some(id);
        }
        let arrival = Arrival { id, waited, has_body: request.has_body(), is_late: false, has_all_keys: false };
        let decision = self.decide_request(arrival, request, capabilities, steady);
        if !self.proofs.is_empty() && decision != Decision::Wait {
            self.proofs.decided(id, matches!(decision, Decision::Forward(..)));
        }
        decision
    }

    fn decide_request(
        &mut self,
        arrival: Arrival,
        request: &Request<'_>,
        capabilities: Capabilities<'_>,
        steady: Timestamp,
    ) -> Decision {
        let Capabilities { now, signatures: verifier, signer, random } = capabilities;
        let again = arrival.again(steady, self.policy.limits.wait_for);
        let id = arrival.id;
        let mut facts = Facts::default();
        let proof = self.proofs.of(id);
        let verification = Verification { policy: &self.policy, keys: &self.keys, verifier, now, steady };
        let known = Known {
            verification: &verification,
            signer,
            random,
            answers: self.answers.at_hand(arrival.is_late),
            endpoints: &self.endpoints,
            proof,
            refreshes: &self.refreshes,
            kept: &self.kept,
            minted: &self.minted,
            is_check: false,
            has_all_keys: arrival.has_all_keys,
        };
        let Judgement { verdict, audited, events, session, failure } =
            decide(request, &known, &mut self.cache, &mut facts);
        if !events.is_empty() {
            self.apply(events, capabilities, steady);
        }
        if facts.checked_signature {
            self.effects.push_back(Effect::Count(Metric::TokensVerified));
        }
        // Who comes back with its proof was counted.
        if facts.was_cached && proof.is_none() {
            self.effects.push_back(Effect::Count(Metric::TokensCached));
        }
        let refusal = match verdict {
            Verdict::Answer(reply, details) => return Decision::Reply(reply, facts.answered(&self.policy, details)),
            Verdict::Forward(edits) => {
                if let Some(usage) = session {
                    self.expect_response(id, *usage);
                }
                return Decision::Forward(edits, facts.allowed(&self.policy));
            }
            Verdict::Refuse(refusal) => refusal,
            Verdict::Turn(turned) => {
                let (reply, refusal) = *turned;
                return Decision::Reply(reply, facts.denied(&self.policy, &refusal, request));
            }
            Verdict::NeedsAnswer(question) => match self.wait_for_answer(arrival, *question, steady) {
                Ok(true) => return Decision::Wait,
                Ok(false) => {
                    let again = Arrival { is_late: true, ..again };
                    return self.decide_request(again, request, capabilities, steady);
                }
                Err(refusal) => refusal,
            },
            Verdict::NeedsUnusedProof(proof) => {
                self.ask_for_proof(arrival, proof, steady);
                return Decision::Wait;
            }
            Verdict::NeedsRefresh(entry) => match self.wait_for_refresh(arrival, &entry, capabilities, steady) {
                Ok(true) => return Decision::Wait,
                Ok(false) => return self.decide_request(again, request, capabilities, steady),
                Err(refusal) => refusal,
            },
            Verdict::NeedsKeys { issuer } => match self.wait_for_keys(arrival, issuer, steady) {
                Ok(()) => return Decision::Wait,
                Err(refusal) => refusal,
            },
            Verdict::NeedsNewKeys { issuer, reason } => match self.wait_for_new_keys(arrival, issuer, steady) {
                Ok(true) => return Decision::Wait,
                // A browser may have a session, or log in.
                Ok(false) if !arrival.has_all_keys && self.policy.credentials.is_in_cookie(request) => {
                    let again = Arrival { has_all_keys: true, ..again };
                    return self.decide_request(again, request, capabilities, steady);
                }
                Ok(false) => reason.into(),
                Err(refusal) => refusal,
            },
        };
        if let Some(failure) = failure {
            let FailedLogin { reply, events } = *failure;
            self.apply(events, capabilities, steady);
            return Decision::Reply(reply, facts.denied(&self.policy, &Reason::LoginFailed.into(), request));
        }
        match audited {
            Some(edits) => {
                if let Some(usage) = session {
                    self.expect_response(id, *usage);
                }
                Decision::Forward(edits, facts.audited(&self.policy, &refusal, request))
            }
            None => self.refuse(&refusal, request, facts),
        }
    }

    /// The metrics that a host defines when a configuration loads; the others with their first value.
    pub fn metrics(&self) -> Vec<Metric> {
        Metric::defined_at_start(&self.policy)
    }

    /// The others, for hosts that must know of all metrics by then.
    pub fn gauges(&self) -> Vec<Metric> {
        Metric::gauges(&self.policy)
    }

    /// What the proxy calls a metric.
    pub fn metric_name(&self, metric: Metric) -> String {
        metric.name(&self.policy)
    }

    /// Whether decisions depend on the address that requests come from.
    pub fn asks_for_peer(&self) -> bool {
        self.policy.needs.client_ip
            || self.policy.hygiene.asks_for_peer()
            || self.policy.sender_constraint.asks_for_peer()
    }

    /// The edits that request trailers need.
    pub fn handle_trailers(&self, trailers: &[HeaderLine<'_>]) -> Vec<HeaderEdit> {
        self.policy.hygiene.trailer_edits(trailers)
    }

    /// Whether [`Gate::handle_response`] has anything to say of the response to a request that was forwarded.
    pub fn expects_response(&self, id: RequestId) -> bool {
        self.responses.contains_key(&id) || self.proofs.renewing.contains(&id)
    }

    /// Decides on the response to a request; `response` are its header lines, `:status` among them. It may have to wait
    /// for a moment, where the session of its request is just being renewed: the cookie goes with it.
    pub fn handle_response(
        &mut self,
        id: RequestId,
        response: &[HeaderLine<'_>],
        capabilities: Capabilities<'_>,
    ) -> ResponseDecision {
        let now = self.clock.advance(capabilities.now);
        self.has_shared = false;
        self.current_request = Some(id);
        let mut decision = self.decide_response(id, response, capabilities, now);
        if let ResponseDecision::Continue(edits) = &mut decision
            && self.proofs.renewing.remove(&id)
        {
            self.add_nonce(response, capabilities.now, edits);
        }
        decision
    }

    /// A request is gone, whether it was decided or not.
    pub fn cancel(&mut self, id: RequestId) {
        self.waiting.remove(id);
        if !self.proofs.is_empty() {
            self.proofs.forget(id);
        }
        if !self.responses.is_empty() {
            self.responses.remove(&id);
            self.held.remove(&id);
        }
        if !self.sockets.is_empty() {
            self.sockets.remove(&id);
        }
    }

    /// Takes the outcome of a callout. Answers to callouts that are over are ignored.
    pub fn handle_callout(&mut self, id: CalloutId, outcome: CalloutOutcome<'_>, capabilities: Capabilities<'_>) {
        let now = self.clock.advance(capabilities.now);
        self.has_shared = false;
        // One that was not sent ends within the call that wanted it: that may be a request's.
        if !matches!(outcome, Err(CalloutFailure::NotSent { .. })) {
            self.current_request = None;
        }
        if !self.finish_question(id, outcome, capabilities, now) {
            self.finish_fetch(id, outcome, now);
            self.advance_refreshes(capabilities, now);
        }
    }

    /// Takes the data that all VMs of the proxy share, to read and to write: see [`Effect::Share`].
    pub fn handle_shared(&mut self, shared: &mut dyn SharedData, capabilities: Capabilities<'_>) {
        let now = self.clock.advance(capabilities.now);
        self.exchange(shared, now);
        self.exchange_sessions(shared, capabilities, now);
        if self.refreshes.wants_exchange() {
            // A refresh came to its end just now: the proxy's other VMs are to know while this one has what they share.
            self.exchange_sessions(shared, capabilities, now);
        }
        if self.proofs.wants_exchange() {
            self.exchange_proofs(shared, capabilities);
        }
    }

    /// Does what is due. To be called when [`Gate::next_timeout`] has come; calling it earlier does no harm.
    pub fn handle_timeout(&mut self, capabilities: Capabilities<'_>) {
        let steady = self.clock.advance(capabilities.now);
        self.resume_budget = RESUMED_AT_ONCE;
        self.has_shared = false;
        self.current_request = None;
        self.run_due_timers(capabilities, steady);
    }

    /// When [`Gate::handle_timeout`] should be called next, by the host's clock as it was last seen.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.next_event().map(|steady| self.clock.to_host(steady))
    }

    /// The next thing to do. Effects are to be taken until there are none, after every call.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        while let Some(effect) = self.effects.pop_front() {
            // Several events may have been a reason for it: a response goes on once.
            if !matches!(effect, Effect::ResumeResponse(id) if !self.held.contains_key(&id)) {
                return Some(effect);
            }
        }
        // Before any request is resumed: it might need what other VMs share.
        let has_browser = self.policy.browser.is_some();
        let wants_exchange = |keys: &IssuerKeys| keys.fetched().is_some_and(FetchedKeys::wants_exchange);
        if !self.has_shared
            && (self.keys.iter().any(wants_exchange)
                || (has_browser && self.wants_session_exchange())
                || self.proofs.wants_exchange())
        {
            self.has_shared = true;
            return Some(Effect::Share);
        }
        if let Some(id) = self.current_request {
            let index = self.ready.iter().position(|&ready| ready == id)?;
            return self.ready.remove(index).map(Effect::Resume);
        }
        let left = self.resume_budget.checked_sub(1)?;
        // Requests that are gone are skipped.
        while let Some(id) = self.ready.pop_front() {
            if self.waiting.contains(id) {
                self.resume_budget = left;
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
            dpop: self.dpop_challenge(refusal, request, rule),
            resource_metadata: path.and_then(|path| self.policy.metadata.url(request, &path)),
        };
        let detail = facts.detail_of(refusal.reason).map(printable).map(Cow::Owned).or(refusal.detail.clone());
        let refusal = Refusal { detail, ..refusal.clone() };
        Decision::Reply(refusal.answer(request, challenger), facts.denied(&self.policy, &refusal, request))
    }

    /// Whether proofs of possession are asked for, beside or in place of plain tokens.
    fn dpop_challenge(&self, refusal: &Refusal, request: &Request<'_>, rule: Option<&Rule>) -> DpopChallenge {
        let constraint = &self.policy.sender_constraint;
        let require = rule.and_then(|rule| rule.require).unwrap_or(constraint.require);
        match &constraint.dpop {
            Some(_) if refusal.proof.is_some() || require == RequiredBinding::Dpop => DpopChallenge::Alone,
            Some(_) if self.policy.credentials.presents_proof(request) => DpopChallenge::Alone,
            Some(dpop) if dpop.is_announced => DpopChallenge::Beside,
            _ => DpopChallenge::None,
        }
    }

    fn wake(&mut self, requests: Vec<RequestId>) {
        if self.ready.is_empty() {
            self.resume_budget = RESUMED_AT_ONCE;
        }
        self.ready.extend(requests);
    }

    fn warn_of_settings_without_effect(&mut self) {
        let warnings = self.policy.warnings().into_iter().map(|(_, text)| Effect::Log(Level::Warn, text));
        self.effects.extend(warnings);
        for issuer in &self.policy.issuers {
            let large = issuer.large_keys().map(|text| format!("issuer `{}`: {text}", issuer.name));
            self.effects.extend(large.map(|text| Effect::Log(Level::Info, text)));
        }
    }

    fn run_due_timers(&mut self, capabilities: Capabilities<'_>, now: Timestamp) {
        // A host that did not hand over shared data when it was asked to has none.
        self.exchange(&mut NoSharedData, now);
        if self.proofs.wants_exchange() {
            self.exchange_proofs(&mut NoSharedData, capabilities);
        }
        self.give_up_questions(now);
        if self.policy.browser.is_some() {
            self.exchange_sessions(&mut NoSharedData, capabilities, now);
            self.run_browser_timers(capabilities, now);
        }
        for issuer in 0..self.keys.len() {
            if let Some(id) = self.keys.get(issuer).and_then(|keys| keys.fetched()?.expired(now)) {
                self.finish_fetch(id, Err(CalloutFailure::NoAnswer), now);
            }
            self.poll_keys(issuer, now);
        }
        if self.next_gauges <= now {
            self.next_gauges = now.after(GAUGES_EVERY);
            (0..self.keys.len()).for_each(|issuer| self.report_gauges(issuer, now));
        }
        let overdue = self.waiting.wake_overdue(now);
        self.wake(overdue);
    }

    fn next_event(&self) -> Option<Timestamp> {
        // Requests over the budget are to be resumed as soon as possible.
        let is_due = !self.ready.is_empty() || self.proofs.wants_exchange();
        let ready = is_due.then(Timestamp::default);
        let browser = self.policy.browser.as_ref().and_then(|_| self.next_browser_event());
        let mut next = sooner(sooner(ready, self.waiting.next_deadline()), sooner(browser, self.next_question_event()));
        for (issuer, keys) in self.keys.iter().enumerate() {
            if let Some(keys) = keys.fetched() {
                let keys = keys.next_event(self.waiting.is_awaited(issuer)).min(self.next_gauges);
                next = sooner(next, Some(keys));
            }
        }
        next
    }
}
