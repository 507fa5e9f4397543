//! What nearly matches a rule is refused, or forwarded as the rule sees it: no request gets to a weaker rule, and then to
//! what the stronger one protects.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::slice::from_ref;

use serde_json::{Value, json};

use crate::support::{World, inline};
use gate::{HeaderEdit, HeaderLine, Policy};

/// A world with these rules, and a public one behind them.
fn world(rules: &[Value], changes: &Value) -> World {
    let rules: Vec<_> = rules.iter().cloned().chain([json!({"name": "weaker", "access": "public"})]).collect();
    let mut config = inline(&json!({"rules": rules}));
    crate::support::merge(&mut config, changes);
    World::new(&config)
}

fn request<'r>(method: &'r str, path: &'r str, authority: &'r str) -> Vec<(&'r str, &'r str)> {
    vec![(":method", method), (":path", path), (":authority", authority)]
}

#[test]
fn a_method_with_a_lower_case_letter_gets_past_no_rule() {
    let rule = json!({"match": {"methods": ["DELETE", "X-PURGE"]}, "access": "deny"});
    let mut methods = world(&[rule], &json!({}));
    for (method, expected) in [
        ("DELETE", "403 denied_by_rule"),
        ("X-PURGE", "403 denied_by_rule"),
        ("GET", "ok"),
        ("PRI2", "ok"),
        ("delete", "400 ambiguous_request"),
        ("Delete", "400 ambiguous_request"),
        ("DELETe", "400 ambiguous_request"),
        ("get", "400 ambiguous_request"),
        ("", "400 ambiguous_request"),
        ("DELETE ", "400 ambiguous_request"),
        ("\tDELETE", "400 ambiguous_request"),
        ("DELETE\u{a0}", "400 ambiguous_request"),
        ("D\u{c9}LETE", "400 ambiguous_request"),
        ("DE/LETE", "400 ambiguous_request"),
    ] {
        assert_eq!(methods.send(&request(method, "/", "h")).summary(), expected, "{method}");
    }
    let mut none = world(&[], &json!({}));
    assert_eq!(none.send(&request("delete", "/", "h")).summary(), "ok", "no rule looks at it");
}

#[test]
fn a_host_has_one_spelling_or_none() {
    let rules = [
        json!({"match": {"hosts": ["admin.example.com", "[2001:db8::1]", "*.example.org"]}, "access": "deny"}),
        json!({"match": {"hosts": ["api.example.com:8443", "any.example.com:*"]}, "access": "deny"}),
    ];
    let mut hosts = world(&rules, &json!({}));
    for (authority, expected) in [
        ("admin.example.com", "403 denied_by_rule"),
        ("ADMIN.Example.com:80", "403 denied_by_rule"),
        ("admin.example.com:443", "403 denied_by_rule"),
        ("[2001:DB8::1]:80", "403 denied_by_rule"),
        ("a.b.example.org:443", "403 denied_by_rule"),
        ("api.example.com:8443", "403 denied_by_rule"),
        ("any.example.com:1", "403 denied_by_rule"),
        ("any.example.com", "403 denied_by_rule"),
        ("other.example.com", "ok"),
        // No rule is for this host, with a port or without.
        ("other.example.com:8443", "ok"),
        ("127.0.0.1:10000", "ok"),
        ("api.example.com", "ok"),
        ("admin.example.com:8443", "400 ambiguous_request"),
        ("ADMIN.example.com:1", "400 ambiguous_request"),
        ("api.example.com:8444", "400 ambiguous_request"),
        ("x.example.org:8443", "400 ambiguous_request"),
        ("[2001:db8::1]:8080", "400 ambiguous_request"),
        ("admin.example.com.", "400 ambiguous_request"),
        ("admin.example.com.:80", "400 ambiguous_request"),
        ("other.example.com.", "400 ambiguous_request"),
        ("admin.example.com:", "400 ambiguous_request"),
        ("admin.example.com:0", "400 ambiguous_request"),
        ("admin.example.com:080", "400 ambiguous_request"),
        ("admin.example.com:0443", "400 ambiguous_request"),
        ("admin.example.com:65536", "400 ambiguous_request"),
        ("any.example.com:99999", "400 ambiguous_request"),
        ("u@admin.example.com", "400 ambiguous_request"),
        ("admin.example.com..", "400 ambiguous_request"),
        ("admin.example.com:8a", "400 ambiguous_request"),
        ("admin.example.com:80:80", "400 ambiguous_request"),
        ("admin%2eexample.com", "400 ambiguous_request"),
        ("", "400 ambiguous_request"),
        ("[2001:db8:0::1]", "400 ambiguous_request"),
        ("[2001:0db8::1]:443", "400 ambiguous_request"),
    ] {
        assert_eq!(hosts.send(&request("GET", "/", authority)).summary(), expected, "{authority}");
    }
    let mut none = world(&[], &json!({}));
    assert_eq!(none.send(&request("GET", "/", "u@x.")).summary(), "ok", "no rule looks at it");
}

#[test]
fn the_host_that_rules_see_is_forwarded() {
    let rules = [json!({"match": {"hosts": ["api.example.com:8443", "api.example.com"]}, "access": "public"})];
    let mut hosts = world(&rules, &json!({}));
    for (authority, forwarded) in [
        ("api.example.com", "api.example.com"),
        ("API.example.com:443", "api.example.com"),
        ("api.example.com:80", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("Other:80", "other"),
    ] {
        let outcome = hosts.send(&request("GET", "/%61", authority));
        assert_eq!(outcome.seen(":authority"), [forwarded], "{authority}");
        assert_eq!(outcome.seen(":path"), ["/a"], "{authority}");
    }
    let mut none = world(&[], &json!({}));
    assert_eq!(none.send(&request("GET", "/", "API.example.com:80")).seen(":authority"), ["API.example.com:80"]);
}

#[test]
fn a_header_that_a_rule_names_has_one_line_and_no_value_nearly_named() {
    let rules = [
        json!({"match": {"headers": {"X-Tenant": "acme"}}, "access": "deny"}),
        json!({"match": {"headers": {"x-tenant": "Other, Inc"}}, "access": "deny"}),
        json!({"match": {"headers": {"accept": "text/html"}}, "access": "deny"}),
    ];
    let mut headers = world(&rules, &json!({}));
    for (lines, expected) in [
        (&[("x-tenant", "acme")][..], "403 denied_by_rule"),
        (&[("x-tenant", "Other, Inc")], "403 denied_by_rule"),
        (&[], "ok"),
        (&[("x-tenant", "")], "ok"),
        (&[("x-tenant", "acmes")], "ok"),
        (&[("x-tenant", "ac me")], "400 ambiguous_request"),
        (&[("x-tenant", "x, y")], "ok"),
        (&[("x-tenants", "Acme")], "ok"),
        (&[("accept", "application/json, */*;q=0.1")], "ok"),
        (&[("accept", "text/html, */*;q=0.1")], "400 ambiguous_request"),
        (&[("accept", "Text/HTML")], "400 ambiguous_request"),
        (&[("accept", "text/html"), ("accept", "*/*")], "400 ambiguous_request"),
        (&[("x-tenant", "acme"), ("x-tenant", "acme")], "400 ambiguous_request"),
        (&[("x-tenant", "acme"), ("x-tenant", "")], "400 ambiguous_request"),
        (&[("x-tenant", ""), ("x-tenant", "acme")], "400 ambiguous_request"),
        (&[("x-tenant", "evil"), ("x-tenant", "acme")], "400 ambiguous_request"),
        (&[("x-tenant", "x"), ("x-tenant", "y")], "400 ambiguous_request"),
        (&[("x-tenant", "Acme")], "400 ambiguous_request"),
        (&[("x-tenant", " acme")], "400 ambiguous_request"),
        (&[("x-tenant", "acme\t")], "400 ambiguous_request"),
        (&[("x-tenant", "acme,")], "400 ambiguous_request"),
        (&[("x-tenant", ", acme")], "400 ambiguous_request"),
        (&[("x-tenant", "acme,evil")], "400 ambiguous_request"),
        (&[("x-tenant", "\"acme\"")], "400 ambiguous_request"),
        (&[("x-tenant", "acme\u{a0}")], "400 ambiguous_request"),
        (&[("x-tenant", "OTHER, INC")], "400 ambiguous_request"),
        (&[("x-tenant", "other,inc")], "400 ambiguous_request"),
    ] {
        assert_eq!(headers.get("/", lines).summary(), expected, "{lines:?}");
    }
    for (length, expected) in [(8192, "ok"), (8193, "400 ambiguous_request")] {
        assert_eq!(headers.get("/", &[("x-tenant", &"x".repeat(length))]).summary(), expected);
    }
}

#[test]
fn headers_that_override_what_rules_look_at_are_removed() {
    let by_method = json!({"match": {"methods": ["DELETE"]}, "access": "deny"});
    let by_path = json!({"match": {"paths": ["/admin/**"]}, "access": "deny"});
    let by_host = json!({"match": {"hosts": ["admin.example.com"]}, "access": "deny"});
    let sent = [
        ("x-http-method-override", "DELETE"),
        ("X_HTTP_Method_Override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x.original.url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("script_name", "/public"),
        ("path-info", "/admin"),
        ("x-forwarded-host", "admin.example.com"),
        ("x_forwarded_host", "admin.example.com"),
        ("forwarded", "host=admin.example.com"),
        ("x-original-host", "admin.example.com"),
        ("x-forwarded-proto", "https"),
    ];
    let left = |rules: &[Value], changes: &Value| {
        let outcome = world(rules, changes).get("/", &sent);
        assert_eq!(outcome.summary(), "ok");
        let names = sent.iter().map(|(name, _)| *name).filter(|name| !outcome.seen(name).is_empty());
        names.collect::<Vec<_>>()
    };
    let all: Vec<_> = sent.iter().map(|(name, _)| *name).collect();
    assert_eq!(left(&[], &json!({})), all, "no rule looks at any of it");
    assert_eq!(left(from_ref(&by_method), &json!({})), all[4..]);
    assert_eq!(left(from_ref(&by_path), &json!({})), [&all[..4], &all[9..]].concat());
    assert_eq!(left(from_ref(&by_host), &json!({})), [&all[..9], &all[13..]].concat());
    let rules = [by_method, by_path, by_host];
    assert_eq!(left(&rules, &json!({})), ["x-forwarded-proto"]);
    assert_eq!(left(&rules, &json!({"overrideHeaders": "remove"})), ["x-forwarded-proto"]);
    assert_eq!(left(&rules, &json!({"overrideHeaders": "keep"})), all);
}

#[test]
fn a_preflight_with_an_overridden_method_is_not_a_preflight() {
    let rules = [json!({"match": {"paths": ["/orders/**"]}, "access": "deny"})];
    for (overrides, expected) in [("remove", "403 denied_by_rule"), ("keep", "403 denied_by_rule")] {
        let mut preflights = world(&rules, &json!({"corsPreflight": "pass", "overrideHeaders": overrides}));
        let mut lines = request("OPTIONS", "/orders/1", "h");
        lines.extend([("origin", "https://o"), ("access-control-request-method", "DELETE")]);
        assert_eq!(preflights.send(&lines).summary(), "ok", "{overrides}");
        for name in ["x-http-method-override", "X_HTTP_Method", "x-method-override"] {
            let lines = [&lines[..], &[(name, "DELETE")]].concat();
            assert_eq!(preflights.send(&lines).summary(), expected, "{overrides} {name}");
        }
    }
    let mut public = world(&[], &json!({"corsPreflight": "pass"}));
    let outcome = public.get("/", &[("x-http-method-override", "DELETE")]);
    assert!(outcome.seen("x-http-method-override").is_empty(), "it was decided on the method");
}

#[test]
fn no_trailer_brings_a_header_that_a_rule_names() {
    let named = world(&[json!({"match": {"headers": {"x-tenant": "acme"}}, "access": "deny"})], &json!({}));
    let trailers: [HeaderLine<'_>; 3] = [(b"x-tenant", b"acme"), (b"X_Tenant", b"acme"), (b"x-checksum", b"1")];
    let left = HeaderEdit::apply(&named.gate().handle_trailers(&trailers), &trailers);
    assert_eq!(left, [(b"x-checksum".to_vec(), b"1".to_vec())]);
}

#[test]
fn a_rule_is_not_dodged_by_what_a_server_cuts_off() {
    let rules = [
        json!({"match": {"paths": ["/static/*.json", "/*/secret"]}, "access": "deny"}),
        json!({"match": {"paths": ["/a%3Bb"]}, "access": "deny"}),
    ];
    let mut cut = world(&rules, &json!({}));
    for path in
        ["/static/x%3By.json%3F.css", "/static/a%23b.json%3Bx", "/x%3F/secret%3B", "/x%23/secret%3Bz", "/a%3Bb%3Fx"]
    {
        assert_eq!(cut.get(path, &[]).summary(), "400 ambiguous_path", "{path}");
    }
}

#[test]
fn a_server_that_decodes_gets_no_token_that_it_should_not() {
    let rules = [
        json!({"match": {"paths": ["/a:b"]}, "access": "authenticated", "forwardToken": false}),
        json!({"match": {"paths": ["/**"]}, "access": "authenticated", "forwardToken": true}),
    ];
    let mut config = inline(&json!({"rules": rules}));
    crate::support::merge(&mut config, &json!({"default": "deny"}));
    assert_eq!(World::new(&config).get("/a%3Ab", &[]).summary(), "400 ambiguous_path");
}

/// What a rule asks of the sender, and what it gives the upstream, is a part of what it asks.
#[test]
fn a_server_that_decodes_gets_no_request_that_is_less_bound_or_has_another_credential() {
    let exchange = json!({
        "endpoint": "https://sts.example/token", "cluster": "sts", "audience": "orders",
        "client": {"id": "gate", "secret": "of tests"},
    });
    let credentials = json!([{"name": "internal", "header": "x-internal", "exchange": exchange}]);
    for (guarded, rest) in [
        (json!({"senderConstraint": {"require": "dpop"}}), json!({})),
        (json!({"senderConstraint": {"require": "any"}}), json!({"senderConstraint": {"require": "none"}})),
        (json!({"upstream": []}), json!({"upstream": "internal"})),
        (json!({"upstream": "internal"}), json!({})),
    ] {
        let mut rules = json!([
            {"match": {"paths": ["/a:b"]}, "access": "authenticated"},
            {"match": {"paths": ["/**"]}, "access": "authenticated"},
        ]);
        crate::support::merge(&mut rules[0], &guarded);
        crate::support::merge(&mut rules[1], &rest);
        let mut config = inline(&json!({"rules": rules, "upstreamCredentials": credentials}));
        crate::support::merge(&mut config, &json!({"default": "deny"}));
        assert_eq!(World::new(&config).get("/a%3Ab", &[]).summary(), "400 ambiguous_path", "{guarded} {rest}");
    }
}

#[test]
fn headers_that_servers_do_not_distinguish_match_no_rule() {
    let errors = |headers: &[Value]| {
        let rule = |headers: &Value| json!({"match": {"headers": headers}, "access": "deny"});
        let config = inline(&json!({"rules": headers.iter().map(rule).collect::<Vec<_>>()}));
        Policy::parse(config.to_string().as_bytes(), &|_| None).expect_err("is a mistake").to_string()
    };
    let two = errors(&[json!({"x-tenant": "a"}), json!({"X_Tenant": "b"})]);
    assert!(two.contains("the header `x_tenant` of a `match` is another spelling of `x-tenant`"), "{two}");
    let empty = errors(&[json!({"x-tenant": ""})]);
    assert!(empty.starts_with("rules[0].match.headers.x-tenant: expected a value"), "{empty}");
}

#[test]
fn a_trusted_proxy_may_say_which_host_was_asked() {
    let rules = [json!({"match": {"hosts": ["admin.example.com"]}, "access": "deny"})];
    let config = json!({"clientIp": {"trustedProxies": ["10.0.0.0/8"]}});
    let sent = [("x-forwarded-host", "a"), ("x_forwarded_host", "b"), ("forwarded", "host=a")];
    let mut proxied = world(&rules, &config);
    assert!(proxied.gate().asks_for_peer(), "it matters who sent it");
    for (peer, expected) in [("10.1.2.3:1", "a"), ("192.0.2.1:1", ""), ("", "")] {
        proxied.peer = peer;
        let outcome = proxied.get("/", &sent);
        assert_eq!(outcome.seen("x-forwarded-host").concat(), expected, "{peer}");
        assert_eq!(outcome.seen("forwarded").is_empty(), expected.is_empty(), "{peer}");
        assert!(outcome.seen("x_forwarded_host").is_empty(), "{peer}");
    }
    assert!(!world(&rules, &json!({})).gate().asks_for_peer(), "no proxy is trusted");
}

#[test]
fn a_preflight_is_no_upgrade_and_has_no_body() {
    let rules = [json!({"match": {"methods": ["OPTIONS"]}, "access": "deny"})];
    let mut preflights = world(&rules, &json!({"corsPreflight": "pass"}));
    let mut send = |added: &[(&str, &str)]| {
        let mut lines = request("OPTIONS", "/", "h");
        lines.extend([("origin", "https://o"), ("access-control-request-method", "GET")]);
        lines.extend(added);
        preflights.send(&lines).summary()
    };
    assert_eq!((send(&[]).as_str(), send(&[("content-length", "0")]).as_str()), ("ok", "ok"));
    for added in [
        ("upgrade", "websocket"),
        ("upgrade", ""),
        ("content-length", "1"),
        ("content-length", "00"),
        ("content-length", ""),
        ("transfer-encoding", "chunked"),
    ] {
        assert_eq!(send(&[added]), "403 denied_by_rule", "{added:?}");
    }
}

#[test]
fn a_long_path_is_compared_with_no_regular_expression() {
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    let mut regexes = world(&[json!({"match": {"paths": [{"regex": "/b+"}]}, "access": "deny"})], &json!({}));
    assert_eq!(regexes.get(&path(8192), &[]).summary(), "ok");
    assert_eq!(regexes.get(&path(8193), &[]).summary(), "400 ambiguous_path");
    let escaped = |length: usize| format!("{}%3B", path(length - 3));
    assert_eq!(regexes.get(&escaped(2048), &[]).summary(), "ok");
    assert_eq!(regexes.get(&escaped(2049), &[]).summary(), "400 ambiguous_path");
    assert_eq!(regexes.get(&format!("{}%20", path(8189)), &[]).summary(), "ok");
    assert_eq!(regexes.get(&format!("{}?{}", path(8192), "q".repeat(9000)), &[]).summary(), "ok");
    let mut none = world(&[json!({"match": {"paths": ["/b/**"]}, "access": "deny"})], &json!({}));
    assert_eq!(none.get(&path(60_000), &[]).summary(), "ok");
}

#[test]
fn all_regular_expressions_together_are_bounded() {
    let rules = |count: usize| {
        let rule = |index| json!({"match": {"paths": [{"regex": format!("/{index}/(a?){{40}}b")}]}, "access": "deny"});
        let config = inline(&json!({"rules": (0..count).map(rule).collect::<Vec<_>>()}));
        Policy::parse(config.to_string().as_bytes(), &|_| None)
    };
    assert!(rules(3).is_ok());
    let errors = rules(40).expect_err("is too much").to_string();
    assert!(errors.starts_with("rules: the regular expressions of all rules compile to "), "{errors}");
    assert!(errors.ends_with(" at most: use `*`, `{name}` and `/**` where they do"), "{errors}");
}

#[test]
fn audit_mode_counts_what_can_be_read_in_two_ways() {
    let rules = [json!({"match": {"methods": ["DELETE"]}, "access": "deny"})];
    let mut audited = world(&rules, &json!({"mode": "audit"}));
    let outcome = audited.send(&request("delete", "/%61", "h"));
    assert_eq!(outcome.summary(), "ok");
    assert_eq!(audited.reported().0, "jotgate_requests_audited_ambiguous_request");
}
