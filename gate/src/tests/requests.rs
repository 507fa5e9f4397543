//! What happens to a request on its way: hygiene, paths, credentials, identity.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::json;

use super::support::{ISSUER, Key, World, inline};

#[test]
fn identity_headers_are_exactly_those_of_the_decision() {
    let rules = json!([{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "optional"}]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    let token =
        format!("Bearer {}", Key::new("a").token(&json!({"email": "a@b", "scope": "s2 s1 s1", "groups": ["x", "y"]})));
    let forged = [
        ("x-auth-request-user", "admin"),
        ("x-auth-request-user", "root"),
        ("x_auth_request_user", "admin"),
        ("X.Auth.Request.User", "admin"),
        ("x-auth-request-anything", "admin"),
        ("x-auth-request-email", "admin@b"),
    ];
    for path in ["/public", "/other"] {
        let outcome = world.get(path, &forged);
        for (name, _) in forged {
            assert!(outcome.seen(name).is_empty(), "{name} on {path}");
        }
    }
    let mut headers = forged.to_vec();
    headers.push(("authorization", &token));
    let outcome = world.get("/other", &headers);
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(outcome.seen("x-auth-request-issuer"), [ISSUER]);
    assert_eq!(outcome.seen("x-auth-request-email"), ["a@b"]);
    assert_eq!(outcome.seen("x-auth-request-groups"), ["x,y"]);
    assert_eq!(outcome.seen("x-auth-request-token-scopes"), ["s1 s2"]);
    for name in ["x_auth_request_user", "X.Auth.Request.User", "x-auth-request-anything", "authorization"] {
        assert!(outcome.seen(name).is_empty(), "{name}");
    }
}

#[test]
fn headers_can_be_chosen() {
    let mut world = World::new(&inline(&json!({
        "identityHeaders": {"X-User": "profile.name", "X-Roles": ["https://example.com/roles"], "X-Rule": "$rule", "X-Sub": "$subject"},
        "stripHeaders": ["X-Internal"],
        "rules": [{"name": "the rule", "access": "authenticated"}],
    })));
    let token = Key::new("a")
        .token(&json!({"profile": {"name": "Al"}, "https://example.com/roles": ["r1", "r2"], "groups": ["a,b"]}));
    let outcome = world.get(
        "/",
        &[("authorization", &format!("Bearer {token}")), ("x_internal", "1"), ("x-auth-request-user", "theirs")],
    );
    let seen = |name| outcome.seen(name).join("|");
    assert_eq!(
        (seen("x-user"), seen("x-roles"), seen("x-rule"), seen("x-sub")),
        ("Al".into(), "r1,r2".into(), "the rule".into(), "alice".into())
    );
    assert_eq!((seen("x_internal"), seen("x-auth-request-user")), (String::new(), "theirs".into()));

    let mut world = World::new(&inline(&json!({"identityHeaders": {"X-Rule": "$rule"}})));
    let outcome = world.with_token(&Key::new("a").token(&json!({})));
    assert!(outcome.seen("x-rule").is_empty(), "where no rule matches, none is named");
}

#[test]
fn a_claim_that_no_header_can_carry_is_refused_unless_it_may_be_left_out() {
    let mut world = World::new(&inline(&json!({})));
    for sub in [json!("a\r\nx: y"), json!(" a"), json!({}), json!(["root", "b"]), json!(true), json!("x".repeat(8193))]
    {
        assert_eq!(
            world.with_token(&Key::new("a").token(&json!({"sub": sub}))).summary(),
            "401 unrepresentable_claim",
            "{sub}"
        );
    }
    let outcome = world.with_token(&Key::new("a").token(&json!({"groups": ["a,b"]})));
    assert_eq!((outcome.summary().as_str(), outcome.seen("x-auth-request-groups").len()), ("ok", 0));
}

#[test]
fn an_ambiguous_path_is_refused_before_any_rule() {
    let mut world = World::new(&inline(&json!({"rules": [{"access": "public"}]})));
    for path in ["/a/../b", "/a//b", "/a;b", "/%2e%2e", "*", "", "/a%2fb", "/%ff%zz", "http://x/"] {
        let outcome = world.get(path, &[]);
        assert_eq!(outcome.summary(), "400 ambiguous_path", "{path}");
        assert_eq!(outcome.header("www-authenticate"), None);
    }
}

#[test]
fn credentials_do_not_reach_the_upstream() {
    let token = format!("Bearer {}", Key::new("a").token(&json!({})));
    let rules = json!([
        {"match": {"paths": ["/public"]}, "access": "public"},
        {"match": {"paths": ["/keeps"]}, "access": "authenticated", "forwardToken": true},
        {"access": "authenticated"},
    ]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    let mut seen = |path: &str, value: &str| world.get(path, &[("authorization", value)]).seen("authorization");
    assert_eq!(seen("/public", &token), [""; 0]);
    assert_eq!(seen("/public", "Bearer"), [""; 0]);
    assert_eq!(seen("/public", "Basic a, Bearer b"), [""; 0]);
    assert_eq!(seen("/public", "Basic abc"), ["Basic abc"]);
    assert_eq!(seen("/other", &token), [""; 0]);
    assert_eq!(seen("/keeps", &token), [token.as_str()]);

    let mut world = World::new(&inline(&json!({"rules": rules, "forwardToken": true})));
    let mut seen = |path: &str, value: &str| world.get(path, &[("authorization", value)]).seen("authorization");
    assert_eq!(seen("/public", &token), [""; 0], "only what was verified is forwarded");
    assert_eq!(seen("/other", &token), [token.as_str()]);
}

#[test]
fn malformed_and_several_credentials_are_bad_requests() {
    let mut world = World::new(&inline(&json!({})));
    let token = format!("Bearer {}", Key::new("a").token(&json!({})));
    let outcome = world.get("/", &[("authorization", "")]);
    assert_eq!(outcome.summary(), "400 malformed_credentials");
    assert_eq!(outcome.header("www-authenticate"), Some(r#"Bearer realm="jotgate", error="invalid_request""#));
    assert_eq!(
        world.get("/", &[("authorization", &token), ("authorization", &token)]).summary(),
        "400 ambiguous_credentials"
    );
    assert_eq!(
        world.get("/", &[("authorization", &format!("{token},{token}"))]).summary(),
        "400 malformed_credentials"
    );
    assert_eq!(world.get("/", &[("authorization", "Basic abc")]).summary(), "401 missing_token");
}

#[test]
fn trailers_lose_identity_names() {
    let world = World::new(&inline(&json!({})));
    let lines: [(&[u8], &[u8]); 4] = [
        (b"x_auth_request_user", b"admin"),
        (b"grpc-status", b"0"),
        (b"x-auth-request-user", b"admin"),
        (b"authorization", b"Bearer a"),
    ];
    assert_eq!(world.gate.handle_trailers(&lines).len(), 3, "a credential has no place there");
}
