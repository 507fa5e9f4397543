//! How long an answer counts, and for what.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{ACTIVE, SECOND, TOKEN, ask, beside_jwts, entry, with_rules, world};
use crate::support::{NOW, World, before};

#[test]
fn one_lookup_serves_all_who_send_the_token() {
    let mut world = world(&json!({}));
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            assert_eq!(world.with_token(TOKEN).summary(), "waiting");
            world.last()
        })
        .collect();
    assert_eq!(world.fetches.len(), 1);
    world.answer("200", ACTIVE);
    assert!(waiting.iter().all(|id| world.resumed[id].summary() == "ok"));
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    assert!(world.fetches.is_empty());
}

#[test]
fn a_revoked_token_is_gone_after_cache_for() {
    let mut world = world(&json!({"cacheFor": "30s"}));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    world.pass(29 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok", "use does not make it count longer");
    world.pass(SECOND);
    assert_eq!(ask(&mut world, TOKEN, "200", r#"{"active":false}"#), "401 inactive_token");
}

#[test]
fn an_answer_counts_from_when_it_was_asked_for() {
    let mut world = world(&json!({"cacheFor": "30s"}));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    world.pass(4 * SECOND);
    world.answer("200", ACTIVE);
    world.pass(25 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.pass(SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
}

#[test]
fn no_answer_counts_past_its_expiry() {
    let answer = json!({"active": true, "aud": "data", "exp": NOW + 10}).to_string();
    let mut world = world(&json!({}));
    assert_eq!(ask(&mut world, TOKEN, "200", &answer), "ok");
    world.pass(9 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.pass(SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "401 expired");
}

#[test]
fn a_token_may_expire_while_its_issuer_is_asked() {
    let mut world = world(&json!({}));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let id = world.last();
    world.pass(3 * SECOND);
    world.answer("200", &json!({"active": true, "aud": "data", "exp": NOW + 2}).to_string());
    assert_eq!(world.resumed[&id].summary(), "401 expired");
}

#[test]
fn a_clock_that_is_set_back_makes_no_answer_count_longer() {
    let mut world = world(&json!({"cacheFor": "30s"}));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    world.pass(20 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.now = before(world.now, 15 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.pass(11 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
}

#[test]
fn a_no_counts_for_its_own_time() {
    let mut world = world(&json!({"negativeFor": "20s"}));
    assert_eq!(ask(&mut world, TOKEN, "200", r#"{"active":false}"#), "401 inactive_token");
    world.pass(19 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "401 inactive_token");
    assert!(world.fetches.is_empty());
    world.pass(SECOND);
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
}

/// The cache of tokens knows them by their last 13 octets.
#[test]
fn short_tokens_and_those_that_no_cache_holds_count_as_long() {
    let uncached = json!({"limits": {"tokenCacheBytes": 0}});
    for (token, changes) in [("gt-short", json!({})), ("gt-", json!({})), (TOKEN, uncached)] {
        let mut world = World::new(&beside_jwts(&[entry("gaf", &json!({}))], &changes));
        assert_eq!(ask(&mut world, token, "200", ACTIVE), "ok");
        world.pass(59 * SECOND);
        assert_eq!(world.with_token(token).summary(), "ok", "{token}");
        world.pass(SECOND);
        assert_eq!(world.with_token(token).summary(), "waiting", "{token}");
    }
}

#[test]
fn large_answers_are_kept_in_one_form_only() {
    let mut world = world(&json!({}));
    let body = format!(r#"{{"active":true,"aud":"data","x":"{}"}}"#, "a".repeat(5000));
    assert_eq!(ask(&mut world, TOKEN, "200", &body), "ok");
    world.pass(59 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    let mut uncached =
        World::new(&beside_jwts(&[entry("gaf", &json!({}))], &json!({"limits": {"tokenCacheBytes": 0}})));
    assert_eq!(ask(&mut uncached, TOKEN, "200", &body), "ok");
    uncached.pass(59 * SECOND);
    assert_eq!(uncached.with_token(TOKEN).summary(), "ok");
}

/// CVE-2021-32701: what one rule found must not count for another.
#[test]
fn rules_are_judged_anew_for_each_request() {
    let mut world = with_rules(&json!([
        {"match": {"paths": ["/admin"]}, "access": {"scopes": {"all": ["admin"]}}},
        {"match": {"paths": ["/x"]}, "access": {"scopes": {"all": ["read"]}}},
    ]));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    let bearer = format!("Bearer {TOKEN}");
    let asked = |world: &mut World, path: &str| world.get(path, &[("authorization", &bearer)]).summary();
    for _ in 0..2 {
        assert_eq!(asked(&mut world, "/admin"), "403 insufficient_scope");
        assert_eq!(asked(&mut world, "/x"), "ok");
    }
    assert_eq!(asked(&mut world, "/y"), "ok", "by the default");
}

/// CVE-2026-33496: what one issuer said must not count for another.
#[test]
fn an_answer_of_one_entry_counts_for_no_other() {
    let other = |name: &str, prefix: &str| {
        entry(name, &json!({"match": {"prefix": prefix}, "issuer": format!("https://{name}.example.com")}))
    };
    let rules = json!([{"access": {"issuers": ["two"]}}]);
    let config = |entries: &[Value]| beside_jwts(entries, &json!({"rules": rules}));
    let mut world = World::new(&config(&[other("one", "gt-"), other("two", "xt-")]));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "403 access_denied");
    // Another form now makes the same text a token of the other.
    world.reconfigure(&config(&[other("one", "zt-"), other("two", "gt-")]));
    assert_eq!(ask(&mut world, TOKEN, "200", r#"{"active":false}"#), "401 inactive_token");
    // The index of the one is the other's now.
    world.reconfigure(&config(&[other("two", "gt-"), other("one", "zt-")]));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
}

#[test]
fn tokens_that_end_alike_are_not_one() {
    let mut world = world(&json!({}));
    assert_eq!(ask(&mut world, "gt-alice-0123456789abc", "200", ACTIVE), "ok");
    assert_eq!(ask(&mut world, "gt-mallory-0123456789abc", "200", r#"{"active":false}"#), "401 inactive_token");
    assert_eq!(world.with_token("gt-alice-0123456789abc").summary(), "ok");
}

#[test]
fn answers_survive_a_configuration_in_which_their_entry_is_the_same() {
    let config = |changes: &Value, realm: &str| beside_jwts(&[entry("gaf", changes)], &json!({"realm": realm}));
    let mut world = World::new(&config(&json!({}), "a"));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    world.reconfigure(&config(&json!({}), "b"));
    assert_eq!(world.with_token(TOKEN).summary(), "ok");
    world.pass(60 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting", "nor do they count longer for that");
    world.answer("200", ACTIVE);
    world.reconfigure(&config(&json!({"audiences": ["other"]}), "b"));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "401 wrong_audience");
}

#[test]
fn a_lookup_under_way_survives_a_new_configuration() {
    let config = |realm: &str| beside_jwts(&[entry("gaf", &json!({}))], &json!({"realm": realm}));
    let mut world = World::new(&config("a"));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let id = world.last();
    world.reconfigure(&config("b"));
    assert_eq!(world.fetches.len(), 1);
    world.answer("200", ACTIVE);
    assert_eq!(world.resumed[&id].summary(), "ok");
}
