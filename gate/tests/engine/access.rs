//! Access: which requests may pass, and how the others are answered.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, Store, World, inline};

fn world(access: &Value) -> World {
    World::new(&inline(&json!({"rules": [{"name": "only", "access": access}], "default": "deny"})))
}

fn with(access: &Value, claims: &Value) -> String {
    world(access).with_token(&Key::new("a").token(claims)).summary()
}

#[test]
fn access_words_admit_the_right_callers() {
    let good = Key::new("a").token(&json!({}));
    for (access, none, bad, valid) in [
        ("public", "ok", "ok", "ok"),
        ("optional", "ok", "401 malformed_token", "ok"),
        ("authenticated", "401 missing_token", "401 malformed_token", "ok"),
        ("deny", "403 denied_by_rule", "403 denied_by_rule", "403 denied_by_rule"),
    ] {
        let mut world = world(&json!(access));
        assert_eq!(world.get("/x", &[]).summary(), none, "{access}");
        assert_eq!(world.with_token("bad").summary(), bad, "{access}");
        assert_eq!(world.with_token(&good).summary(), valid, "{access}");
    }
}

#[test]
fn without_a_rule_the_default_decides() {
    let rules = json!([{"match": {"paths": ["/a"]}, "access": "public"}]);
    let verdict =
        |default: &str| World::new(&inline(&json!({"rules": rules, "default": default}))).get("/b", &[]).summary();
    assert_eq!(verdict("deny"), "403 no_rule");
    assert_eq!(verdict("authenticated"), "401 missing_token");
    assert_eq!(verdict("optional"), "ok");
    assert_eq!(verdict("public"), "ok");
    assert_eq!(World::new(&inline(&json!({"rules": rules, "default": null}))).get("/b", &[]).summary(), "403 no_rule");
}

#[test]
fn scopes_come_from_strings_arrays_and_groups() {
    let all = json!({"scopes": {"all": ["a", "b"]}});
    assert_eq!(with(&all, &json!({"scope": "b a"})), "ok");
    assert_eq!(with(&all, &json!({"scp": ["a", "b"]})), "ok");
    assert_eq!(with(&all, &json!({"scope": "a", "scp": ["b"]})), "ok", "several claims are united");
    for claims in [
        json!({}),
        json!({"scope": "a"}),
        json!({"scope": "ab"}),
        json!({"scope": "A B"}),
        json!({"scope": null}),
        json!({"scp": ["a b"]}),
    ] {
        assert_eq!(with(&all, &claims), "403 insufficient_scope", "{claims}");
    }
    for claims in [json!({"scope": 1}), json!({"scp": ["a", 1]}), json!({"scope": {"a": 1}})] {
        assert_eq!(with(&all, &claims), "401 bad_claim", "{claims}");
    }
    assert_eq!(with(&json!({"scopes": {"any": ["a", "b"]}}), &json!({"scope": "b"})), "ok");

    let mut config = inline(&json!({"rules": [{"access": {"scopes": {"all": ["exec:admin"]}}}]}));
    config["issuers"][0]["groupScopes"] = json!({"exec:admin": ["ops", "sre"]});
    let verdict = |claims| World::new(&config).with_token(&Key::new("a").token(&claims)).summary();
    assert_eq!(verdict(json!({"groups": ["dev", "sre"]})), "ok");
    assert_eq!(verdict(json!({"groups": "ops"})), "ok");
    assert_eq!(verdict(json!({"groups": ["dev"]})), "403 insufficient_scope");
}

#[test]
fn the_challenge_names_the_scopes_that_would_do() {
    let access = json!({"scopes": {"all": ["b", "a", "b"]}, "groups": {"any": ["ops"]}});
    let mut world = world(&access);
    let outcome = world.with_token(&Key::new("a").token(&json!({"groups": ["ops"]})));
    assert_eq!(
        outcome.header("www-authenticate"),
        Some(r#"Bearer realm="jotgate", error="insufficient_scope", scope="b a""#)
    );
    assert_eq!(with(&access, &json!({"scope": "a b"})), "403 access_denied");
    assert_eq!(with(&access, &json!({})), "403 access_denied", "scopes alone would not do");
}

#[test]
fn every_requirement_has_its_verdict() {
    let cases = [
        // Claims: members of an object, and entries of a list.
        (json!({"claims": {"tier": "gold"}}), json!({"tier": "gold"}), "ok"),
        (json!({"claims": {"tier": "gold"}}), json!({"tier": "silver"}), "403 access_denied"),
        (json!({"claims": {"tier": "gold"}}), json!({}), "403 access_denied"),
        (json!({"claims": {"level": 60}}), json!({"level": 60.0}), "ok"),
        (json!({"claims": {"level": {"equals": 60}}}), json!({"level": "60"}), "403 access_denied"),
        (json!({"claims": {"a.b": {"in": [1, true, "x"]}}}), json!({"a": {"b": true}}), "ok"),
        (json!({"claims": {"a.b": {"in": [1, true, "x"]}}}), json!({"a.b": true}), "403 access_denied"),
        (json!({"claims": [{"claim": ["a.b"], "equals": true}]}), json!({"a.b": true}), "ok"),
        (json!({"claims": [{"claim": "a.b", "equals": true}]}), json!({"a": {"b": true}}), "ok"),
        (json!({"claims": {"roles": {"any": ["x", "y"]}}}), json!({"roles": ["y"]}), "ok"),
        (json!({"claims": {"roles": {"all": ["x", "y"]}}}), json!({"roles": ["y"]}), "403 access_denied"),
        (json!({"claims": {"roles": {"any": ["x"]}}}), json!({"roles": "x"}), "ok"),
        (json!({"claims": {"email": {"domain": ["example.com"]}}}), json!({"email": "a@Example.Com"}), "ok"),
        (
            json!({"claims": {"email": {"domain": ["example.com"]}}}),
            json!({"email": "a@b@example.com"}),
            "403 access_denied",
        ),
        (json!({"claims": {"client_id": {"matches": "svc-*"}}}), json!({"client_id": "svc-7"}), "ok"),
        (json!({"claims": {"client_id": {"matches": "svc-*"}}}), json!({"client_id": "my-svc-7"}), "403 access_denied"),
        (json!({"claims": {"act": {"exists": true}}}), json!({"act": {}}), "ok"),
        (json!({"claims": {"act": {"exists": true}}}), json!({}), "403 access_denied"),
        (json!({"claims": {"a": 1, "b": 2}}), json!({"a": 1, "b": 2}), "ok"),
        (json!({"claims": {"a": 1, "b": 2}}), json!({"a": 1, "b": 3}), "403 access_denied"),
        // All members of an object must hold.
        (json!({"scopes": {"any": ["s"]}, "claims": {"a": 1}}), json!({"scope": "s", "a": 1}), "ok"),
        (json!({"scopes": {"any": ["s"]}, "claims": {"a": 1}}), json!({"scope": "s"}), "403 access_denied"),
        (json!({"scopes": {"any": ["s"]}, "claims": {"a": 1}}), json!({"a": 1}), "403 insufficient_scope"),
        // Nesting.
        (json!({"anyOf": [{"groups": {"any": ["g"]}}, {"claims": {"a": 1}}]}), json!({"groups": ["g"]}), "ok"),
        (json!({"anyOf": [{"groups": {"any": ["g"]}}, {"claims": {"a": 1}}]}), json!({"a": 1}), "ok"),
        (json!({"anyOf": [{"groups": {"any": ["g"]}}, {"claims": {"a": 1}}]}), json!({}), "403 access_denied"),
        (json!({"allOf": [{"groups": {"any": ["g"]}}, {"claims": {"a": 1}}]}), json!({"a": 1}), "403 access_denied"),
        (json!({"not": {"groups": {"any": ["suspended"]}}}), json!({"groups": ["a"]}), "ok"),
        (
            json!({"not": {"groups": {"any": ["suspended"]}}}),
            json!({"groups": ["a", "suspended"]}),
            "403 access_denied",
        ),
        (json!({"not": {"not": {"claims": {"a": 1}}}}), json!({"a": 1}), "ok"),
        (json!({"not": {"claims": {"a": 1}}}), json!({}), "ok"),
        // What scopes alone would change is insufficient_scope; what stands inside `not` is not asked for.
        (
            json!({"anyOf": [{"scopes": {"all": ["s"]}}, {"groups": {"any": ["g"]}}]}),
            json!({}),
            "403 insufficient_scope",
        ),
        (json!({"not": {"scopes": {"any": ["guest"]}}}), json!({"scope": "guest"}), "403 access_denied"),
        (json!({"not": {"scopes": {"any": ["guest"]}}}), json!({"scope": "s"}), "ok"),
        (json!({"not": {"not": {"scopes": {"any": ["s"]}}}}), json!({}), "403 access_denied"),
        (
            json!({"scopes": {"any": ["s"]}, "not": {"scopes": {"any": ["guest"]}}}),
            json!({"scope": "guest"}),
            "403 access_denied",
        ),
    ];
    for (access, claims, expected) in cases {
        assert_eq!(with(&access, &claims), expected, "{access} {claims}");
    }
}

#[test]
fn the_challenge_lists_the_failing_tests_in_written_order() {
    // As text: the order of members counts.
    let mut config = inline(&json!({"rules": [{"access": "$"}]})).to_string();
    let access = r#"{"not": {"scopes": {"any": ["x"]}}, "scopes": {"all": ["z", "y"]},
        "anyOf": [{"allOf": [{"scopes": {"any": ["c", "y"]}}, {"scopes": {"any": ["has"]}}]}, {"scopes": {"all": ["a"]}}]}"#;
    config = config.replace(r#""$""#, access);
    let policy = gate::Policy::parse(config.as_bytes(), &|_| None).expect("is a configuration");
    let mut world = World::new(&inline(&json!({})));
    world = World::with_policy(&Store::default(), policy, world.now, 1);
    let outcome = world.with_token(&Key::new("a").token(&json!({"scope": "has"})));
    assert_eq!(
        outcome.header("www-authenticate"),
        Some(r#"Bearer realm="jotgate", error="insufficient_scope", scope="z y c a""#)
    );
}

#[test]
fn a_parent_scope_grants_its_children_where_scopes_are_hierarchical() {
    let verdict = |scope_match: &str, access: Value, claims: &Value| {
        let config = inline(&json!({"scopeMatch": scope_match, "rules": [{"access": access}]}));
        World::new(&config).with_token(&Key::new("a").token(claims)).summary()
    };
    let read = || json!({"scopes": {"all": ["stig-manager:collection:read"]}});
    assert_eq!(verdict("exact", read(), &json!({"scope": "stig-manager"})), "403 insufficient_scope");
    assert_eq!(verdict("hierarchical", read(), &json!({"scope": "stig-manager"})), "ok");
    assert_eq!(verdict("hierarchical", read(), &json!({"scope": "stig"})), "403 insufficient_scope");
    assert_eq!(
        verdict("hierarchical", json!({"scopes": {"any": ["stig-manager"]}}), &json!({"scope": "stig-manager:op"})),
        "403 insufficient_scope",
        "a child does not grant its parent"
    );
    let not = || json!({"not": {"scopes": {"any": ["a:b"]}}});
    assert_eq!(verdict("hierarchical", not(), &json!({"scope": "a"})), "403 access_denied");
}

#[test]
fn issuers_groups_and_audiences_can_be_asked_for() {
    assert_eq!(with(&json!({"issuers": ["main"]}), &json!({})), "ok");
    assert_eq!(with(&json!({"groups": {"all": ["a", "b"]}}), &json!({"groups": ["b", "c", "a"]})), "ok");
    assert_eq!(with(&json!({"groups": {"all": ["a", "b"]}}), &json!({"groups": ["a"]})), "403 access_denied");
    assert_eq!(with(&json!({"audiences": {"any": ["admin"]}}), &json!({"aud": ["api", "admin"]})), "ok");
    assert_eq!(with(&json!({"audiences": {"any": ["admin"]}}), &json!({})), "403 access_denied");
    let mut config = inline(&json!({"rules": [{"access": {"issuers": ["other"]}}]}));
    let mut other = config["issuers"][0].clone();
    other["name"] = json!("other");
    other["issuer"] = json!("https://other");
    config["issuers"].as_array_mut().expect("is a list").push(other);
    assert_eq!(World::new(&config).with_token(&Key::new("a").token(&json!({}))).summary(), "403 access_denied");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let mut world = World::new(&inline(&json!({"rules": [
        {"match": {"methods": ["POST"], "paths": ["/a/**"]}, "access": "deny"},
        {"match": {"hosts": ["*.example.com"], "headers": {"X-Tenant": "acme"}}, "access": "public"},
        {"match": {"paths": ["/a/{id}"]}, "access": "optional"},
        {"access": "authenticated"},
    ]})));
    let mut send = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut lines = vec![(":method", method), (":path", path), (":authority", "API.example.com:443")];
        lines.extend(headers);
        world.send(&lines).summary()
    };
    assert_eq!(send("POST", "/a/b", &[("x-tenant", "acme")]), "403 denied_by_rule");
    assert_eq!(send("PUT", "/a/b/c", &[("x-tenant", "acme")]), "ok");
    assert_eq!(send("PUT", "/a/b/c", &[("x-tenant", "evil")]), "401 missing_token");
    assert_eq!(send("GET", "/a/%62?x=1", &[]), "ok");
    assert_eq!(send("GET", "/A/b", &[]), "401 missing_token");
    assert_eq!(send("PATCH", "/a/b", &[]), "ok");
}
