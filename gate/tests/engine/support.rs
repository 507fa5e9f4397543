//! A small world to test in: keys, tokens, a clock that stands still until it is advanced.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use driver::CalloutToken;
pub(crate) use driver::memory::Store;
use driver::memory::{self, Answer, Exchange, Memory, Proxy, Sequence};
use gate::{Callout, Capabilities, Gate, Policy, Reply, RequestId, Timestamp};
use jose::base64url;
use jose::signature::Software;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::upstream::variable;

pub(crate) const ISSUER: &str = "https://idp.example.com";
pub(crate) const NOW: u64 = 1_800_000_000;

/// What a host lends the engine at this instant, without randomness.
pub(crate) fn at(now: Timestamp) -> Capabilities<'static> {
    static NONE: Sequence = Sequence::failing();
    Capabilities { now, signatures: &Software, signer: &Software, random: &NONE }
}

/// A key pair for ES256; the same for the same name.
pub(crate) struct Key {
    kid: &'static str,
    pair: SigningKey,
}

impl Key {
    pub(crate) fn new(kid: &'static str) -> Self {
        let mut secret = [7_u8; 32];
        for (byte, letter) in secret.iter_mut().zip(kid.bytes()) {
            *byte = letter;
        }
        Self { kid, pair: SigningKey::from_slice(&secret).expect("is in range") }
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.verifying_key().to_sec1_point(false);
        let coordinate = |value: Option<&[u8]>| base64url::encode(value.expect("is a point"));
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig",
            "x": coordinate(point.x().map(Deref::deref)), "y": coordinate(point.y().map(Deref::deref)),
        })
    }

    /// The public point, uncompressed.
    pub(crate) fn point(&self) -> Vec<u8> {
        self.pair.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// A token of exactly these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Likewise of these texts, be they JSON or not.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()));
        let signature: Signature = self.pair.sign(input.as_bytes());
        format!("{input}.{}", base64url::encode(&signature.to_bytes()))
    }

    /// A good token, with `changes` to its claims; null takes a claim away.
    pub(crate) fn token(&self, changes: &Value) -> String {
        let mut claims = json!({"iss": ISSUER, "aud": "api", "sub": "alice", "iat": NOW - 10, "exp": NOW + 3600});
        merge(&mut claims, changes);
        self.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": self.kid}), &claims)
    }
}

pub(crate) fn merge(into: &mut Value, changes: &Value) {
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
pub(crate) fn fetched(keys: &Value, limits: &Value) -> Value {
    let mut source = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
    merge(&mut source, keys);
    json!({
        "issuers": [{"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": source}],
        "rules": [{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "authenticated"}],
        "limits": limits,
    })
}

pub(crate) fn policy(config: &Value) -> Policy {
    Policy::parse(config.to_string().as_bytes(), &variable).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Forwarded(BTreeMap<String, Vec<String>>),
    Replied(Reply),
    Waiting,
}

impl Outcome {
    /// `ok`, `waiting`, or status and reason.
    pub(crate) fn summary(&self) -> String {
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
    pub(crate) fn seen(&self, name: &str) -> Vec<String> {
        match self {
            Self::Forwarded(headers) => headers.get(name).cloned().unwrap_or_default(),
            other => panic!("not forwarded: {other:?}"),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Replied(reply) => {
                reply.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
            }
            other => panic!("not replied: {other:?}"),
        }
    }
}

/// A callout without an answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    token: CalloutToken,
    callout: Callout,
}

impl Deref for Fetch {
    type Target = Callout;

    fn deref(&self) -> &Callout {
        &self.callout
    }
}

pub(crate) struct World {
    proxy: Proxy<Software>,
    pub(crate) now: Timestamp,
    /// What the engine asked for and is not answered yet.
    pub(crate) fetches: Vec<Fetch>,
    /// What is logged of others than requests.
    pub(crate) log: Vec<String>,
    /// What is logged of requests.
    pub(crate) requests_log: Vec<String>,
    /// Requests that wait.
    pub(crate) waiting: BTreeSet<RequestId>,
    /// What became of requests that had waited.
    pub(crate) resumed: BTreeMap<u64, Outcome>,
    /// Counters, gauges and what was added to histograms last.
    pub(crate) metrics: BTreeMap<String, u64>,
    /// The counter of the request that was decided last, and its properties.
    decided: Option<(String, BTreeMap<String, String>)>,
    /// The address that requests come from.
    pub(crate) peer: &'static str,
    /// The SHA-256 of the certificate that clients show, in hexadecimal.
    pub(crate) certificate: String,
    /// Whether requests that were forwarded stay until they are cancelled.
    pub(crate) holds_responses: bool,
    last: RequestId,
}

impl World {
    pub(crate) fn new(config: &Value) -> Self {
        Self::seeded(config, 1)
    }

    pub(crate) fn seeded(config: &Value, seed: u64) -> Self {
        let mut world = Self::beside(&Store::default(), config, Timestamp::from_secs(NOW), seed);
        world.pass(Duration::ZERO);
        world
    }

    /// One of several VMs of a proxy. Its first timeout is still to come.
    pub(crate) fn beside(store: &Store, config: &Value, now: Timestamp, seed: u64) -> Self {
        Self::with_policy(store, policy(config), now, seed)
    }

    pub(crate) fn with_policy(store: &Store, policy: Policy, now: Timestamp, seed: u64) -> Self {
        let mut host = Memory::new(now).with_store(store.clone());
        host.random = Sequence::new(seed);
        let mut world = Self {
            proxy: Proxy::on(host, Gate::new(policy, now, seed), Software),
            now,
            fetches: Vec::new(),
            log: Vec::new(),
            requests_log: Vec::new(),
            waiting: BTreeSet::new(),
            resumed: BTreeMap::new(),
            metrics: BTreeMap::new(),
            decided: None,
            peer: "",
            certificate: String::new(),
            holds_responses: false,
            last: RequestId(0),
        };
        world.collect();
        world
    }

    pub(crate) fn gate(&self) -> &Gate {
        self.proxy.gate()
    }

    /// The same VM gets another configuration.
    pub(crate) fn reconfigure(&mut self, config: &Value) {
        let gate = Gate::new(policy(config), self.now, 1);
        self.run(|proxy| proxy.reconfigure(gate, Software));
        self.pass(Duration::ZERO);
    }

    /// The VM's configuration is over.
    pub(crate) fn shut_down(mut self) {
        self.proxy.host.now = self.now;
        self.proxy.end();
    }

    pub(crate) fn with_token(&mut self, token: &str) -> Outcome {
        self.get("/x", &[("authorization", &format!("Bearer {token}"))])
    }

    pub(crate) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Outcome {
        let mut lines =
            vec![(":method", "GET"), (":path", path), (":authority", "api.example.com"), (":scheme", "https")];
        lines.extend(headers);
        self.send(&lines)
    }

    pub(crate) fn send(&mut self, lines: &[(&str, &str)]) -> Outcome {
        let mut request = Exchange::new(lines.iter().copied());
        request.peer = self.peer.as_bytes().to_vec();
        request.certificate = self.certificate.clone().into_bytes();
        self.last = self.run(|proxy| proxy.send(request));
        self.end(self.last).unwrap_or_else(|| {
            self.waiting.insert(self.last);
            Outcome::Waiting
        })
    }

    /// The counter of the request that was decided last, and its properties.
    pub(crate) fn reported(&self) -> (String, BTreeMap<String, String>) {
        self.decided.clone().expect("a request was decided")
    }

    /// The number of the request that was sent last.
    pub(crate) fn last(&self) -> u64 {
        self.last.0
    }

    /// The upstream answers a request that was forwarded; these lines are what the client gets.
    pub(crate) fn respond(&mut self, id: u64, lines: &[(&str, &str)]) -> Vec<(String, String)> {
        let response = self.run(|proxy| proxy.respond(RequestId(id), lines.iter().copied()));
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("is text");
        response.0.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The response to a request as it is now; `None` while it is held.
    pub(crate) fn response(&self, id: u64) -> Option<Vec<(String, String)>> {
        let exchange = self.proxy.host.requests.get(&RequestId(id)).filter(|exchange| !exchange.is_response_held)?;
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("is text");
        Some(exchange.response.0.iter().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// Whether the connection of a request was closed.
    pub(crate) fn is_closed(&self, id: u64) -> bool {
        self.proxy.host.requests.get(&RequestId(id)).is_some_and(|exchange| exchange.is_closed)
    }

    /// A request is gone.
    pub(crate) fn cancel(&mut self, id: u64) {
        self.waiting.remove(&RequestId(id));
        self.proxy.take(RequestId(id));
    }

    /// The timer has run out.
    pub(crate) fn tick(&mut self) {
        self.run(Proxy::tick);
    }

    /// Lets time pass, with every timeout on the way.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(due) = self.gate().next_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.tick();
        }
        self.now = end;
    }

    /// Lets time pass until the engine asks for a fetch.
    pub(crate) fn pass_until_fetch(&mut self) {
        while self.fetches.is_empty() {
            let due = self.gate().next_timeout().expect("something is due");
            self.pass(due.since(self.now));
        }
    }

    /// Answers the oldest fetch.
    pub(crate) fn answer(&mut self, status: &str, body: &str) {
        self.answer_with([(":status", status)], body);
    }

    pub(crate) fn answer_with<'h>(&mut self, headers: impl IntoIterator<Item = (&'h str, &'h str)>, body: &str) {
        let fetch = self.fetches.remove(0);
        self.answer_to(&fetch, headers, body);
    }

    pub(crate) fn answer_to<'h>(
        &mut self,
        fetch: &Fetch,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: &str,
    ) {
        let answer = Answer { headers: headers.into_iter().collect(), body: body.into() };
        self.run(|proxy| proxy.answer(fetch.token, answer));
    }

    pub(crate) fn answer_keys(&mut self, keys: &[&Key]) {
        self.answer("200", &key_set(keys));
    }

    /// The oldest fetch gets no answer.
    pub(crate) fn fail(&mut self) {
        let fetch = self.fetches.remove(0);
        self.fail_fetch(&fetch);
    }

    /// This one gets no answer.
    pub(crate) fn fail_fetch(&mut self, fetch: &Fetch) {
        self.run(|proxy| proxy.fail_callout(fetch.token));
    }

    fn run<T>(&mut self, call: impl FnOnce(&mut Proxy<Software>) -> T) -> T {
        self.proxy.host.now = self.now;
        let result = call(&mut self.proxy);
        self.collect();
        result
    }

    /// Notes what became of everything.
    fn collect(&mut self) {
        let callouts = self.proxy.host.callouts.drain(..);
        self.fetches.extend(callouts.map(|(token, callout)| Fetch { token, callout }));
        let lines =
            self.proxy.host.log.drain(..).filter_map(|(_, line)| line.strip_prefix("jotgate: ").map(String::from));
        let (requests, others): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("request "));
        self.log.extend(others);
        self.requests_log.extend(requests);
        for id in self.waiting.clone() {
            if let Some(outcome) = self.end(id) {
                self.waiting.remove(&id);
                assert!(self.resumed.insert(id.0, outcome).is_none(), "{id:?} was resumed twice");
            }
        }
        if self.metrics.len() < self.proxy.host.metrics.len() {
            self.check_metrics();
        }
        self.metrics.clone_from(&self.proxy.host.metrics);
    }

    /// Where metrics cannot be defined later, one that is not listed at the start would count nothing.
    fn check_metrics(&self) {
        let gate = self.proxy.gate();
        let listed = gate.metrics().into_iter().chain(gate.gauges()).map(|metric| gate.metric_name(metric));
        let listed: BTreeSet<_> = listed.collect();
        let new = self.proxy.host.metrics.keys().filter(|name| !self.metrics.contains_key(*name));
        let unlisted: Vec<_> = new.filter(|name| !listed.contains(*name)).collect();
        assert!(unlisted.is_empty(), "not listed at the start: {unlisted:?}");
    }

    /// Takes a request away that was decided.
    fn end(&mut self, id: RequestId) -> Option<Outcome> {
        if self.proxy.outcome(id) == Some(&memory::Outcome::Waiting) {
            return None;
        }
        // Its response may still come.
        let exchange = match self.holds_responses {
            true => self.proxy.host.requests.get(&id).cloned()?,
            false => self.proxy.take(id)?,
        };
        let counter = exchange.counters.iter().rfind(|name| name.starts_with("jotgate_requests_"));
        let counter = counter.cloned().unwrap_or_default();
        self.decided = Some((counter, exchange.properties));
        Some(match exchange.outcome {
            memory::Outcome::Replied { reply, .. } => Outcome::Replied(reply),
            memory::Outcome::Forwarded | memory::Outcome::Waiting => {
                let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
                let text = |bytes| String::from_utf8(bytes).expect("is text");
                for (name, value) in exchange.headers.0 {
                    headers.entry(text(name)).or_default().push(text(value));
                }
                Outcome::Forwarded(headers)
            }
        })
    }
}

/// An instant by so much earlier.
pub(crate) fn before(now: Timestamp, by: Duration) -> Timestamp {
    let nanos = now.since_epoch().saturating_sub(by).as_nanos();
    Timestamp::from_nanos(u64::try_from(nanos).expect("is in this era"))
}

pub(crate) fn key_set(keys: &[&Key]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}
