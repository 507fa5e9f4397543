//! Access: who may pass, and what those are told who may not.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::support::{Key, World, inline};

fn world(access: &Value) -> World {
    World::new(&inline(&json!({"rules": [{"name": "only", "access": access}], "default": "deny"})))
}

fn with(access: &Value, claims: &Value) -> String {
    world(access).with_token(&Key::new("a").token(claims)).summary()
}

#[test]
fn words_say_who_may_pass() {
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
    for claims in [json!({"scope": 1}), json!({"scp": ["a", 1]}), json!({"scope": {"a": 1}}), json!({"groups": [1]})] {
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
fn an_odd_host_dodges_no_rule() {
    let rules = json!([{"match": {"hosts": ["admin.example.com"]}, "access": "deny"}, {"access": "public"}]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    let mut send =
        |authority: &str| world.send(&[(":method", "GET"), (":path", "/"), (":authority", authority)]).summary();
    assert_eq!(
        (send("api.example.com:80").as_str(), send("ADMIN.example.com.:80").as_str()),
        ("ok", "403 denied_by_rule")
    );
    for odd in [
        "u@admin.example.com",
        "admin.example.com..",
        "admin.example.com:8a",
        "admin.example.com:80:80",
        "admin%2eexample.com",
        "",
    ] {
        assert_eq!(send(odd), "400 ambiguous_path", "{odd}");
    }
    let mut world = World::new(&inline(&json!({"rules": [{"access": "public"}]})));
    assert_eq!(world.send(&[(":path", "/"), (":authority", "u@x")]).summary(), "ok", "no rule looks at it");
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
    assert_eq!(send("PUT", "/a/b/c", &[("x-tenant", "acme"), ("x-tenant", "evil")]), "401 missing_token");
    assert_eq!(send("GET", "/a/%62?x=1", &[]), "ok");
    assert_eq!(send("GET", "/A/b", &[]), "401 missing_token");
    assert_eq!(send("post", "/a/b", &[]), "ok", "methods are case-sensitive");
}
