//! What happens to a request on its way: hygiene, paths, credentials, identity.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::json;

use crate::support::{ISSUER, Key, World, fetched, inline};

#[test]
fn identity_headers_are_exactly_those_of_the_decision() {
    let rules = json!([{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "optional"}]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    let claims = json!({"email": "a@b", "email_verified": true, "scope": "s2 s1 s1", "groups": ["x", "y"]});
    let token = format!("Bearer {}", Key::new("a").token(&claims));
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
fn every_known_value_can_be_a_header() {
    let mut world = World::new(&inline(&json!({
        "identityHeaders": {
            "X-Token": "$token", "X-Claims": "$claims", "X-Accepted": "$requiredScopes", "X-Satisfy": "$satisfy",
            "X-Client": "$clientIp", "X-Name": {"firstOf": ["preferred_username", "sub"]}, "X-Rule": "$rule",
            "X-Roles": {"claim": ["roles"], "join": ";"}, "X-Json": {"claim": "address", "json": true},
            "X-Groups": {"claim": "$groups", "json": true},
        },
        "clientIp": {"trustedProxies": ["10.0.0.0/8"]},
        "rules": [
            {"name": "all", "match": {"paths": ["/all"]}, "access": {"scopes": {"all": ["b", "a"]}, "not": {"scopes": {"any": ["x"]}}}},
            {"name": "any", "match": {"paths": ["/any"]}, "access": {"anyOf": [{"scopes": {"any": ["b", "c"]}}, {"scopes": {"any": ["a", "b"]}}]}},
            {"name": "mixed", "match": {"paths": ["/mixed"]}, "access": {"allOf": [{"scopes": {"any": ["b"]}}, {"scopes": {"all": ["a"]}}]}},
        ],
    })));
    let token = Key::new("a").token(&json!({
        "scope": "a b", "roles": ["r,1", "r2"], "groups": ["g;1", "g,2"], "address": {"zip": 1.0, "city": ["Zürich"]},
    }));
    world.peer = "203.0.113.7:4711";
    let bearer = format!("Bearer {token}");
    let forwarded = ("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.0.0.1");
    let outcome = world.get("/all", &[("authorization", &bearer), forwarded]);
    let payload = token.split('.').nth(1).expect("has a payload");
    for (name, value) in [
        ("x-token", token.as_str()),
        ("x-claims", payload),
        ("x-accepted", "b a"),
        ("x-satisfy", "all"),
        ("x-client", "203.0.113.9"),
        ("x-name", "alice"),
        ("x-rule", "all"),
        ("x-roles", "r,1;r2"),
        ("x-json", "{\"city\":[\"Zürich\"],\"zip\":1.0}"),
        ("x-groups", "[\"g;1\",\"g,2\"]"),
    ] {
        assert_eq!(outcome.seen(name), [value], "{name}");
    }
    assert_eq!(outcome.seen("authorization"), [""; 0]);
    let mut seen = |path: &str, name: &str| world.get(path, &[("authorization", &bearer)]).seen(name).concat();
    assert_eq!((seen("/any", "x-accepted"), seen("/any", "x-satisfy")), ("b c a".into(), "any".into()));
    assert_eq!((seen("/mixed", "x-accepted"), seen("/mixed", "x-satisfy")), ("b a".into(), String::new()));
    assert_eq!((seen("/else", "x-accepted"), seen("/else", "x-satisfy")), (String::new(), String::new()));
    assert_eq!(seen("/else", "x-client"), "203.0.113.7", "no proxy has named another");
}

#[test]
fn every_signature_that_is_checked_is_counted() {
    let mut world = World::new(&inline(&json!({})));
    let (good, forged) = (
        Key::new("a").token(&json!({})),
        Key::new("b").sign(&json!({"alg": "ES256", "kid": "a"}), &json!({"iss": ISSUER})),
    );
    let mut counted = |token: &str| {
        world.with_token(token);
        world.metrics.get("jotgate_tokens_verified").copied().unwrap_or_default()
    };
    assert_eq!((counted("x"), counted(&good), counted(&forged)), (0, 1, 2));
    assert_eq!(counted(&Key::new("a").token(&json!({"iss": "https://other"}))), 2, "nothing was checked");
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
    let groups = Key::new("a").token(&json!({"groups": ["a,b"]}));
    assert_eq!(world.with_token(&groups).summary(), "401 unrepresentable_claim");
    let headers = json!({"identityHeaders": {"X-Groups": {"claim": "$groups", "onUnrepresentable": "omit"}}});
    let outcome = World::new(&inline(&headers)).with_token(&groups);
    assert_eq!((outcome.summary().as_str(), outcome.seen("x-groups").len()), ("ok", 0));
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
    assert_eq!(world.gate().handle_trailers(&lines).len(), 3, "a credential has no place there");
}

#[test]
fn counters_are_there_before_their_first_event() {
    let names = |config: &serde_json::Value| {
        let world = World::new(config);
        let mut names: Vec<_> =
            world.gate().metrics().into_iter().map(|metric| world.gate().metric_name(metric)).collect();
        names.sort();
        names
    };
    let first = names(&inline(&json!({})));
    for expected in ["jotgate_requests_allowed", "jotgate_requests_denied_expired", "jotgate_tokens_verified"] {
        assert!(first.iter().any(|name| name == expected), "{expected}");
    }
    let is_optional = |name: &String| ["audited", "jotgate_keys", "callout"].iter().any(|part| name.contains(part));
    assert!(!first.iter().any(is_optional), "{first:?}");
    let second = names(&fetched(&json!({}), &json!({})));
    for expected in ["jotgate_callout_ms", "jotgate_keys_failed_main", "jotgate_keys_fetched_main"] {
        assert!(second.iter().any(|name| name == expected), "{expected}");
    }
    let audited = names(&inline(&json!({"rules": [{"access": "deny", "mode": "audit"}]})));
    assert!(audited.iter().any(|name| name == "jotgate_requests_audited_denied_by_rule"));
}
