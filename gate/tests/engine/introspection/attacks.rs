//! What clients try.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::json;

use super::{ACTIVE, SECOND, TOKEN, ask, beside_jwts, entry, world};
use crate::support::{Key, World};

#[test]
fn a_token_too_large_is_not_looked_up() {
    let config = beside_jwts(&[entry("gaf", &json!({}))], &json!({"limits": {"tokenBytes": 100}}));
    let mut world = World::new(&config);
    assert_eq!(world.with_token(&format!("gt-{}", "a".repeat(98))).summary(), "401 token_too_large");
    assert_eq!(world.with_token(&format!("gt-{}", "a".repeat(97))).summary(), "waiting");
}

#[test]
fn no_token_gets_anything_else_into_the_request_to_its_issuer() {
    let settings = json!({"match": null, "style": "self", "client": null});
    let config = beside_jwts(&[entry("gaf", &settings)], &json!({"credentials": [{"query": "access_token"}]}));
    for query in ["gt-%0D%0Ax-evil:1", "gt-%00", "gt-%20x", "gt-%C3%A9", "gt-%FF", "gt-%7F"] {
        let mut world = World::new(&config);
        let outcome = world.get(&format!("/x?access_token={query}"), &[]).summary();
        assert!(outcome.starts_with('4'), "{query} {outcome}");
        assert!(world.fetches.is_empty(), "{query}");
    }
    let config = beside_jwts(&[entry("gaf", &json!({}))], &json!({"credentials": [{"query": "access_token"}]}));
    let mut world = World::new(&config);
    assert_eq!(world.get("/x?access_token=gt-%26token%3Dgt-other%26", &[]).summary(), "waiting");
    assert_eq!(world.fetches[0].body, b"token=gt-%26token%3Dgt-other%26&token_type_hint=access_token");
}

#[test]
fn no_secret_is_logged_or_shown() {
    let mut world = world(&json!({}));
    ask(&mut world, TOKEN, "401", r#"{"error":"gt-0123456789abcdef.secret s3cret"}"#);
    ask(&mut world, "gt-2", "200", r#"{"active":true,"aud":"gt-2","gt-2":1}"#);
    ask(&mut world, "gt-3", "500", "gt-3 s3cret");
    let shown = format!("{:?} {:?} {:?} {:?}", world.log, world.requests_log, world.gate(), world.fetches[..].len());
    for secret in ["gt-0123456789abcdef", "s3cret", "czNjcmV0"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(!world.requests_log.concat().contains("gt-"));
}

/// Who waits for one token is not woken by the answer about another.
#[test]
fn an_answer_is_about_its_own_token() {
    let mut world = world(&json!({}));
    world.with_token("gt-alice-0123456789");
    let alice = world.last();
    world.with_token("gt-mallory-0123456789");
    let mallory = world.last();
    let [first, second] = [world.fetches.remove(0), world.fetches.remove(0)];
    world.answer_to(&second, [(":status", "200")], r#"{"active":false}"#);
    assert!(!world.resumed.contains_key(&alice));
    assert_eq!(world.resumed[&mallory].summary(), "401 inactive_token");
    world.answer_to(&first, [(":status", "200")], ACTIVE);
    assert_eq!(world.resumed[&alice].summary(), "ok");
    world.answer_to(&second, [(":status", "200")], ACTIVE);
    assert_eq!(world.with_token("gt-mallory-0123456789").summary(), "401 inactive_token", "an answer comes once");
}

#[test]
fn a_flood_of_inactive_tokens_drives_no_good_one_out() {
    let mut world = world(&json!({}));
    assert_eq!(ask(&mut world, "gt-short", "200", ACTIVE), "ok");
    for index in 0..5000 {
        assert_eq!(ask(&mut world, &format!("gt-{index}"), "200", r#"{"active":false}"#), "401 inactive_token");
        world.resumed.clear();
    }
    assert_eq!(world.with_token("gt-short").summary(), "ok");
}

#[test]
fn two_credentials_are_none() {
    let credentials = json!([{"header": "authorization", "scheme": "Bearer"}, {"cookie": "token"}]);
    let mut world = World::new(&beside_jwts(&[entry("gaf", &json!({}))], &json!({"credentials": credentials})));
    let jwt = Key::new("a").token(&json!({}));
    let lines = [("authorization", format!("Bearer {jwt}")), ("cookie", format!("token={TOKEN}"))];
    let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.get("/x", &lines).summary(), "400 ambiguous_credentials");
    assert!(world.fetches.is_empty());
}

#[test]
fn headers_of_identity_are_not_the_clients() {
    let mut world = world(&json!({}));
    let bearer = format!("Bearer {TOKEN}");
    world.get("/x", &[("authorization", &bearer), ("x-auth-request-user", "admin")]);
    let id = world.last();
    world.answer("200", ACTIVE);
    assert_eq!(world.resumed[&id].seen("x-auth-request-user"), ["alice"]);
    world.pass(SECOND);
    let again = world.get("/x", &[("authorization", &bearer), ("x-auth-request-user", "admin")]);
    assert_eq!(again.seen("x-auth-request-user"), ["alice"]);
}
