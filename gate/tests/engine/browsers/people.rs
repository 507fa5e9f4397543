//! People at their browsers: they send requests, several at once, log in where they have to, and lose patience.

use std::collections::BTreeMap;
use std::time::Duration;

use super::issuer::back;
use super::setup::{Mutant, authorize};
use super::simulation::{Happening, Simulation};
use crate::browser::{Browser, start, status};
use crate::fleet::Vm;
use crate::support::{Outcome, World};
use gate::Timestamp;

const COOKIE: &str = "__Host-jotgate";
const NAVIGATION: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "none")];
const SCRIPT: [(&str, &str); 3] =
    [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")];

/// A person, and their browser.
#[derive(Debug)]
pub(super) struct Person {
    /// The proxy that they are connected to, mostly.
    pub(super) proxy: usize,
    pub(super) browser: Browser,
    /// The grants whose sessions the browser was given, and since when it has them.
    pub(super) received: BTreeMap<usize, Timestamp>,
    /// When the browser last sent a request whose response it got, and could have brought a cookie.
    pub(super) served: Option<Timestamp>,
    /// How many of those there were since a new secret seals.
    pub(super) served_with_newest: usize,
    /// How often in a row they were sent to come again.
    pub(super) bounces: usize,
    /// How often they had to log in since the faults stopped.
    pub(super) logins_in_calm: usize,
    pub(super) is_in: bool,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) vm: Vm,
    pub(super) id: u64,
    pub(super) person: usize,
    pub(super) is_navigation: bool,
    pub(super) path: String,
    /// The session that it came with.
    pub(super) text: Option<String>,
    pub(super) at: Timestamp,
    /// Whether what comes back gets to the browser.
    pub(super) is_lost: bool,
}

impl Person {
    pub(super) fn new(proxy: usize) -> Self {
        Self {
            proxy,
            browser: Browser::default(),
            received: BTreeMap::new(),
            served: None,
            served_with_newest: 0,
            bounces: 0,
            logins_in_calm: 0,
            is_in: false,
        }
    }

    /// The session that the browser has.
    pub(super) fn text(&self) -> Option<String> {
        text_in(&self.browser)
    }
}

fn text_in(browser: &Browser) -> Option<String> {
    let first = browser.cookies.get(COOKIE)?;
    Some([first.as_str(), browser.cookies.get(&format!("{COOKIE}.1")).map_or("", String::as_str)].concat())
}

impl Simulation {
    /// A person goes to a page, by the proxy that they are connected to.
    pub(super) fn navigate(&mut self, person: usize, path: &str) {
        let proxy = self.people[person].proxy;
        let index = self.any_vm(proxy);
        self.send(person, (proxy, index), true, path);
    }

    pub(super) fn send(&mut self, person: usize, (proxy, index): (usize, usize), is_navigation: bool, path: &str) {
        let vm = self.fleet.vm(proxy, index);
        let browser = self.people[person].browser.clone();
        let headers = if is_navigation { NAVIGATION } else { SCRIPT };
        let world = &mut self.fleet.proxies[proxy].machines[index].world;
        let outcome = browser.send(world, "GET", path, &headers);
        let id = world.last();
        let is_lost = !self.is_calm && self.random.once_in(25);
        let text = text_in(&browser);
        let sent = Sent { vm, id, person, is_navigation, path: path.into(), text, at: self.fleet.now, is_lost };
        self.decided(sent, outcome);
        self.settle();
    }

    pub(super) fn decided(&mut self, sent: Sent, outcome: Outcome) {
        let page = sent.path.split('?').next().unwrap_or_default();
        let (person, vm, is_lost) = (sent.person, sent.vm, sent.is_lost);
        let grant = sent.text.as_ref().and_then(|text| self.texts.get(text)).map(|text| text.grant);
        let kind = if sent.is_navigation { "goes to" } else { "fetches" };
        let found = (status(&outcome), outcome_word(&outcome));
        self.note(|| format!("{person} {kind} {page} at {vm:?}, has {grant:?}: {found:?}, lost: {is_lost}"));
        match outcome {
            Outcome::Waiting => {
                self.waiting.insert((sent.vm, sent.id), sent);
            }
            Outcome::Forwarded(_) => {
                self.check_forwarded(&sent, &outcome.seen("authorization"), &outcome.seen("x-auth-request-user"));
                let latency = match self.random.below(8) {
                    0 if !self.is_calm => self.random.duration(Duration::from_secs(1), Duration::from_secs(100)),
                    _ => self.random.duration(Duration::ZERO, Duration::from_millis(300)),
                };
                self.fleet.later(latency, Happening::Respond { sent });
            }
            Outcome::Replied(_) => self.replied(&sent, &outcome),
        }
    }

    fn replied(&mut self, sent: &Sent, outcome: &Outcome) {
        if let Some(machine) = self.fleet.machine(sent.vm) {
            machine.world.cancel(sent.id);
        }
        let location = outcome.header("location").unwrap_or_default().to_string();
        let is_to_issuer = location.starts_with(&authorize());
        let is_denied = is_to_issuer || (status(outcome) == 401 && !sent.is_navigation);
        if is_denied {
            self.check_denied(sent);
        }
        let Outcome::Replied(reply) = outcome else { return };
        let lines = reply.headers.iter().filter(|(name, _)| *name == "set-cookie");
        let lines: Vec<_> = lines.map(|(_, line)| line.clone()).collect();
        if sent.is_lost {
            return;
        }
        self.deliver(sent, &lines);
        let person = sent.person;
        let pause = self.random.duration(Duration::from_millis(50), Duration::from_secs(3));
        let back_to = |path: String| Happening::Go { person, path };
        if is_to_issuer {
            self.people[person].is_in = false;
            self.people[person].logins_in_calm += usize::from(self.is_calm);
            let query = start(outcome);
            let code = self.issuer.agree(person, &query["nonce"]);
            self.fleet.later(pause, back_to(back(&code, &query["state"])));
        } else if status(outcome) == 303 {
            self.check_bounce(sent, !sent.path.contains("/callback"));
            self.fleet.later(Duration::from_millis(30), back_to(location));
        } else if is_denied || (sent.is_navigation && status(outcome) != 200) {
            // The page says so, or there is one to try again.
            self.people[person].is_in = false;
            self.fleet.later(pause, back_to(String::from("/app")));
        }
    }

    /// The upstream responds to a request that was forwarded.
    pub(super) fn respond(&mut self, sent: Sent) {
        let is_public = self.random.once_in(10);
        let Some(machine) = self.fleet.machine(sent.vm) else { return };
        let mut lines = vec![(":status", "200")];
        if is_public {
            lines.push(("cache-control", "public, max-age=60"));
        }
        machine.world.respond(sent.id, &lines);
        self.held.insert((sent.vm, sent.id), (sent, is_public));
    }

    /// Takes up the responses that go on to their clients. Says whether there were any.
    pub(super) fn release(&mut self) -> bool {
        let mut released = Vec::new();
        for &(vm, id) in self.held.keys() {
            let machine = &self.fleet.proxies[vm.proxy].machines[vm.index];
            released.extend(machine.world.response(id).map(|lines| ((vm, id), lines)));
        }
        for (key, lines) in &released {
            let Some((sent, is_public)) = self.held.remove(key) else { continue };
            if let Some(machine) = self.fleet.machine(sent.vm) {
                machine.world.cancel(sent.id);
            }
            self.responded(&sent, lines, is_public);
        }
        !released.is_empty()
    }

    fn responded(&mut self, sent: &Sent, lines: &[(String, String)], is_public: bool) {
        if sent.is_lost {
            return;
        }
        let lines = lines.iter().filter(|(name, _)| name == "set-cookie");
        let lines: Vec<_> = lines.map(|(_, line)| line.clone()).collect();
        if !lines.is_empty() {
            let person = sent.person;
            self.note(|| format!("{person} is given a cookie by {:?}", sent.vm));
        }
        self.deliver(sent, &lines);
        // A VM that has lost the secret meanwhile cannot seal the session anew.
        let secret = sent.text.as_ref().and_then(|text| self.texts.get(text)).map(|text| text.secret);
        let opens = secret.is_some_and(|secret| {
            self.fleet.proxies[sent.vm.proxy].machines[sent.vm.index].own.secrets.contains(&secret)
        });
        let person = &mut self.people[sent.person];
        person.is_in = true;
        person.bounces = 0;
        if !is_public && person.text() == sent.text || !lines.is_empty() {
            person.served = person.served.max(Some(sent.at));
            person.served_with_newest += usize::from(opens && sent.at >= self.secrets.seals_since);
        }
    }

    /// The browser gets cookies.
    fn deliver(&mut self, sent: &Sent, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let before = self.people[sent.person].browser.clone();
        let mut after = before.clone();
        for line in lines {
            after.set_cookie(line);
        }
        self.check_deletion(sent, &before, &after);
        if let Some(text) = text_in(&after).filter(|text| text_in(&before).as_ref() != Some(text)) {
            let grant = self.learn(text, &after, sent.vm);
            if let Some(grant) = grant {
                self.people[sent.person].received.entry(grant).or_insert(self.fleet.now);
            }
            let is_dropped = match self.setup.mutant {
                Some(Mutant::BrowsersDropCookies) => {
                    grant.is_some_and(|grant| self.issuer.grants[grant].parent.is_some())
                }
                Some(Mutant::NobodyStaysIn) if self.is_calm => {
                    self.people[sent.person].browser = Browser::default();
                    true
                }
                _ => false,
            };
            if is_dropped {
                return;
            }
        }
        self.people[sent.person].browser = after;
    }

    /// A request ends before its time, or its response gets lost on the way.
    pub(super) fn abort(&mut self) {
        let count = self.waiting.len();
        if count == 0 {
            return;
        }
        let index = self.random.below(count);
        let Some((&(vm, id), _)) = self.waiting.iter().nth(index) else { return };
        let sent = self.waiting.remove(&(vm, id));
        self.note(|| format!("a request at {vm:?} is aborted"));
        if let Some(machine) = self.fleet.machine(vm) {
            machine.world.cancel(id);
        }
        if let Some(sent) = sent.filter(|sent| sent.path.contains("/callback")) {
            // Who waits in vain for a login tries again.
            self.fleet.later(Duration::from_secs(2), Happening::Go { person: sent.person, path: String::from("/app") });
        }
        self.settle();
    }
}

/// What a session's text is, by those who can open it: the grant, and the secret.
pub(super) fn open(oracles: &mut [World], browser: &Browser, now: Timestamp) -> Option<(usize, usize)> {
    oracles.iter_mut().enumerate().find_map(|(secret, world)| {
        world.now = now;
        let mut outcome = browser.send(world, "GET", "/app", &SCRIPT);
        if matches!(outcome, Outcome::Waiting) {
            let id = world.last();
            while !world.resumed.contains_key(&id) {
                // It does without the issuer.
                world.fail();
            }
            outcome = world.resumed.remove(&id)?;
        }
        while !world.fetches.is_empty() {
            world.fail();
        }
        world.resumed.clear();
        match outcome {
            Outcome::Forwarded(_) => grant_of(&outcome.seen("authorization")).map(|grant| (grant, secret)),
            Outcome::Replied(_) | Outcome::Waiting => None,
        }
    })
}

/// The number of the grant whose access token this is.
pub(super) fn grant_of(authorization: &[String]) -> Option<usize> {
    authorization.first()?.strip_prefix("Bearer access-")?.split('-').next()?.parse().ok()
}

fn outcome_word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forwarded(_) => {
            grant_of(&outcome.seen("authorization")).map_or_else(String::new, |grant| format!("as {grant}"))
        }
        Outcome::Replied(_) => outcome.header("location").unwrap_or_default().chars().take(34).collect(),
        Outcome::Waiting => String::from("waits"),
    }
}
