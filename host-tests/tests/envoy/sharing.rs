//! Keys that all workers share, and what that costs the issuer.

use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::http::{Request, burst};
use real_envoy::{Bootstrap, ChangingEnvoy, Envoy, SharedEnvoy};
use serde_json::{Value, json};
use test_support::{SOON, eventually};
use testbed::issuer::{Fault, Issuer, Mode, Options, Rotation, TokenRequest};
use testbed::raw::{Answer, RawServer};
use testbed::upstream::Upstream;

use crate::world::{World, config, refused, verdict};

const WORKERS: usize = 4;

/// For tests that look neither at the log nor at metrics.
static SHARED: LazyLock<SharedEnvoy> = LazyLock::new(|| {
    SharedEnvoy::start_with(|bootstrap| bootstrap, |builder| builder.concurrency(WORKERS))
        .unwrap_or_else(|error| panic!("{error}"))
});

fn world_of(issuer: Issuer, keys: &Value) -> World {
    let upstream = Upstream::start(0).unwrap();
    let envoy = SHARED.add(&bootstrap_of(&issuer, &upstream, keys)).unwrap_or_else(|error| panic!("{error}"));
    World { issuer, upstream, envoy }
}

fn world(keys: &Value) -> World {
    world_of(Issuer::start(Options::default()).unwrap(), keys)
}

/// In an Envoy of its own, with so many workers.
fn world_with(workers: usize, bootstrap: impl FnOnce(&Issuer, &Upstream) -> Bootstrap) -> World {
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let envoy = Envoy::builder(&bootstrap(&issuer, &upstream).text()).concurrency(workers).start();
    World { issuer, upstream, envoy: envoy.unwrap_or_else(|error| panic!("{error}")) }
}

/// With these members of `keys`.
fn bootstrap_of(issuer: &Issuer, upstream: &Upstream, keys: &Value) -> Bootstrap {
    bootstrap(issuer, upstream, &config_of(issuer, keys))
}

fn bootstrap(issuer: &Issuer, upstream: &Upstream, config: &Value) -> Bootstrap {
    Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config.to_string())
}

fn config_of(issuer: &Issuer, keys: &Value) -> Value {
    let mut config = config(issuer, &json!({}));
    for (name, value) in keys.as_object().unwrap() {
        config["issuers"][0]["keys"][name] = value.clone();
    }
    if keys.get("discovery").is_some() {
        config["issuers"][0]["keys"].as_object_mut().unwrap().remove("jwksUri");
    }
    config
}

/// Over connections of their own, so that every worker gets some.
fn verdicts(world: &World, token: &str, count: usize) -> Vec<(u16, String)> {
    let requests: Vec<_> = (0..count).map(|_| Request::get("/x").bearer(token)).collect();
    let responses = burst(world.envoy.address("gateway"), &requests, SOON);
    responses.into_iter().map(|response| verdict(&response.unwrap())).collect()
}

fn assert_all_pass(world: &World, token: &str, count: usize) {
    for found in verdicts(world, token, count) {
        assert_eq!(found, (200, String::new()), "{}", world.envoy.log());
    }
}

#[test]
fn all_workers_make_one_fetch_per_refresh() {
    for workers in [1, 2, 8] {
        // The keys of this one are not refreshed meanwhile.
        let steady = Issuer::start(Options::default()).unwrap();
        let before = Instant::now();
        let world = world_with(workers, |issuer, upstream| {
            let mut config = config_of(issuer, &json!({"refreshAfter": "2s"}));
            let mut other = config_of(&steady, &json!({"cluster": "steady"}))["issuers"][0].take();
            other["name"] = json!("steady");
            config["issuers"].as_array_mut().unwrap().push(other);
            bootstrap(issuer, upstream, &config).cluster("steady", steady.address())
        });
        let start = Instant::now();
        assert_all_pass(&world, &steady.token(&TokenRequest::subject("alice")).unwrap(), 40);
        assert_eq!(steady.count("/jwks"), 1, "{workers} workers");
        while start.elapsed() < Duration::from_secs(6) {
            assert_all_pass(&world, &world.alice(), 20);
            sleep(Duration::from_millis(100));
        }
        // Keys were there at some time while it started.
        let least = start.elapsed().as_secs() / 3;
        let count = world.issuer.count("/jwks");
        let most = before.elapsed().as_secs() / 2 + 1;
        assert!((least..=most).contains(&count), "{count} fetches, not {least} to {most}, by {workers} workers");
        // A fetch that was made is counted once its answer has come.
        eventually("each fetch is counted", || {
            world.envoy.stat("wasmcustom.jotgate_keys_fetched_main").unwrap() == world.issuer.count("/jwks")
        });
        let stats = world.envoy.stats("wasmcustom.jotgate_keys").unwrap();
        assert_eq!(stats["wasmcustom.jotgate_keys_usable_main"], 3, "{stats:?}");
        assert!(stats["wasmcustom.jotgate_keys_age_seconds_main"] <= 3, "{stats:?}");
    }
}

#[test]
fn a_rotation_under_load_refuses_nobody() {
    let world = world(&json!({"unknownKeyCooldown": "1s"}));
    assert_all_pass(&world, &world.alice(), 20);
    for round in 1..=3 {
        let old = world.alice();
        world.issuer.rotate(Rotation { keep: true, publish: true });
        let new = world.alice();
        let requests: Vec<_> = (0..100).map(|index| Request::get("/x").bearer([&old, &new][index % 2])).collect();
        for response in burst(world.envoy.address("gateway"), &requests, SOON) {
            assert_eq!(verdict(&response.unwrap()), (200, String::new()), "in round {round}");
        }
        assert_eq!(world.issuer.count("/jwks"), 1 + round, "one fetch for all workers");
        sleep(Duration::from_millis(1200));
    }
}

#[test]
fn keys_that_were_withdrawn_are_refused_by_every_worker() {
    let world = world(&json!({"refreshAfter": "1s"}));
    let old = world.alice();
    assert_all_pass(&world, &old, 20);
    world.issuer.rotate(Rotation { keep: false, publish: true });
    let count = world.issuer.count("/jwks");
    eventually("keys are refreshed", || world.issuer.count("/jwks") > count + 2);
    for found in verdicts(&world, &old, 40) {
        assert_eq!(found, refused(401, "unknown_key"));
    }
    assert_all_pass(&world, &world.alice(), 40);
}

#[test]
fn an_outage_refuses_nobody_and_the_issuer_is_not_hammered() {
    let world = world_with(WORKERS, |issuer, upstream| bootstrap_of(issuer, upstream, &json!({"refreshAfter": "1s"})));
    assert_all_pass(&world, &world.alice(), 20);
    world.issuer.set_jwks(Fault::lasting(Mode::Status { status: 500 })).unwrap();
    let before = world.issuer.count("/jwks");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        assert_all_pass(&world, &world.alice(), 20);
        sleep(Duration::from_millis(50));
    }
    // The first try is a refresh; others follow after 1, 2 and 4 seconds, whatever the number of workers.
    let tries = world.issuer.count("/jwks") - before;
    assert!((2..=5).contains(&tries), "{tries}");
    world.issuer.set_jwks(Fault::lasting(Mode::Ok)).unwrap();
    eventually("keys are fetched again", || world.envoy.log().matches("usable").count() >= 2);
    assert_eq!(world.envoy.log().matches("not fetched").count(), 1, "{}", world.envoy.log());
}

#[test]
fn a_flood_of_unknown_kids_costs_one_fetch_per_cooldown() {
    let world = world(&json!({"timeout": "30s"}));
    assert_all_pass(&world, &world.alice(), 20);
    world.issuer.set_jwks(Fault::lasting(Mode::Slow { millis: 500 })).unwrap();
    let junk: Vec<_> = (0..2000)
        .map(|index| {
            let request = TokenRequest { kid: Some(format!("junk-{index}")), ..TokenRequest::subject("mallory") };
            let request = TokenRequest { alg: Some("EdDSA".into()), ..request };
            Request::get("/x").bearer(&world.token(&request))
        })
        .collect();
    let mut counts = [0, 0];
    for response in burst(world.envoy.address("gateway"), &junk, SOON * 2) {
        match verdict(&response.unwrap()) {
            (401, reason) if reason == "unknown_key" => counts[0] += 1,
            (503, reason) if reason == "overloaded" => counts[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counts[0] + counts[1], 2000, "{counts:?}");
    assert_eq!(world.issuer.count("/jwks"), 2, "{counts:?}");
    assert_all_pass(&world, &world.alice(), 20);
}

#[test]
fn keys_are_discovered() {
    let world = world(&json!({"discovery": {}}));
    assert_all_pass(&world, &world.alice(), 40);
    let counts = ["/.well-known/openid-configuration", "/jwks"].map(|path| world.issuer.count(path));
    assert_eq!(counts, [1, 1]);
    world.issuer.rotate(Rotation { keep: true, publish: true });
    assert_all_pass(&world, &world.alice(), 40);
    let counts = ["/.well-known/openid-configuration", "/jwks"].map(|path| world.issuer.count(path));
    assert!(counts == [1, 2] || counts == [2, 2], "{counts:?}");
}

#[test]
fn keys_are_discovered_inside_for_an_issuer_with_an_outside_name() {
    let name = "https://idp.example.com/realms/main";
    let issuer = Issuer::start(Options { issuer: Some(name.into()), ..Options::default() }).unwrap();
    let internal = format!("{}/realms/main/.well-known/openid-configuration", issuer.url());
    let world = world_of(issuer, &json!({"discovery": {"internalUri": internal}}));
    assert_all_pass(&world, &world.alice(), 20);
    assert_eq!(world.issuer.count("/realms/main/jwks"), 1);
}

#[test]
fn bad_discovery_documents_are_no_keys_until_a_good_one_comes() {
    for (index, (mode, reason)) in [
        (Mode::WrongIssuer, "expected its `issuer` to be"),
        (Mode::NoJwksUri, "expected its `jwks_uri` to be"),
        (Mode::ForeignJwksUri { uri: "http://127.0.0.1:1/jwks".into() }, "which takes `jwksCluster`"),
        (Mode::Redirect, "expected status 200, found 302"),
        (Mode::Html, "it is not strict JSON"),
        (Mode::Truncated, "it is not strict JSON"),
        (Mode::Oversize { bytes: 300_000 }, "longer than `limits.keySetBytes`"),
        (Mode::CutOff, "not discovered through cluster"),
    ]
    .into_iter()
    .enumerate()
    {
        let issuer = Issuer::start(Options::default()).unwrap();
        issuer.set_discovery(Fault::lasting(mode.clone())).unwrap();
        // In the Envoy that tests share, where a name tells the lines of the log apart.
        let name = format!("bad-discovery-{index}");
        let mut config = config(&issuer, &json!({}));
        config["issuers"][0]["name"] = json!(name);
        config["issuers"][0]["keys"] = json!({"discovery": {}, "cluster": "issuer"});
        let world = World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()));
        let is_logged = |line: &str| line.contains(&name) && line.contains(reason);
        eventually("the reason is logged", || world.envoy.log().lines().any(is_logged));
        assert_eq!(world.issuer.count("/jwks"), 0, "{mode:?}");
        world.issuer.set_discovery(Fault::lasting(Mode::Ok)).unwrap();
        eventually("good keys are used", || world.verdict(&world.alice()).0 == 200);
    }
}

#[test]
fn a_key_set_on_another_host_is_fetched_through_its_own_cluster() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let certs = RawServer::start().unwrap();
    certs.set("/keys", Answer::response(200, "application/json", issuer.key_set().to_string()));
    let uri = format!("http://{}/keys", certs.address());
    issuer.set_discovery(Fault::lasting(Mode::ForeignJwksUri { uri })).unwrap();
    let mut config = config(&issuer, &json!({}));
    config["issuers"][0]["keys"] = json!({"discovery": {}, "cluster": "issuer", "jwksCluster": "certs"});
    let world = World::add(issuer, |bootstrap| bootstrap.cluster("certs", certs.address()).plugin(&config.to_string()));
    assert_all_pass(&world, &world.alice(), 20);
    assert_eq!((world.issuer.count("/jwks"), certs.count("/keys")), (0, 1));
}

/// A listener that comes and changes while Envoy runs: its configurations find the keys that are there, though the
/// issuer answers no more, and every request is counted.
#[test]
fn an_update_of_the_configuration_keeps_keys_and_counts() {
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let bootstrap = |realm: &str| {
        let config = config(&issuer, &json!({"realm": realm})).to_string();
        Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config)
    };
    let changing = ChangingEnvoy::start(&bootstrap("first"), |builder| builder);
    let changing = changing.unwrap_or_else(|error| panic!("{error}"));
    let (envoy, address) = (changing.envoy(), changing.address());
    let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
    let first = Request::get("/x").bearer(&token).send(envoy.address("gateway")).unwrap();
    assert_eq!(verdict(&first), (200, String::new()));
    let (mut passed, mut refused) = (1, 0);

    issuer.set_jwks(Fault::lasting(Mode::Stall)).unwrap();
    for realm in ["second", "third"] {
        changing.update(&bootstrap(realm)).unwrap();
        let challenge = format!("Bearer realm=\"{realm}\"");
        eventually("the new configuration is used", || {
            // Those with a token pass all the while.
            if let Ok(response) = Request::get("/x").bearer(&token).send(address) {
                assert_eq!(verdict(&response), (200, String::new()), "{}", envoy.log());
                passed += 1;
            }
            let answer = Request::get("/x").send(address);
            refused += u64::from(answer.is_ok());
            answer.is_ok_and(|answer| answer.header("www-authenticate").as_deref() == Some(&challenge))
        });
        for _ in 0..20 {
            let response = Request::get("/x").bearer(&token).send(address).unwrap();
            assert_eq!(verdict(&response), (200, String::new()), "{}", envoy.log());
            passed += 1;
        }
    }
    assert_eq!(issuer.count("/jwks"), 1);
    for (counter, count) in [("allowed", passed), ("denied_missing_token", refused)] {
        let counter = format!("wasmcustom.jotgate_requests_{counter}");
        assert_eq!(envoy.counter(&counter, count).unwrap(), count, "{counter}");
    }
}
