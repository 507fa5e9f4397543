//! Keys that are found through a discovery document.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{ISSUER, Key, NOW, World, fetched};

const SECOND: Duration = Duration::from_secs(1);

fn config(keys: &Value) -> Value {
    let mut source = json!({"jwksUri": null, "discovery": {}});
    crate::support::merge(&mut source, keys);
    fetched(&source, &json!({}))
}

fn document(jwks_uri: &str) -> String {
    json!({"issuer": ISSUER, "jwks_uri": jwks_uri}).to_string()
}

/// Discovers this URI, whose key set then holds `a`.
fn discover(world: &mut World, jwks_uri: &str) {
    world.answer("200", &document(jwks_uri));
    world.answer_keys(&[&Key::new("a")]);
}

fn asked(world: &World) -> String {
    let [fetch] = world.fetches.as_slice() else { panic!("{:?}", world.fetches) };
    format!("{} {}://{}{}", fetch.cluster, fetch.scheme, fetch.authority, fetch.path)
}

fn token(kid: &'static str) -> String {
    Key::new(kid).token(&json!({"exp": NOW * 2}))
}

#[test]
fn the_document_leads_to_the_keys() {
    let mut world = World::new(&config(&json!({})));
    assert_eq!(asked(&world), "idp https://idp.example.com/.well-known/openid-configuration");
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    let id = world.last();
    world.answer("200", &document("https://idp.example.com/keys?v=1"));
    assert_eq!(asked(&world), "idp https://idp.example.com/keys?v=1");
    assert!(world.resumed.is_empty());
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed[&id].summary(), "ok");
    assert_eq!(world.metrics.get("jotgate_keys_fetched_main"), Some(&1), "two callouts are one fetch");
}

#[test]
fn every_refresh_asks_again_where_the_keys_are() {
    let mut world = World::new(&config(&json!({})));
    discover(&mut world, "https://idp.example.com/keys");
    world.pass_until_fetch();
    assert_eq!(asked(&world), "idp https://idp.example.com/.well-known/openid-configuration");
    discover(&mut world, "https://idp.example.com/moved");
    assert_eq!(world.with_token(&token("b")).summary(), "waiting");
    assert_eq!(asked(&world), "idp https://idp.example.com/moved", "a waiting request does not wait for the document");
    world.answer("404", "");
    world.pass_until_fetch();
    assert_eq!(asked(&world), "idp https://idp.example.com/.well-known/openid-configuration");
}

#[test]
fn an_internal_uri_and_a_cluster_for_other_hosts_are_used() {
    let mut world = World::new(&config(&json!({"discovery": {"internalUri": "http://idp.internal:8080/doc"}})));
    assert_eq!(asked(&world), "idp http://idp.internal:8080/doc");
    world.answer("200", &document("https://idp.example.com/keys"));
    assert_eq!(asked(&world), "idp http://idp.internal:8080/keys");

    let mut world = World::new(&config(&json!({"jwksCluster": "certs"})));
    world.answer("200", &document("https://certs.example.com/keys"));
    assert_eq!(asked(&world), "certs https://certs.example.com/keys");
    world.answer("500", "");
    assert!(world.log[0].contains("not fetched from cluster `certs`"), "{:?}", world.log);
}

#[test]
fn a_bad_document_is_a_failed_fetch_and_the_old_keys_stay() {
    let mut long = document("https://idp.example.com/keys");
    long.push_str(&" ".repeat(300_000));
    for (status, body) in [
        ("302", document("https://idp.example.com/keys")),
        ("404", String::new()),
        ("", document("https://idp.example.com/keys")),
        ("200", String::new()),
        ("200", document("https://certs.example.com/keys")),
        ("200", document("http://idp.example.com/keys")),
        ("200", json!({"issuer": "https://other.example.com", "jwks_uri": "https://idp.example.com/keys"}).to_string()),
        ("200", long),
    ] {
        let mut world = World::new(&config(&json!({})));
        discover(&mut world, "https://idp.example.com/keys");
        world.pass_until_fetch();
        world.answer(status, &body);
        assert!(world.fetches.is_empty(), "{status} {}", &body[..body.len().min(80)]);
        assert_eq!(world.metrics.get("jotgate_keys_failed_main"), Some(&1));
        assert_eq!(world.with_token(&token("a")).summary(), "ok");
        let line = world.log.last().expect("is logged");
        assert!(line.contains("not discovered through cluster `idp`: ") && line.contains("stay in use"), "{line}");
    }
}

#[test]
fn both_callouts_back_off_together_and_each_has_its_time() {
    let mut world = World::new(&config(&json!({})));
    for (failures, expected) in [1, 2, 4, 8].into_iter().enumerate() {
        if failures % 2 == 1 {
            world.answer("200", &document("https://idp.example.com/keys"));
        }
        world.fail();
        let failed = world.now;
        world.pass_until_fetch();
        let delay = world.now.since(failed).as_secs_f64();
        assert!((f64::from(expected)..=f64::from(expected) * 1.1).contains(&delay), "{delay} of {expected}");
    }
    world.pass(4 * SECOND);
    world.answer("200", &document("https://idp.example.com/keys"));
    world.pass(4 * SECOND);
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
    assert_eq!(world.metrics.get("jotgate_callout_ms"), Some(&4000), "the second one");
}

#[test]
fn an_answer_to_the_first_callout_does_not_answer_the_second() {
    let mut world = World::new(&config(&json!({})));
    let first = world.fetches[0].clone();
    world.answer("200", &document("https://idp.example.com/keys"));
    world.fetches.insert(0, first);
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("a")).summary(), "waiting", "that callout was over");
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
}
