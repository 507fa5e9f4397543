//! The role in which a user works, where credentials for the upstream are of one.

use std::sync::Arc;

use crate::answer::Refusal;
use crate::callers::Entry;
use crate::decision::Evaluation;
use crate::login::{Asker, Destinations, Failed, ReturnTo, RoleAsked, Stop, is_own_navigation, role_page, see};
use crate::policy::Browser;
use crate::report::Reason;
use crate::sessions::{SessionCookies, open};
use crate::trail::Trail;
use crate::upstream::role_names;
use crate::verdict::{Event, Judgement, Verdict};

impl<T: Trail> Evaluation<'_, T> {
    /// A request whose user has to choose a role first: a browser is sent to the page for it.
    pub(super) fn needs_role(&self) -> Verdict {
        let refusal = Refusal::from(Reason::UpstreamCredentialDenied);
        let Some(browser) = self.policy.browser.as_ref().filter(|_| self.sends_to_login()) else {
            return Verdict::Refuse(refusal);
        };
        let public_url = &browser.session.public_url;
        let destinations = Destinations::from(&browser.session);
        let is_there = public_url.is_host_of(self.request);
        let origin = if is_there { "" } else { public_url.as_str() };
        let page = |return_to: &ReturnTo| [origin, &role_page(browser, return_to)].concat();
        let may_return = is_there || destinations.is_on_allowed(self.request);
        match Asker::of(self.request) {
            Asker::Navigation if may_return => {
                let reply = see(&page(&destinations.of_request(self.request)));
                Verdict::Turn(Box::new((reply, Reason::LoginRedirect.into())))
            }
            _ => Verdict::Refuse(Refusal { login: Some(page(&ReturnTo::default()).into()), ..refusal }),
        }
    }

    /// A role that the user of `entry` asks for, or asks to choose.
    pub(super) fn choose_role(mut self, browser: &Browser, asked: &RoleAsked, entry: &Entry) -> Judgement {
        let names = role_names(&self.policy.upstream, &entry.principal, self.policy.scope_match);
        let is_theirs = asked.name.as_deref().is_none_or(|name| names.contains(&name));
        if names.is_empty() || !is_theirs {
            return self.end(Verdict::Refuse(Reason::UpstreamCredentialDenied.into()));
        }
        // A POST of another site has come to its end before.
        let is_own = self.request.method() == b"POST" || is_own_navigation(self.request);
        let Some(name) = asked.name.clone().filter(|_| is_own) else {
            let reply = asked.choose(browser, &names);
            return self.end(Verdict::Answer(reply, "jotgate_role"));
        };
        match self.with_role(browser, entry, name) {
            Ok(lines) => {
                let mut reply = see(asked.return_to.as_str());
                reply.headers.extend(lines.into_iter().map(|line| ("set-cookie", line)));
                self.end(Verdict::Answer(reply, "jotgate_role"))
            }
            Err(stop) => self.stop_login(browser, stop, &asked.return_to),
        }
    }

    /// The cookies of the session of `entry` in that role. It is the same session: nothing else in it changes.
    fn with_role(&mut self, browser: &Browser, entry: &Entry, name: String) -> Result<Vec<String>, Stop> {
        let present = self.session.take().map(|usage| usage.present).unwrap_or_default();
        let Some(opened) = &entry.session else { return Ok(Vec::new()) };
        let now = self.known.verification.now;
        let mut session = opened.session.clone();
        (session.role, session.last_seen) = (Some(name), now);
        let cookies = SessionCookies::new(&browser.session);
        let text = cookies.seal(&session, self.known.random).map_err(Failed::from)?;
        let entry = open(text.as_bytes(), browser, self.policy);
        self.events.extend(entry.ok().map(|entry| Event::RoleChosen(Arc::new(entry))));
        Ok(cookies.set(&text, &session, now, &present))
    }
}
