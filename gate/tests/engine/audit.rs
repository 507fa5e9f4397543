//! Audit mode: what would be refused is counted and passes.

use std::time::Duration;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, fetched, inline, merge};

/// The counter of the request that was decided last, without its prefix.
fn counted(world: &World) -> String {
    world.reported().0.replace("jotgate_requests_", "")
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
        assert_eq!(world.reported().1["jotgate_decision"], decision);
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
        assert_eq!(of("/audited//"), "denied_ambiguous_path", "it may be for the rule that enforces");
    }
}

#[test]
fn an_ambiguous_request_follows_the_strictest_rule_of_its_host() {
    let enforced = json!({"match": {"hosts": ["a.example.com", "*.b.example.com:8443"], "methods": ["GET"]},
        "access": "authenticated", "mode": "enforce"});
    let config = |mode: &str, more: Value| {
        let rules =
            json!([enforced, {"match": {"headers": {"x-a": "1"}}, "access": "authenticated", "mode": "audit"}, more]);
        inline(&json!({"mode": mode, "rules": rules}))
    };
    let usual = || json!({"match": {"paths": ["/v%3A1"]}, "access": "authenticated"});
    let mut world = World::new(&config("audit", usual()));
    let mut of = |lines: &[(&str, &str)]| {
        world.send(lines);
        counted(&world)
    };
    let path = |authority, path| [(":method", "GET"), (":authority", authority), (":path", path)];
    for authority in
        ["a.example.com", "A.EXAMPLE.com:443", "a.example.com:1", "x.b.example.com", "x.b.example.com:8443"]
    {
        assert_eq!(of(&path(authority, "//admin")), "denied_ambiguous_path", "{authority}");
    }
    for authority in ["other.example.com", "b.example.com", "x.a.example.com"] {
        assert_eq!(of(&path(authority, "//admin")), "audited_ambiguous_path", "{authority}");
    }
    for authority in ["a.example.com.", "x@a.example.com", "x@other.example.com", "a.example.com:", ""] {
        assert!(
            of(&path(authority, "//admin")).starts_with("denied_ambiguous_"),
            "{authority}: which host is not certain"
        );
    }
    let header = |authority| [(":method", "GET"), (":authority", authority), (":path", "/"), ("x-a", "1,2")];
    assert_eq!(of(&header("a.example.com")), "denied_ambiguous_request");
    assert_eq!(of(&header("other.example.com")), "audited_ambiguous_request");
    let method = |authority| [(":method", "get"), (":authority", authority), (":path", "/")];
    assert_eq!(of(&method("a.example.com")), "denied_ambiguous_request");
    assert_eq!(of(&method("other.example.com")), "audited_ambiguous_request");

    let mut world = World::new(&config("enforce", json!({"access": "public", "mode": "audit"})));
    world.send(&path("other.example.com", "//admin"));
    assert_eq!(counted(&world), "denied_ambiguous_path", "the mode of all is one of them");
    let everywhere = json!({"match": {"methods": ["POST"]}, "access": "deny", "mode": "enforce"});
    let mut world = World::new(&config("audit", everywhere));
    world.send(&path("other.example.com", "//admin"));
    assert_eq!(counted(&world), "denied_ambiguous_path", "a rule without hosts is for each");
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
