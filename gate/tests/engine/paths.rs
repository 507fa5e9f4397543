//! Paths on their way through the engine: what rules see is what the upstream sees.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, inline};

/// A world with a route of each kind, and with tokens in the query.
fn routes(changes: &Value) -> World {
    let mut config = inline(&json!({
        "paths": "lenient",
        "credentials": [{"query": "access_token"}],
        "rules": [
            {"match": {"paths": ["/public/**"]}, "access": "public"},
            {"match": {"paths": ["/optional/**"]}, "access": "optional"},
            {"match": {"paths": ["/keeps/**"]}, "access": "authenticated", "forwardToken": true},
            {"match": {"paths": ["/denied/**"]}, "access": "deny"},
        ],
        "default": "authenticated",
    }));
    crate::support::merge(&mut config, changes);
    World::new(&config)
}

#[test]
fn a_lenient_path_is_forwarded_as_rules_see_it_and_the_query_as_it_came() {
    let mut world = routes(&json!({"default": "public"}));
    for (path, forwarded) in [
        ("/public/a", "/public/a"),
        ("/public/a?", "/public/a?"),
        ("//public//a;v=1/./%62/../c?x=/../;y=%7e//", "/public/a/c?x=/../;y=%7e//"),
        ("/%70ublic/%c3%a9", "/public/%C3%A9"),
        ("/denied/../public/..;/optional/x?q", "/optional/x?q"),
        ("/../elsewhere/.", "/elsewhere/"),
    ] {
        assert_eq!(world.get(path, &[]).seen(":path"), [forwarded], "{path}");
    }
    for path in ["/public/../denied/x", "/public/..;/denied", "//denied", "/denied;public/", "/public/%2e%2E//denied/."]
    {
        assert_eq!(world.get(path, &[]).summary(), "403 denied_by_rule", "{path}");
    }
    for path in ["/public/%2e%2e%2fdenied", "/public\\..\\denied", "/public/%252e%252e/denied", "*", "/public/#"] {
        assert_eq!(world.get(path, &[]).summary(), "400 ambiguous_path", "{path}");
    }
}

#[test]
fn a_strict_path_is_forwarded_as_rules_see_it_and_the_query_as_it_came() {
    let mut world = routes(&json!({"paths": "strict", "default": "public"}));
    for (path, forwarded) in [
        ("/public/%61?x=//%61%c3", "/public/a?x=//%61%c3"),
        ("/%70ublic/%c3%a9", "/public/%C3%A9"),
        ("/%7ea?", "/~a?"),
        ("/a?", "/a?"),
        ("/", "/"),
    ] {
        assert_eq!(world.get(path, &[]).seen(":path"), [forwarded], "{path}");
    }
}

#[test]
fn the_path_and_the_query_are_edited_together_on_every_route() {
    let token = Key::new("a").token(&json!({}));
    let mut world = routes(&json!({}));
    let query = format!("a=/../;&access_token={token}&b=%7e");
    for (path, expected) in [
        (format!("/./public/x?{query}"), "/public/x?a=/../;&b=%7e"),
        (format!("//optional//x?{query}"), "/optional/x?a=/../;&b=%7e"),
        ("/optional/x;v?a".to_string(), "/optional/x?a"),
        (format!("/other/../x?{query}"), "/x?a=/../;&b=%7e"),
        (format!("/public/../x?access_token={token}"), "/x"),
        (format!("/a%3ab/;c?{query}"), "/a%3Ab/?a=/../;&b=%7e"),
        (format!("/x?{query}"), "/x?a=/../;&b=%7e"),
    ] {
        assert_eq!(world.get(&path, &[]).seen(":path"), [expected], "{path}");
    }
    let kept = world.get(&format!("/./keeps//x?{query}"), &[]).seen(":path");
    assert_eq!(kept, [format!("/keeps/x?{query}")]);
    assert_eq!(world.get("/public/../keeps/x", &[]).summary(), "401 missing_token");
    assert_eq!(world.get("/optional/../x?access_token=a", &[]).summary(), "401 malformed_token");
}

#[test]
fn what_passes_without_a_decision_has_its_path_edited_too() {
    let mut world = routes(&json!({"mode": "audit", "corsPreflight": "pass", "default": "deny"}));
    for (path, forwarded) in [
        ("//denied/../x?access_token=a&b", "/x?access_token=a&b"),
        ("/keeps//x?q", "/keeps/x?q"),
        ("/public/..%2fx", "/public/..%2fx"),
    ] {
        assert_eq!(world.get(path, &[]).seen(":path"), [forwarded], "{path}");
    }
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "//x/../y?access_token=a"),
        (":authority", "h"),
        ("origin", "https://o"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(world.send(&preflight).seen(":path"), ["/y"]);
}

#[test]
fn a_rule_that_denies_no_request_makes_no_path_ambiguous() {
    let rules = json!([
        {"match": {"paths": ["/jobs/*:delete"]}, "access": "deny", "mode": "audit"},
        {"access": "public"},
    ]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    assert_eq!(world.get("/jobs/1%3Adelete", &[]).summary(), "ok");
}

#[test]
fn an_escape_gets_no_request_past_a_rule() {
    let rules = json!([
        {"match": {"paths": ["/open:all"]}, "access": "public"},
        {"match": {"paths": ["/jobs/*:delete"]}, "access": "deny"},
        {"match": {"paths": ["/jobs/*:cancel", {"regex": "/jobs/[^:]+:stop"}], "methods": ["GET"]}, "access": "authenticated"},
        {"match": {"paths": ["/admin/**", "/a%3Ab"]}, "access": "authenticated"},
        {"access": "public"},
    ]);
    for mode in ["strict", "lenient"] {
        let mut world = World::new(&inline(&json!({"paths": mode, "rules": rules})));
        for path in [
            "/jobs/1%3Adelete",
            "/jobs/1%3acancel",
            "/jobs/1%3Astop",
            "/admin%3Bx/y",
            "/admin%3Fx",
            "/admin%23",
            "/%3B/admin",
        ] {
            assert_eq!(world.get(path, &[]).summary(), "400 ambiguous_path", "{mode} {path}");
        }
        // Nothing is asked for where the escape is not, or nothing more than the path says already. A pattern with an
        // escape is for a server's route that has the character.
        for (path, expected) in [
            ("/open%3Aall", "ok"),
            ("/jobs/1%3Arun", "ok"),
            ("/files/a%3Fb%20c", "ok"),
            ("/a:b", "400 ambiguous_path"),
            ("/jobs/1:delete", "403 denied_by_rule"),
            ("/admin/a%3Ab", "401 missing_token"),
            ("/a%3Ab", "401 missing_token"),
        ] {
            assert_eq!(world.get(path, &[]).summary(), expected, "{mode} {path}");
        }
    }
}

#[test]
fn a_regex_decides_on_the_whole_canonical_path() {
    let rules = json!([{"match": {"paths": [{"regex": "/v[0-9]+/items|/health"}]}, "access": "public"}]);
    let mut world = World::new(&inline(&json!({"rules": rules, "default": "deny"})));
    for (path, expected) in [
        ("/v1/items", "ok"),
        ("/v%31/items?x", "ok"),
        ("/health", "ok"),
        ("/v1/items/x", "403 no_rule"),
        ("/x/health", "403 no_rule"),
        ("/v/items", "403 no_rule"),
    ] {
        assert_eq!(world.get(path, &[]).summary(), expected, "{path}");
    }
}

#[test]
fn another_spelling_of_a_header_that_rules_look_at_is_neither_looked_at_nor_forwarded() {
    let rules = json!([{"match": {"headers": {"X-Tenant": "acme"}}, "access": "public"}]);
    let mut world = World::new(&inline(&json!({"rules": rules, "default": "deny"})));
    for (lines, expected) in [
        (&[("x-tenant", "acme")][..], "ok"),
        (&[("x-tenant", "evil")], "403 no_rule"),
        (&[("x-tenant", "")], "403 no_rule"),
        (&[("x_tenant", "acme")], "403 no_rule"),
        (&[("x.tenant", "acme")], "403 no_rule"),
        (&[], "403 no_rule"),
    ] {
        assert_eq!(world.get("/", lines).summary(), expected, "{lines:?}");
    }
    let outcome =
        world.get("/", &[("x_tenant", "evil"), ("x-tenant", "acme"), ("X.Tenant", "evil"), ("x-tenants", "1")]);
    let seen = ["x-tenant", "x_tenant", "X.Tenant", "x-tenants"].map(|name| outcome.seen(name).concat());
    assert_eq!(seen, ["acme", "", "", "1"]);
}
