//! The cases about fetching, configuring and logging, in the strict host, whose clock the test moves.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use strict_host::{Callout, CalloutAnswer, LogLevel, Proxy, Response, Root, Status};
use testbed::keys::jwk_set;

use crate::bad_configs::bad_configs;
use crate::exchange::Request;
use crate::key_sets::{self, bad_answers, strangers_set};
use crate::mint::{Claims, own_key};
use crate::plugin::{StrictHost, exchange, refuses, start_in};
use crate::run::Run;
use crate::setting::{STRANGER, Setting, add_rules};

type Failure = fn() -> CalloutAnswer;
type Answers = Rc<RefCell<Box<dyn Fn(&Callout) -> CalloutAnswer>>>;

/// An issuer whose answers the test changes, and a gate that has its keys from there.
struct World {
    proxy: Proxy,
    root: Root,
    answers: Answers,
}

impl World {
    fn new(keys: &Value, answer: impl Fn(&Callout) -> CalloutAnswer + 'static) -> Self {
        let mut issuer = key_sets::issuer("changing");
        for (name, value) in keys.as_object().unwrap() {
            issuer["keys"][name] = value.clone();
        }
        let mut config = json!({"issuers": [issuer], "limits": {"waitFor": "200ms"}});
        add_rules(&mut config);
        let setting = Setting { name: "changing".into(), config, served: BTreeMap::new() };
        let answers: Answers = Rc::new(RefCell::new(Box::new(answer)));
        let proxy = Proxy::new();
        let answering = Rc::clone(&answers);
        proxy.on_callout(move |callout| answering.borrow()(callout));
        let root = start_in(&proxy, &setting);
        Self { proxy, root, answers }
    }

    fn now_answer(&self, answer: impl Fn(&Callout) -> CalloutAnswer + 'static) {
        *self.answers.borrow_mut() = Box::new(answer);
    }

    fn claims(&self) -> Claims {
        Claims::of("changing", self.proxy.clock().now().as_secs())
    }

    fn verdict(&self, token: &str) -> String {
        exchange(&self.proxy, &self.root, &Request::get("/api/x").bearer(token)).verdict().to_owned()
    }

    fn pass(&self, duration: Duration) {
        self.proxy.advance(duration);
    }

    fn fetches(&self) -> usize {
        self.proxy.callouts().len()
    }
}

fn keys(keys: &Value) -> impl Fn(&Callout) -> CalloutAnswer + 'static {
    let body = keys.to_string();
    move |_| CalloutAnswer::respond(Response::json(&body))
}

fn both_keys() -> Value {
    jwk_set([own_key("ES256"), &*STRANGER])
}

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn all(run: &mut Run<'_, StrictHost>) {
    run.case("JWK-008", failures_of_the_network);
    run.case("JWK-030", a_new_key_is_found);
    run.case("JWK-032", unknown_keys_bring_one_fetch);
    run.case("JWK-038", a_cluster_that_is_not_there);
    run.case("JWK-040", recovery);
    good_keys_outlive_bad_answers(run);
    run.case("RUN-007", |run| {
        for (what, config) in bad_configs(&Setting::baseline(run.catalogue).config) {
            run.check(refuses(&config), &format!("{what}: expected the configuration to be refused"));
        }
    });
    run.case("RUN-010", |run| {
        let lines = run.host.log();
        run.check(lines.len() > 100, "the log is empty");
        crate::logs::check(run, &lines);
    });
}

fn failures_of_the_network(run: &mut Run<'_, StrictHost>) {
    let slow = || CalloutAnswer::respond(Response::json(strangers_set())).after(10 * SECOND);
    let failures: [(&str, Failure); 4] = [
        ("no answer", CalloutAnswer::hang),
        ("refused", CalloutAnswer::fail),
        ("reset", CalloutAnswer::reset),
        ("slow", slow),
    ];
    for (what, failure) in failures {
        let world = World::new(&json!({}), move |_| failure());
        let token = || world.claims().strangers_token();
        for _ in 0..3 {
            let verdict = world.verdict(&token());
            run.check(verdict == "keys_unavailable", &format!("{what}: expected keys_unavailable, found {verdict}"));
            world.pass(2 * SECOND);
        }
        world.now_answer(keys(&strangers_set()));
        world.pass(35 * SECOND);
        let verdict = world.verdict(&token());
        run.check(verdict == "ok", &format!("{what}, and then keys: expected ok, found {verdict}"));
    }
}

fn a_new_key_is_found(run: &mut Run<'_, StrictHost>) {
    let world = World::new(&json!({}), keys(&jwk_set([own_key("ES256")])));
    let token = || world.claims().strangers_token();
    run.check(world.verdict(&token()) == "unknown_key", "a key that is not published");
    world.now_answer(keys(&both_keys()));
    world.pass(2 * SECOND);
    let before = world.fetches();
    for _ in 0..3 {
        let verdict = world.verdict(&token());
        run.check(verdict == "ok", &format!("a key that was published: expected ok, found {verdict}"));
    }
    run.check(world.fetches() == before + 1, "expected one fetch for a new key");
    // And the other way round: a key that was withdrawn is rejected.
    world.now_answer(keys(&jwk_set([own_key("ES256")])));
    world.pass(400 * SECOND);
    run.check(world.verdict(&token()) == "unknown_key", "a key that was withdrawn");
}

fn unknown_keys_bring_one_fetch(run: &mut Run<'_, StrictHost>) {
    let world = World::new(&json!({"unknownKeyCooldown": "30s"}), keys(&strangers_set()));
    world.pass(SECOND);
    let before = world.fetches();
    let memory = world.root.vm().memory_bytes();
    for index in 0..1000 {
        let header = json!({"alg": "ES256", "kid": format!("random-{index}")}).to_string();
        let token = crate::mint::sign(&STRANGER, header.as_bytes(), world.claims().text().as_bytes());
        let verdict = world.verdict(&token);
        run.check(verdict == "unknown_key", &format!("expected unknown_key, found {verdict}"));
        if index % 100 == 0 {
            run.check(world.verdict(&world.claims().strangers_token()) == "ok", "a good token during the flood");
        }
        world.pass(Duration::from_millis(10));
    }
    run.check(
        world.fetches() <= before + 1,
        &format!("1000 unknown keys brought {} fetches", world.fetches() - before),
    );
    run.check(world.root.vm().memory_bytes() <= memory + (1 << 20), "unknown keys fill the memory");
}

fn a_cluster_that_is_not_there(run: &mut Run<'_, StrictHost>) {
    for status in [Status::BAD_ARGUMENT, Status::INTERNAL_FAILURE, Status(4711)] {
        let world = World::new(&json!({}), move |_| CalloutAnswer::refuse(status));
        let verdict = world.verdict(&world.claims().strangers_token());
        run.check(verdict == "keys_unavailable", &format!("{status:?}: expected keys_unavailable, found {verdict}"));
        let public = exchange(&world.proxy, &world.root, &Request::get("/public/x"));
        run.check(public.verdict() == "ok", "a public route needs no keys");
    }
}

/// An outage of 30 s is over within the longest back-off, 30 s and a tenth.
fn recovery(run: &mut Run<'_, StrictHost>) {
    let world = World::new(&json!({}), |_| CalloutAnswer::respond(Response::new(500)));
    for _ in 0..30 {
        run.check(world.verdict(&world.claims().strangers_token()) == "keys_unavailable", "during the outage");
        world.pass(SECOND);
    }
    run.check((4..=8).contains(&world.fetches()), &format!("{} fetches in 30 s are no back-off", world.fetches()));
    world.now_answer(keys(&strangers_set()));
    world.pass(33 * SECOND);
    run.check(world.verdict(&world.claims().strangers_token()) == "ok", "after the outage");
}

/// JWK-001, JWK-003, JWK-007: the last good set stays.
fn good_keys_outlive_bad_answers(run: &mut Run<'_, StrictHost>) {
    for (id, name, status, body) in bad_answers() {
        let world = World::new(&json!({}), keys(&jwk_set([own_key("ES256")])));
        let good = || testbed::mint::mint(own_key("ES256"), &serde_json::Map::new(), &world.claims().0);
        run.check(world.verdict(&good()) == "ok", &format!("{id}, {name}: before"));
        world.now_answer(move |_| CalloutAnswer::respond(Response::new(status).body(body.clone())));
        let before = world.fetches();
        world.pass(600 * SECOND);
        run.check(world.fetches() > before + 3, &format!("{id}, {name}: it was asked again"));
        run.check(world.verdict(&good()) == "ok", &format!("{id}, {name}: good keys were lost"));
        let strangers = world.verdict(&world.claims().strangers_token());
        run.check(strangers == "unknown_key", &format!("{id}, {name}: expected unknown_key, found {strangers}"));
        let log = world.root.vm().log_at_least(LogLevel::Warn).join("\n");
        run.check(log.contains("stay in use"), &format!("{id}, {name}: expected a warning, found {log}"));
    }
}
