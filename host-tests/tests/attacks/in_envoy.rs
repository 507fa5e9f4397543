//! The cases about fetching, configuring and logging, in a real Envoy with a real network.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::http::{Request as Wire, burst};
use real_envoy::{Bootstrap, ChangingEnvoy, NOWHERE};
use serde_json::{Value, json};
use test_support::{SOON, eventually};
use testbed::keys::jwk_set;
use testbed::raw::{Answer as Served, RawServer, response};
use testbed::upstream::Upstream;

use crate::bad_configs::bad_configs;
use crate::envoy::{RealEnvoy, to_wire};
use crate::exchange::Request;
use crate::key_sets::{issuer, strangers_set};
use crate::mint::{Claims, own_key, sign};
use crate::run::{Host as _, Run};
use crate::setting::{STRANGER, Setting, add_rules};

/// An issuer for each way in which the network fails, and for each thing that changes in time.
pub(crate) fn network() -> Setting {
    let names = ["fine", "stall", "drip", "reset", "refused", "tls", "nowhere", "recovering", "rotating", "flooded"];
    let mut issuers: Vec<Value> = names.iter().map(|name| issuer(name)).collect();
    for (name, member, value) in [
        ("refused", "cluster", "refused"),
        ("tls", "cluster", "tls"),
        ("nowhere", "cluster", "nowhere"),
        ("flooded", "unknownKeyCooldown", "30s"),
    ] {
        issuers.iter_mut().find(|issuer| issuer["name"] == name).unwrap()["keys"][member] = json!(value);
    }
    for name in ["fine", "rotating", "flooded"] {
        issuers.iter_mut().find(|issuer| issuer["name"] == name).unwrap()["keys"]["timeout"] = json!("20s");
    }
    let mut config = json!({"issuers": issuers, "limits": {"waitFor": "300ms"}});
    add_rules(&mut config);
    let good = strangers_set().to_string().into_bytes();
    let served = ["fine", "flooded", "tls"].map(|name| (format!("/{name}"), (200, good.clone())));
    Setting { name: "network".into(), config, served: BTreeMap::from(served) }
}

/// The clusters and answers that [`network`] needs.
pub(crate) fn with_network(bootstrap: Bootstrap, issuers: &RawServer) -> Bootstrap {
    let good = response(200, "application/json", strangers_set().to_string().as_bytes());
    issuers.set("/stall", Served::Silence);
    issuers.set("/drip", Served::Drip(good.clone(), Duration::from_secs(1)));
    issuers.set("/reset", Served::Reset(good[..good.len() - 20].to_vec()));
    issuers.set("/recovering", Served::response(500, "application/json", strangers_set().to_string()));
    issuers.set("/rotating", Served::response(200, "application/json", jwk_set([own_key("ES256")]).to_string()));
    let context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let tls = json!({"name": "envoy.transport_sockets.tls", "typed_config": {"@type": context}});
    bootstrap.cluster("refused", NOWHERE).cluster("tls", issuers.address()).cluster_option(
        "tls",
        "transport_socket",
        &tls,
    )
}

pub(crate) fn all(run: &mut Run<'_, RealEnvoy>) {
    run.case("JWK-040", recovery);
    run.case("JWK-008", failures_of_the_network);
    run.case("JWK-038", a_cluster_that_is_not_there);
    run.case("JWK-030", a_new_key_is_found);
    run.case("JWK-032", unknown_keys_bring_one_fetch);
    websockets(run);
    grpc_calls(run);
    run.case("RUN-007", configurations_are_refused);
}

/// At the very end, when everything was logged.
pub(crate) fn logs(run: &mut Run<'_, RealEnvoy>) {
    run.case("RUN-010", |run| {
        let log = run.host.envoy.log();
        run.check(log.contains("request refused"), "the log is empty");
        let lines: Vec<_> = log.lines().map(str::to_owned).collect();
        crate::logs::check(run, &lines);
        let starts = |line: &str| line.starts_with('[') || line.starts_with(' ') || line.is_empty();
        let foreign: Vec<_> = lines.iter().filter(|line| !starts(line)).collect();
        run.check(foreign.is_empty(), &format!("lines that Envoy did not begin: {foreign:?}"));
    });
    let failures = run.host.envoy.stats("wasm.").unwrap();
    let failures: Vec<_> = failures
        .iter()
        .filter(|(name, count)| **count > 0 && (name.contains("fail") || name.contains("reload")))
        .collect();
    run.check(failures.is_empty(), &format!("VMs failed: {failures:?}"));
}

fn token(run: &Run<'_, RealEnvoy>, issuer: &str) -> Request {
    Request::get("/api/x").bearer(&Claims::of(issuer, run.host.now()).strangers_token())
}

/// An outage ends within the back-off, which by then is a few seconds.
fn recovery(run: &mut Run<'_, RealEnvoy>) {
    let setting = network();
    let request = token(run, "recovering");
    run.expect("during the outage", &setting, &request, "keys_unavailable");
    run.host.issuers.set("/recovering", Served::response(200, "application/json", strangers_set().to_string()));
    until_admitted(run, &request);
    run.expect("after the outage", &setting, &request, "ok");
}

/// Or until that is not soon.
fn until_admitted(run: &mut Run<'_, RealEnvoy>, request: &Request) {
    let setting = network();
    let start = Instant::now();
    while run.host.send(&setting, request).upstream.is_none() && start.elapsed() < SOON {
        sleep(Duration::from_millis(50));
    }
}

fn failures_of_the_network(run: &mut Run<'_, RealEnvoy>) {
    for name in ["stall", "drip", "reset", "refused", "tls"] {
        let request = token(run, name);
        let mut took = || {
            let start = Instant::now();
            run.expect(name, &network(), &request, "keys_unavailable");
            start.elapsed()
        };
        // On a busy machine, one of a few is as quick as it should be.
        let is_quick = (0..5).any(|_| took() < Duration::from_secs(3));
        run.check(is_quick, &format!("{name}: answers take more than 3 s"));
    }
    let request = token(run, "fine");
    run.expect("another issuer", &network(), &request, "ok");
    let asked = run.host.issuers.count("/stall");
    run.check(asked > 0, "the issuer that stalls was asked");
}

fn a_cluster_that_is_not_there(run: &mut Run<'_, RealEnvoy>) {
    let request = token(run, "nowhere");
    run.expect("nowhere", &network(), &request, "keys_unavailable");
    run.expect("a public route", &network(), &Request::get("/public/x"), "ok");
    let request = token(run, "fine");
    run.expect("another issuer", &network(), &request, "ok");
}

/// The cooldown is a second here.
fn a_new_key_is_found(run: &mut Run<'_, RealEnvoy>) {
    let request = token(run, "rotating");
    run.expect("before it is published", &network(), &request, "unknown_key");
    let set = jwk_set([own_key("ES256"), &*STRANGER]).to_string();
    run.host.issuers.set("/rotating", Served::response(200, "application/json", set));
    sleep(Duration::from_millis(1100));
    let before = run.host.issuers.count("/rotating");
    until_admitted(run, &request);
    let fetches = run.host.issuers.count("/rotating") - before;
    run.check(fetches == 1, &format!("one fetch finds the key, not {fetches}"));
    for _ in 0..10 {
        run.expect("after it was published", &network(), &request, "ok");
    }
}

fn unknown_keys_bring_one_fetch(run: &mut Run<'_, RealEnvoy>) {
    let setting = network();
    let good = token(run, "flooded");
    let before = run.host.issuers.count("/flooded");
    let payload = Claims::of("flooded", run.host.now()).text();
    let flood: Vec<_> = (0..1000)
        .map(|index| {
            let header = json!({"alg": "ES256", "kid": format!("random-{index}")}).to_string();
            to_wire(&Request::get("/api/x").bearer(&sign(&STRANGER, header.as_bytes(), payload.as_bytes())))
        })
        .collect();
    let answers = burst(run.host.envoy.address(&setting.name), &flood, Duration::from_secs(20));
    let found = answers.into_iter().map(|answer| answer.map(|answer| (answer.status, answer.json()["reason"].clone())));
    // Not everybody finds a place to wait.
    let expected = [(401, json!("unknown_key")), (503, json!("overloaded"))];
    let wrong: Vec<_> = found.filter(|found| !found.as_ref().is_ok_and(|found| expected.contains(found))).collect();
    run.check(wrong.is_empty(), &format!("{} of 1000 got other answers, such as {:?}", wrong.len(), wrong.first()));
    run.expect("a good token", &setting, &good, "ok");
    let fetches = run.host.issuers.count("/flooded") - before;
    run.check(fetches <= 1, &format!("1000 unknown keys brought {fetches} fetches"));
}

/// HTP-005: no switching of protocols without a token, and with one it works.
fn websockets(run: &mut Run<'_, RealEnvoy>) {
    let upgrade = |token: Option<&str>| {
        let request = Wire::get("/api/ws")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==");
        token.map_or(request.clone(), |token| request.clone().bearer(token))
    };
    let [good, bad] = ["rs256", "bad_signature"].map(|name| run.catalogue.good(name).to_owned());
    for (token, status) in [(None, 401), (Some(bad.as_str()), 401), (Some(good.as_str()), 101)] {
        let mut connection = run.host.connect("baseline");
        connection.write(&upgrade(token).bytes()).unwrap();
        let head = connection.head(false).unwrap();
        run.check(head.status == status, &format!("HTP-005: expected {status}, found {head:?}"));
    }
}

/// HTP-008 without the baseline's `no match`: the status is that of the reason.
fn grpc_calls(run: &mut Run<'_, RealEnvoy>) {
    let setting = Setting::baseline(run.catalogue);
    let [good, bad] = ["rs256", "bad_signature"].map(|name| run.catalogue.good(name).to_owned());
    let call =
        |path: &str| Request::new("POST", path).header("content-type", "application/grpc").header("te", "trailers");
    for (request, status) in [
        (call("/api/Method"), "16"),
        (call("/api/Method").bearer(&bad), "16"),
        (call("/api/Method").bearer(&good), "7"),
        (call("/pkg.Svc/Method").bearer(&good), "7"),
        (call("/api//Method").bearer(&good), "3"),
    ] {
        let answer = run.host.send(&setting, &request);
        let found = (answer.status, answer.header("grpc-status").map(str::to_owned));
        run.check(
            found == (200, Some(status.into())) && answer.body.is_empty(),
            &format!("HTP-008: expected {status}, found {answer:?}"),
        );
    }
}

/// Envoy refuses the update, and says why; what it had before goes on.
fn configurations_are_refused(run: &mut Run<'_, RealEnvoy>) {
    let upstream = Upstream::start(0).unwrap();
    let good = Setting::baseline(run.catalogue).config;
    let bootstrap = |config: &str| Bootstrap::new(upstream.address()).plugin(config);
    // One process for all: compiling the module is what takes the time.
    let changing = ChangingEnvoy::start(&bootstrap(&good.to_string()), |builder| builder.concurrency(1));
    let changing = changing.unwrap_or_else(|error| panic!("{error}"));
    let is_served = || Wire::get("/public/x").send(changing.address()).is_ok_and(|answer| answer.status == 200);
    let rejected = || changing.envoy().stat("listener_manager.lds.update_rejected").unwrap_or_default();
    let explained = || changing.envoy().log().matches("configuration refused").count();
    changing.update(&bootstrap(&good.to_string())).unwrap();
    eventually("the good one is served", is_served);
    for (what, config) in bad_configs(&good) {
        let before = (rejected(), explained());
        changing.update(&bootstrap(&config)).unwrap();
        eventually(what, || rejected() > before.0);
        run.check(explained() > before.1, &format!("{what}: nothing says why"));
        run.check(is_served(), &format!("{what}: the configuration before is gone"));
    }
}
