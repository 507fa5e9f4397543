//! Keys: fetched at the start, waited for, kept through trouble.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use real_envoy::http::{Connection, Request, burst};
use real_envoy::{Bootstrap, Port};
use serde_json::{Value, json};
use test_support::{SOON, eventually};
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};
use testbed::upstream::Upstream;

use crate::world::{World, add, config, refused, verdict};

/// With an issuer that has this fault from the start.
fn faulty(fault: Fault, changes: &Value) -> World {
    let issuer = Issuer::start(Options::default()).unwrap();
    issuer.set_jwks(fault).unwrap();
    let config = patient(&issuer, changes);
    World::start(issuer, |bootstrap| bootstrap.plugin(&config.to_string()))
}

/// Likewise in the Envoy that tests share.
fn faulty_shared(fault: Fault, changes: &Value) -> World {
    let issuer = Issuer::start(Options::default()).unwrap();
    issuer.set_jwks(fault).unwrap();
    let config = patient(&issuer, changes);
    World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()))
}

/// The usual configuration, with time for issuers that are slow on a busy machine.
fn patient(issuer: &Issuer, changes: &Value) -> Value {
    let mut config = config(issuer, changes);
    config["issuers"][0]["keys"]["timeout"] = json!("30s");
    config
}

fn impatient() -> Value {
    json!({"limits": {"waitFor": "200ms"}})
}

#[test]
fn bad_key_sets_are_no_keys_until_a_good_one_comes() {
    for mode in [
        Mode::Status { status: 404 },
        Mode::Status { status: 500 },
        Mode::Html,
        Mode::Garbage,
        Mode::Truncated,
        Mode::CutOff,
        Mode::Close,
        Mode::EmptySet,
        Mode::NoUsableKey,
        Mode::Redirect,
        Mode::Oversize { bytes: 300_000 },
        Mode::Body { body: String::new(), content_type: "application/json".into() },
        Mode::Body { body: "{\"keys\":{}}".into(), content_type: "application/json".into() },
    ] {
        let world = faulty_shared(Fault::lasting(mode.clone()), &impatient());
        eventually("the issuer was asked", || world.issuer.count("/jwks") > 0);
        let response = world.send(&Request::get("/x").bearer(&world.alice()));
        assert_eq!(verdict(&response), refused(503, "keys_unavailable"), "{mode:?}");
        let retry_after: u64 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&retry_after), "{retry_after}");
        assert_eq!(world.send(&Request::get("/public/a")).status, 200, "{mode:?}");
        world.issuer.set_jwks(Fault::lasting(Mode::Ok)).unwrap();
        eventually("good keys are used", || world.verdict(&world.alice()).0 == 200);
    }
}

#[test]
fn odd_keys_do_not_spoil_their_set() {
    let world = faulty_shared(Fault::lasting(Mode::OddKeys), &json!({}));
    world.assert_good_passes();
}

#[test]
fn an_issuer_that_comes_up_late_is_found() {
    let port = Port::reserve().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
    let url = format!("http://{address}");
    let upstream = Upstream::start(0).unwrap();
    let keys = json!({"jwksUri": format!("{url}/jwks"), "cluster": "issuer"});
    let config = json!({"issuers": [{"name": "main", "issuer": url, "audiences": ["demo"], "keys": keys}], "default": "authenticated", "limits": {"waitFor": "0s"}});
    let bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", address).plugin(&config.to_string());
    let envoy = add(&bootstrap);
    let send = |token: &str| Request::get("/x").bearer(token).send(envoy.address("gateway")).unwrap();

    // The tokens of an issuer that is not there yet: its keys are made when it starts.
    let stranger = Issuer::start(Options { issuer: Some(url.clone()), ..Options::default() }).unwrap();
    let token = stranger.token(&TokenRequest::subject("alice")).unwrap();
    assert_eq!(verdict(&send(&token)), refused(503, "keys_unavailable"));
    let issuer = Issuer::start(Options { port: address.port(), ..Options::default() }).unwrap();
    let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
    eventually("the issuer is found", || send(&token).status == 200);
}

#[test]
fn a_cluster_that_does_not_exist_harms_nobody_else() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let mut config = config(&issuer, &impatient());
    let mut lost = config["issuers"][0].clone();
    lost["name"] = json!("lost");
    lost["issuer"] = json!("https://lost");
    lost["keys"]["cluster"] = json!("nowhere");
    config["issuers"].as_array_mut().unwrap().push(lost);
    let world = World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()));
    let claims = json!({"iss": "https://lost"}).as_object().unwrap().clone();
    let token = world.token(&TokenRequest { claims, ..TokenRequest::subject("alice") });
    assert_eq!(world.verdict(&token), refused(503, "keys_unavailable"));
    eventually("the keys of the other are there", || world.verdict(&world.alice()).0 == 200);
    assert_eq!(world.issuer.count("/jwks"), 1);
    eventually("the error is logged", || world.envoy.log().contains("is there a cluster of that name?"));
}

/// Thousands of requests before the first keys: each passes, or is told that too many wait.
#[test]
fn a_crowd_at_the_start_is_served_or_told_to_come_back() {
    let world =
        faulty(Fault::lasting(Mode::Slow { millis: 3000 }), &json!({"limits": {"waiting": 300, "waitFor": "30s"}}));
    let token = world.alice();
    let requests: Vec<_> = (0..2000).map(|_| Request::get("/x").bearer(&token)).collect();
    let mut counts = [0, 0];
    for response in burst(world.envoy.address("gateway"), &requests, SOON * 2) {
        let response = response.unwrap();
        match verdict(&response) {
            (200, _) => counts[0] += 1,
            (503, reason) if reason == "overloaded" => {
                assert!(response.header("retry-after").is_some());
                counts[1] += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counts[0] + counts[1], 2000);
    assert!(counts[0] > 0, "nobody passed: {counts:?}");
    world.assert_good_passes();
}

/// Those who are refused at the same moment end at the same moment, which Envoy does one inside the other: a VM that
/// refuses too many in one call runs out of stack, and takes everyone on that worker with it.
#[test]
fn a_crowd_that_waited_is_refused_one_and_all() {
    let world = faulty(Fault::lasting(Mode::Slow { millis: 3000 }), &json!({"limits": {"waitFor": "30s"}}));
    let bad = world.token(&TokenRequest { flaw: testbed::flaws::Flaw::BadSignature, ..TokenRequest::subject("alice") });
    let requests: Vec<_> = (0..1000).map(|_| Request::get("/x").bearer(&bad)).collect();
    let answers = burst(world.envoy.address("gateway"), &requests, SOON * 2);
    let refused_well = |answer: &std::io::Result<_>| {
        answer.as_ref().is_ok_and(|answer| verdict(answer) == refused(401, "bad_signature"))
    };
    let wrong: Vec<_> = answers.iter().filter(|answer| !refused_well(answer)).collect();
    assert!(wrong.is_empty(), "{} of 1000 got other answers, such as {:?}", wrong.len(), wrong[0]);
    assert_eq!(world.envoy.stat("wasm.jotgate.vm_reload_success").unwrap(), 0, "{}", world.envoy.log());
    world.assert_good_passes();
}

/// Whatever the host's option says, nothing of a request reaches the upstream before it was decided.
#[test]
fn a_body_is_held_back_while_its_request_waits() {
    for allow in [false, true] {
        let issuer = Issuer::start(Options::default()).unwrap();
        issuer.set_jwks(Fault::lasting(Mode::Slow { millis: 2000 })).unwrap();
        let config = patient(&issuer, &json!({"limits": {"waitFor": "30s"}})).to_string();
        let world = World::add(issuer, |bootstrap| {
            bootstrap.plugin(&config).plugin_option("allow_on_headers_stop_iteration", &json!(allow))
        });
        let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
        let bad =
            world.token(&TokenRequest { flaw: testbed::flaws::Flaw::BadSignature, ..TokenRequest::subject("alice") });
        connection.write(&Request::new("PATCH", "/x").bearer(&bad).body("secret").bytes()).unwrap();
        let response = connection.response(false).unwrap();
        assert_eq!(verdict(&response), refused(401, "bad_signature"), "allowed: {allow}");
        assert_eq!(world.upstream.count(), 0, "allowed: {allow}");
        let good = world.send(&Request::new("PATCH", "/x").bearer(&world.alice()).body("whole"));
        assert_eq!(good.json()["body"], "whole");
    }
}

#[test]
fn clients_that_leave_while_they_wait_are_forgotten() {
    let world = faulty_shared(Fault::lasting(Mode::Slow { millis: 1500 }), &json!({"limits": {"waitFor": "30s"}}));
    let token = world.alice();
    for _ in 0..50 {
        let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
        connection.write(&Request::get("/x").bearer(&token).bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    eventually("the gate works", || world.verdict(&token).0 == 200);
    world.assert_good_passes();
}

#[test]
fn keys_are_refreshed_and_kept_through_an_outage() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let mut config = config(&issuer, &json!({}));
    config["issuers"][0]["name"] = json!("kept");
    config["issuers"][0]["keys"]["refreshAfter"] = json!("1s");
    let world = World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()));
    world.assert_good_passes();
    let count = world.issuer.count("/jwks");
    eventually("keys are refreshed", || world.issuer.count("/jwks") > count + 3);
    world.issuer.set_jwks(Fault::lasting(Mode::Html)).unwrap();
    let count = world.issuer.count("/jwks");
    eventually("the outage was noticed", || world.issuer.count("/jwks") > count + 3);
    for _ in 0..20 {
        world.assert_good_passes();
    }
    let is_logged = |line: &str| line.contains("kept") && line.contains("stay in use");
    assert!(world.envoy.log().lines().any(is_logged), "{}", world.envoy.log());
}

#[test]
fn inline_keys_need_no_issuer() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let mut config = config(&issuer, &json!({}));
    config["issuers"][0]["keys"] = json!({"inline": issuer.key_set()});
    let world = World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()));
    world.assert_good_passes();
    assert_eq!(world.issuer.count("/jwks"), 0);
}

#[test]
fn inline_keys_may_stand_in_the_environment() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let mut config = config(&issuer, &json!({}));
    config["issuers"][0]["keys"] = json!({"inline": {"env": "JWKS"}});
    let keys = json!({"JWKS": issuer.key_set().to_string()});
    let world = World::start(issuer, |bootstrap| {
        bootstrap
            .plugin(&config.to_string())
            .plugin_option("vm_config/environment_variables", &json!({"key_values": keys}))
    });
    world.assert_good_passes();
}
