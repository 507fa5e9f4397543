//! Tokens that only their issuer can read: who is asked what, and what becomes of the answers.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod answers;
mod attacks;
mod browsers;
mod caching;
mod config;
mod trouble;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Fetch, Key, NOW, Outcome, World, inline, merge};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// What an issuer says of a good token.
pub(crate) const ACTIVE: &str = r#"{"active":true,"sub":"alice","scope":"read write","aud":"data"}"#;
pub(crate) const TOKEN: &str = "gt-0123456789abcdef.secret";

/// An entry, with `changes`.
pub(crate) fn entry(name: &str, changes: &Value) -> Value {
    let mut entry = json!({
        "name": name,
        "issuer": "https://data.example.com",
        "match": {"prefix": "gt-"},
        "endpoint": "https://data.example.com/introspect?tenant=1",
        "cluster": "gaf",
        "client": {"id": "gate", "secret": "s3cret"},
        "audiences": ["data"],
    });
    merge(&mut entry, changes);
    entry
}

/// A configuration with these entries beside an issuer whose key is there, with `changes`.
pub(crate) fn beside_jwts(entries: &[Value], changes: &Value) -> Value {
    let mut config = inline(&json!({"introspection": entries}));
    merge(&mut config, changes);
    config
}

/// A world with one entry.
pub(crate) fn world(changes: &Value) -> World {
    World::new(&beside_jwts(&[entry("gaf", changes)], &json!({})))
}

/// A world with one entry, and rules.
pub(crate) fn with_rules(rules: &Value) -> World {
    World::new(&beside_jwts(&[entry("gaf", &json!({}))], &json!({"rules": rules})))
}

/// Sends `token`, and has its issuer answer.
pub(crate) fn ask(world: &mut World, token: &str, status: &str, body: &str) -> String {
    assert_eq!(world.with_token(token).summary(), "waiting", "{token}");
    let id = world.last();
    world.answer(status, body);
    world.resumed.get(&id).map_or(String::from("waiting"), Outcome::summary)
}

pub(crate) fn header<'f>(fetch: &'f Fetch, name: &str) -> Option<&'f str> {
    fetch.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

#[test]
fn the_issuer_is_asked_as_a_client() {
    let mut world = world(&json!({}));
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let fetch = world.fetches[0].clone();
    assert_eq!((fetch.cluster.as_str(), fetch.method, fetch.scheme), ("gaf", "POST", "https"));
    assert_eq!((fetch.authority.as_str(), fetch.path.as_str()), ("data.example.com", "/introspect?tenant=1"));
    assert_eq!(header(&fetch, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(header(&fetch, "accept"), Some("application/json"));
    assert_eq!(header(&fetch, "authorization"), Some("Basic Z2F0ZTpzM2NyZXQ="));
    assert_eq!(fetch.body, format!("token={TOKEN}&token_type_hint=access_token").into_bytes());
}

#[test]
fn the_issuer_is_asked_as_a_bearer() {
    let mut world = world(&json!({"client": {"token": "abc"}}));
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    let mut world = World::new(&beside_jwts(&[entry("gaf", &json!({"client": {"token": "abc"}}))], &json!({})));
    world.with_token(TOKEN);
    assert_eq!(header(&world.fetches[0], "authorization"), Some("Bearer abc"));
}

#[test]
fn a_caller_is_one_like_any_other() {
    let mut world = World::new(&beside_jwts(
        &[entry("gaf", &json!({"groupsClaim": "teams", "groupScopes": {"admin": ["ops"]}}))],
        &json!({
            "rules": [
                {"name": "admin", "match": {"paths": ["/admin"]},
                 "access": {"issuers": ["gaf"], "scopes": {"all": ["admin"]}, "claims": [{"claim": "tier", "equals": 1}]}},
                {"name": "jwts", "match": {"paths": ["/jwts"]}, "access": {"issuers": ["main"]}},
                {"name": "rest", "access": "authenticated"},
            ],
            "identityHeaders": {"x-sub": "sub", "x-iss": "$issuer", "x-scopes": "$scopes", "x-groups": "$groups",
                "x-token": "$token", "x-payload": "$claims"},
        }),
    ));
    let answer = r#"{"active":true,"sub":"alice","scope":"read","aud":["x","data"],"teams":["ops"],"tier":1}"#;
    let bearer = format!("Bearer {TOKEN}");
    let outcome = world.get("/admin", &[("authorization", &bearer)]);
    assert_eq!(outcome.summary(), "waiting");
    let id = world.last();
    world.answer("200", answer);
    let outcome = &world.resumed[&id];
    assert_eq!(outcome.seen("x-sub"), ["alice"]);
    assert_eq!(outcome.seen("x-iss"), ["https://data.example.com"]);
    assert_eq!(outcome.seen("x-scopes"), ["admin read"]);
    assert_eq!(outcome.seen("x-groups"), ["ops"]);
    assert_eq!(outcome.seen("x-token"), [TOKEN]);
    assert_eq!(outcome.seen("x-payload"), [""; 0], "the part behind a dot is no payload");
    assert_eq!(outcome.seen("authorization"), [""; 0]);
    let (counter, properties) = world.reported();
    assert_eq!(counter, "jotgate_requests_allowed");
    assert_eq!((properties["jotgate_issuer"].as_str(), properties["jotgate_subject"].as_str()), ("gaf", "alice"));
    assert_eq!(world.get("/jwts", &[("authorization", &bearer)]).summary(), "403 access_denied");
}

#[test]
fn jwts_are_judged_as_ever() {
    let mut world = world(&json!({}));
    let key = Key::new("a");
    assert_eq!(world.with_token(&key.token(&json!({}))).summary(), "ok");
    assert_eq!(world.with_token(&key.token(&json!({"exp": NOW - 100}))).summary(), "401 expired");
    assert_eq!(world.with_token("no-jwt").summary(), "401 malformed_token", "and no entry's either");
    assert_eq!(world.with_token("a.b.c.d").summary(), "401 malformed_token");
    assert!(world.fetches.is_empty());
}

#[test]
fn no_jwt_claims_to_be_of_an_issuer_that_is_asked() {
    let mut world = world(&json!({}));
    let token = Key::new("a").token(&json!({"iss": "https://data.example.com", "aud": "data"}));
    assert_eq!(world.with_token(&token).summary(), "401 unknown_issuer");
    assert!(world.fetches.is_empty());
}

#[test]
fn without_a_form_whatever_is_no_jwt_is_looked_up() {
    let mut world = world(&json!({"match": null}));
    for token in ["x", "a.b", "a.b.c.d", "a.b.c.d.e", TOKEN] {
        assert_eq!(ask(&mut world, token, "200", ACTIVE), "ok", "{token}");
    }
    assert_eq!(world.with_token("a.b.c").summary(), "401 malformed_token");
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "ok");
    assert!(world.fetches.is_empty());
}

#[test]
fn a_form_may_take_what_looks_like_a_jwt() {
    let mut world = world(&json!({"match": {"pattern": "v1\\.[a-z]+\\.[a-z]+"}}));
    assert_eq!(ask(&mut world, "v1.abc.def", "200", ACTIVE), "ok");
    assert_eq!(world.with_token("xv1.abc.def").summary(), "401 malformed_token", "it is the form of the whole token");
    assert_eq!(world.with_token("v1.abc.defX").summary(), "401 malformed_token");
}

#[test]
fn the_first_entry_whose_form_fits_is_asked_and_no_other() {
    let other = |name: &str, form: Value| entry(name, &json!({"match": form, "cluster": name}));
    let entries = [
        other("long", json!({"prefix": "gt-long-"})),
        other("gt", json!({"prefix": "gt-"})),
        other("hex", json!({"pattern": "[0-9a-f]{8}"})),
        other("rest", Value::Null),
    ];
    let mut world = World::new(&beside_jwts(&entries, &json!({})));
    for (token, cluster) in [("gt-long-1", "long"), ("gt-1", "gt"), ("0123abcd", "hex"), ("0123abcdx", "rest")] {
        assert_eq!(world.with_token(token).summary(), "waiting");
        let fetches: Vec<_> = std::mem::take(&mut world.fetches);
        assert_eq!(fetches.iter().map(|fetch| fetch.cluster.as_str()).collect::<Vec<_>>(), [cluster], "{token}");
        world.answer_to(&fetches[0], [(":status", "200")], r#"{"active":false}"#);
        let id = world.last();
        assert_eq!(world.resumed[&id].summary(), "401 inactive_token");
    }
    assert!(world.fetches.is_empty(), "no other entry is asked");
}

#[test]
fn tokens_are_looked_up_wherever_they_stand() {
    let credentials = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"basic": true},
        {"cookie": "token"},
        {"query": "access_token"},
        {"websocketProtocol": "bearer."},
    ]);
    let config = beside_jwts(&[entry("gaf", &json!({}))], &json!({"credentials": credentials}));
    let cookie = format!("token={TOKEN}");
    let query = format!("/x?access_token={TOKEN}");
    let offer = format!("bearer.{TOKEN}, chat");
    // `gt-0123456789abcdef.secret:x-oauth-basic`
    let basic = "Basic Z3QtMDEyMzQ1Njc4OWFiY2RlZi5zZWNyZXQ6eC1vYXV0aC1iYXNpYw==";
    for (path, lines) in [
        ("/x", vec![("authorization", basic)]),
        ("/x", vec![("cookie", cookie.as_str())]),
        (query.as_str(), vec![]),
        ("/x", vec![("sec-websocket-protocol", offer.as_str()), ("upgrade", "websocket"), ("connection", "upgrade")]),
    ] {
        let mut world = World::new(&config);
        assert_eq!(world.get(path, &lines).summary(), "waiting", "{path} {lines:?}");
        let id = world.last();
        assert_eq!(world.fetches[0].body, format!("token={TOKEN}&token_type_hint=access_token").into_bytes());
        world.answer("200", ACTIVE);
        assert_eq!(world.resumed[&id].summary(), "ok", "{path} {lines:?}");
    }
}

#[test]
fn optional_access_still_wants_a_good_token_where_one_is_sent() {
    let mut world = with_rules(&json!([{"access": "optional"}]));
    assert_eq!(world.get("/x", &[]).summary(), "ok");
    assert_eq!(ask(&mut world, TOKEN, "200", r#"{"active":false}"#), "401 inactive_token");
    assert_eq!(ask(&mut world, "gt-1", "200", ACTIVE), "ok");
}

#[test]
fn public_requests_ask_nobody() {
    let mut world = with_rules(&json!([{"access": "public"}]));
    let outcome = world.with_token(TOKEN);
    assert_eq!((outcome.summary().as_str(), outcome.seen("authorization")), ("ok", vec![]));
    assert!(world.fetches.is_empty());
}

#[test]
fn in_audit_mode_requests_pass_with_the_identity_that_is_certain() {
    let mut world = World::new(&beside_jwts(
        &[entry("gaf", &json!({}))],
        &json!({"mode": "audit", "rules": [{"match": {"paths": ["/no"]}, "access": "deny"}, {"access": "authenticated"}]}),
    ));
    assert_eq!(ask(&mut world, TOKEN, "200", r#"{"active":false}"#), "ok");
    assert_eq!(world.reported().0, "jotgate_requests_audited_inactive_token");
    assert_eq!(ask(&mut world, "gt-1", "500", ""), "ok");
    assert_eq!(world.reported().0, "jotgate_requests_audited_introspection_unavailable");
    world.pass(2 * SECOND);
    assert_eq!(ask(&mut world, "gt-0123456789-good", "200", ACTIVE), "ok");
    let denied = world.get("/no", &[("authorization", "Bearer gt-0123456789-good")]);
    assert_eq!(denied.seen("x-auth-request-user"), ["alice"], "{denied:?}");
    assert!(world.get("/no", &[("authorization", "Bearer gt-unknown")]).seen("x-auth-request-user").is_empty());
    assert!(world.fetches.is_empty(), "what is denied in any case is not looked up");
}

#[test]
fn a_foreign_credential_is_not_one_whose_form_is_an_entrys() {
    let mut world = with_rules(&json!([{"access": "optional", "foreignCredentials": "forward"}]));
    let foreign = world.with_token("ragflow-abc");
    assert_eq!(foreign.seen("authorization"), ["Bearer ragflow-abc"]);
    assert_eq!(ask(&mut world, TOKEN, "200", ACTIVE), "ok");
    let mut world = with_rules(&json!([{"access": "public", "foreignCredentials": "forward"}]));
    assert_eq!(world.with_token(TOKEN).seen("authorization"), [""; 0]);
    // An entry that takes whatever is no JWT leaves none that is foreign.
    let rules = json!({"rules": [{"access": "optional", "foreignCredentials": "forward"}]});
    let mut world = World::new(&beside_jwts(&[entry("gaf", &json!({"match": null}))], &rules));
    assert_eq!(ask(&mut world, "ragflow-abc", "200", r#"{"active":false}"#), "401 inactive_token");
    assert_eq!(world.with_token("SG.xxx.yyy").seen("authorization"), ["Bearer SG.xxx.yyy"], "nobody looks it up");
}

#[test]
fn metrics_and_properties_say_what_was_looked_up() {
    let mut world = world(&json!({}));
    let defined: Vec<_> = world.gate().metrics().into_iter().map(|metric| world.gate().metric_name(metric)).collect();
    for name in ["introspections_answered_gaf", "introspections_failed_gaf", "introspection_ms"] {
        assert!(defined.contains(&format!("jotgate_{name}")), "{name}");
    }
    ask(&mut world, TOKEN, "200", ACTIVE);
    world.with_token(TOKEN);
    ask(&mut world, "gt-1", "200", r#"{"active":false}"#);
    assert_eq!(world.reported().1["jotgate_issuer"], "gaf");
    ask(&mut world, "gt-2", "400", "");
    assert_eq!(world.metrics["jotgate_introspections_answered_gaf"], 2);
    assert_eq!(world.metrics["jotgate_introspections_failed_gaf"], 1);
    assert_eq!(world.metrics["jotgate_tokens_cached"], 1);
    assert!(!world.metrics.contains_key("jotgate_tokens_verified"), "no signature was checked");
    assert!(world.metrics.contains_key("jotgate_introspection_ms"));
}
