//! Updates of the configuration while requests come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use real_envoy::http::{Connection, Request, Response};
use real_envoy::{Bootstrap, ChangingEnvoy};
use serde_json::{Value, json};
use test_support::eventually;
use testbed::flaws::Flaw;
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};
use testbed::upstream::Upstream;

use crate::world::{config, verdict};

const CLIENTS: usize = 4;
const UPDATES: usize = 8;

/// Each request is answered, and as one of the configurations has it; what the client saw is what was counted.
#[test]
fn an_update_under_load_loses_no_request_and_judges_each() {
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let bootstrap = |realm: &str| {
        let headers = json!({"X-Auth-Request-User": "$subject"});
        let config = config(&issuer, &json!({"realm": realm, "identityHeaders": headers})).to_string();
        Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config)
    };
    // Long enough for each connection of a configuration that was replaced to be told that it will be closed.
    let changing = ChangingEnvoy::start(&bootstrap("static"), |builder| builder.drain_seconds(10));
    let changing = changing.unwrap_or_else(|error| panic!("{error}"));
    let token = |flaw: Flaw| issuer.token(&TokenRequest { flaw, ..TokenRequest::subject("alice") }).unwrap();
    let (good, forged) = (token(Flaw::None), token(Flaw::BadSignature));
    let sent = [
        (Request::get("/x").bearer(&good).header("x-auth-request-user", "mallory"), (200, "")),
        (Request::get("/x"), (401, "missing_token")),
        (Request::get("/x").bearer(&forged), (401, "bad_signature")),
        (Request::new("POST", "/x").bearer(&good), (403, "insufficient_scope")),
    ];
    // A connection to a listener that is just closed may end without an answer, and then nobody has counted it.
    let answered = AtomicU64::new(0);
    let is_served = |realm: &str| {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let Ok(answer) = Request::get("/x").send(changing.address()) else { return false };
        answered.fetch_add(1, Ordering::Relaxed);
        answer.header("www-authenticate").as_deref() == Some(&challenge)
    };
    changing.update(&bootstrap("realm-0")).unwrap();
    eventually("the listener is there", || is_served("realm-0"));
    let missing = "wasmcustom.jotgate_requests_denied_missing_token";
    let asked = answered.swap(0, Ordering::Relaxed);
    eventually("these are counted", || changing.envoy().stat(missing).is_ok_and(|count| count == asked));
    let before = changing.envoy().stats("wasmcustom.jotgate_requests").unwrap();
    let arrived = upstream.count();

    let is_over = AtomicBool::new(false);
    let counts = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (sent, is_over, address) = (&sent, &is_over, changing.address());
                scope.spawn(move || {
                    let mut counts = BTreeMap::<String, u64>::new();
                    let mut connection = Connection::open(address).unwrap();
                    for (request, expected) in sent.iter().cycle().skip(client) {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let response = connection.send(request).unwrap_or_else(|error| panic!("{error}: {counts:?}"));
                        assert_judged(&response, *expected);
                        *counts.entry(expected.1.to_owned()).or_default() += 1;
                        if response.header("connection").as_deref() == Some("close") {
                            connection = Connection::open(address).unwrap();
                        }
                    }
                    counts
                })
            })
            .collect();
        // New connections get the new configuration; what this asks is counted, too.
        for update in 1..=UPDATES {
            let realm = format!("realm-{update}");
            changing.update(&bootstrap(&realm)).unwrap();
            eventually("the new configuration is used", || is_served(&realm));
        }
        is_over.store(true, Ordering::Relaxed);
        let mut counts = BTreeMap::from([("missing_token".to_owned(), answered.load(Ordering::Relaxed))]);
        for client in clients {
            for (reason, count) in client.join().unwrap() {
                *counts.entry(reason).or_default() += count;
            }
        }
        counts
    });
    assert!(counts.values().all(|count| *count > 20), "{counts:?}");
    assert_eq!(upstream.count() - arrived, counts[""]);
    eventually("the counters agree", || {
        let stats = changing.envoy().stats("wasmcustom.jotgate_requests").unwrap();
        let counted = |name: &str| stats[name] - before[name];
        counts.iter().all(|(reason, count)| {
            let name = if reason.is_empty() { "allowed".to_owned() } else { format!("denied_{reason}") };
            counted(&format!("wasmcustom.jotgate_requests_{name}")) == *count
        })
    });
    assert_eq!(issuer.count("/jwks"), 1);
}

/// The fetch of a configuration that is over has no answer: the next one does not wait for it.
#[test]
fn an_update_during_a_fetch_keeps_nobody_waiting() {
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let bootstrap = |config: &Value| {
        Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config.to_string())
    };
    let with_realm = |realm: &str| {
        let mut config = config(&issuer, &json!({"realm": realm, "limits": {"waitFor": "20s"}}));
        config["issuers"][0]["keys"]["timeout"] = json!("60s");
        bootstrap(&config)
    };
    let mut fetches_nothing = config(&issuer, &json!({}));
    fetches_nothing["issuers"][0]["keys"] = json!({"inline": issuer.key_set()});
    issuer.set_jwks(Fault::lasting(Mode::Stall)).unwrap();
    let changing = ChangingEnvoy::start(&bootstrap(&fetches_nothing), |builder| builder.drain_seconds(1));
    let changing = changing.unwrap_or_else(|error| panic!("{error}"));
    changing.update(&with_realm("first")).unwrap();
    eventually("the first configuration fetches", || issuer.count("/jwks") == 1);
    issuer.set_jwks(Fault::lasting(Mode::Ok)).unwrap();
    changing.update(&with_realm("second")).unwrap();
    eventually("the second one is used", || {
        let answer = Request::get("/x").send(changing.address());
        answer.is_ok_and(|answer| answer.header("www-authenticate").as_deref() == Some("Bearer realm=\"second\""))
    });
    let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
    let response = Request::get("/x").bearer(&token).send(changing.address()).unwrap();
    assert_eq!(verdict(&response), (200, String::new()));
    assert_eq!(issuer.count("/jwks"), 2);
}

fn assert_judged(response: &Response, (status, reason): (u16, &str)) {
    assert_eq!(verdict(response), (status, reason.to_owned()));
    if status == 200 {
        assert_eq!(response.seen("x-auth-request-user"), ["alice"]);
    }
}
