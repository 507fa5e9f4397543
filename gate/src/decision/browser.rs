//! Browsers: requests with a session, those that are sent to log in, and the paths that the gate answers itself.

use std::sync::Arc;

use jose::json::Document;

use super::{Evaluation, decide};
use crate::answer::Refusal;
use crate::callers::Entry;
use crate::http::{HeaderEdit, Reply};
use crate::known::Known;
use crate::login::{
    Asked, Asker, Destinations, Exchange, Failed, LoggedIn, OwnPath, ReturnTo, Returned, RoleAsked, Stop, Wanted,
    asked_request, info, is_cross_site, is_own_navigation, log_out, logged_out, login_failed, method_not_allowed, see,
    session_over, status,
};
use crate::policy::Browser;
use crate::question::Subject;
use crate::report::{Cause, Facts, LoginFailure, Metric, Reason, SessionEnd};
use crate::rules::{Access, Unauthenticated};
use crate::sessions::{Bounds, Found, SessionUse, Standing, find};
use crate::time::Timestamp;
use crate::trail::Trail;
use crate::upstream::is_over;
use crate::verdict::{Event, FailedLogin, Judgement, Verdict};

/// What a session is good for at the moment.
enum Worth {
    /// It counts.
    Good(Box<SessionUse>),
    /// It counts once its claims were fetched again.
    Stale(Arc<Entry>),
    /// It counts, and the browser should come again: another proxy may have given it a newer one.
    Bounce(Box<SessionUse>),
    /// It is over.
    Over(SessionEnd),
    /// There is none.
    None,
}

impl<'c, T: Trail> Evaluation<'c, T> {
    /// A request without another credential that is good, where a session may be one.
    #[inline(never)]
    pub(super) fn check_browser(mut self, browser: &'c Browser, bad: Option<Cause>) -> Judgement {
        match self.session_of(browser) {
            Worth::Bounce(usage) if !self.is_audited() => self.bounce(&usage.entry),
            Worth::Good(usage) | Worth::Bounce(usage) => {
                if self.is_cross_site() {
                    return self.refuse(Reason::CrossSiteRequest, None);
                }
                let entry = Arc::clone(&usage.entry);
                self.session = Some(usage);
                let access = self.access();
                self.admit(&entry, None, access)
            }
            Worth::Stale(entry) => self.judge(Verdict::NeedsRefresh(entry), None),
            Worth::Over(end) => {
                // Scripts ask again and again.
                if *self.access() != Access::Optional && Asker::of(self.request) == Asker::Navigation {
                    self.events.push(Event::Count(Metric::SessionsEnded(end)));
                }
                self.lacks_caller(bad)
            }
            Worth::None => self.lacks_caller(bad),
        }
    }

    /// The session's entry, where it counts at the moment.
    pub(super) fn find_session(&mut self) -> Option<Arc<Entry>> {
        let browser = self.policy.browser.as_ref().filter(|_| self.policy.credentials.has_session())?;
        match self.session_of(browser) {
            Worth::Good(usage) | Worth::Bounce(usage) => {
                let entry = Arc::clone(&usage.entry);
                self.session = Some(usage);
                Some(entry)
            }
            _ => None,
        }
    }

    /// Whether a request whose credential comes from a cookie is another site's.
    pub(super) fn is_cross_site(&mut self) -> bool {
        let public_url = self.policy.browser.as_ref().map(|browser| &browser.session.public_url);
        let is_it = is_cross_site(self.request, &self.policy.cross_site, public_url);
        if is_it {
            self.trail.cross_site();
        }
        is_it
    }

    /// The token that the session kept, as the upstream gets it.
    pub(super) fn kept_token(&self) -> Vec<HeaderEdit> {
        let session = self.session.as_ref().and_then(|usage| usage.entry.session.as_ref());
        let token = session.and_then(|open| open.session.access_token.as_ref().or(open.session.id_token.as_ref()));
        let Some(token) = token else { return Vec::new() };
        let value = format!("Bearer {}", token.reveal());
        vec![HeaderEdit::Remove(b"authorization".to_vec()), HeaderEdit::add("authorization", &value)]
    }

    /// Refuses a request without a usable credential; a browser is sent to log in.
    #[inline(never)]
    pub(super) fn refuse_or_log_in(self, cause: Cause) -> Judgement {
        let Some(browser) = self.policy.browser.as_ref().filter(|_| self.sends_to_login()) else {
            return self.refuse(cause, None);
        };
        let paths = &browser.session.paths;
        match Asker::of(self.request) {
            Asker::Navigation => {
                let destinations = Destinations::from(&browser.session);
                let return_to = destinations.of_request(self.request);
                let login = self.rule.and_then(|rule| rule.login).unwrap_or(0);
                let wanted = Wanted { return_to, asks_again: false };
                match browser.session.public_url.is_host_of(self.request) {
                    true => self.start_login(browser, login, &wanted),
                    // The cookies of a login are of one host.
                    false if destinations.is_on_allowed(self.request) => {
                        let reply = see(&wanted.href_elsewhere(browser, login));
                        self.end(Verdict::Turn(Box::new((reply, Reason::LoginRedirect.into()))))
                    }
                    false => self.refuse(cause, None),
                }
            }
            Asker::FormNavigation => {
                let public_url = &browser.session.public_url;
                let is_there = public_url.is_host_of(self.request);
                let origin = if is_there { "" } else { public_url.as_str() };
                let reply = session_over(&[origin, &paths.login].concat());
                self.end(Verdict::Turn(Box::new((reply, cause.into()))))
            }
            Asker::Other => {
                let refusal = Refusal { login: Some(paths.login.as_str().into()), ..Refusal::from(cause) };
                self.refuse(refusal, None)
            }
        }
    }

    /// In audit mode nobody is.
    pub(super) fn sends_to_login(&self) -> bool {
        let default = || self.policy.credentials.has_session();
        let sends = self.rule.map_or_else(default, |rule| rule.unauthenticated == Unauthenticated::Login);
        sends && !self.is_audited()
    }

    /// Answers a request for one of the gate's own paths.
    #[inline(never)]
    pub(super) fn answer_own_path(mut self, browser: &'c Browser, path: OwnPath) -> Judgement {
        if self.known.is_check {
            // No rule is about them. Above all, a check of a check of a check has an end.
            return Verdict::Answer(status(200), "jotgate_check").into();
        }
        if let Some(allowed) = path.refuses(self.request.method()) {
            return self.end(Verdict::Answer(method_not_allowed(allowed), "jotgate_method"));
        }
        match path {
            OwnPath::Callback => self.finish_login(browser),
            OwnPath::Check => self.check(),
            OwnPath::Login => self.log_in(browser),
            OwnPath::Logout => self.log_out(browser),
            OwnPath::Session => {
                let entry = self.find_session();
                self.session = None;
                let reply = self.describe(browser, entry.as_deref());
                self.end(Verdict::Answer(reply, "jotgate_session"))
            }
        }
    }

    /// A login that somebody asks for.
    fn log_in(mut self, browser: &'c Browser) -> Judgement {
        let role = RoleAsked::read(browser, self.request).filter(|_| self.policy.upstream.has_roles());
        if role.is_none() && self.request.method() == b"POST" {
            return self.end(Verdict::Answer(method_not_allowed("GET, HEAD"), "jotgate_method"));
        }
        // Without a session, too: nobody but the user begins a login by a form.
        if self.request.method() == b"POST" && self.is_cross_site() {
            return self.end(Verdict::Refuse(Reason::CrossSiteRequest.into()));
        }
        let asked = Asked::read(browser, self.request);
        let entry = if asked.wanted.asks_again { None } else { self.find_session() };
        if let Some(entry) = entry.filter(|entry| !is_over(entry, self.known)) {
            if let Some(role) = role {
                return self.choose_role(browser, &role, &entry);
            }
            self.session = None;
            return self.end(Verdict::Answer(see(asked.wanted.return_to.as_str()), "jotgate_login"));
        }
        self.session = None;
        let Some(login) = asked.login else {
            let reply = asked.choose(browser);
            return self.end(Verdict::Answer(reply, "jotgate_login"));
        };
        self.start_login(browser, login, &asked.wanted)
    }

    /// Sends the browser to its provider.
    fn start_login(mut self, browser: &'c Browser, login: usize, wanted: &Wanted) -> Judgement {
        self.trail.login(login);
        let started = self.exchange(browser, login).and_then(|exchange| exchange.start(self.request, wanted));
        match started {
            Ok(reply) => {
                self.events.push(Event::Count(Metric::LoginsStarted));
                self.end(Verdict::Turn(Box::new((reply, Reason::LoginRedirect.into()))))
            }
            Err(stop) => self.stop_login(browser, stop, &wanted.return_to),
        }
    }

    /// A browser is back from its provider.
    fn finish_login(mut self, browser: &'c Browser) -> Judgement {
        let known = self.known;
        let returned = match Returned::read(browser, self.request, known.verification.now) {
            Ok(returned) => returned,
            // Of an earlier attempt, or somebody else's: who is logged in stays so.
            Err(_) if self.find_session().is_some() => {
                self.session = None;
                return self.end(Verdict::Answer(see("/"), "jotgate_login"));
            }
            Err(failed) => return self.stop_login(browser, failed.into(), &ReturnTo::default()),
        };
        let pending = returned.pending();
        let (login, return_to, subject) = (pending.login, pending.return_to.clone(), Subject::Flow(pending.flow));
        let finished = self.exchange(browser, login).and_then(|exchange| exchange.finish(self.request, returned));
        match finished {
            Ok(reply) => {
                self.events.push(Event::Forget(subject));
                self.events.push(Event::Count(Metric::LoginsSucceeded));
                self.end(Verdict::Answer(reply, "jotgate_login"))
            }
            Err(stop) => {
                if matches!(stop, Stop::Failed(_)) {
                    self.events.push(Event::Forget(subject));
                }
                self.stop_login(browser, stop, &return_to)
            }
        }
    }

    fn exchange(&self, browser: &'c Browser, login: usize) -> Result<Exchange<'c>, Stop> {
        let known = self.known;
        let exchange = Exchange::new(browser, login, known.verification, known.random, known.answers, known.kept);
        exchange.ok_or_else(|| Failed::new(LoginFailure::State, "there is no such login").into())
    }

    /// A login that does not go on, or not yet.
    pub(super) fn stop_login(mut self, browser: &Browser, stop: Stop, return_to: &ReturnTo) -> Judgement {
        let (lacking, failed) = match stop {
            Stop::Needs(question) => {
                // It is decided anew, and what is counted then is counted once.
                self.events.retain(|event| !matches!(event, Event::Count(_)));
                let failed =
                    Failed::new(LoginFailure::Unavailable, "too many requests wait, or too many are under way");
                (Some(Verdict::NeedsAnswer(question)), failed)
            }
            Stop::NeedsKeys { issuer } => {
                let failed = Failed::new(LoginFailure::Unavailable, "the issuer of the ID token has no usable keys");
                (Some(Verdict::NeedsKeys { issuer }), failed)
            }
            Stop::NeedsNewKeys { issuer, reason } => {
                let failed = Failed::new(LoginFailure::IdToken, reason.detail());
                (Some(Verdict::NeedsNewKeys { issuer, reason }), failed)
            }
            Stop::Failed(failed) => (None, failed),
        };
        let reply = login_failed(browser, self.request, &failed, return_to);
        let events =
            [Event::Count(Metric::LoginsFailed(failed.cause)), Event::Log(format!("login failed: {}", failed.words))];
        let Some(verdict) = lacking else {
            self.events.extend(events);
            return self.end(Verdict::Turn(Box::new((reply, Reason::LoginFailed.into()))));
        };
        let failure = Some(Box::new(FailedLogin { reply, events: events.into() }));
        Judgement { failure, ..self.end(verdict) }
    }

    fn log_out(mut self, browser: &'c Browser) -> Judgement {
        let paths = &browser.session.paths;
        match self.request.method() {
            // In audit mode, too: no upstream has this path.
            b"POST" if self.is_cross_site() => return self.end(Verdict::Refuse(Reason::CrossSiteRequest.into())),
            b"POST" => {}
            _ if is_own_navigation(self.request) => {}
            _ => return self.end(Verdict::Answer(log_out(&paths.logout), "jotgate_logout")),
        }
        let Some(entry) = self.found(browser).entry else {
            let reply = logged_out(browser, self.request, None);
            return self.end(Verdict::Answer(reply, "jotgate_logout"));
        };
        let Some(open) = &entry.session else { return self.end(Verdict::Answer(see("/"), "jotgate_logout")) };
        // Another tab may have had it renewed, and a refresh token is good once.
        let status = self.known.refreshes.status(&open.session.id);
        let newest = status.successor(open.session.generation).and_then(|entry| entry.session.as_ref());
        let session = &newest.unwrap_or(open).session;
        let exchange = match self.exchange(browser, session.login) {
            Ok(exchange) => exchange,
            Err(stop) => return self.stop_login(browser, stop, &ReturnTo::default()),
        };
        let provider = match exchange.provider() {
            Err(Stop::Needs(question)) => return self.end(Verdict::NeedsAnswer(question)),
            provider => provider.ok(),
        };
        let uri = provider.as_ref().and_then(|provider| exchange.end_session_uri(self.request, session, provider));
        let question = provider.as_ref().and_then(|provider| exchange.revocation(session, provider));
        self.events.extend(question.map(|question| Event::Ask(Box::new(question))));
        self.events.push(Event::LoggedOut(session.login, session.id));
        self.events.push(Event::Count(Metric::SessionsEnded(SessionEnd::Logout)));
        let reply = logged_out(browser, self.request, uri.as_ref());
        self.end(Verdict::Answer(reply, "jotgate_logout"))
    }

    /// Says what a rule would say, or whether somebody is logged in.
    fn check(mut self) -> Judgement {
        let Some((method, path)) = self.request.query().and_then(asked_request) else {
            let answer = match self.find_caller() {
                Err(verdict @ (Verdict::NeedsAnswer(_) | Verdict::NeedsKeys { .. })) => return self.end(verdict),
                Err(Verdict::Refuse(refusal)) if refusal.reason.status() == 503 => {
                    return self.end(Verdict::Refuse(refusal));
                }
                found => status(if matches!(found, Ok(Some(_))) { 200 } else { 401 }),
            };
            self.session = None;
            self.events.clear();
            return self.end(Verdict::Answer(answer, "jotgate_check"));
        };
        let asked = self.request.with_method(method.as_bytes()).with_path(path.as_bytes());
        let known = Known { is_check: true, ..*self.known };
        let judgement = decide(&asked, &known, self.cache, &mut Facts::default());
        let answer = match judgement {
            Judgement { audited: Some(_), .. }
            | Judgement { verdict: Verdict::Answer(..) | Verdict::Forward(_), .. } => 200,
            Judgement {
                verdict: verdict @ (Verdict::NeedsAnswer(_) | Verdict::NeedsKeys { .. } | Verdict::NeedsUnusedProof(_)),
                ..
            } => {
                return self.end(verdict);
            }
            Judgement { verdict: Verdict::Refuse(refusal), .. } if refusal.reason.status() == 503 => {
                return self.end(Verdict::Refuse(refusal));
            }
            Judgement { verdict: Verdict::Refuse(refusal), .. } if refusal.reason.status() != 401 => 403,
            Judgement { .. } => 401,
        };
        self.end(Verdict::Answer(status(answer), "jotgate_check"))
    }

    fn bounce(mut self, entry: &Entry) -> Judgement {
        let id = entry.session.as_ref().map(|open| open.session.id);
        self.events.extend(id.map(Event::Bounced));
        let here =
            self.policy.browser.as_ref().map(|browser| Destinations::from(&browser.session).of_request(self.request));
        let reply = see(here.unwrap_or_default().as_str());
        self.end(Verdict::Turn(Box::new((reply, Reason::LoginRedirect.into()))))
    }

    fn found(&mut self, browser: &Browser) -> Found {
        find(browser, self.request, self.policy, self.cache)
    }

    /// What the session of the request is good for.
    fn session_of(&mut self, browser: &'c Browser) -> Worth {
        let Found { entry: Some(entry), present } = self.found(browser) else { return Worth::None };
        let Some(open) = entry.session.clone() else { return Worth::None };
        self.trail.known(&entry);
        let generation = open.session.generation;
        let status = self.known.refreshes.status(&open.session.id);
        let (entry, open) = match status.successor(generation) {
            Some(successor) => {
                let Some(open) = successor.session.clone() else { return Worth::None };
                (Arc::clone(successor), open)
            }
            None => (entry, open),
        };
        let now = self.known.verification.now;
        let is_newer = open.session.generation > generation;
        let usage = |seals: Option<Timestamp>, may_renew: bool| {
            let request = self.request;
            let is_upgrade = request.is_upgrade() || request.method() == b"CONNECT";
            Box::new(SessionUse {
                entry: Arc::clone(&entry),
                generation,
                present,
                seals,
                may_renew: may_renew || is_newer,
                is_upgrade,
            })
        };
        let Some(kept) = self.known.kept.get(open.session.login) else {
            return Worth::None;
        };
        let bounds = Bounds::of_login(self.policy, browser, open.session.login);
        let (session, digest) = (&open.session, kept.digest());
        // Where its claims cannot be fetched, its browser stays one that was seen.
        let needs_seal = bounds.needs_seal(session, open.has_old_seal, now);
        let seals = needs_seal.then(|| bounds.seals_until(session, now));
        match bounds.standing(session, digest, open.has_old_seal, now) {
            Standing::Good => Worth::Good(usage(None, false)),
            Standing::GoodButSeal => Worth::Good(usage(seals, false)),
            Standing::RefreshDue if status.is_ended(open.session.generation) => {
                match !status.was_bounced() && Asker::of(self.request) == Asker::Navigation {
                    true => Worth::Bounce(usage(None, false)),
                    false => Worth::Good(usage(None, false)),
                }
            }
            Standing::RefreshDue => {
                self.events.push(Event::Refresh(Arc::clone(&entry)));
                Worth::Good(usage(seals, true))
            }
            Standing::RefreshNeeded if status.is_ended(open.session.generation) => Worth::Over(SessionEnd::Revoked),
            Standing::RefreshNeeded
                if status.has_failed(open.session.generation) && bounds.outlasts_outage(session, digest, now) =>
            {
                self.events.push(Event::Refresh(Arc::clone(&entry)));
                Worth::Good(usage(seals, true))
            }
            Standing::RefreshNeeded
                if status.is_backing_off(open.session.generation, self.known.verification.steady) =>
            {
                Worth::Over(SessionEnd::Outage)
            }
            Standing::RefreshNeeded => Worth::Stale(entry),
            Standing::Over(end) => {
                self.trail.session_over();
                Worth::Over(end)
            }
        }
    }

    /// What pages may know of a session.
    fn describe(&self, browser: &Browser, entry: Option<&Entry>) -> Reply {
        let paths = &browser.session.paths;
        let session = entry.and_then(|entry| Some((entry.principal.subject()?, &entry.session.as_ref()?.session)));
        let Some((subject, session)) = session else { return info(None, paths) };
        let document = Document::parse(session.claims.as_bytes()).ok();
        let text = |name| document.as_ref().and_then(|document| document.root().get(name)?.as_str());
        let end = Bounds::of_login(self.policy, browser, session.login).ends_at(session);
        let expires_in = end.since(self.known.verification.now);
        info(Some(LoggedIn { subject, name: text("name"), email: text("email"), expires_in }), paths)
    }
}
