//! Clients, what they come with, and their requests.

use std::time::Duration;

use jose::json::Document;
use jose::jwk::thumbprint;
use jose::{Hash, base64url};
use serde_json::{Value, json};

use super::issuers::Mood;
use super::setup::{SECOND, Setup, Variant};
use super::simulation::{Happening, Simulation};
use crate::browser::{Browser, Provider, world};
use crate::fleet::Vm;
use crate::support::{Key, NOW, Outcome};
use gate::Timestamp;

const SUBJECTS: [&str; 3] = ["jo", "kim", "lou"];
const KEYS: [&str; 2] = ["first", "second"];
/// `ops` are admins.
pub(super) const PEOPLE: [(&str, &str, &str); 2] = [("ann", "ops", "admin"), ("ben", "staff", "viewer")];
const SCRIPT: [(&str, &str); 3] =
    [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")];
const URI: &str = "https://api.example.com/bound";

/// What a request comes with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Caller {
    Nobody,
    /// Each by its index.
    Jwt(usize),
    Opaque(usize),
    /// A token of the one entry or the other, that nobody issued.
    Unknown(usize),
    Proof(usize),
    Person(usize),
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) vm: Vm,
    pub(super) id: u64,
    pub(super) caller: Caller,
    pub(super) path: &'static str,
    pub(super) at: Timestamp,
    /// Whether it has to pass at once.
    pub(super) is_certain: bool,
}

/// A JWT, and until when it is good.
#[derive(Clone, Debug)]
pub(super) struct Jwt {
    pub(super) text: String,
    pub(super) subject: &'static str,
    pub(super) expires: u64,
}

/// A proof of possession, with the token that it is for.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    token: String,
    /// The index of the token, where only its issuer can read it.
    pub(super) opaque: Option<usize>,
    text: String,
    pub(super) made: Timestamp,
    pub(super) is_forgotten: bool,
}

pub(super) struct Clients {
    pub(super) jwts: Vec<Jwt>,
    keys: [Key; 2],
    bound: Vec<String>,
    pub(super) proofs: Vec<Proof>,
    people: Vec<Browser>,
    unknown: usize,
}

impl Clients {
    pub(super) fn new(setup: &Setup) -> Self {
        let jwts = SUBJECTS.iter().zip([7_200, 7_200, 400]).map(|(&subject, good_for)| {
            let expires = NOW + good_for;
            Jwt { text: Key::new("a").token(&json!({"sub": subject, "exp": expires})), subject, expires }
        });
        let keys = KEYS.map(Key::new);
        let bound = keys.iter().map(|key| Key::new("a").token(&json!({"cnf": {"jkt": jkt(key)}, "exp": NOW + 7_200})));
        let bound = bound.collect();
        let people = PEOPLE.iter().map(|(name, group, _)| log_in(setup, name, group)).collect();
        Self { jwts: jwts.collect(), keys, bound, proofs: Vec::new(), people, unknown: 0 }
    }

    /// A proof for one request.
    pub(super) fn prove(&mut self, now: Timestamp, key: usize, opaque: Option<(usize, &str)>) -> usize {
        let number = self.proofs.len();
        let token = opaque.map_or_else(|| self.bound[key].clone(), |(_, token)| token.to_string());
        let ath = base64url::encode(&Hash::Sha256.digest(&[token.as_bytes()]));
        let iat = now.since_epoch().as_secs();
        let claims = json!({"jti": number.to_string(), "htm": "GET", "htu": URI, "iat": iat, "ath": ath});
        let signer = &self.keys[key];
        let text = signer.sign(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk()}), &claims);
        let opaque = opaque.map(|(index, _)| index);
        self.proofs.push(Proof { token, opaque, text, made: now, is_forgotten: false });
        number
    }

    /// Those that were made are not used any more.
    pub(super) fn forget_proofs(&mut self) {
        self.proofs.iter_mut().for_each(|proof| proof.is_forgotten = true);
    }

    /// A token that nobody issued.
    pub(super) fn unknown(&mut self) -> usize {
        self.unknown += 1;
        self.unknown
    }
}

/// A browser that has logged in.
fn log_in(setup: &Setup, name: &str, group: &str) -> Browser {
    let mut provider = Provider::new();
    provider.changes = json!({"sub": name, "groups": [group]});
    let mut world = world(&setup.config(Variant::Plain), &mut provider);
    let mut browser = Browser::default();
    browser.log_in(&mut world, &mut provider, "/app");
    browser
}

/// The thumbprints of all keys.
pub(super) fn thumbprints() -> [String; 2] {
    KEYS.map(|kid| jkt(&Key::new(kid)))
}

fn jkt(key: &Key) -> String {
    let jwk = key.jwk().to_string();
    let document = Document::parse(jwk.as_bytes()).expect("is JSON");
    base64url::encode(&thumbprint(document.root()).expect("is a key"))
}

impl Simulation {
    /// Sends a request to a VM, and judges what becomes of it, now or later.
    pub(super) fn send_to(&mut self, vm: Vm, caller: Caller, path: &'static str) {
        let sent = Sent { vm, id: 0, caller, path, at: self.fleet.now, is_certain: false };
        self.send(sent);
    }

    pub(super) fn send(&mut self, mut sent: Sent) {
        if self.fleet.machine(sent.vm).is_none() {
            return;
        }
        sent.is_certain = self.is_certain(&sent);
        sent.at = self.fleet.now;
        let headers = self.headers(sent.caller);
        let lines: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let browser = match sent.caller {
            Caller::Person(person) => Some(self.clients.people[person].clone()),
            _ => None,
        };
        let Some(machine) = self.fleet.machine(sent.vm) else { return };
        let outcome = match browser {
            Some(browser) => browser.send(&mut machine.world, "GET", sent.path, &lines),
            None => machine.world.get(sent.path, &lines),
        };
        sent.id = machine.world.last();
        self.decided(sent, &outcome);
        self.settle();
    }

    fn headers(&self, caller: Caller) -> Vec<(&'static str, String)> {
        let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
        match caller {
            Caller::Nobody => Vec::new(),
            Caller::Jwt(index) => bearer(&self.clients.jwts[index].text),
            Caller::Opaque(index) => bearer(&self.issuers.tokens[index].text),
            Caller::Unknown(number) => {
                bearer(&format!("{}-unknown-{number:014}", if number % 2 == 0 { "gt" } else { "gh" }))
            }
            Caller::Proof(index) => {
                let proof = &self.clients.proofs[index];
                vec![("authorization", format!("DPoP {}", proof.token)), ("dpop", proof.text.clone())]
            }
            Caller::Person(_) => SCRIPT.map(|(name, value)| (name, value.to_string())).to_vec(),
        }
    }

    pub(super) fn decided(&mut self, sent: Sent, outcome: &Outcome) {
        let Sent { vm, id, caller, path, .. } = sent;
        let words = words(outcome);
        self.note(|| format!("{caller:?} asks {vm:?} for {path} ({id}): {words}"));
        match outcome {
            Outcome::Waiting => {
                self.check_may_wait(&sent);
                self.waiting.insert((vm, id), sent);
            }
            Outcome::Forwarded(_) => self.check_forwarded(&sent, outcome),
            Outcome::Replied(_) => self.check_refused(&sent, &words),
        }
    }

    /// Some requests at once, of one kind, at some VM.
    pub(super) fn send_some(&mut self) {
        let vm = self.any_vm();
        let caller = match self.random.below(10) {
            0..=2 => Caller::Jwt(self.random.below(SUBJECTS.len())),
            3..=6 => Caller::Opaque(self.random.below(self.issuers.tokens.len())),
            7 => Caller::Person(self.random.below(PEOPLE.len())),
            8 => return self.send_proofs(),
            _ => Caller::Nobody,
        };
        let path = match caller {
            Caller::Nobody => "/public",
            Caller::Person(_) => "/eks",
            _ => self.random.choose(&["/x", "/exchange", "/signed"]),
        };
        for _ in 0..=self.random.below(3) {
            self.send_to(vm, caller, path);
        }
        // The same at all VMs.
        if self.random.once_in(3) {
            self.fleet.vms().into_iter().for_each(|vm| self.send_to(vm, caller, path));
        }
    }

    /// A new proof, or one that was used, at several VMs.
    fn send_proofs(&mut self) {
        let now = self.fleet.now;
        let is_usable = |(_, proof): &(usize, &Proof)| !proof.is_forgotten && now.since(proof.made) < 55 * SECOND;
        let known: Vec<_> = self.clients.proofs.iter().enumerate().filter(is_usable).map(|(index, _)| index).collect();
        let proof = if known.is_empty() || self.random.once_in(2) {
            let tokens = self.issuers.tokens.iter().enumerate();
            let bound = tokens.filter_map(|(index, token)| Some((token.key?, index)));
            let bound: Vec<_> = bound.map(|(key, index)| (key, Some(index))).chain([(0, None), (1, None)]).collect();
            let (key, opaque) = self.random.choose(&bound);
            let opaque = opaque.map(|index| (index, &*self.issuers.tokens[index].text));
            self.clients.prove(now, key, opaque)
        } else {
            self.random.choose(&known)
        };
        for _ in 0..3 {
            let vm = self.any_vm();
            self.send_to(vm, Caller::Proof(proof), "/bound");
        }
    }

    /// Tokens that nobody issued, in a crowd; and those that are good, among them.
    pub(super) fn flood(&mut self) {
        let vm = self.any_vm();
        let most = self.random.choose(&[20, 60, 150]);
        self.note(|| format!("{most} unknown tokens at {vm:?}"));
        for number in 0..most {
            let unknown = self.clients.unknown();
            self.send_to(vm, Caller::Unknown(unknown), "/x");
            if number % 20 == 19 {
                let is_known = |index: &usize| self.known.contains_key(&(vm, self.issuers.tokens[*index].text.clone()));
                let known: Vec<_> = (0..self.issuers.tokens.len()).filter(is_known).collect();
                for index in known {
                    self.send_to(vm, Caller::Opaque(index), "/x");
                }
                self.send_to(vm, Caller::Jwt(0), "/x");
            }
        }
        for _ in 0..4 {
            let after = self.random.duration(Duration::ZERO, 4 * SECOND);
            let caller = if self.random.once_in(2) { Caller::Jwt(1) } else { Caller::Opaque(0) };
            let sent = Sent { vm, id: 0, caller, path: "/x", at: self.fleet.now, is_certain: false };
            self.fleet.later(after, Happening::Send(sent));
        }
    }

    /// A client goes away.
    pub(super) fn abort(&mut self) {
        let keys: Vec<_> = self.waiting.keys().copied().collect();
        if keys.is_empty() {
            return;
        }
        let (vm, id) = self.random.choose(&keys);
        self.note(|| format!("request {id} at {vm:?} is gone"));
        self.waiting.remove(&(vm, id));
        if let Some(machine) = self.fleet.machine(vm) {
            machine.world.cancel(id);
        }
    }

    pub(super) fn any_vm(&mut self) -> Vm {
        let vms = self.fleet.vms();
        self.random.choose(&vms)
    }

    pub(super) fn is_good(&self, mood: Mood) -> bool {
        self.issuers.moods.iter().all(|found| *found == mood)
    }
}

/// `ok`, `waiting`, or status and reason.
fn words(outcome: &Outcome) -> String {
    let Outcome::Replied(reply) = outcome else { return outcome.summary() };
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    format!("{} {}", reply.status, body["reason"].as_str().unwrap_or("-"))
}
