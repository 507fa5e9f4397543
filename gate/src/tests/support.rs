//! A small world to test in: keys, tokens, a clock that stands still until it is told otherwise.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use jose::base64url;
use jose::signature::Software;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::{
    Callout, CalloutFailure, Decision, Effect, Gate, HeaderEdit, HeaderLine, Policy, Reply, Report, Request, RequestId,
    Response, SharedData, SharedDataError, SharedValue, Timestamp,
};

pub(super) const ISSUER: &str = "https://idp.example.com";
pub(super) const NOW: u64 = 1_800_000_000;

/// A key pair for ES256; the same for the same name.
pub(super) struct Key {
    kid: &'static str,
    pair: SigningKey,
}

impl Key {
    pub(super) fn new(kid: &'static str) -> Self {
        let mut secret = [7_u8; 32];
        for (byte, letter) in secret.iter_mut().zip(kid.bytes()) {
            *byte = letter;
        }
        Self { kid, pair: SigningKey::from_slice(&secret).expect("is in range") }
    }

    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.verifying_key().to_sec1_point(false);
        let coordinate = |value: Option<&[u8]>| base64url::encode(value.expect("is a point"));
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig",
            "x": coordinate(point.x().map(Deref::deref)), "y": coordinate(point.y().map(Deref::deref)),
        })
    }

    /// The public point, uncompressed.
    pub(super) fn point(&self) -> Vec<u8> {
        self.pair.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// A token of exactly these claims.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.pair.sign(input.as_bytes());
        format!("{input}.{}", base64url::encode(&signature.to_bytes()))
    }

    /// A good token, with `changes` to its claims; null takes a claim away.
    pub(super) fn token(&self, changes: &Value) -> String {
        let mut claims = json!({"iss": ISSUER, "aud": "api", "sub": "alice", "iat": NOW - 10, "exp": NOW + 3600});
        merge(&mut claims, changes);
        self.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": self.kid}), &claims)
    }
}

pub(super) fn merge(into: &mut Value, changes: &Value) {
    let (Some(into), Some(changes)) = (into.as_object_mut(), changes.as_object()) else { panic!("not objects") };
    for (name, value) in changes {
        match value {
            Value::Null => into.remove(name),
            value => into.insert(name.clone(), value.clone()),
        };
    }
}

/// A configuration whose issuer has one inline key, `a`, with `changes` to its top level.
pub(crate) fn inline(changes: &Value) -> Value {
    let mut config = json!({
        "issuers": [{"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": {"inline": {"keys": [Key::new("a").jwk()]}}}],
        "default": "authenticated",
    });
    merge(&mut config, changes);
    config
}

/// A configuration whose issuer has its keys fetched, with `changes` to its `keys` and its `limits`.
pub(super) fn fetched(keys: &Value, limits: &Value) -> Value {
    let mut source = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
    merge(&mut source, keys);
    json!({
        "issuers": [{"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": source}],
        "rules": [{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "authenticated"}],
        "limits": limits,
    })
}

pub(crate) fn policy(config: &Value) -> Policy {
    Policy::parse(config.to_string().as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Forwarded(BTreeMap<String, Vec<String>>),
    Replied(Reply),
    Waiting,
}

impl Outcome {
    /// `ok`, `waiting`, or status and reason.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Forwarded(_) => String::from("ok"),
            Self::Waiting => String::from("waiting"),
            Self::Replied(reply) => {
                let body: Value = serde_json::from_str(&reply.body).expect("is a problem document");
                format!("{} {}", reply.status, body["reason"].as_str().expect("has a reason"))
            }
        }
    }

    /// The values of a header that the upstream sees.
    pub(super) fn seen(&self, name: &str) -> Vec<String> {
        match self {
            Self::Forwarded(headers) => headers.get(name).cloned().unwrap_or_default(),
            other => panic!("not forwarded: {other:?}"),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Replied(reply) => {
                reply.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
            }
            other => panic!("not replied: {other:?}"),
        }
    }
}

pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) now: Timestamp,
    /// What the engine asked for and nobody answered yet.
    pub(super) fetches: Vec<Callout>,
    pub(super) log: Vec<String>,
    /// Requests that wait, as they were sent.
    pub(super) waiting: BTreeMap<u64, Vec<(String, String)>>,
    /// What became of requests that had waited.
    pub(super) resumed: BTreeMap<u64, Outcome>,
    /// Counters, gauges and what was added to histograms last.
    pub(super) metrics: BTreeMap<String, u64>,
    pub(super) store: Store,
    /// What was told of the request that was decided last.
    pub(super) report: Option<Report>,
    /// The address that requests come from.
    pub(super) peer: &'static str,
    /// Shared data is not handed over.
    pub(super) is_deaf: bool,
    next_id: u64,
}

/// The data that the VMs of a proxy share. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Store(pub(super) Rc<RefCell<Stored>>);

#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) values: BTreeMap<String, (Vec<u8>, u32)>,
    /// The host has no shared data.
    pub(super) is_missing: bool,
    /// So many writes from now on find that somebody else was faster.
    pub(super) races: usize,
    pub(super) reads: usize,
    pub(super) writes: u32,
}

impl SharedData for Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        let mut stored = self.0.borrow_mut();
        stored.reads += 1;
        match stored.is_missing {
            true => Err(SharedDataError::Unavailable),
            false => Ok(stored
                .values
                .get(name)
                .map(|(bytes, version)| SharedValue { bytes: bytes.clone(), version: *version })),
        }
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        let mut stored = self.0.borrow_mut();
        if stored.is_missing {
            return Err(SharedDataError::Unavailable);
        }
        if stored.races > 0 || stored.values.get(name).map(|(_, version)| *version) != version {
            stored.races = stored.races.saturating_sub(1);
            return Err(SharedDataError::Changed);
        }
        stored.writes += 1;
        let version = stored.writes;
        stored.values.insert(name.to_string(), (value.to_vec(), version));
        Ok(())
    }
}

impl World {
    pub(super) fn new(config: &Value) -> Self {
        Self::seeded(config, 1)
    }

    pub(super) fn seeded(config: &Value, seed: u64) -> Self {
        let mut world = Self::beside(&Store::default(), config, Timestamp::from_secs(NOW), seed);
        world.pass(Duration::ZERO);
        world
    }

    /// One of several VMs of a proxy. Its first timeout is still to come.
    pub(super) fn beside(store: &Store, config: &Value, now: Timestamp, seed: u64) -> Self {
        let gate = Gate::new(policy(config), now, seed);
        let mut world = Self {
            gate,
            now,
            fetches: Vec::new(),
            log: Vec::new(),
            waiting: BTreeMap::new(),
            resumed: BTreeMap::new(),
            metrics: BTreeMap::new(),
            store: store.clone(),
            report: None,
            peer: "",
            is_deaf: false,
            next_id: 1,
        };
        world.settle();
        world
    }

    /// The same VM gets another configuration.
    pub(super) fn reconfigure(&mut self, config: &Value) {
        let gate = Gate::new(policy(config), self.now, 1);
        let predecessor = std::mem::replace(&mut self.gate, gate);
        self.gate.inherit(predecessor);
        self.settle();
        self.pass(Duration::ZERO);
    }

    pub(super) fn with_token(&mut self, token: &str) -> Outcome {
        self.get("/x", &[("authorization", &format!("Bearer {token}"))])
    }

    pub(super) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Outcome {
        let mut lines =
            vec![(":method", "GET"), (":path", path), (":authority", "api.example.com"), (":scheme", "https")];
        lines.extend(headers);
        self.send(&lines)
    }

    pub(super) fn send(&mut self, lines: &[(&str, &str)]) -> Outcome {
        let lines: Vec<_> = lines.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        let id = self.next_id;
        self.next_id += 1;
        let outcome = self.decide(id, lines);
        self.settle();
        outcome
    }

    /// The counter of the request that was decided last, and its properties.
    pub(super) fn told(&self) -> (String, BTreeMap<&'static str, String>) {
        let report = self.report.clone().expect("a request was decided");
        let properties = report.properties().map(|(name, value)| (name, value.to_string())).collect();
        (report.metric.map(|metric| self.gate.metric_name(metric)).unwrap_or_default(), properties)
    }

    /// The number of the request that was sent last.
    pub(super) fn last(&self) -> u64 {
        self.next_id - 1
    }

    fn decide(&mut self, id: u64, lines: Vec<(String, String)>) -> Outcome {
        let borrowed: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request::new(&borrowed).with_peer(self.peer.as_bytes());
        match self.gate.handle_request(RequestId(id), &request, self.now, &Software) {
            Decision::Forward(edits, report) => {
                self.report = Some(report);
                Outcome::Forwarded(forwarded(&borrowed, &edits))
            }
            Decision::Reply(reply, report) => {
                self.report = Some(report);
                Outcome::Replied(reply)
            }
            Decision::Wait => {
                self.waiting.insert(id, lines);
                Outcome::Waiting
            }
        }
    }

    pub(super) fn settle(&mut self) {
        while let Some(effect) = self.gate.poll_effect() {
            match effect {
                Effect::Callout(fetch) => self.fetches.push(fetch),
                Effect::Log(_, text) => self.log.push(text),
                Effect::Resume(RequestId(id)) => {
                    let lines = self.waiting.remove(&id).expect("only what waits is resumed");
                    match self.decide(id, lines) {
                        Outcome::Waiting => {}
                        outcome => assert!(self.resumed.insert(id, outcome).is_none(), "{id} was resumed twice"),
                    }
                }
                Effect::Count(metric) => *self.metrics.entry(self.gate.metric_name(metric)).or_default() += 1,
                Effect::Gauge(metric, value) | Effect::Record(metric, value) => {
                    self.metrics.insert(self.gate.metric_name(metric), value);
                }
                Effect::Share if self.is_deaf => {}
                Effect::Share => self.gate.handle_shared(&mut self.store, self.now),
            }
        }
    }

    /// Lets time pass, with every timeout on the way.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(due) = self.gate.next_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.gate.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// Lets time pass until the engine asks for a fetch.
    pub(super) fn pass_until_fetch(&mut self) {
        while self.fetches.is_empty() {
            let due = self.gate.next_timeout().expect("something is due");
            self.pass(due.since(self.now));
        }
    }

    /// Answers the oldest fetch.
    pub(super) fn answer(&mut self, status: &str, body: &str) {
        self.answer_with(&Response::new(&[(b":status", status.as_bytes())], body.as_bytes()));
    }

    pub(super) fn answer_with(&mut self, response: &Response<'_>) {
        let fetch = self.fetches.remove(0);
        self.gate.handle_callout(fetch.id, Ok(*response), self.now);
        self.settle();
    }

    pub(super) fn answer_keys(&mut self, keys: &[&Key]) {
        self.answer("200", &key_set(keys));
    }

    pub(super) fn fail(&mut self, failure: CalloutFailure) {
        let fetch = self.fetches.remove(0);
        self.gate.handle_callout(fetch.id, Err(failure), self.now);
        self.settle();
    }
}

pub(super) fn key_set(keys: &[&Key]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}

fn forwarded(lines: &[HeaderLine<'_>], edits: &[HeaderEdit]) -> BTreeMap<String, Vec<String>> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let text = |bytes| String::from_utf8(bytes).expect("is text");
    for (name, value) in HeaderEdit::apply(edits, lines) {
        headers.entry(text(name)).or_default().push(text(value));
    }
    headers
}
