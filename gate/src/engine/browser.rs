//! The engine, its logins and its sessions: what providers are asked, what follows from their answers, and what waits
//! for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::questions::FAILURES_KEPT;
use super::waiting::{Arrival, Awaited, Waiter};
use super::{Effect, Gate, Level, RequestId, ResponseDecision};
use crate::answer::Refusal;
use crate::callers::{Entry, Verification};
use crate::capabilities::Capabilities;
use crate::http::{HeaderEdit, HeaderLine};
use crate::login::{Exchange, Failed, Renewed, Stop};
use crate::question::Subject;
use crate::report::{LoginFailure, Metric, Reason};
use crate::sessions::{
    Bounds, Claim, OpenedSession, Outcome, Refreshes, Session, SessionCookies, SessionId, SessionUse, Standing,
    Successors, Wish, open,
};
use crate::shared::SharedData;
use crate::time::Timestamp;
use crate::verdict::Event;

/// How long a refresh may take at least, all its questions together.
const REFRESH_TIME: Duration = Duration::from_secs(20);
/// And at most: no lease is longer.
const LONGEST_REFRESH: Duration = Duration::from_mins(1);
/// How long tokens wait for the keys that check them: longer than the usual cooldown for unknown keys, and shorter than
/// [`ANSWERS_KEPT`]. Until then no other VM asks with the refresh token that was used for them.
const KEYS_TIME: Duration = Duration::from_secs(50);
/// How long a response waits for the cookie of a session that is being renewed. Without it a browser that asks seldom
/// would always come with a refresh token that was spent.
const RESPONSE_TIME: Duration = Duration::from_secs(2);
/// How often connections are looked at whose session may be over.
const SOCKETS_EVERY: Duration = Duration::from_secs(2);

impl Gate {
    /// Sessions go on where they are the new policy's as well. They are opened anew: an entry knows its caller by what
    /// the old policy said, and login and issuer by their indexes there.
    pub(super) fn inherit_sessions(
        &mut self,
        refreshes: Refreshes,
        responses: BTreeMap<RequestId, SessionUse>,
        sockets: BTreeMap<RequestId, SessionUse>,
    ) {
        let Self { policy, effects, .. } = self;
        let browser = policy.browser.as_ref();
        let reopen = |entry: &Entry| browser.and_then(|browser| open(&entry.token, browser, policy).ok()).map(Arc::new);
        let again = |(id, usage): (RequestId, SessionUse)| match reopen(&usage.entry) {
            Some(entry) => Ok((id, SessionUse { entry, ..usage })),
            None => Err(id),
        };
        self.refreshes = refreshes.inherited(reopen);
        self.responses.extend(responses.into_iter().filter_map(|response| again(response).ok()));
        let closes = browser.is_none_or(|browser| browser.session.close_web_sockets);
        for socket in sockets {
            match again(socket) {
                Ok((id, usage)) => drop(self.sockets.insert(id, usage)),
                Err(id) if closes => effects.push_back(Effect::Close(id)),
                Err(_) => {}
            }
        }
    }

    /// Does what a decision wants done besides.
    #[inline(never)]
    pub(super) fn apply(&mut self, events: Vec<Event>, capabilities: Capabilities<'_>, now: Timestamp) {
        for event in events {
            match event {
                Event::Ask(question) => {
                    self.ask(*question, now);
                }
                Event::Bounced(id) => self.refreshes.bounced(&id),
                Event::Count(metric) => self.effects.push_back(Effect::Count(metric)),
                // A browser may have sent the same twice, and a code is good once.
                Event::Forget(subject) => {
                    self.answers.end_by(now.after(FAILURES_KEPT), subject);
                }
                Event::KeepMinted(index, caller, minted) => {
                    self.minted.insert(index, caller, minted);
                    self.answers.end_by(now.after(FAILURES_KEPT), Subject::Credential(index, caller));
                }
                Event::Log(text) => self.effects.push_back(Effect::Log(Level::Info, text)),
                Event::LoggedOut(login, id) => {
                    self.endings.push((login, id));
                    self.end_refresh(&id, now);
                    // Those to requests that are under way bring it back no more.
                    self.uses_of(&id).for_each(SessionUse::leave_cookie);
                    close(&mut self.sockets, &mut self.effects, |open| open.session.id == id);
                }
                Event::Refresh(entry) => {
                    self.refreshes.want(&entry, now);
                }
                Event::RoleChosen(entry) => {
                    self.refreshes.replace(&entry);
                    if let Some(open) = &entry.session {
                        self.uses_of(&open.session.id).for_each(|usage| usage.seals = None);
                    }
                }
            }
        }
        self.advance_refreshes(capabilities, now);
    }

    /// A request whose session is stale: it waits for the refresh, for a while. Says whether it does; `false`: the
    /// refresh has failed, or is late.
    #[inline(never)]
    pub(super) fn wait_for_refresh(
        &mut self,
        arrival: Arrival,
        entry: &Arc<Entry>,
        capabilities: Capabilities<'_>,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let Some(open) = &entry.session else { return Ok(false) };
        let id = open.session.id;
        let is_under_way = self.refreshes.want(entry, now);
        if !is_under_way || deadline <= now {
            return match self.refreshes.is_late(&id, now) {
                true => Ok(false),
                // There is no room to remember it.
                false => Err(Reason::Overloaded.into()),
            };
        }
        self.admit(arrival, Waiter { deadline, awaits: Awaited::Session(id), has_body: arrival.has_body })?;
        self.advance_refreshes(capabilities, now);
        Ok(true)
    }

    /// Goes on with the refreshes for which this VM asks.
    #[inline(never)]
    pub(super) fn advance_refreshes(&mut self, capabilities: Capabilities<'_>, now: Timestamp) {
        for (id, entry, until) in self.refreshes.asking() {
            let Some(step) = self.renew(&entry, capabilities, now) else {
                self.refreshes.forget(&id);
                continue;
            };
            match step {
                Ok((successor, failed)) => self.refresh_answered(&id, successor, failed, now),
                Err(Stop::Failed(failed)) => {
                    let is_final = failed.cause == LoginFailure::Grant;
                    self.refresh_failed(&id, &failed.words, is_final, now);
                    if let (true, Some(open)) = (is_final, &entry.session) {
                        self.end_revoked(&open.session, capabilities.now);
                    }
                }
                Err(_) if until <= now => self.refresh_failed(&id, "it took too long", false, now),
                Err(Stop::Needs(question)) => {
                    if !self.ask(*question, now) {
                        self.refresh_failed(&id, "too many questions are under way", false, now);
                    }
                }
                Err(Stop::NeedsKeys { issuer } | Stop::NeedsNewKeys { issuer, .. }) => {
                    self.want_keys(issuer, now);
                    self.refreshes.ask_again(&id, now);
                }
            }
        }
    }

    /// One step of a refresh; `None` if its login is not there any more.
    fn renew(&self, entry: &Entry, capabilities: Capabilities<'_>, steady: Timestamp) -> Option<Renewed<Arc<Entry>>> {
        let Capabilities { now, signatures, random, .. } = capabilities;
        let browser = self.policy.browser.as_ref()?;
        let session = &entry.session.as_ref()?.session;
        let verification = Verification { policy: &self.policy, keys: &self.keys, verifier: signatures, now, steady };
        let exchange =
            Exchange::new(browser, session.login, &verification, random, self.answers.at_hand(false), &self.kept)?;
        Some(exchange.renew(session).and_then(|(session, failed)| {
            let text = SessionCookies::new(&browser.session).seal(&session, random).map_err(Failed::from)?;
            let entry = open(text.as_bytes(), browser, &self.policy);
            Ok((Arc::new(entry.map_err(|error| Failed::new(LoginFailure::IdToken, error))?), failed))
        }))
    }

    /// There is a successor, which `failed` to get newer claims, or has them.
    fn refresh_answered(&mut self, id: &SessionId, successor: Arc<Entry>, failed: Option<Failed>, now: Timestamp) {
        if let Some(open) = &successor.session {
            let generation = open.session.generation.saturating_sub(1);
            self.forget(Subject::Session(*id, generation));
        }
        self.refreshes.renewed(id, successor, true, now);
        match failed {
            Some(failed) => self.report_failed_refresh(&failed.words),
            None => self.effects.push_back(Effect::Count(Metric::SessionsRefreshed)),
        }
        self.wake_session(id);
    }

    fn report_failed_refresh(&mut self, words: &str) {
        self.effects.push_back(Effect::Count(Metric::SessionsRefreshFailed));
        self.effects.push_back(Effect::Log(Level::Info, format!("refresh of a session failed: {words}")));
    }

    fn refresh_failed(&mut self, id: &SessionId, words: &str, is_final: bool, now: Timestamp) {
        self.report_failed_refresh(words);
        match is_final {
            true => self.refreshes.ended(id, now),
            false => self.refreshes.failed(id, now),
        }
        self.wake_session(id);
    }

    /// A session without time that its issuer has revoked is over in all VMs, which have its sockets.
    fn end_revoked(&mut self, session: &Session, host: Timestamp) {
        let Some(browser) = self.policy.browser.as_ref() else { return };
        let bounds = Bounds::of_login(&self.policy, browser, session.login);
        let standing = bounds.standing(session, session.claims_digest, false, host);
        if matches!(standing, Standing::RefreshNeeded | Standing::Over(_)) {
            self.endings.push((session.login, session.id));
        }
    }

    /// The requests under way with that session.
    fn uses_of(&mut self, id: &SessionId) -> impl Iterator<Item = &mut SessionUse> {
        self.responses.values_mut().filter(|usage| usage.is_of(id))
    }

    /// The user has logged out: who waits for the refresh of that session is decided on without it.
    fn end_refresh(&mut self, id: &SessionId, now: Timestamp) {
        if self.refreshes.is_under_way(id) {
            self.refreshes.ended(id, now);
            self.wake_session(id);
        } else {
            self.refreshes.forget(id);
        }
    }

    fn wake_session(&mut self, id: &SessionId) {
        self.wake_for(Awaited::Session(*id));
        let is_its = |request: &RequestId| self.responses.get(request).is_some_and(|usage| usage.is_of(id));
        let held: Vec<_> = self.held.keys().copied().filter(is_its).collect();
        self.effects.extend(held.into_iter().map(Effect::ResumeResponse));
    }

    /// Reads and writes what is shared about sessions.
    #[inline(never)]
    pub(super) fn exchange_sessions(
        &mut self,
        shared: &mut dyn SharedData,
        capabilities: Capabilities<'_>,
        now: Timestamp,
    ) {
        let Some(browser) = self.policy.browser.clone() else { return };
        for (login, id) in std::mem::take(&mut self.endings) {
            Successors::new(&browser.session.keyring, login, shared, capabilities).end(id);
        }
        if std::mem::take(&mut self.wants_ended) {
            for login in 0..browser.logins.len() {
                let ended = Successors::new(&browser.session.keyring, login, shared, capabilities).ended();
                close(&mut self.sockets, &mut self.effects, |open| {
                    open.session.login == login && ended.contains(&open.session.id)
                });
            }
        }
        for (id, entry, wish) in self.refreshes.exchanges() {
            let Some(open_session) = &entry.session else { continue };
            let session = &open_session.session;
            let mut successors = Successors::new(&browser.session.keyring, session.login, shared, capabilities);
            match wish {
                Wish::Publish(Outcome::Renewed) => {
                    successors.publish(session, &entry.token);
                    self.refreshes.published(&id);
                }
                Wish::Publish(Outcome::Failed(lease)) => {
                    successors.release(session, lease);
                    self.refreshes.published(&id);
                }
                Wish::Find => {
                    let found = successors.find(session).and_then(|text| open(&text, &browser, &self.policy).ok());
                    match found {
                        Some(successor) => self.refreshes.renewed(&id, Arc::new(successor), false, now),
                        None => self.refreshes.found_nothing(&id, now),
                    }
                    self.wake_session(&id);
                }
                Wish::Prolong(holder) => {
                    let is_granted = holder.is_none_or(|holder| successors.prolong(session, holder, KEYS_TIME));
                    self.refreshes.prolonged(&id, is_granted.then(|| now.after(KEYS_TIME)));
                }
                Wish::Claim => {
                    let lease = refresh_time(browser.logins.get(session.login).map(|login| login.timeout));
                    match successors.claim(session, lease) {
                        Claim::Follow { until } => self.refreshes.follow(&id, self.clock.to_steady(until), now),
                        Claim::Lease(holder) => self.refreshes.ask(&id, Some(holder), now.after(lease)),
                        Claim::Unavailable => self.refreshes.ask(&id, None, now.after(lease)),
                        Claim::Full => {
                            self.refreshes.failed(&id, now);
                            self.wake_session(&id);
                        }
                        Claim::Successor(text) => match open(&text, &browser, &self.policy) {
                            Ok(successor) => {
                                self.refreshes.renewed(&id, Arc::new(successor), false, now);
                                self.wake_session(&id);
                            }
                            Err(_) => self.refreshes.ask(&id, None, now.after(lease)),
                        },
                    }
                }
            }
        }
        self.advance_refreshes(capabilities, now);
    }

    /// The response to this request may have a newer cookie.
    pub(super) fn expect_response(&mut self, id: RequestId, usage: SessionUse) {
        let closes = self.policy.browser.as_ref().is_some_and(|browser| browser.session.close_web_sockets);
        if usage.seals.is_some() || usage.may_renew || (usage.is_upgrade && closes) {
            self.responses.insert(id, usage);
        }
    }

    /// Decides on the response to a request with a session.
    pub(super) fn decide_response(
        &mut self,
        id: RequestId,
        response: &[HeaderLine<'_>],
        capabilities: Capabilities<'_>,
        now: Timestamp,
    ) -> ResponseDecision {
        let was_held = self.held.remove(&id).is_some();
        let usage = self.responses.get(&id);
        if !was_held && usage.is_some_and(|usage| usage.awaits_cookie(&self.refreshes, response)) {
            self.held.insert(id, now.after(RESPONSE_TIME));
            return ResponseDecision::Wait;
        }
        ResponseDecision::Continue(self.response_edits(id, response, capabilities))
    }

    fn response_edits(
        &mut self,
        id: RequestId,
        response: &[HeaderLine<'_>],
        capabilities: Capabilities<'_>,
    ) -> Vec<HeaderEdit> {
        let Some(usage) = self.responses.remove(&id) else { return Vec::new() };
        let Some(browser) = self.policy.browser.as_ref() else { return Vec::new() };
        let edits = usage.response_edits(&self.refreshes, browser, response, capabilities);
        if usage.is_upgrade && browser.session.close_web_sockets && is_switched(response) {
            self.sockets.insert(id, usage);
        }
        edits
    }

    /// Closes the connections whose session is over.
    fn check_sockets(&mut self, now: Timestamp, host: Timestamp) {
        if self.sockets.is_empty() || now < self.next_sockets {
            return;
        }
        self.next_sockets = now.after(SOCKETS_EVERY);
        self.wants_ended = true;
        let Self { policy, refreshes, sockets, effects, .. } = self;
        let Some(browser) = policy.browser.as_ref() else { return };
        close(sockets, effects, |open| {
            let session = &open.session;
            // What an open connection carries is a sign of life.
            let bounds = Bounds { idle: None, ..Bounds::of_login(policy, browser, session.login) };
            let status = refreshes.status(&session.id);
            let newest = status.successor(session.generation).and_then(|entry| entry.session.as_ref());
            let session = newest.map_or(session, |open| &open.session);
            match bounds.standing(session, session.claims_digest, false, host) {
                Standing::Over(_) => true,
                // Its issuer has revoked it; until now it had time.
                Standing::RefreshNeeded => status.is_ended(session.generation),
                _ => false,
            }
        });
    }

    fn forget(&mut self, subject: Subject) {
        self.answers.forget(&|topic| topic.subject == subject);
    }

    /// What is kept for logins and sessions needs a look then.
    pub(super) fn next_browser_event(&self) -> Option<Timestamp> {
        let sockets = (!self.sockets.is_empty()).then_some(self.next_sockets);
        let held = self.held.values().copied().min();
        [self.refreshes.next_event(), sockets, held].into_iter().flatten().min()
    }

    /// Whether what is shared about sessions is to be read or written.
    pub(super) fn wants_session_exchange(&self) -> bool {
        self.refreshes.wants_exchange() || self.wants_ended || !self.endings.is_empty()
    }

    /// Does what is due for logins and sessions.
    #[inline(never)]
    pub(super) fn run_browser_timers(&mut self, capabilities: Capabilities<'_>, now: Timestamp) {
        self.refreshes.poll(now);
        self.advance_refreshes(capabilities, now);
        let late = self.held.iter().filter(|(_, until)| **until <= now).map(|(&id, _)| id);
        self.effects.extend(late.map(Effect::ResumeResponse));
        self.check_sockets(now, capabilities.now);
    }
}

/// How long a refresh may take whose questions (for metadata, tokens and claims) may take that long each: while one is
/// under way, no other VM asks with the same refresh token.
fn refresh_time(timeout: Option<Duration>) -> Duration {
    timeout.unwrap_or_default().saturating_mul(3).clamp(REFRESH_TIME, LONGEST_REFRESH)
}

/// Closes the connections whose session is over.
fn close(
    sockets: &mut BTreeMap<RequestId, SessionUse>,
    effects: &mut VecDeque<Effect>,
    is_over: impl Fn(&OpenedSession) -> bool,
) {
    let over = sockets.extract_if(.., |_, usage| usage.entry.session.as_deref().is_some_and(&is_over));
    effects.extend(over.map(|(id, _)| Effect::Close(id)));
}

fn is_switched(response: &[HeaderLine<'_>]) -> bool {
    response.iter().any(|&(name, value)| name == b":status" && matches!(value, b"101" | b"200"))
}
