//! Protected resource metadata (RFC 9728) and preflights.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{ISSUER, Key, Outcome, World, inline};
use gate::Policy;

fn world(metadata: &Value) -> World {
    World::new(&inline(&json!({
        "resourceMetadata": metadata,
        "rules": [
            {"match": {"paths": ["/a"]}, "access": {"scopes": {"all": ["b", "a"]}, "not": {"scopes": {"any": ["guest"]}}}},
            {"match": {"paths": ["/b"]}, "access": {"anyOf": [{"scopes": {"any": ["a", "c"]}}, {"groups": {"any": ["g"]}}]}},
            {"match": {"paths": ["/basic"]}, "access": "authenticated", "challenge": "basic"},
            {"access": "authenticated"},
        ],
    })))
}

fn send(world: &mut World, method: &str, authority: &str, path: &str) -> Outcome {
    world.send(&[(":method", method), (":authority", authority), (":path", path)])
}

fn body(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Replied(reply) => serde_json::from_str(&reply.body).expect("is JSON"),
        other => panic!("not replied: {other:?}"),
    }
}

fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Replied(reply) => reply.status,
        other => panic!("not replied: {other:?}"),
    }
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Clients get their tokens there as well; whoever is named twice is asked once.
#[test]
fn issuers_of_opaque_tokens_are_authorization_servers() {
    let opaque = |name: &str, issuer: &str| {
        let prefix = format!("{name}-");
        crate::introspection::entry(name, &json!({"issuer": issuer, "match": {"prefix": prefix}}))
    };
    let entries = [opaque("gaf", "https://data.example.com"), opaque("ours", ISSUER)];
    let metadata = json!({"resource": "https://api.example.com"});
    let mut world = World::new(&crate::introspection::beside_jwts(&entries, &json!({"resourceMetadata": metadata})));
    let outcome = send(&mut world, "GET", "api.example.com", WELL_KNOWN);
    assert_eq!(body(&outcome)["authorization_servers"], json!([ISSUER, "https://data.example.com"]));
}

#[test]
fn metadata_is_derived_from_rules_and_issuers() {
    let mut world = world(&json!({"resource": "https://api.example.com"}));
    for authority in ["api.example.com", "API.example.com.:443"] {
        let outcome = send(&mut world, "GET", authority, WELL_KNOWN);
        assert_eq!(
            body(&outcome),
            json!({"resource": "https://api.example.com", "authorization_servers": [ISSUER], "scopes_supported": ["b", "a", "c"]})
        );
        assert_eq!(
            (
                status(&outcome),
                outcome.header("content-type"),
                outcome.header("access-control-allow-origin"),
                outcome.header("cache-control")
            ),
            (200, Some("application/json"), Some("*"), Some("no-store"))
        );
        assert_eq!(world.reported().0, "", "nothing was decided, so nothing is counted");
        assert_eq!(world.reported().1["jotgate_decision"], "answered");
    }
    assert_eq!(status(&send(&mut world, "HEAD", "api.example.com", &format!("{WELL_KNOWN}?a=b"))), 200);
    for (authority, path) in [
        ("other.example.com", WELL_KNOWN),
        ("api.example.com", "/.well-known/oauth-protected-resource/"),
        ("api.example.com", "/.well-known/oauth-protected-resource/x"),
        ("api.example.com", "/.well-known/oauth-protected-resourcex"),
    ] {
        assert_eq!(send(&mut world, "GET", authority, path).summary(), "401 missing_token", "{authority}{path}");
    }
}

#[test]
fn metadata_is_only_read() {
    let mut world = world(&json!({"resource": "https://api.example.com/mcp"}));
    let path = format!("{WELL_KNOWN}/mcp");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let outcome = send(&mut world, method, "api.example.com", &path);
        assert_eq!((status(&outcome), outcome.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let outcome = world.send(&[
        (":method", "OPTIONS"),
        (":authority", "api.example.com"),
        (":path", &path),
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "mcp-protocol-version"),
    ]);
    assert_eq!((status(&outcome), outcome.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(outcome.header("access-control-allow-methods"), Some("GET, HEAD"));
    assert_eq!(outcome.header("access-control-allow-headers"), Some("*"));
}

#[test]
fn empty_members_are_omitted_and_configured_ones_served() {
    let metadata = |entry: &Value| {
        let mut world = World::new(&inline(&json!({"resourceMetadata": entry})));
        body(&send(&mut world, "GET", "a.example.com", WELL_KNOWN))
    };
    let resource = "https://a.example.com/";
    assert_eq!(
        metadata(&json!({"resource": resource})),
        json!({"resource": resource, "authorization_servers": [ISSUER]})
    );
    let all = json!({"resource": resource, "scopes": ["x"], "authorizationServers": ["https://as.example.com"]});
    assert_eq!(
        metadata(&all),
        json!({"resource": resource, "authorization_servers": ["https://as.example.com"], "scopes_supported": ["x"]})
    );
}

#[test]
fn challenges_name_the_resource_with_the_longest_path() {
    let mut world = world(&json!([
        {"resource": "https://api.example.com/mcp"},
        {"resource": "https://api.example.com"},
        {"resource": "http://other.example.com:8080/deep/"},
        {"resource": "https://api.example.com/mcp/deep"},
    ]));
    let mut url = |authority: &str, path: &str| {
        let outcome = send(&mut world, "GET", authority, path);
        let challenge = outcome.header("www-authenticate").expect("challenges").to_string();
        challenge.split_once("resource_metadata=").map(|(_, url)| url.to_string())
    };
    for (authority, path, expected) in [
        ("api.example.com", "/", "https://api.example.com/.well-known/oauth-protected-resource"),
        ("api.example.com", "/mcpx", "https://api.example.com/.well-known/oauth-protected-resource"),
        ("api.example.com", "/mcp", "https://api.example.com/.well-known/oauth-protected-resource/mcp"),
        ("api.example.com:443", "/mcp/x", "https://api.example.com/.well-known/oauth-protected-resource/mcp"),
        ("api.example.com", "/mcp/deep/x", "https://api.example.com/.well-known/oauth-protected-resource/mcp/deep"),
        ("other.example.com", "/deep/x", "http://other.example.com:8080/.well-known/oauth-protected-resource/deep/"),
    ] {
        assert_eq!(url(authority, path), Some(format!("\"{expected}\"")), "{authority}{path}");
    }
    assert_eq!(url("other.example.com", "/"), None);
    assert_eq!(url("third.example.com", "/mcp"), None);
    assert_eq!(url("api.example.com", "/basic"), None, "a Basic challenge has a realm and nothing else");
    let lacking = Key::new("a").token(&json!({}));
    let outcome = world.send(&[
        (":method", "GET"),
        (":authority", "api.example.com"),
        (":path", "/a"),
        ("authorization", &format!("Bearer {lacking}")),
    ]);
    assert_eq!(
        outcome.header("www-authenticate"),
        Some(
            "Bearer realm=\"jotgate\", error=\"insufficient_scope\", scope=\"b a\", resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\""
        )
    );
}

#[test]
fn challenges_name_the_resource_of_the_path_that_is_forwarded() {
    for (paths, challenge) in [("strict", None), ("lenient", Some(401))] {
        let resource = json!({"resource": "https://api.example.com/mcp"});
        let mut world = World::new(&inline(&json!({"paths": paths, "resourceMetadata": resource})));
        for path in ["/mcp//x", "/a/../mcp/x", "/mcp;v=1"] {
            let outcome = send(&mut world, "GET", "api.example.com", path);
            let found = outcome.header("www-authenticate");
            assert_eq!(found.map(|_| status(&outcome)), challenge, "{paths} {path}");
            assert_eq!(found.is_some_and(|found| found.contains("resource_metadata=")), found.is_some(), "{path}");
        }
    }
}

#[test]
fn no_url_of_the_configuration_breaks_a_challenge() {
    for (resource, url) in [
        (
            "https://api.example.com/it's,a=b",
            Some("https://api.example.com/.well-known/oauth-protected-resource/it's,a=b"),
        ),
        ("https://api.example.com/a\"b", None),
        ("https://api.example.com:1\"/", None),
        ("https://*.example.com/", None),
    ] {
        let config = inline(&json!({"resourceMetadata": {"resource": resource}}));
        let policy = Policy::parse(config.to_string().as_bytes(), &|_| None).ok();
        assert_eq!(policy.is_some(), url.is_some(), "{resource}");
        let Some(url) = url else { continue };
        let outcome = send(&mut World::new(&config), "GET", "api.example.com", "/it's,a=b");
        let challenge = format!("Bearer realm=\"jotgate\", resource_metadata=\"{url}\"");
        assert_eq!(outcome.header("www-authenticate"), Some(challenge.as_str()));
    }
}

#[test]
fn genuine_preflights_pass_without_identity_where_that_is_set() {
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "PUT"),
        ("x-auth-request-user", "admin"),
        ("authorization", "Bearer x"),
    ];
    let send = |setting: &str, method: &str, headers: &[(&str, &str)]| {
        let mut world = World::new(&inline(&json!({"corsPreflight": setting, "rules": [{"access": "deny"}]})));
        let mut lines = vec![(":method", method), (":authority", "a"), (":path", "/x")];
        lines.extend(headers);
        world.send(&lines)
    };
    let outcome = send("pass", "OPTIONS", &preflight);
    assert_eq!(outcome.summary(), "ok");
    assert_eq!((outcome.seen("x-auth-request-user"), outcome.seen("authorization")), (vec![], vec![]));
    assert_eq!(outcome.seen("origin"), ["https://app.example.com"]);
    assert_eq!(send("check", "OPTIONS", &preflight).summary(), "403 denied_by_rule");
    assert_eq!(send("pass", "GET", &preflight).summary(), "403 denied_by_rule");
    for lacking in [
        &preflight[..1],
        &preflight[1..],
        &[("origin", ""), ("access-control-request-method", "PUT")],
        &[("origin", "https://a"), ("access-control-request-method", "")],
        &[("origin", "https://a"), ("origin", "https://b"), ("access-control-request-method", "PUT")],
    ] {
        assert_eq!(send("pass", "OPTIONS", lacking).summary(), "403 denied_by_rule", "{lacking:?}");
    }
}

#[test]
fn it_says_what_tokens_are_bound_to_where_the_configuration_does() {
    let algorithms = json!(["EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);
    let (certificates, proofs, alone) = (
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        ("dpop_signing_alg_values_supported", algorithms),
        ("dpop_bound_access_tokens_required", json!(true)),
    );
    let found = |changes: &Value| {
        let mut config = inline(&json!({"resourceMetadata": {"resource": "https://api.example.com"}}));
        crate::support::merge(&mut config, changes);
        let mut members = body(&send(&mut World::new(&config), "GET", "api.example.com", WELL_KNOWN));
        let members = members.as_object_mut().expect("is an object");
        for name in ["resource", "authorization_servers", "scopes_supported"] {
            members.remove(name);
        }
        Value::Object(std::mem::take(members))
    };
    let constraint = |constraint: Value| json!({"senderConstraint": constraint});
    let rules = |requires: &[&str]| {
        let section = |(number, require): (usize, &&str)| {
            let paths = [format!("/{number}/**")];
            json!({"match": {"paths": paths}, "access": "authenticated", "senderConstraint": {"require": require}})
        };
        let mut rules: Vec<_> = requires.iter().enumerate().map(section).collect();
        rules.push(json!({"match": {"paths": ["/public"]}, "access": "public"}));
        rules.push(json!({"match": {"paths": ["/denied"]}, "access": "deny"}));
        json!({"rules": rules, "default": "deny"})
    };
    let mut of_issuer = inline(&json!({}));
    of_issuer["issuers"][0]["senderConstraint"] = json!({"require": "dpop"});
    let mut overridden = rules(&["dpop", "none"]);
    overridden["senderConstraint"] = json!({"require": "dpop"});
    let mut open = rules(&["dpop"]);
    open["default"] = json!("authenticated");
    for (changes, expected) in [
        (json!({}), vec![]),
        (constraint(json!({})), vec![]),
        (constraint(json!({"require": "any"})), vec![]),
        (constraint(json!({"dpop": {}})), vec![&proofs]),
        (constraint(json!({"dpop": "off", "mtls": "off"})), vec![]),
        (constraint(json!({"mtls": "connection"})), vec![&certificates]),
        (
            constraint(json!({"mtls": {"header": "x-forwarded-client-cert", "trustedProxies": ["10.0.0.0/8"]}})),
            vec![&certificates],
        ),
        (constraint(json!({"require": "mtls"})), vec![&certificates]),
        (constraint(json!({"require": "dpop"})), vec![&proofs, &alone]),
        (json!({"issuers": of_issuer["issuers"]}), vec![&proofs, &alone]),
        (rules(&["dpop"]), vec![&proofs, &alone]),
        (rules(&["dpop", "mtls"]), vec![&certificates, &proofs]),
        (rules(&["none"]), vec![]),
        (overridden, vec![&proofs]),
        (open, vec![&proofs]),
    ] {
        let expected: serde_json::Map<_, _> =
            expected.into_iter().map(|(name, value)| (String::from(*name), value.clone())).collect();
        assert_eq!(found(&changes), Value::Object(expected), "{changes}");
    }
}
