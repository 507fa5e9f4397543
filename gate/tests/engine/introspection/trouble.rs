//! Endpoints that fail, stall or are flooded.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{ACTIVE, SECOND, TOKEN, ask, beside_jwts, entry, world};
use crate::support::{Key, World, fetched};

fn retry_after(world: &World, id: u64) -> Option<String> {
    world.resumed[&id].header("retry-after").map(String::from)
}

#[test]
fn an_endpoint_that_cannot_answer_is_left_alone_for_a_while() {
    let mut world = world(&json!({}));
    for (round, pause) in [1_u32, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
        for token in ["a", "b", "c"] {
            let token = format!("gt-{token}{round}");
            assert_eq!(ask(&mut world, &token, "503", ""), "503 introspection_unavailable");
        }
        assert_eq!(retry_after(&world, world.last()), Some(pause.to_string()));
        let other = world.with_token("gt-other");
        assert_eq!(other.summary(), "503 introspection_unavailable");
        assert_eq!(other.header("retry-after"), Some(pause.to_string().as_str()));
        assert!(world.fetches.is_empty(), "it is not asked meanwhile");
        world.pass(pause * SECOND);
    }
    assert_eq!(ask(&mut world, "gt-again", "200", ACTIVE), "ok");
    for token in ["gt-a0", "gt-b0", "gt-c0"] {
        assert_eq!(ask(&mut world, token, "503", ""), "503 introspection_unavailable");
    }
    assert_eq!(retry_after(&world, world.last()), Some(String::from("1")), "a good answer ends it");
}

#[test]
fn an_endpoint_that_wants_to_be_left_alone_is_at_once() {
    let mut world = world(&json!({}));
    assert_eq!(ask(&mut world, "gt-1", "429", ""), "503 introspection_unavailable");
    assert_eq!(world.with_token("gt-2").summary(), "503 introspection_unavailable");
    assert!(world.fetches.is_empty());
}

#[test]
fn a_token_that_an_endpoint_chokes_on_locks_nobody_out() {
    for choke in ["500", "502", "stalls"] {
        let mut world = world(&json!({}));
        for round in 0..10 {
            assert_eq!(world.with_token("gt-choke").summary(), "waiting");
            match choke {
                "stalls" => world.fail(),
                status => world.answer(status, ""),
            }
            let refused = world.with_token("gt-choke");
            assert_eq!(refused.summary(), "503 introspection_unavailable", "{choke}");
            assert!(world.fetches.is_empty(), "it is remembered for a second");
            assert_eq!(ask(&mut world, &format!("gt-{round}"), "200", ACTIVE), "ok", "{choke} {round}");
            world.pass(SECOND);
        }
    }
}

#[test]
fn what_is_known_stays_in_use_while_the_endpoint_fails() {
    let mut world = world(&json!({}));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    world.pass(10 * SECOND);
    assert_eq!(ask(&mut world, "gt-1", "500", ""), "503 introspection_unavailable");
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.pass(50 * SECOND);
    assert_eq!(ask(&mut world, TOKEN, "500", ""), "503 introspection_unavailable", "but no longer");
}

#[test]
fn an_error_that_one_token_provokes_blocks_no_other() {
    for status in ["400", "401", "403", "404", "302", "200"] {
        let mut world = world(&json!({}));
        assert_eq!(ask(&mut world, "gt-poison", status, "{}"), "503 introspection_unavailable", "{status}");
        assert_eq!(retry_after(&world, world.last()), Some(String::from("1")));
        assert_eq!(world.with_token("gt-poison").summary(), "503 introspection_unavailable", "for a second");
        assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok", "{status}");
    }
}

#[test]
fn failures_of_lookups_that_were_sent_together_count_once() {
    let mut world = world(&json!({}));
    let count = 5;
    for index in 0..count {
        assert_eq!(world.with_token(&format!("gt-{index}")).summary(), "waiting");
    }
    (0..count).for_each(|_| world.fail());
    let refused = world.with_token("gt-x");
    assert_eq!(refused.header("retry-after"), Some("1"));
}

#[test]
fn nobody_waits_longer_than_wait_for() {
    let config = beside_jwts(&[entry("gaf", &json!({"timeout": "9s"}))], &json!({"limits": {"waitFor": "2s"}}));
    let mut world = World::new(&config);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let first = world.last();
    world.pass(SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let second = world.last();
    world.pass(SECOND);
    assert_eq!(world.resumed[&first].summary(), "503 introspection_unavailable");
    assert_eq!(retry_after(&world, first), Some(String::from("1")));
    assert!(!world.resumed.contains_key(&second), "who came later waits on");
    world.answer("200", ACTIVE);
    assert_eq!(world.resumed[&second].summary(), "ok", "the lookup went on");
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
}

#[test]
fn who_does_not_wait_finds_the_answer_on_coming_again() {
    let config = beside_jwts(&[entry("gaf", &json!({}))], &json!({"limits": {"waitFor": "0s"}}));
    let mut world = World::new(&config);
    assert_eq!(world.with_token(TOKEN).summary(), "503 introspection_unavailable");
    assert_eq!(world.fetches.len(), 1);
    world.answer("200", ACTIVE);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
}

#[test]
fn a_lookup_that_the_host_never_ends_is_given_up() {
    let mut world = world(&json!({"timeout": "3s"}));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    world.pass(9 * SECOND);
    assert!(world.waiting.is_empty());
    assert_eq!(world.metrics["jotgate_introspections_failed_gaf"], 1);
    world.fetches.clear();
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
}

#[test]
fn a_flood_of_unknown_tokens_is_bounded() {
    let config = beside_jwts(&[entry("gaf", &json!({}))], &json!({"limits": {"lookups": 10}}));
    let mut world = World::new(&config);
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    let outcomes: Vec<_> = (0..30).map(|index| world.with_token(&format!("gt-{index}")).summary()).collect();
    assert!(outcomes[..10].iter().all(|outcome| outcome == "waiting"));
    assert!(outcomes[10..].iter().all(|outcome| outcome == "503 overloaded"));
    assert_eq!(world.fetches.len(), 10);
    assert_eq!(world.with_token("gt-0").summary(), "waiting", "one that is looked up already takes no more");
    let refused = world.with_token("gt-31");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(world.with_token(TOKEN).summary(), "ok", "what is known is");
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "ok");
    world.answer("200", r#"{"active":false}"#);
    assert_eq!(world.with_token("gt-32").summary(), "waiting");
}

#[test]
fn a_hundred_tokens_are_looked_up_at_a_time_where_nothing_else_is_configured() {
    let mut world = world(&json!({}));
    let outcomes: Vec<_> = (0..101).map(|index| world.with_token(&format!("gt-{index}")).summary()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "waiting").count(), 100);
    assert_eq!(outcomes[100], "503 overloaded");
}

#[test]
fn an_entry_that_stalls_leaves_lookups_to_others() {
    let other = |name: &str, prefix: &str| entry(name, &json!({"match": {"prefix": prefix}}));
    let config = beside_jwts(&[other("one", "a-"), other("two", "b-")], &json!({"limits": {"lookups": 10}}));
    let mut world = World::new(&config);
    let waiting = (0..10).filter(|index| world.with_token(&format!("a-{index}")).summary() == "waiting").count();
    assert_eq!(waiting, 5);
    assert_eq!(world.with_token("b-1").summary(), "waiting");
    assert_eq!(world.with_token("b-2").summary(), "waiting");
}

fn beside_fetched(limits: &Value) -> Value {
    let mut config = fetched(&json!({}), limits);
    config["introspection"] = json!([entry("gaf", &json!({}))]);
    config
}

#[test]
fn a_stalling_endpoint_leaves_slots_to_those_that_wait_for_keys() {
    let mut world = World::new(&beside_fetched(&json!({"waiting": 10})));
    let waiting = (0..10).filter(|index| world.with_token(&format!("gt-{index}")).summary() == "waiting").count();
    assert_eq!(waiting, 5);
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "waiting");
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "waiting");
}

#[test]
fn one_token_that_stalls_leaves_slots_to_others() {
    let mut world = World::new(&beside_fetched(&json!({"waiting": 10})));
    let waiting = (0..20).filter(|_| world.with_token("gt-1").summary() == "waiting").count();
    assert_eq!(waiting, 5);
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "waiting");
}

#[test]
fn operators_hear_of_trouble_once_and_of_its_end() {
    let mut world = world(&json!({}));
    world.log.clear();
    for round in 0..8 {
        ask(&mut world, &format!("gt-{round}"), "503", "");
        world.pass(4 * SECOND);
    }
    ask(&mut world, TOKEN, "200", ACTIVE);
    ask(&mut world, "gt-5", "401", r#"{"error":"invalid_client"}"#);
    world.with_token("gt-6");
    world.fail();
    assert_eq!(
        world.log,
        [
            "introspection at issuer `gaf`: the endpoint answered 503",
            "introspection at issuer `gaf`: the endpoint answers again",
            "introspection at issuer `gaf`: the endpoint answered 401 invalid_client",
            "introspection at issuer `gaf`: the endpoint did not answer in time",
        ]
    );
}
