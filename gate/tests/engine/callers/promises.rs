//! What is promised to callers, upstreams and operators, held against what happens.

use std::time::Duration;

use jose::base64url;

use super::clients::{Caller, PEOPLE, Sent};
use super::issuers::{Answer, Mood, Service, claims};
use super::setup::{LOOKUPS, Mutant, PATIENCE, SECOND, WAIT_FOR, WAITING};
use super::simulation::Simulation;
use crate::fleet::Vm;
use crate::support::{Fetch, Outcome};
use gate::Timestamp;

/// How long what came of a lookup counts, however short it is: those that wait for it get to use it.
const ANSWER_KEPT: Duration = SECOND;
/// How long after `exp` a JWT may be taken.
const SKEW: u64 = 60;
/// Entries of the shared data, and octets of one: of proofs, and of what sessions share.
const MOST_ENTRIES: usize = 1024 + 512;
const MOST_OCTETS: usize = 34 << 10;
/// What stands in tokens and keys that nobody else may read.
const SECRET_WORDS: [&str; 2] = ["0123456789abcdef", "wJalrXUtnFEMI"];

/// What a violation is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Promise {
    /// No token that is bound to a key is taken without a proof.
    Bound,
    /// No more lookups are under way, or requests waiting, than may be; nor is more shared, or anything in the clear.
    Bounds,
    /// Nobody gets the credential of another caller.
    Caller,
    /// No credential is used past its end.
    CredentialEnd,
    /// Each callout has a number of its own.
    Effects,
    /// A yes counts for the token that it is about, from the entry that was asked, and a lie for none.
    Entry,
    /// No yes counts past the `exp` of its token.
    Expiry,
    /// A yes counts for as long as `cacheFor` says, so a revoked token is gone by then.
    Fresh,
    /// For each token, one lookup is under way in a VM; a failing one is made again after a second at the earliest.
    OneLookup,
    /// A proof is taken once in a proxy.
    ProofOnce,
    /// Once the faults have stopped, everybody who should be is served.
    Recovery,
    /// What an issuer said stays in use while it fails, stalls or is flooded.
    StaysInUse,
    /// Who needs nobody's answer passes at once, whatever happens to others.
    Untouched,
    /// No request waits longer than `waitFor`.
    WaitFor,
}

impl Simulation {
    /// Whether a request has to pass at once: all that it needs is there.
    pub(super) fn is_certain(&self, sent: &Sent) -> bool {
        let proxy = sent.vm.proxy;
        let asks_nobody = matches!(sent.path, "/x" | "/signed");
        match sent.caller {
            Caller::Nobody => true,
            Caller::Jwt(index) => {
                asks_nobody && self.fleet.clock(proxy) < Timestamp::from_secs(self.clients.jwts[index].expires)
            }
            Caller::Opaque(index) => {
                asks_nobody && self.issuers.tokens[index].key.is_none() && self.is_known(sent.vm, index)
            }
            Caller::Proof(index) => {
                let proof = &self.clients.proofs[index];
                let taken = self.proofs_taken.get(&(proxy, index));
                let is_young = self.fleet.clock(proxy).since(proof.made) < 55 * SECOND;
                let races = self.fleet.proxies[proxy].store.stored().races;
                let is_known = proof.opaque.is_none_or(|index| self.is_known(sent.vm, index));
                is_young && is_known && !proof.is_forgotten && taken.is_none_or(Vec::is_empty) && races == 0
            }
            Caller::Person(_) | Caller::Unknown(_) => false,
        }
    }

    /// Whether a VM has a yes about a token that still counts.
    fn is_known(&self, vm: Vm, index: usize) -> bool {
        let token = &self.issuers.tokens[index];
        let is_good = token.expires.is_none_or(|end| self.fleet.clock(vm.proxy) < end);
        let known = self.known.get(&(vm, token.text.clone()));
        is_good && known.is_some_and(|(_, asked)| self.steady(vm.proxy) < asked.after(self.setup.cache_for))
    }

    /// A request waits.
    pub(super) fn check_may_wait(&mut self, sent: &Sent) {
        if sent.is_certain {
            self.fail_certain(sent, "waits");
        }
    }

    /// Nobody waits for too long, nor too many.
    pub(super) fn check_waiting(&mut self) {
        let now = self.fleet.now;
        if let Some(late) = self.waiting.values().find(|sent| now.since(sent.at) > WAIT_FOR) {
            let words = format!("{late:?} waits for {:?}", now.since(late.at));
            self.fail(Promise::WaitFor, words);
        }
    }

    /// A lookup begins.
    pub(super) fn check_lookup(&mut self, vm: Vm, service: Service, about: &str, fetch: &Fetch) {
        let steady = self.steady(vm.proxy);
        let is_one = self.setup.is(Mutant::OneVm);
        let is_here = |by: Vm| by == vm || is_one && by.proxy == vm.proxy;
        // A request that has waited long enough ends the lookup of a credential, for all who wait for it.
        let patience = if service.introspects() { PATIENCE } else { ANSWER_KEPT };
        let under_way = || self.lookups.iter().filter(|found| is_here(found.vm) && steady < found.at.after(patience));
        // Of an opaque token, each answer about it is another caller.
        let is_comparable = service != Service::Exchange || about.starts_with("ey");
        let twin = under_way().find(|found| found.service == service && found.about == about && is_comparable);
        let failed = self.failed.get(&(vm, service, about.to_string())).filter(|_| is_comparable);
        let most = under_way().filter(|found| found.vm == vm && found.service.introspects()).count();
        if let Some(twin) = twin {
            let words = format!("{vm:?} asks {:?} while {twin:?} is under way", fetch.id);
            self.fail(Promise::OneLookup, words);
        } else if failed.is_some_and(|at| steady < at.after(SECOND)) {
            self.fail(Promise::OneLookup, format!("{vm:?} asks {service:?} about {about} just after it failed"));
        } else if service.introspects() && most >= LOOKUPS {
            self.fail(Promise::Bounds, format!("{vm:?} has {most} lookups under way, and begins another"));
        }
    }

    /// A request passes.
    pub(super) fn check_forwarded(&mut self, sent: &Sent, outcome: &Outcome) {
        let one = |name| outcome.seen(name).first().cloned().unwrap_or_default();
        let (subject, number, authorization) = (one("x-sub"), one("x-answer"), one("authorization"));
        let token = match sent.caller {
            Caller::Nobody => return,
            Caller::Jwt(index) => self.check_jwt(sent, index, &subject),
            Caller::Opaque(index) if self.issuers.tokens[index].key.is_some() => {
                return self.fail(Promise::Bound, format!("passes without a proof: {sent:?}"));
            }
            Caller::Opaque(index) => self.check_introspected(sent, index, &subject, &number),
            Caller::Unknown(_) => return self.fail(Promise::Entry, format!("nobody issued it: {sent:?}")),
            Caller::Proof(index) => {
                if let Some(token) = self.clients.proofs[index].opaque {
                    self.check_introspected(sent, token, &subject, &number);
                }
                return self.check_proof(sent, index);
            }
            Caller::Person(person) => PEOPLE[person].0.to_string(),
        };
        match sent.path {
            "/exchange" => self.check_exchanged(sent, &token, &authorization),
            "/signed" => self.check_signed(sent, &subject, &authorization),
            "/eks" => self.check_cluster(sent, &authorization),
            _ => {}
        }
    }

    fn check_jwt(&mut self, sent: &Sent, index: usize, subject: &str) -> String {
        let jwt = self.clients.jwts[index].clone();
        if subject != jwt.subject {
            self.fail(Promise::Entry, format!("passes as {subject}: {sent:?}"));
        }
        if self.fleet.clock(sent.vm.proxy) >= Timestamp::from_secs(jwt.expires + SKEW) {
            self.fail(Promise::Expiry, format!("passes after its end: {sent:?}"));
        }
        jwt.text
    }

    fn check_introspected(&mut self, sent: &Sent, index: usize, subject: &str, number: &str) -> String {
        let token = self.issuers.tokens[index].clone();
        let answer = number.parse().ok().and_then(|number: usize| self.issuers.answers.get(number)).cloned();
        let is_own = |answer: &Answer| {
            answer.is_yes && answer.service == token.service && answer.about == token.text && subject == token.text
        };
        let Some(answer) = answer.filter(is_own) else {
            self.fail(Promise::Entry, format!("passes as {subject} by answer {number}: {sent:?}"));
            return token.text;
        };
        let now = self.fleet.now;
        let known = answer.delivered.unwrap_or(answer.asked);
        let end = answer.asked.after(self.setup.cache_for).max(known.after(ANSWER_KEPT));
        if now > end {
            let words = format!("passes {:?} after answer {number} was asked for: {sent:?}", now.since(answer.asked));
            self.fail(Promise::Fresh, words);
        }
        if token.expires.is_some_and(|end| self.fleet.clock(sent.vm.proxy) >= end) {
            self.fail(Promise::Expiry, format!("passes after its end: {sent:?}"));
        }
        token.text
    }

    fn check_proof(&mut self, sent: &Sent, index: usize) {
        let has_store = self.setup.has_store;
        let taken = self.proofs_taken.entry((sent.vm.proxy, index)).or_default();
        let is_replay = taken.iter().any(|by| has_store || *by == sent.vm);
        taken.push(sent.vm);
        if is_replay && !self.clients.proofs[index].is_forgotten {
            self.fail(Promise::ProofOnce, format!("proof {index} is taken again: {sent:?}"));
        }
    }

    /// An answer that gives something, if it gave it to this caller.
    fn given(&mut self, sent: &Sent, service: Service, number: Option<&str>, about: &str) -> Option<Answer> {
        let answer = number.and_then(|number| self.issuers.answers.get(number.parse::<usize>().ok()?)).cloned();
        let answer = answer.filter(|answer| answer.is_yes && answer.service == service && answer.about == about);
        if answer.is_none() {
            self.fail(Promise::Caller, format!("gets what {number:?} gave: {sent:?}"));
        }
        answer
    }

    fn check_exchanged(&mut self, sent: &Sent, token: &str, authorization: &str) {
        let number = authorization.strip_prefix("Bearer x-");
        let Some(answer) = self.given(sent, Service::Exchange, number, token) else { return };
        let lifetime = answer.lifetime.unwrap_or_default().max(ANSWER_KEPT);
        if answer.delivered.is_none_or(|at| self.fleet.now > at.after(lifetime)) {
            self.fail(Promise::CredentialEnd, format!("gets {authorization}: {sent:?}"));
        }
    }

    fn check_signed(&mut self, sent: &Sent, subject: &str, authorization: &str) {
        let claims = claims(authorization).unwrap_or_default();
        if claims["sub"] != subject {
            return self.fail(Promise::Caller, format!("gets a token with {claims}: {sent:?}"));
        }
        let own = match sent.caller {
            Caller::Jwt(index) => Some(self.clients.jwts[index].expires),
            Caller::Opaque(index) => self.issuers.tokens[index].expires.map(|end| end.since_epoch().as_secs()),
            _ => None,
        };
        let now = self.fleet.clock(sent.vm.proxy).since_epoch().as_secs();
        let end = claims["exp"].as_u64().unwrap_or_default();
        if (end <= now && Some(end) != own) || own.is_some_and(|own| own < end) {
            self.fail(Promise::CredentialEnd, format!("gets a token with {claims} at {now}: {sent:?}"));
        }
    }

    fn check_cluster(&mut self, sent: &Sent, authorization: &str) {
        let Caller::Person(person) = sent.caller else { return };
        let (name, _, role) = PEOPLE[person];
        let encoded = authorization.strip_prefix("Bearer k8s-aws-v1.").unwrap_or_default();
        let url = base64url::decode(encoded.as_bytes()).and_then(|url| String::from_utf8(url).ok()).unwrap_or_default();
        let number = url.split("X-Amz-Credential=ASIA").nth(1).and_then(|rest| rest.split('%').next());
        let Some(answer) = self.given(sent, Service::Sts, number, &format!("{name} as {role}")) else { return };
        if self.fleet.now > answer.asked.after(answer.lifetime.unwrap_or_default()) {
            self.fail(Promise::CredentialEnd, format!("gets what {number:?} gave: {sent:?}"));
        }
    }

    /// A request is refused.
    pub(super) fn check_refused(&mut self, sent: &Sent, words: &str) {
        if sent.is_certain {
            self.fail_certain(sent, words);
        } else if self.is_calm && self.should_be_served(sent) {
            self.fail(Promise::Recovery, format!("{words}: {sent:?}"));
        }
    }

    fn fail_certain(&mut self, sent: &Sent, words: &str) {
        let is_opaque = match sent.caller {
            Caller::Opaque(_) => true,
            Caller::Proof(index) => self.clients.proofs[index].opaque.is_some(),
            _ => false,
        };
        let promise = if is_opaque { Promise::StaysInUse } else { Promise::Untouched };
        self.fail(promise, format!("{words}, though all that it needs is there: {sent:?}"));
    }

    fn should_be_served(&self, sent: &Sent) -> bool {
        let now = self.fleet.clock(sent.vm.proxy);
        match sent.caller {
            // The exchange refuses some.
            _ if sent.path == "/exchange" => false,
            Caller::Opaque(index) => {
                let token = &self.issuers.tokens[index];
                token.key.is_none() && token.is_active(now.after(SECOND))
            }
            Caller::Person(_) => true,
            _ => false,
        }
    }

    /// What stands in the shared data, and how many wait.
    pub(super) fn check_bounds(&mut self) {
        let mut found = None;
        for vm in self.fleet.vms() {
            let waiting = self.waiting.keys().filter(|(by, _)| *by == vm).count();
            if waiting > WAITING {
                found = Some(format!("{waiting} requests wait at {vm:?}"));
            }
        }
        for (number, proxy) in self.fleet.proxies.iter().enumerate() {
            let stored = proxy.store.stored();
            if stored.values.len() > MOST_ENTRIES {
                found = Some(format!("there are {} entries in proxy {number}", stored.values.len()));
            }
            for (name, value) in &stored.values {
                let is_clear = |word: &&&str| value.bytes.windows(word.len()).any(|window| window == word.as_bytes());
                if value.bytes.len() > MOST_OCTETS {
                    found = Some(format!("`{name}` has {} octets", value.bytes.len()));
                }
                if let Some(word) = SECRET_WORDS.iter().find(is_clear) {
                    found = Some(format!("`{name}` has `{word}…` in the clear"));
                }
            }
        }
        if let Some(words) = found {
            self.fail(Promise::Bounds, words);
        }
    }

    /// Nothing goes wrong any more: everybody is served, everywhere.
    pub(super) fn recover(&mut self) {
        self.calm_down();
        for vm in self.fleet.vms() {
            for index in 0..self.issuers.tokens.len() {
                self.send_to(vm, Caller::Opaque(index), "/x");
                // Fewer at a time than there may be lookups.
                self.advance(SECOND / 10);
            }
            (0..PEOPLE.len()).for_each(|person| self.send_to(vm, Caller::Person(person), "/eks"));
            self.advance(SECOND / 2);
        }
        self.advance(WAIT_FOR);
        let is_left = !self.waiting.is_empty() || !self.lookups.is_empty();
        if is_left && self.is_good(Mood::Good) {
            let words = format!("{:?} wait, {:?} are under way", self.waiting, self.lookups);
            self.fail(Promise::Recovery, words);
        }
    }
}
