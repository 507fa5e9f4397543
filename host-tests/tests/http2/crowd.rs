//! Thousands of callers over a few connections, hundreds at a time: nobody is taken for anybody else.

use std::collections::{BTreeMap, VecDeque};
use std::thread;

use real_envoy::http2::{Connection, Reason, Stream};
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use test_support::eventually;
use testbed::issuer::{Fault, Issuer, Mode, Options, Rotation};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::callers::{Caller, End, User, crowd, rules};
use crate::client::identity;
use crate::seeded;
use crate::world::config;

const USERS: usize = 5000;
const CONNECTIONS: usize = 6;
/// At a time, on each connection.
const STREAMS: usize = 120;
/// Of the 720 streams, some have no token, and some end at once.
const WAITING: u64 = 200;

#[test]
fn nobody_is_taken_for_anybody_else() {
    let random = &mut seeded();
    let issuer = Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
    let (early, late) = (0..USERS / 2, USERS / 2..USERS);
    let users: Vec<_> = early.map(|number| User::mint(number, &issuer, random)).collect();
    let before = crowd(0, &users, &issuer, random);
    issuer.rotate(Rotation { keep: true, publish: false });
    let users: Vec<_> = late.map(|number| User::mint(number, &issuer, random)).collect();
    let after = crowd(before.len(), &users, &issuer, random);

    issuer.set_jwks(Fault::lasting(Mode::Status { status: 500 })).unwrap();
    let upstream = Upstream::start(0).unwrap();
    let envoy = start(&issuer, &upstream);
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(envoy.address("gateway")).unwrap()).collect();
    let hundreds_wait = || envoy.stat("http.gateway.downstream_rq_active").unwrap() >= WAITING;
    thread::scope(|scope| {
        scope.spawn(|| send_all(&connections, &before));
        eventually("hundreds wait for the first keys", hundreds_wait);
        assert!(upstream.seen().iter().all(|seen| identity(seen).is_empty()), "somebody passed without keys");
        issuer.set_jwks(Fault::default()).unwrap();
    });

    let fetches = issuer.count("/jwks");
    issuer.set_jwks(Fault::times(Mode::Slow { millis: 2500 }, 1)).unwrap();
    issuer.publish();
    thread::scope(|scope| {
        scope.spawn(|| send_all(&connections, &after));
        eventually("hundreds wait for the new key", hundreds_wait);
    });
    assert_eq!(issuer.count("/jwks"), fetches + 1, "one fetch brings the new key to all");

    let callers: BTreeMap<_, _> = before.iter().chain(&after).map(|caller| (caller.path.as_str(), caller)).collect();
    check_upstream(&upstream, &callers);
    check_access_log(&envoy, &callers);
    let log = envoy.log();
    assert!(!log.contains("host failure") && !log.contains("panicked"), "{log}");
}

/// Each worker has half of the connections. What begins with `/h2` goes to the upstream over HTTP/2.
fn start(issuer: &Issuer, upstream: &Upstream) -> Envoy {
    let changes = json!({"rules": rules(), "limits": {"waiting": 10_000, "waitFor": "20s"}});
    let to = |prefix: &str, cluster: &str| json!({"match": {"prefix": prefix}, "route": {"cluster": cluster, "timeout": "0s"}});
    let mut config = config(issuer, &changes);
    config["issuers"][0]["keys"]["timeout"] = json!("20s");
    let bootstrap = Bootstrap::new(upstream.address())
        .cluster("issuer", issuer.address())
        .cluster("upstream2", upstream.address())
        .http2("upstream2")
        .routes(&json!([to("/h1/", "upstream"), to("/h2/", "upstream2")]))
        .listener("connection_balance_config/exact_balance", &json!({}))
        .plugin(&config.to_string());
    Envoy::builder(&bootstrap.text()).concurrency(2).log_levels("warning", "wasm:warning").start().unwrap()
}

/// Each connection takes its share, and checks the answers.
fn send_all(connections: &[Connection], callers: &[Caller]) {
    thread::scope(|scope| {
        for (index, connection) in connections.iter().enumerate() {
            scope.spawn(move || send_over(connection, callers.iter().skip(index).step_by(CONNECTIONS)));
        }
    });
}

fn send_over<'c>(connection: &Connection, callers: impl Iterator<Item = &'c Caller>) {
    let mut streams: VecDeque<(Stream, &Caller)> = VecDeque::new();
    for caller in callers {
        if streams.len() == STREAMS {
            conclude(streams.pop_front().unwrap());
        }
        let stream = connection.start(&caller.request).unwrap();
        match caller.end {
            End::Sent => stream.reset(Reason::CANCEL),
            End::Answered | End::Later => streams.push_back((stream, caller)),
        }
        let middle = streams.len() / 2;
        if streams.get(middle).is_some_and(|(_, caller)| caller.end == End::Later) {
            streams.remove(middle).unwrap().0.reset(Reason::CANCEL);
        }
    }
    streams.into_iter().for_each(conclude);
}

fn conclude((stream, caller): (Stream, &Caller)) {
    let answer = stream.response().unwrap_or_else(|error| panic!("{}: {error}", caller.path));
    let echo = answer.json();
    assert_eq!((answer.status, echo["reason"].as_str()), (caller.status, caller.reason), "{}", caller.path);
    if caller.status == 200 {
        check_identity(&echo, caller);
    }
}

fn check_identity(seen: &Value, caller: &Caller) {
    assert_eq!((seen["path"].as_str(), &identity(seen)), (Some(caller.path.as_str()), &caller.identity), "{seen}");
    let protocol = if caller.path.starts_with("/h2/") { "2" } else { "1.1" };
    assert_eq!(seen["http_version"], protocol);
    assert!(!seen.to_string().contains("authorization"), "{seen}");
}

/// Every request that reached it: those of callers who were gone by then, too.
fn check_upstream(upstream: &Upstream, callers: &BTreeMap<&str, &Caller>) {
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    let seen = upstream.seen();
    assert_eq!(seen.len(), usize::try_from(upstream.count()).unwrap(), "it remembers all of them");
    for seen in &seen {
        let path = seen["path"].as_str().unwrap();
        check_identity(seen, callers[path]);
        *times.entry(path).or_default() += 1;
    }
    for (path, caller) in callers {
        let times = times.get(path).copied().unwrap_or_default();
        let expected = match (caller.status, caller.end) {
            (200, End::Answered) => times == 1,
            (200, _) => times <= 1,
            _ => times == 0,
        };
        assert!(expected, "{path} was seen {times} times");
    }
}

fn check_access_log(envoy: &Envoy, callers: &BTreeMap<&str, &Caller>) {
    let answered = callers.values().filter(|caller| caller.end == End::Answered).count();
    let caller = |entry: &Value| callers[entry["path"].as_str().unwrap()];
    let is_answered = |entry: &&Value| caller(entry).end == End::Answered;
    let complete = || envoy.access_log(answered).iter().filter(is_answered).count();
    eventually("each has its line", || complete() >= answered);
    let entries = envoy.access_log(answered);
    for entry in &entries {
        let caller = caller(entry);
        let found = (entry["subject"].as_str(), entry["reason"].as_str());
        let expected = (caller.subject.as_deref(), caller.reason);
        // Who gave up may not have been decided on.
        let is_undecided = caller.end != End::Answered && found == (None, None);
        assert!(found == expected || is_undecided, "{entry}");
    }
    assert_eq!(entries.iter().filter(is_answered).count(), answered, "each has one line");
}
