//! The engine and the keys of its issuers: when they are fetched, what follows from that, and what waits for it.

use super::waiting::{Arrival, Awaited, Waiter};
use super::{Effect, Gate, Level};
use crate::answer::Refusal;
use crate::callout::{Callout, CalloutFailure, CalloutId, CalloutOutcome};
use crate::keys::{Exchanged, FetchedKeys, IssuerKeys, Moment, Step};
use crate::policy::{Issuer, UpstreamCredential};
use crate::random::Jitter;
use crate::report::{Metric, Reason};
use crate::shared::SharedData;
use crate::time::Timestamp;

impl Gate {
    /// A request of an issuer without usable keys: it waits while news is due in time.
    pub(super) fn wait_for_keys(&mut self, arrival: Arrival, issuer: usize, now: Timestamp) -> Result<(), Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let news = self.fetched_mut(issuer).map(|(keys, _)| {
            keys.poll_shared_if_due(now);
            keys.next_news(now)
        });
        match news {
            Some(news) if news < deadline && now < deadline => {
                self.admit(arrival, Waiter { deadline, awaits: Awaited::Keys { issuer }, has_body: arrival.has_body })
            }
            news => Err(Refusal {
                retry_after: Some(news.map_or(60, |news| whole_seconds(news, now))),
                ..Refusal::from(Reason::KeysUnavailable)
            }),
        }
    }

    /// A request whose key is not in the set: it waits for one fetch, if one may be made. Says whether it does.
    pub(super) fn wait_for_new_keys(
        &mut self,
        arrival: Arrival,
        issuer: usize,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let has_waited = arrival.waited.is_some_and(|waiter| matches!(waiter.awaits, Awaited::NewKeys { .. }));
        let Some((keys, _)) = self.fetched_mut(issuer) else { return Ok(false) };
        if !keys.unknown_key(now, has_waited) {
            return Ok(false);
        }
        self.poll_keys(issuer, now);
        if deadline <= now {
            return Ok(false);
        }
        self.admit(arrival, Waiter { deadline, awaits: Awaited::NewKeys { issuer }, has_body: arrival.has_body })
            .map(|()| true)
    }

    pub(super) fn admit(&mut self, arrival: Arrival, waiter: Waiter) -> Result<(), Refusal> {
        let is_asked = |issuer: &&Issuer| issuer.is_fetched() || issuer.is_introspected();
        let is_alone = self.policy.issuers.iter().filter(is_asked).count() == 1
            && self.policy.browser.is_none()
            && !self.policy.upstream.credentials.iter().any(UpstreamCredential::asks);
        if !self.waiting.has_room(waiter, is_alone, &self.policy.limits) {
            return Err(Reason::Overloaded.into());
        }
        self.waiting.insert(arrival.id, waiter);
        Ok(())
    }

    /// A session or a login needs keys of this issuer that are not there.
    pub(super) fn want_keys(&mut self, issuer: usize, now: Timestamp) {
        if let Some((keys, _)) = self.fetched_mut(issuer) {
            keys.unknown_key(now, false);
            keys.poll_shared_if_due(now);
        }
        self.poll_keys(issuer, now);
    }

    /// Reads and writes what is shared, for the issuers for which that is wanted.
    pub(super) fn exchange(&mut self, shared: &mut dyn SharedData, now: Timestamp) {
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
                self.report_gauges(issuer, now);
                self.wake_waiters(issuer, succeeded, now);
            }
        }
        self.has_shared = false;
    }

    /// The engine is over, and nobody takes the answers that it waits for: other VMs may fetch in its place at once. The
    /// last call. Refreshes of sessions are not for others: their provider may have answered.
    pub fn end(&mut self, shared: &mut dyn SharedData, now: Timestamp) {
        let now = self.clock.advance(now);
        let at = Moment { now, clock: self.clock, limits: self.policy.limits };
        self.keys.iter().filter_map(IssuerKeys::fetched).for_each(|keys| keys.release(at, shared));
    }

    pub(super) fn poll_keys(&mut self, issuer: usize, now: Timestamp) {
        let (id, limits, is_awaited) = (CalloutId(self.fetches), self.policy.limits, self.waiting.is_awaited(issuer));
        let fetch = self.fetched_mut(issuer).and_then(|(keys, _)| keys.poll(id, now, is_awaited, &limits));
        if let Some(fetch) = fetch {
            self.send(fetch);
        }
    }

    /// Has a callout made; the next one gets another number.
    pub(super) fn send(&mut self, fetch: Callout) {
        self.fetches = self.fetches.wrapping_add(1);
        self.effects.push_back(Effect::Callout(fetch));
    }

    /// Handles the end of a callout: waiting requests become ready, and the outcome is logged and counted.
    pub(super) fn finish_fetch(&mut self, id: CalloutId, outcome: CalloutOutcome<'_>, now: Timestamp) {
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
        self.report_gauges(issuer, now);
        self.wake_waiters(issuer, succeeded, now);
    }

    pub(super) fn report_gauges(&mut self, issuer: usize, now: Timestamp) {
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

    /// What was waited for is over. After a failure, requests keep waiting if another try is due in time.
    pub(super) fn wake_waiters(&mut self, issuer: usize, succeeded: bool, now: Timestamp) {
        let next = self.keys.get(issuer).and_then(IssuerKeys::fetched).map(|keys| keys.next_news(now));
        let wakes = |waiter: &Waiter| {
            let can_wait =
                |awaits| awaits == Awaited::Keys { issuer } && next.is_some_and(|next| next < waiter.deadline);
            waiter.awaits.issuer() == Some(issuer) && (succeeded || !can_wait(waiter.awaits))
        };
        let resumed = self.waiting.wake(&wakes);
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
