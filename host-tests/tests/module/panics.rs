//! Panics in the engine: tests ask for them, of a module that is built for tests.

use std::thread;

use real_envoy::http::Request;
use real_envoy::{Bootstrap, Envoy};
use serde_json::json;
use test_support::eventually;
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};
use testbed::raw::{Answer, RawServer};
use testbed::upstream::Upstream;

use crate::world::{World, is_module};

#[test]
fn a_panic_is_one_answer_of_500_and_the_gate_goes_on() {
    if !is_module() {
        return;
    }
    let mut world = World::start(2, None);
    assert_eq!(world.verdict(&world.good()), (200, String::new()));
    for _ in 0..4 {
        let response = world.good().header("x-jotgate-panic", "1").send(world.envoy.address("gateway")).unwrap();
        assert_eq!(response.status, 500);
        assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(response.text(), "");
        let call = world.good().header("x-jotgate-panic", "1").header("content-type", "application/grpc");
        let response = call.send(world.envoy.address("gateway")).unwrap();
        // Not 0, which would be success.
        assert_eq!((response.status, response.header("grpc-status").as_deref()), (200, Some("13")));
    }
    for _ in 0..20 {
        assert_eq!(world.verdict(&world.good()), (200, String::new()));
        assert_eq!(world.verdict(&Request::get("/x")).0, 401);
    }
    assert!(world.envoy.is_running());
    assert!(world.envoy.log().contains("jotgate: the module panicked"), "{}", world.envoy.log());
    // The engine that began anew found the keys that the process has.
    assert_eq!(world.issuer.count("/jwks"), 1);
}

/// The engine forgets them with all that it knew: nobody else could ever let them go on.
#[test]
fn requests_that_wait_beside_a_panic_are_refused() {
    if !is_module() {
        return;
    }
    let world = World::start(1, Some(Fault::lasting(Mode::Stall)));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| world.verdict(&world.good()).0)).collect();
        let active = || world.envoy.stat("http.gateway.downstream_rq_active").unwrap();
        eventually("all wait", || active() == 3);
        assert!(waiting.iter().all(|request| !request.is_finished()));
        assert_eq!(world.verdict(&world.good().header("x-jotgate-panic", "1")).0, 500);
        for request in waiting {
            assert_eq!(request.join().unwrap(), 500);
        }
    });
}

/// They were decided, and the new engine does not know them.
#[test]
fn requests_that_were_decided_before_a_panic_are_answered() {
    if !is_module() {
        return;
    }
    let world = World::start(1, Some(Fault::lasting(Mode::Status { status: 503 })));
    let active = || world.envoy.stat("http.gateway.downstream_rq_active").unwrap();
    let late = || world.good().header("x-jotgate-panic", "late");
    let statuses = thread::scope(|scope| {
        let mut sent = Vec::new();
        for (number, request) in [world.good(), world.good(), late(), world.good()].into_iter().enumerate() {
            sent.push(scope.spawn(|| world.verdict(&{ request }).0));
            eventually("it waits", || active() > u64::try_from(number).unwrap());
        }
        world.issuer.set_jwks(Fault::lasting(Mode::Ok)).unwrap();
        sent.into_iter().map(|request| request.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses, [200, 200, 500, 500]);
    assert_eq!(world.verdict(&world.good()), (200, String::new()));
}

/// The main thread's engine takes the answer of an issuer, and begins anew: its next fetch is a good one.
#[test]
fn a_panic_on_the_main_thread_costs_no_request_and_no_keys() {
    if !is_module() {
        return;
    }
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let certs = RawServer::start().unwrap();
    let set = issuer.key_set().to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nx-jotgate-panic: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", set.len());
    certs.set("/keys", Answer::Bytes([head, set.clone()].concat().into()));
    let config = json!({
        "issuers": [{
            "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
            "keys": {"jwksUri": format!("http://{}/keys", certs.address()), "cluster": "certs"},
        }],
        "rules": [{"name": "public", "match": {"paths": ["/public"]}, "access": "public"}, {"access": "authenticated"}],
    });
    let bootstrap = Bootstrap::new(upstream.address()).cluster("certs", certs.address()).plugin(&config.to_string());
    let mut envoy = Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"));
    eventually("it panics", || envoy.log().contains("jotgate: the module panicked"));
    let status = |request: &Request| request.send(envoy.address("gateway")).unwrap().status;
    assert_eq!(status(&Request::get("/public")), 200);
    certs.set("/keys", Answer::response(200, "application/json", set));
    let good = Request::get("/x").bearer(&issuer.token(&TokenRequest::subject("alice")).unwrap());
    eventually("keys are there", || status(&good) == 200);
    assert!(envoy.is_running());
}
