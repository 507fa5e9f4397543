//! Requests with a body wait in slots of their own.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, fetched};

const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");
const SIZED: (&str, &str) = ("content-length", "7");
const EMPTY: (&str, &str) = ("content-length", "0");

fn token(kid: &'static str) -> String {
    Key::new(kid).token(&json!({}))
}

fn post(world: &mut World, token: &str, body: (&str, &str)) -> String {
    let bearer = format!("Bearer {token}");
    world.send(&[(":method", "POST"), (":path", "/x"), ("authorization", &bearer), body]).summary()
}

fn bodies(limit: usize) -> Value {
    fetched(&json!({}), &json!({"waitingBodies": limit}))
}

#[test]
fn requests_with_bodies_wait_only_within_their_own_limit() {
    let mut world = World::new(&bodies(2));
    let outcomes = [SIZED, CHUNKED, SIZED, CHUNKED].map(|body| post(&mut world, &token("a"), body));
    assert_eq!(outcomes, ["waiting", "waiting", "503 overloaded", "503 overloaded"]);
    assert_eq!(post(&mut world, &token("a"), EMPTY), "waiting", "nothing of it is held");
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed.len(), 4);
    assert!(world.resumed.values().all(|outcome| outcome.summary() == "ok"));
    assert_eq!(post(&mut world, &token("a"), SIZED), "ok");
}

#[test]
fn a_body_that_is_gone_leaves_its_slot() {
    let mut world = World::new(&bodies(1));
    assert_eq!(post(&mut world, &token("a"), SIZED), "waiting");
    assert_eq!(post(&mut world, &token("a"), SIZED), "503 overloaded");
    let first = world.last() - 1;
    world.cancel(first);
    assert_eq!(post(&mut world, &token("a"), SIZED), "waiting");
}

#[test]
fn bodies_count_towards_all_that_wait() {
    let mut world = World::new(&fetched(&json!({}), &json!({"waiting": 1, "waitingBodies": 5})));
    assert_eq!(post(&mut world, &token("a"), SIZED), "waiting");
    assert_eq!(post(&mut world, &token("a"), SIZED), "503 overloaded");
    assert_eq!(world.with_token(&token("a")).summary(), "503 overloaded");
}

#[test]
fn a_limit_of_zero_lets_no_body_wait() {
    let mut world = World::new(&bodies(0));
    assert_eq!(post(&mut world, &token("a"), SIZED), "503 overloaded");
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
}

#[test]
fn bodies_of_made_up_keys_leave_half_to_others() {
    let mut world = World::new(&bodies(8));
    world.answer_keys(&[&Key::new("a")]);
    let waiting = (0..8).filter(|_| post(&mut world, &token("junk"), SIZED) == "waiting").count();
    assert_eq!(waiting, 4);
}

#[test]
fn a_new_configuration_keeps_which_requests_have_a_body() {
    let config = bodies(1);
    let mut changed = config.clone();
    changed["realm"] = json!("other");
    let mut world = World::new(&config);
    assert_eq!(post(&mut world, &token("a"), SIZED), "waiting");
    world.reconfigure(&changed);
    assert_eq!(post(&mut world, &token("a"), SIZED), "503 overloaded");
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed.len(), 1);
}
