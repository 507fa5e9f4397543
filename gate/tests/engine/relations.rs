//! Claims that must equal a part of the request.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::support::{Key, World, inline, merge};
use gate::Policy;

const DENIED: &str = "403 access_denied";

/// What becomes of a request with a token of these claims, where `rules` decide.
fn get(rules: &Value, path: &str, headers: &[(&str, &str)], claims: &Value) -> String {
    let token = format!("Bearer {}", Key::new("a").token(claims));
    let mut world = World::new(&inline(&json!({"rules": rules, "default": "deny"})));
    world.get(path, &[headers, &[("authorization", &token)]].concat()).summary()
}

fn on(authority: &str, rules: &Value, claims: &Value) -> String {
    let token = format!("Bearer {}", Key::new("a").token(claims));
    let mut world = World::new(&inline(&json!({"rules": rules, "default": "deny"})));
    let lines = [(":method", "GET"), (":path", "/"), (":authority", authority), ("authorization", &*token)];
    world.send(&lines).summary()
}

#[test]
fn a_claim_equals_a_segment_of_the_path_decoded_once() {
    let rules = json!([{"match": {"paths": ["/users/{id}/**"]}, "access": {"claims": {"sub": {"path": "id"}}}}]);
    for (path, sub) in [
        ("/users/alice/x", "alice"),
        ("/users/alice", "alice"),
        ("/users/alice?id=bob", "alice"),
        ("/users/%61lice/x", "alice"),
        ("/users/alice%40example.com", "alice@example.com"),
        ("/users/alice@example.com", "alice@example.com"),
        ("/users/auth0%7C12", "auth0|12"),
        ("/users/a%20b", "a b"),
        ("/users/a+b", "a+b"),
        ("/users/a%2Bb", "a+b"),
        ("/users/%C3%A9", "\u{e9}"),
        ("/users/%c3%a9/x", "\u{e9}"),
    ] {
        assert_eq!(get(&rules, path, &[], &json!({"sub": sub})), "ok", "{path} {sub}");
    }
    for (path, sub) in [
        ("/users/bob/x", "alice"),
        ("/users/Alice/x", "alice"),
        ("/users/alice%40example.com", "alice%40example.com"),
        ("/users/a+b", "a b"),
        ("/users/a%2Bb", "a b"),
        // Some servers would find another user.
        ("/users/alice%25", "alice%"),
        ("/users/alice%20", "alice "),
        ("/users/%20alice", " alice"),
        ("/users/%C2%A0alice", "\u{a0}alice"),
    ] {
        assert_eq!(get(&rules, path, &[], &json!({"sub": sub})), DENIED, "{path} {sub}");
    }
    // Servers that decode a path before they take it apart would find another user.
    for sub in ["alice;x", "alice?x", "alice#x", "alice"] {
        for path in ["/users/alice%3Bx", "/users/alice%3Fx", "/users/alice%23x/y"] {
            assert_eq!(get(&rules, path, &[], &json!({"sub": sub})), "400 ambiguous_path", "{path} {sub}");
        }
    }
    for path in ["/users/alice%252Fx", "/users/a%2Fb", "/users/%2e%2e/x", "/users/a;b", "/users//alice", "/users/%FF"] {
        assert_eq!(get(&rules, path, &[], &json!({"sub": "alice"})), "400 ambiguous_path", "{path}");
    }
}

#[test]
fn the_segment_is_that_of_the_pattern_that_matches() {
    let rules = json!([{
        "match": {"paths": ["/users/me/{id}", "/users/{id}/*", "/v*/{x}/{id}/**"]},
        "access": {"claims": {"sub": {"path": "id"}}},
    }]);
    for (path, id) in [("/users/me/alice", "alice"), ("/users/alice/me", "alice"), ("/v1/users/alice/x/y", "alice")] {
        assert_eq!(get(&rules, path, &[], &json!({"sub": id})), "ok", "{path}");
        assert_eq!(get(&rules, path, &[], &json!({"sub": "me"})), DENIED, "{path}");
    }
    let rules = json!([
        {"match": {"paths": ["/a/{id}/{x}"]}, "access": {"claims": {"sub": {"path": "id"}}}},
        {"match": {"paths": ["/{x}/{y}/{id}"]}, "access": {"claims": {"sub": {"path": "id"}}}},
    ]);
    assert_eq!(get(&rules, "/a/alice/bob", &[], &json!({"sub": "bob"})), DENIED, "the first rule decides");
    assert_eq!(get(&rules, "/b/alice/bob", &[], &json!({"sub": "bob"})), "ok");
}

#[test]
fn a_server_that_decodes_more_finds_no_other_segment() {
    // As it is, the path matches one pattern; decoded, another, whose segment is another one.
    let one = json!([{
        "match": {"paths": ["/v%3A1/{id}/{x}", "/{x}/{y}/{id}"]}, "access": {"claims": {"sub": {"path": "id"}}},
    }]);
    let two = json!([
        {"match": {"paths": ["/v%3A1/{id}/{x}"]}, "access": {"claims": {"sub": {"path": "id"}}}},
        {"match": {"paths": ["/{x}/{y}/{id}"]}, "access": {"claims": {"sub": {"path": "id"}}}},
    ]);
    for rules in [one, two] {
        assert_eq!(get(&rules, "/v:1/alice/bob", &[], &json!({"sub": "bob"})), "400 ambiguous_path", "{rules}");
        assert_eq!(get(&rules, "/v:1/alice/alice", &[], &json!({"sub": "alice"})), "ok", "{rules}");
        assert_eq!(get(&rules, "/v%3A1/alice/bob", &[], &json!({"sub": "alice"})), "ok", "{rules}");
    }
    let cut = json!([{
        "match": {"paths": ["/a/{id}", "/a/{y}/{id}"]}, "access": {"claims": {"sub": {"path": "id"}}},
    }]);
    assert_eq!(get(&cut, "/a/%3Bx/alice", &[], &json!({"sub": "alice"})), "ok", "both find the same");
    assert_eq!(get(&cut, "/a/bob/%3Bx", &[], &json!({"sub": ";x"})), "400 ambiguous_path");
}

#[test]
fn a_claim_equals_the_one_line_of_a_header() {
    let rules = json!([{"access": {"claims": {"tenant": {"header": "X-Tenant"}}}}]);
    let with = |lines: &[&str], tenant: Value| {
        let headers: Vec<_> = lines.iter().map(|line| ("x-tenant", *line)).collect();
        get(&rules, "/", &headers, &json!({"tenant": tenant}))
    };
    assert_eq!(with(&["acme"], json!("acme")), "ok");
    assert_eq!(with(&["abc"], json!(["xyz", "abc"])), "ok", "one of the claim's elements");
    assert_eq!(with(&["42"], json!(42)), "ok");
    assert_eq!(with(&["-7"], json!(-7.0)), "ok");
    for (line, tenant) in [
        ("acme", json!("other")),
        ("ACME", json!("acme")),
        ("acme,other", json!("acme")),
        ("acme", json!(["other"])),
        ("acme", json!({"acme": "acme"})),
        ("true", json!(true)),
        ("042", json!(42)),
        ("42.0", json!(42)),
        ("+42", json!(42)),
        ("-", json!(0)),
        ("", json!("")),
        ("acme", Value::Null),
    ] {
        assert_eq!(with(&[line], tenant.clone()), DENIED, "{line} {tenant}");
    }
    assert_eq!(with(&[], json!("")), DENIED, "there is none");
    assert_eq!(with(&["acme", "acme"], json!("acme")), "400 ambiguous_request");
    assert_eq!(with(&["acme", "other"], json!("acme")), "400 ambiguous_request");
    assert_eq!(with(&["", "acme"], json!("acme")), "400 ambiguous_request");
    let outcome = get(&rules, "/", &[("x_tenant", "acme")], &json!({"tenant": "acme"}));
    assert_eq!(outcome, DENIED, "another spelling is another header");
}

#[test]
fn the_token_is_known_and_the_request_is_another() {
    let rules = json!([{"access": {"claims": {"tenant": {"header": "x-tenant"}}}}]);
    let token = format!("Bearer {}", Key::new("a").token(&json!({"tenant": "acme"})));
    let mut world = World::new(&inline(&json!({"rules": rules})));
    for (tenant, expected) in [("acme", "ok"), ("other", DENIED), ("acme", "ok"), ("other", DENIED)] {
        let outcome = world.get("/", &[("x-tenant", tenant), ("authorization", &token)]);
        assert_eq!(outcome.summary(), expected, "{tenant}");
    }
}

#[test]
fn a_claim_equals_the_host() {
    for rules in [
        json!([{"access": {"claims": {"aud": {"host": true}}}}]),
        json!([{"match": {"hosts": ["*.example.com:*"]}, "access": {"claims": {"aud": {"host": true}}}}]),
    ] {
        let host = |authority: &str, claim: &str| on(authority, &rules, &json!({"aud": ["api", claim]}));
        for (authority, claim) in [
            ("a.example.com", "a.example.com"),
            ("A.Example.com:443", "a.example.com"),
            ("a.example.com:80", "a.EXAMPLE.com"),
            ("a.example.com:8443", "a.example.com:8443"),
            ("a.example.com", "a.example.com:443"),
        ] {
            assert_eq!(host(authority, claim), "ok", "{authority} {claim}");
        }
        for (authority, claim) in [
            ("a.example.com", "b.example.com"),
            ("a.example.com:8443", "a.example.com"),
            ("a.example.com", "a.example.com:8443"),
            ("a.example.com", "https://a.example.com"),
            ("a.example.com", "a.example.com."),
            ("a.example.com", "*.example.com"),
        ] {
            assert_eq!(host(authority, claim), DENIED, "{authority} {claim}");
        }
        assert_eq!(host("a.example.com.", "a.example.com"), "400 ambiguous_request");
        assert_eq!(host("x@a.example.com", "a.example.com"), "400 ambiguous_request");
    }
}

#[test]
fn what_nearly_equals_is_no_difference_either() {
    let not = |test: Value| json!([{"match": {"paths": ["/{id}"]}, "access": {"not": {"claims": {"blocked": test}}}}]);
    for (test, path, headers, blocked, expected) in [
        (json!({"path": "id"}), "/a", &[][..], json!("b"), "ok"),
        (json!({"path": "id"}), "/a", &[], json!(null), "ok"),
        (json!({"path": "id"}), "/a", &[], json!([]), "ok"),
        (json!({"path": "id"}), "/a", &[], json!("a"), DENIED),
        (json!({"path": "id"}), "/A", &[], json!("a"), DENIED),
        (json!({"path": "id"}), "/a", &[], json!({}), DENIED),
        (json!({"path": "id"}), "/a", &[], json!(["b", "a"]), DENIED),
        (json!({"path": "id"}), "/7", &[], json!(8), "ok"),
        (json!({"path": "id"}), "/07", &[], json!(7), DENIED),
        (json!({"path": "id"}), "/a%3Bb", &[], json!("a"), "400 ambiguous_path"),
        (json!({"path": "id"}), "/a%25", &[], json!("a"), DENIED),
        (json!({"header": "x-a"}), "/a", &[("x-a", "b")], json!("a"), "ok"),
        (json!({"header": "x-a"}), "/a", &[("x-a", "b, A")], json!("a"), DENIED),
        (json!({"header": "x-a"}), "/a", &[("x-a", "")], json!("a"), DENIED),
        (json!({"header": "x-a"}), "/a", &[], json!("a"), DENIED),
        (json!({"host": true}), "/a", &[], json!("other.example.com"), "ok"),
        (json!({"host": true}), "/a", &[], json!("api.example.com:81"), DENIED),
        (json!({"host": true}), "/a", &[], json!("https://api.example.com"), DENIED),
    ] {
        let rules = not(test);
        assert_eq!(
            get(&rules, path, headers, &json!({"blocked": blocked})),
            expected,
            "{rules} {path} {headers:?} {blocked}"
        );
    }
}

/// The errors of a configuration.
fn errors(changes: &Value) -> String {
    let mut config = inline(&json!({}));
    merge(&mut config, changes);
    Policy::parse(config.to_string().as_bytes(), &|_| None).expect_err("is no configuration").to_string()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn a_relation_needs_a_part_that_every_request_of_its_rule_has() {
    let rule = |paths: Value, test: Value| json!({"match": {"paths": paths}, "access": {"claims": {"sub": test}}});
    let path = || json!({"path": "id"});
    let header = |name: &str| json!({"rules": [{"access": {"not": {"claims": {"sub": {"header": name}}}}}]});
    let all: Vec<_> = [
        json!({"rules": [{"access": {"claims": {"sub": {"path": "id"}}}}]}),
        json!({"rules": [rule(json!(["/users/*"]), path())]}),
        json!({"rules": [rule(json!(["/users/{id}", "/people/{name}"]), path())]}),
        json!({"rules": [rule(json!([{"regex": "/users/(?<id>[^/]+)"}]), path())]}),
        json!({"rules": [rule(json!(["/{id}/{id}"]), path())]}),
        json!({"rules": [rule(json!(["/{ID}"]), path())]}),
        json!({"rules": [rule(json!(["/{id}"]), json!({"path": "{id}"}))]}),
        json!({"rules": [rule(json!(["/{id}"]), json!({"path": ""}))]}),
        json!({"rules": [rule(json!(["/{id}"]), json!({"path": "id", "equals": "x"}))]}),
        json!({"rules": [rule(json!(["/{id}"]), json!({"host": false}))]}),
        json!({"rules": [rule(json!(["/{id}"]), json!({"header": 1}))]}),
        header("Host"),
        header(":path"),
        header("x tenant"),
        header("authorization"),
        header("x-auth-request-user"),
        json!({"rules": [rule(json!(["/{id}"]), json!({"header": "x-original-url"}))]}),
        json!({"rules": [
            {"match": {"headers": {"x_tenant": "a"}}, "access": "authenticated"},
            {"access": {"claims": {"sub": {"header": "x-tenant"}}}},
        ]}),
        json!({"rules": [{"access": {"groups": {"matches": ""}}}]}),
        json!({"rules": [{"access": {"groups": {"matches": "a", "any": ["b"]}}}]}),
    ]
    .iter()
    .map(|changes| format!("{changes}\n{}", errors(changes)))
    .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}

/// Each element with each part of the segment would take many seconds.
#[test]
fn a_long_list_is_compared_with_a_long_segment_in_one_pass() {
    let rules = json!([{"match": {"paths": ["/{id}"]}, "access": {"claims": {"ids": {"path": "id"}}}}]);
    let ids: Vec<_> = (0..1500).map(|id| format!("{id:03x}")).collect();
    let path = format!("/{}", "x,".repeat(16_000));
    assert_eq!(get(&rules, &path, &[], &json!({"ids": ids})), DENIED);
}
