//! What is promised to people and operators, held against what happens.

use std::time::Duration;

use super::issuer::{BACK_OFF, Grant, SECRET_WORDS, TIMEOUT, subject};
use super::people::{Person, Sent, grant_of, open};
use super::setup::{MINUTE, Rotation, SECOND, SKEW};
use super::simulation::{Happening, Simulation};
use crate::browser::Browser;
use crate::fleet::Vm;
use gate::Timestamp;

/// How long successors are shared.
const SHARED: Duration = MINUTE;
/// How far the clocks of the world may be apart, and what cutting off parts of seconds makes of it.
const APART: Duration = Duration::from_secs(8);
/// How long a request with an old session may keep VMs busy: a lease that nobody ends, and the refresh after it.
const LONGEST_REFRESH: Duration = Duration::from_secs(50);
/// How many entries of sessions there are in the shared data, and how large one may be.
const MOST_ENTRIES: usize = 512;
const MOST_OCTETS: usize = 34 << 10;

/// What a violation is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Promise {
    /// A browser's last cookie opens, while its session is within its bounds.
    LastCookieOpens,
    /// There are never two refreshes of one session generation in one proxy.
    OneRefresh,
    /// Nobody is logged out while the issuer would say yes.
    StaysIn,
    /// No session outlives its bounds.
    Bounds,
    /// Shared data stays within its size, and is no clear text.
    SharedData,
    /// Once the faults have stopped, all are in again, with one login at most.
    Recovery,
}

/// A session as a browser has it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) grant: usize,
    /// The secret that it was sealed with.
    pub(super) secret: usize,
    /// When it says that it was last used, by a clock of the world.
    last_seen: Timestamp,
    /// When its claims were fetched.
    claims_at: Timestamp,
}

/// A login.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// By the clock of the proxy that made it.
    pub(super) created: Timestamp,
    /// When it was last used, and when it was when that was last recorded.
    pub(super) used: Timestamp,
}

impl Simulation {
    /// A session that no browser had before.
    pub(super) fn learn(&mut self, text: String, browser: &Browser, vm: Vm) -> Option<usize> {
        if let Some(known) = self.texts.get(&text) {
            return Some(known.grant);
        }
        let Some((grant, secret)) = open(&mut self.oracles, browser, self.fleet.now.after(SECOND)) else {
            self.fail(Promise::LastCookieOpens, format!("{vm:?} gives a cookie that does not open"));
            return None;
        };
        let is_first = self.texts.values().all(|text| text.grant != grant);
        let found = &self.issuer.grants[grant];
        let claims_at = found.delivered.unwrap_or(found.at);
        let last_seen = if is_first { claims_at } else { self.fleet.now };
        if found.parent.is_none() && is_first {
            let created = self.fleet.clock(vm.proxy);
            self.logins.insert(grant, Login { created, used: self.fleet.now });
        }
        self.note(|| format!("the cookie is of grant {grant}, secret {secret}"));
        self.texts.insert(text, Text { grant, secret, last_seen, claims_at });
        Some(grant)
    }

    /// A refresh is asked for.
    pub(super) fn check_refresh(&mut self, vm: Vm, token: &str) {
        if let Some((other, _)) = self.refreshing.iter().find(|(by, asked)| by.proxy == vm.proxy && asked == token) {
            let words = format!("{vm:?} asks with {token} while {other:?} does");
            return self.fail(Promise::OneRefresh, words);
        }
        // Without rotation it is the token of the next generation as well.
        let renewed =
            self.renewed.get(&(vm.proxy, token.to_string())).filter(|_| self.setup.rotation != Rotation::Never);
        let is_shared = |(at, grant): &&(Timestamp, usize)| {
            self.fleet.now.since(*at) < SHARED.saturating_sub(APART) && self.issuer.grants[*grant].is_checked
        };
        if let Some((at, _)) = renewed.filter(is_shared) {
            let words =
                format!("{vm:?} asks with {token} again, {:?} after it was answered", self.fleet.now.since(*at));
            self.fail(Promise::OneRefresh, words);
        }
    }

    /// The issuer has seen refresh tokens that were used before.
    pub(super) fn check_reuses(&mut self) {
        for reuse in std::mem::take(&mut self.issuer.reuses) {
            let successor = &self.issuer.grants[reuse.successor];
            let Grant { session, asked_by, delivered, is_checked, .. } = *successor;
            self.note(|| format!("{:?} uses grant {} again: session {session} is over", reuse.by, reuse.grant));
            let proxy = reuse.by.proxy;
            let is_other_proxy = asked_by.proxy != proxy;
            let was_shared = delivered.filter(|at| *at >= self.fleet.proxies[proxy].own.started);
            let (Some(delivered), false) = (was_shared, is_other_proxy) else { continue };
            let person = &self.people[self.issuer.families[&session].person];
            // Requests that were sent before that, with the older one, may still be under way.
            let has_newer = person.received.iter().any(|(grant, since)| {
                since.after(LONGEST_REFRESH) < self.fleet.now && self.issuer.follows(*grant, reuse.successor)
            });
            let is_late = self.fleet.now.since(delivered) >= SHARED.saturating_sub(APART);
            if has_newer || !is_late && is_checked {
                let words = format!("{reuse:?} ends the session, though its successor was there");
                self.fail(Promise::StaysIn, words);
            }
        }
    }

    /// A request passes.
    pub(super) fn check_forwarded(&mut self, sent: &Sent, authorization: &[String], user: &[String]) {
        let (Some(text), Some(shown)) = (sent.text.as_ref(), grant_of(authorization)) else {
            return self.fail(Promise::Bounds, format!("passes without a session: {sent:?}"));
        };
        let Some(text) = self.texts.get(text).cloned() else {
            return self.fail(Promise::Bounds, format!("passes with a session that nobody gave: {sent:?}"));
        };
        let grant = self.issuer.grants[shown].clone();
        let session = self.issuer.grants[text.grant].session;
        if grant.session != session || user != [subject(session)] {
            return self.fail(Promise::Bounds, format!("passes as somebody else: {sent:?}"));
        }
        let now = self.fleet.clock(sent.vm.proxy);
        let Some(Login { created, used }) = self.logins.get(&session).cloned() else { return };
        let not_before = self.fleet.proxies[sent.vm.proxy].machines[sent.vm.index].own.not_before;
        let setup = &self.setup;
        let unused = self.fleet.now.since(used);
        let has_fault = self.last_fault.after(BACK_OFF) >= grant.at;
        let most = [setup.refresh_after * 2, if has_fault { setup.outage } else { Duration::ZERO }];
        let too_old = grant.delivered.unwrap_or(grant.at).after(most[0]).after(APART).after(TIMEOUT);
        let too_old =
            grant.expiry.map_or(too_old, |expiry| too_old.min(expiry.after(SKEW).after(APART))).after(most[1]);
        let broken = if now.since(created) > setup.lifetime + SECOND {
            Some(format!("lifetime: {:?}", now.since(created)))
        } else if not_before.is_some_and(|not_before| created.after(SECOND) < not_before) {
            Some(String::from("notBefore"))
        } else if setup.idle.is_some_and(|idle| unused > idle + APART) {
            Some(format!("idle: {unused:?}"))
        } else if now > too_old {
            Some(format!("age of claims: {:?}", now.since(grant.at)))
        } else {
            None
        };
        if let Some(words) = broken {
            return self.fail(Promise::Bounds, format!("{words}, of session {session} at {:?}", sent.vm));
        }
        if let Some(login) = self.logins.get_mut(&session) {
            login.used = self.fleet.now;
        }
    }

    /// A request is answered as if it had no session.
    pub(super) fn check_denied(&mut self, sent: &Sent) {
        let Some(text) = sent.text.as_ref().and_then(|text| self.texts.get(text)).cloned() else { return };
        if let Some((promise, words)) = self.unfounded(sent, &text) {
            let session = self.issuer.grants[text.grant].session;
            self.fail(promise, format!("{words}: session {session}, grant {}, at {:?}", text.grant, sent.vm));
        }
    }

    /// Why a session should not have been denied.
    fn unfounded(&self, sent: &Sent, text: &Text) -> Option<(Promise, String)> {
        let setup = &self.setup;
        let machine = &self.fleet.proxies[sent.vm.proxy].machines[sent.vm.index];
        let person = &self.people[sent.person];
        let session = self.issuer.grants[text.grant].session;
        let login = self.logins.get(&session)?;
        let now = self.fleet.clock(sent.vm.proxy).after(SECOND);
        let is_over = now.since(login.created) >= setup.lifetime
            || machine.own.not_before.is_some_and(|not_before| login.created < not_before.after(SECOND));
        if is_over {
            return None;
        }
        if let Some(idle) = setup.idle.filter(|idle| now.after(APART).since(text.last_seen) >= *idle) {
            // What is recorded is at most a quarter of `idle` older than what was.
            let is_unused = person.served.is_none_or(|served| self.fleet.now.since(served) + APART >= idle * 3 / 4);
            let words =
                || format!("idle, though it was used {:?} ago", person.served.map(|at| self.fleet.now.since(at)));
            let says_yes = self.issuer.would_renew(text.grant, self.fleet.now);
            return (!is_unused && says_yes).then(|| (Promise::StaysIn, words()));
        }
        if !machine.own.secrets.contains(&text.secret) {
            let is_excused = person.served_with_newest < 2;
            return (!is_excused).then(|| (Promise::LastCookieOpens, String::from("its secret is gone")));
        }
        // What the proxy may know of: the newest that it made, unless it has forgotten it.
        let known = self.issuer.grants.iter().enumerate().filter(|(number, grant)| {
            let is_shared = grant.delivered.is_some_and(|at| at.after(SHARED.saturating_sub(APART)) > self.fleet.now);
            grant.asked_by.proxy == sent.vm.proxy
                && is_shared
                && grant.is_checked
                && grant.at >= self.fleet.proxies[sent.vm.proxy].own.started
                && self.issuer.follows(*number, text.grant)
        });
        let newest = known.map(|(number, _)| number).max();
        let best = newest.unwrap_or(text.grant);
        let says_yes = self.issuer.would_renew(best, self.fleet.now);
        let claims_at = newest.and_then(|newest| self.issuer.grants[newest].delivered).unwrap_or(text.claims_at);
        let too_old = claims_at.after(setup.refresh_after * 2);
        let too_old = self.issuer.grants[best].expiry.map_or(too_old, |expiry| expiry.after(SKEW).min(too_old));
        let too_old = |more: Duration| now.after(APART) >= too_old.after(more);
        if !too_old(Duration::ZERO) {
            return Some((Promise::LastCookieOpens, String::from("denied, though its claims are fresh")));
        }
        let is_outage = too_old(setup.outage) && self.last_fault.after(BACK_OFF) >= self.fleet.now;
        let words = || format!("denied, though the issuer would renew {best}");
        (says_yes && !is_outage).then(|| (Promise::StaysIn, words()))
    }

    /// No answer to a script deletes a session.
    pub(super) fn check_deletion(&mut self, sent: &Sent, before: &Browser, after: &Browser) {
        let count = |browser: &Browser| browser.cookies.keys().filter(|name| !name.ends_with("-login")).count();
        if count(before) > 0 && count(after) == 0 {
            self.fail(Promise::LastCookieOpens, format!("a cookie is deleted: {sent:?}"));
        }
    }

    /// A browser is sent to come again: once by each VM, at most.
    pub(super) fn check_bounce(&mut self, sent: &Sent, is_bounce: bool) {
        let most = self.fleet.proxies.iter().map(|proxy| proxy.machines.len()).sum::<usize>();
        let person = &mut self.people[sent.person];
        person.bounces = if is_bounce { person.bounces + 1 } else { 0 };
        if person.bounces > most {
            self.fail(Promise::LastCookieOpens, format!("it is sent around: {sent:?}"));
        }
    }

    /// What stands in the shared data.
    pub(super) fn check_shared(&mut self) {
        let most = MOST_ENTRIES;
        let mut found = None;
        for (number, proxy) in self.fleet.proxies.iter().enumerate() {
            let stored = proxy.store.stored();
            let entries: Vec<_> = stored.values.iter().filter(|(name, _)| name.contains("session")).collect();
            if entries.len() > most {
                found = Some(format!("there are {} entries in proxy {number}", entries.len()));
            }
            for (name, value) in &stored.values {
                let is_clear = |word: &&&str| contains(&value.bytes, word.as_bytes());
                if value.bytes.len() > MOST_OCTETS && name.contains("session") {
                    found = Some(format!("`{name}` has {} octets", value.bytes.len()));
                }
                if let Some(word) = SECRET_WORDS.iter().find(is_clear) {
                    found = Some(format!("`{name}` has `{word}…` in the clear"));
                }
            }
        }
        if let Some(words) = found {
            self.fail(Promise::SharedData, words);
        }
    }

    /// Nothing goes wrong any more: all get in, and stay.
    pub(super) fn recover(&mut self) {
        self.calm_down();
        let until = self.fleet.now.after(12 * MINUTE);
        let logs_in_often = |person: &Person| person.logins_in_calm > 1;
        while self.fleet.now < until && !self.record.is_broken() && !self.people.iter().any(logs_in_often) {
            for person in 0..self.people.len() {
                self.fleet.later(Duration::ZERO, Happening::Go { person, path: String::from("/app") });
            }
            let by = self.random.duration(5 * SECOND, 25 * SECOND);
            self.advance(by);
        }
        let late: Vec<_> = (0..self.people.len()).filter(|&person| !self.is_well(person)).collect();
        if !late.is_empty() {
            let counts: Vec<_> = late.iter().map(|&person| self.people[person].logins_in_calm).collect();
            self.fail(Promise::Recovery, format!("{late:?} are out, or logged in so often: {counts:?}"));
        }
    }

    fn is_well(&self, person: usize) -> bool {
        let person = &self.people[person];
        person.is_in && person.logins_in_calm <= 1
    }
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}
