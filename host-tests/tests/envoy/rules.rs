//! What rules ask, what is only noted, and what clients may find out about both.

use std::net::IpAddr;

use real_envoy::http::Request;
use serde_json::json;
use testbed::issuer::TokenRequest;

use crate::world::{World, refused, verdict};

#[test]
fn claims_decide_alone_and_together() {
    let access = json!({
        "claims": {"email": {"domain": ["example.com"]}, "email_verified": true},
        "anyOf": [{"scopes": {"any": ["a:b:c"]}}, {"groups": {"any": ["ops"]}}],
        "not": {"claims": {"client_id": {"matches": "svc-*"}}},
    });
    let world = World::shared(&json!({"scopeMatch": "hierarchical", "rules": [{"access": access}]}));
    let with = |claims: serde_json::Value, scope: &str| {
        let serde_json::Value::Object(claims) = claims else { panic!("not an object") };
        let request = TokenRequest { claims, scope: Some(scope.into()), ..TokenRequest::subject("alice") };
        world.verdict(&world.token(&request))
    };
    let good = || json!({"email": "alice@example.com", "email_verified": true});
    assert_eq!(with(good(), "a:b"), refused(200, ""));
    assert_eq!(with(good(), "a:bc"), refused(403, "insufficient_scope"));
    assert_eq!(with(json!({"email": "alice@example.com"}), "a:b"), refused(403, "access_denied"));
    let doubled = json!({"email": "alice@evil.org@example.com", "email_verified": true});
    assert_eq!(with(doubled, "a:b"), refused(403, "access_denied"));
    let robot = json!({"email": "r@example.com", "email_verified": true, "client_id": "svc-1", "groups": ["ops"]});
    assert_eq!(with(robot, ""), refused(403, "access_denied"));
    let operator = json!({"email": "o@example.com", "email_verified": true, "groups": ["ops"]});
    assert_eq!(with(operator, ""), refused(200, ""));
}

#[test]
fn audit_mode_lets_pass_what_it_counts() {
    let world = World::new(&json!({"mode": "audit"}));
    let alice = world.alice();
    let lacking = world.send(&Request::new("POST", "/x").bearer(&alice).header("x-auth-request-user", "admin"));
    assert_eq!(lacking.status, 200);
    assert_eq!(lacking.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(lacking.seen("authorization"), [format!("Bearer {alice}")]);
    let nobody = world.send(&Request::get("/x").header("x-auth-request-user", "admin"));
    assert_eq!((nobody.status, nobody.seen("x-auth-request-user").len()), (200, 0));
    assert_eq!(world.send(&Request::get("/a/../b").bearer("x")).status, 200);
    for reason in ["insufficient_scope", "missing_token", "ambiguous_path"] {
        let counter = format!("wasmcustom.jotgate_requests_audited_{reason}");
        assert_eq!(world.envoy.counter(&counter, 1).unwrap(), 1, "{reason}");
    }
    let entries = world.envoy.access_log(3);
    assert_eq!((&entries[0]["decision"], &entries[0]["reason"]), (&json!("audited"), &json!("insufficient_scope")));
    assert_eq!(entries[0]["details"], "via_upstream");
    let log = world.envoy.log();
    assert!(log.contains("request would be refused: reason=insufficient_scope rule=write issuer=main"), "{log}");
}

#[test]
fn clients_find_the_authorization_server() {
    let world = World::shared(&json!({"resourceMetadata": {"resource": "http://api.example.com/mcp"}}));
    let at = |method: &str, path: &str| Request::new(method, path).header("host", "api.example.com");
    let challenge = world.send(&at("GET", "/mcp")).header("www-authenticate").unwrap();
    let url = "http://api.example.com/.well-known/oauth-protected-resource/mcp";
    assert_eq!(challenge, format!("Bearer realm=\"jotgate\", resource_metadata=\"{url}\""));
    let path = url.strip_prefix("http://api.example.com").unwrap();
    let metadata = world.send(&at("GET", path));
    assert_eq!((metadata.status, metadata.header("access-control-allow-origin").as_deref()), (200, Some("*")));
    let expected = json!({
        "resource": "http://api.example.com/mcp",
        "authorization_servers": [world.issuer.issuer()],
        "scopes_supported": ["write"],
    });
    assert_eq!(metadata.json(), expected);
    let head = world.send(&at("HEAD", path));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let post = world.send(&at("POST", path).body("x"));
    assert_eq!((post.status, post.header("allow").as_deref()), (405, Some("GET, HEAD")));
    let preflight = at("OPTIONS", path)
        .header("origin", "https://inspector.example.com")
        .header("access-control-request-method", "GET");
    let preflight = world.send(&preflight);
    assert_eq!((preflight.status, preflight.body.len()), (204, 0));
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(world.envoy.access_log(5)[1]["details"], "jotgate_resource_metadata");
}

#[test]
fn preflights_pass_where_that_is_set_and_a_name_and_password_are_asked_for() {
    let world = World::shared(&json!({
        "corsPreflight": "pass",
        "credentials": [{"basic": true}],
        "rules": [{"access": "authenticated", "challenge": "basic"}],
    }));
    let preflight = Request::new("OPTIONS", "/x")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "PUT")
        .header("x-auth-request-user", "admin");
    let response = world.send(&preflight);
    assert_eq!((response.status, response.seen("x-auth-request-user").len()), (200, 0));
    let none = world.send(&Request::new("OPTIONS", "/x").header("origin", "https://app.example.com"));
    assert_eq!(verdict(&none), refused(401, "missing_token"));
    assert_eq!(none.header("www-authenticate").unwrap(), r#"Basic realm="jotgate""#);
}

#[test]
fn the_client_is_who_the_trusted_proxies_say() {
    let headers = json!({"X-Client": "$clientIp"});
    let seen = |use_remote_address: bool, trusted: &[&str], forwarded: Option<&str>| {
        let mut config = json!({"identityHeaders": headers});
        if !trusted.is_empty() {
            config["clientIp"] = json!({"trustedProxies": trusted});
        }
        let world = World::shared_with(&config, |bootstrap| {
            bootstrap.connection_manager("use_remote_address", &json!(use_remote_address))
        });
        let mut request = Request::get("/x").bearer(&world.alice()).header("x-client", "198.51.100.66");
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        world.send(&request).seen("x-client").concat()
    };
    // For a peer on its own machine Envoy names the machine's address.
    let own = seen(true, &[], None);
    assert!(own.parse::<IpAddr>().is_ok() && own != "198.51.100.66", "{own}");
    assert_eq!(seen(false, &[], None), "127.0.0.1", "the peer, since nobody tells more");
    assert_eq!(seen(true, &[&own], Some("198.51.100.1, 203.0.113.9")), "203.0.113.9");
    assert_eq!(seen(true, &["203.0.113.0/24"], Some("203.0.113.9")), own, "the peer is no trusted proxy");
}
