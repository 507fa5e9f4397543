//! Audit mode: what would be refused is counted and passes.

use std::time::Duration;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, fetched, inline, merge};

/// The counter of the request that was decided last, without its prefix.
fn counted(world: &World) -> String {
    world.told().0.replace("jotgate_requests_", "")
}

fn bearer(claims: &Value) -> String {
    format!("Bearer {}", Key::new("a").token(claims))
}

#[test]
fn whatever_would_be_refused_passes_and_is_counted_once_with_its_reason() {
    let rules = json!([
        {"name": "write", "match": {"paths": ["/write"]}, "access": {"scopes": {"all": ["w"]}}},
        {"name": "ops", "match": {"paths": ["/ops"]}, "access": {"groups": {"any": ["ops"]}}},
        {"name": "closed", "match": {"paths": ["/closed"]}, "access": "deny"},
        {"name": "open", "match": {"paths": ["/open"]}, "access": "authenticated"},
    ]);
    let mut world = World::new(&inline(&json!({"mode": "audit", "rules": rules, "default": "deny"})));
    let good = bearer(&json!({}));
    let foreign = format!("Bearer {}", Key::new("b").sign(&json!({"alg": "ES256", "kid": "a"}), &json!({"iss": "x"})));
    for (path, authorization, expected, user) in [
        ("/open", Some(good.as_str()), "allowed", Some("alice")),
        ("/open", None, "audited_missing_token", None),
        ("/open", Some("Bearer "), "audited_malformed_credentials", None),
        ("/open", Some("Bearer x"), "audited_malformed_token", None),
        ("/open", Some(&foreign), "audited_unknown_issuer", None),
        ("/open", Some(&bearer(&json!({"exp": 1}))), "audited_expired", None),
        ("/open", Some(&bearer(&json!({"sub": ""}))), "audited_unrepresentable_claim", None),
        ("/write", Some(&good), "audited_insufficient_scope", Some("alice")),
        ("/ops", Some(&good), "audited_access_denied", Some("alice")),
        ("/closed", Some(&good), "audited_denied_by_rule", Some("alice")),
        ("/closed", Some(&foreign), "audited_denied_by_rule", None),
        ("/closed", None, "audited_denied_by_rule", None),
        ("/else", Some(&good), "audited_no_rule", Some("alice")),
        ("/open/../open", Some(&good), "audited_ambiguous_path", Some("alice")),
    ] {
        let mut headers = vec![("x-auth-request-user", "admin")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        let outcome = world.get(path, &headers);
        assert_eq!(counted(&world), expected, "{path} {authorization:?}");
        assert_eq!(outcome.seen("x-auth-request-user"), user.into_iter().collect::<Vec<_>>(), "{expected}");
        let has_passed = expected.starts_with("audited").then_some(authorization).flatten();
        assert_eq!(outcome.seen("authorization"), has_passed.into_iter().collect::<Vec<_>>(), "{expected}");
        let decision = if expected == "allowed" { "allowed" } else { "audited" };
        assert_eq!(world.told().1["jotgate_decision"], decision);
    }
}

#[test]
fn two_credentials_pass_without_identity() {
    let mut world = World::new(&inline(
        &json!({"mode": "audit", "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"cookie": "s"}]}),
    ));
    let token = Key::new("a").token(&json!({}));
    let (bearer, cookie) = (format!("Bearer {token}"), format!("s={token}"));
    let outcome = world.get("/", &[("authorization", &bearer), ("cookie", &cookie)]);
    assert_eq!(counted(&world), "audited_ambiguous_credentials");
    assert_eq!(outcome.seen("x-auth-request-user"), [""; 0]);
    assert_eq!((outcome.seen("authorization"), outcome.seen("cookie")), (vec![bearer], vec![cookie]));
}

#[test]
fn what_a_header_cannot_carry_is_left_out() {
    let mut world = World::new(&inline(&json!({"mode": "audit"})));
    let outcome =
        world.with_token(&Key::new("a").token(&json!({"email": " a@b", "email_verified": true, "scope": "s"})));
    assert_eq!(counted(&world), "audited_unrepresentable_claim");
    assert_eq!(outcome.seen("x-auth-request-email"), [""; 0]);
    assert_eq!(
        (outcome.seen("x-auth-request-user"), outcome.seen("x-auth-request-token-scopes")),
        (vec!["alice".into()], vec!["s".into()])
    );
}

#[test]
fn the_mode_of_a_rule_goes_before_that_of_all() {
    let rules = json!([
        {"match": {"paths": ["/audited"]}, "access": "authenticated", "mode": "audit"},
        {"match": {"paths": ["/enforced"]}, "access": "authenticated", "mode": "enforce"},
        {"match": {"paths": ["/usual"]}, "access": "authenticated"},
    ]);
    for (mode, usual, unmatched) in
        [("enforce", "denied_missing_token", "denied_no_rule"), ("audit", "audited_missing_token", "audited_no_rule")]
    {
        let mut world = World::new(&inline(&json!({"mode": mode, "rules": rules, "default": "deny"})));
        let mut of = |path| {
            world.get(path, &[]);
            counted(&world)
        };
        assert_eq!(of("/audited"), "audited_missing_token", "{mode}");
        assert_eq!(of("/enforced"), "denied_missing_token", "{mode}");
        assert_eq!((of("/usual"), of("/else")), (usual.to_string(), unmatched.to_string()), "{mode}");
        let path = format!("{}_ambiguous_path", if mode == "audit" { "audited" } else { "denied" });
        assert_eq!(of("/audited//"), path, "no rule has matched yet");
    }
}

#[test]
fn a_request_waits_for_keys_and_passes_without_them() {
    let mut config = fetched(&json!({}), &json!({"waitFor": "2s", "waiting": 1}));
    merge(&mut config, &json!({"mode": "audit"}));
    let mut world = World::new(&config);
    let token = bearer(&json!({}));
    assert_eq!(world.get("/x", &[("authorization", &token)]).summary(), "waiting");
    let id = world.last();
    assert_eq!(world.get("/x", &[("authorization", &token)]).summary(), "ok");
    assert_eq!(counted(&world), "audited_overloaded");
    world.pass(Duration::from_secs(3));
    assert_eq!(counted(&world), "audited_keys_unavailable");
    let outcome = world.resumed.remove(&id).expect("was resumed");
    assert_eq!((outcome.seen("x-auth-request-user"), outcome.seen("authorization")), (vec![], vec![token]));
}
