//! Tokens that are exchanged for the upstream (RFC 8693).

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{form, logged_in, login};
use crate::support::{ISSUER, Key, NOW, Outcome, World, fetched, inline, merge};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// RFC 7515 A.3.
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// A credential that is exchanged at a known endpoint, with `changes`.
fn exchange(changes: &Value) -> Value {
    let mut exchange = json!({
        "endpoint": "https://sts.example.com/token", "cluster": "exchange",
        "client": {"id": "gate", "secret": "s3cret"}, "audience": "orders",
    });
    merge(&mut exchange, changes);
    json!([{"name": "orders", "exchange": exchange}])
}

/// A configuration whose credential is exchanged at the endpoint that its issuer names, with `changes`.
fn discovering(changes: &Value) -> Value {
    let credentials = json!([{"name": "orders", "exchange": {
        "issuer": "main", "client": {"id": "gate", "secret": "s3cret"}, "audience": "orders",
    }}]);
    let mut config = login(&json!({"upstreamCredentials": credentials, "upstream": "orders"}));
    for member in ["login", "session"] {
        config.as_object_mut().expect("is an object").remove(member);
    }
    merge(&mut config, changes);
    config
}

fn world(changes: &Value) -> World {
    World::new(&inline(&json!({"upstreamCredentials": exchange(changes), "upstream": "orders"})))
}

fn token_of(subject: &str) -> String {
    Key::new("a").token(&json!({"sub": subject}))
}

/// An answer with `changes`.
fn answer(changes: &Value) -> String {
    let mut answer = json!({
        "access_token": "exchanged", "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60,
    });
    merge(&mut answer, changes);
    answer.to_string()
}

/// What was asked last.
fn asked(world: &World) -> BTreeMap<String, String> {
    form(&world.fetches.last().expect("something was asked").body)
}

/// Sends a request with `token`, and answers what is asked.
fn answered(world: &mut World, token: &str, status: &str, body: &str) -> Outcome {
    let outcome = world.with_token(token);
    assert_eq!(outcome.summary(), "waiting");
    let id = world.last();
    assert_eq!(world.fetches.len(), 1);
    world.answer(status, body);
    world.resumed.remove(&id).expect("is decided")
}

fn count(world: &World, name: &str) -> u64 {
    world.metrics.get(&format!("jotgate_upstream_{name}_orders")).copied().unwrap_or_default()
}

#[test]
fn the_upstream_gets_what_the_callers_token_is_exchanged_for() {
    let mut world = world(&json!({
        "audience": ["orders", "stock"], "resource": ["https://orders.example.com/", "urn:stock"],
        "scopes": ["a", "b"],
        "requestedTokenType": "jwt",
    }));
    let token = token_of("alice");
    let outcome = world.with_token(&token);
    assert_eq!(outcome.summary(), "waiting");
    let id = world.last();
    let fetch = &world.fetches[0];
    assert_eq!(
        (fetch.cluster.as_str(), fetch.method, fetch.authority.as_str(), fetch.path.as_str()),
        ("exchange", "POST", "sts.example.com", "/token")
    );
    let header = |name: &str| fetch.headers.iter().find(|header| header.name == name).map(|header| &*header.value);
    assert_eq!(header("authorization"), Some("Basic Z2F0ZTpzM2NyZXQ="));
    assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
    let body = str::from_utf8(&fetch.body).expect("is text");
    assert!(body.contains("&audience=orders&audience=stock&"), "{body}");
    assert!(body.contains("&resource=https%3A%2F%2Forders.example.com%2F&resource=urn%3Astock&"), "{body}");
    let asked = asked(&world);
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!((&*asked["subject_token"], &*asked["subject_token_type"]), (&*token, ACCESS_TOKEN));
    assert_eq!((&*asked["requested_token_type"], &*asked["scope"]), (JWT, "a b"));
    world.answer("200", &answer(&json!({"issued_token_type": JWT, "token_type": "N_A"})));
    let outcome = world.resumed.remove(&id).expect("is decided");
    assert_eq!(outcome.seen("authorization"), ["Bearer exchanged"]);
    assert_eq!((count(&world, "minted"), count(&world, "failed")), (1, 0));
}

#[test]
fn a_client_may_sign_its_requests() {
    let env = |name: &str| (name == "KEY").then(|| P256.to_string());
    let client = json!({"id": "gate", "privateKey": {"env": "KEY"}});
    let config = inline(&json!({"upstreamCredentials": exchange(&json!({"client": client})), "upstream": "orders"}));
    let policy = gate::Policy::parse(config.to_string().as_bytes(), &env).unwrap_or_else(|errors| panic!("{errors}"));
    let now = gate::Timestamp::from_secs(NOW);
    let mut world = World::with_policy(&driver::memory::Store::default(), policy, now, 1);
    world.with_token(&token_of("alice"));
    let asked = asked(&world);
    assert_eq!(asked["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let payload = asked["client_assertion"].split('.').nth(1).expect("is a JWT");
    let payload = jose::base64url::decode(payload.as_bytes()).expect("is base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("is JSON");
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!("https://sts.example.com/token"), &json!("gate")));
}

#[test]
fn a_token_is_used_until_a_tenth_of_its_life_is_left_or_as_long_as_it_is_cached() {
    for (changes, expires_in, used_for) in [
        (json!({}), json!(60), 54),
        (json!({"cacheFor": "10s"}), json!(60), 10),
        (json!({"cacheFor": "0s"}), json!(60), 0),
        (json!({}), json!(null), 300),
        (json!({}), json!(3600), 300),
        (json!({}), json!(0), 0),
    ] {
        let mut world = world(&changes);
        let token = token_of("alice");
        let body = answer(&json!({"expires_in": expires_in}));
        assert_eq!(answered(&mut world, &token, "200", &body).summary(), "ok");
        // An answer itself is used for a second.
        let used_for = used_for.max(1);
        world.pass(Duration::from_millis(used_for * 1000 - 1));
        assert_eq!(world.with_token(&token).summary(), "ok", "{changes} {expires_in}");
        world.pass(Duration::from_millis(1));
        assert_eq!(world.with_token(&token).summary(), "waiting", "{changes} {expires_in}");
    }
}

#[test]
fn each_caller_has_a_token_of_its_own_and_asks_once() {
    let mut world = world(&json!({}));
    let tokens = ["alice", "bob"].map(token_of);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        for (token, subject) in tokens.iter().zip(["alice", "bob"]) {
            assert_eq!(world.with_token(token).summary(), "waiting");
            waiting.push((world.last(), subject));
        }
    }
    assert_eq!(world.fetches.len(), 2, "one for each");
    // The answers come in another order.
    for fetch in std::mem::take(&mut world.fetches).into_iter().rev() {
        let subject = if form(&fetch.body)["subject_token"] == tokens[0] { "alice" } else { "bob" };
        world.answer_to(&fetch, [(":status", "200")], &answer(&json!({"access_token": format!("of-{subject}")})));
    }
    for (id, subject) in waiting {
        let outcome = world.resumed.remove(&id).expect("is decided");
        assert_eq!(outcome.seen("authorization"), [format!("Bearer of-{subject}")]);
    }
    for (token, subject) in tokens.iter().zip(["alice", "bob"]) {
        assert_eq!(world.with_token(token).seen("authorization"), [format!("Bearer of-{subject}")]);
    }
    assert!(world.fetches.is_empty());
    assert_eq!((count(&world, "minted"), count(&world, "cached")), (2, 6));
}

#[test]
fn a_refusal_is_the_callers_and_everything_else_passes() {
    let error = r#"{"error":"invalid_target"}"#;
    let huge = answer(&json!({"scope": "x".repeat(2 << 20)}));
    let refused = ["400", "401", "403"].map(|status| (status, error.to_string(), "403 upstream_credential_denied"));
    let mut cases = refused.to_vec();
    for (status, body) in [
        ("500", error.to_string()),
        ("503", String::new()),
        ("429", error.to_string()),
        ("401", String::from(r#"{"error":"temporarily_unavailable"}"#)),
        ("404", String::from("no healthy upstream")),
        ("302", String::new()),
        ("201", answer(&json!({}))),
        ("200", String::from("<html>")),
        ("200", error.to_string()),
        ("200", String::from("[]")),
        ("200", huge),
        ("200", answer(&json!({"access_token": null}))),
        ("200", answer(&json!({"access_token": "a\r\nx-admin: 1"}))),
        ("200", answer(&json!({"access_token": ["a"]}))),
        ("200", answer(&json!({"issued_token_type": null}))),
        ("200", answer(&json!({"issued_token_type": "urn:ietf:params:oauth:token-type:saml2"}))),
        (
            "200",
            answer(
                &json!({"issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token", "token_type": "N_A"}),
            ),
        ),
        ("200", answer(&json!({"token_type": null}))),
        ("200", answer(&json!({"token_type": "N_A"}))),
        ("200", answer(&json!({"token_type": "DPoP"}))),
        (
            "200",
            answer(&json!({})).replace(r#""token_type":"Bearer""#, r#""token_type":"Bearer","token_type":"Bearer""#),
        ),
        ("200", answer(&json!({"expires_in": -1}))),
    ] {
        cases.push((status, body, "503 upstream_credential_unavailable"));
    }
    for (status, body, summary) in cases {
        let mut world = world(&json!({}));
        let token = token_of("alice");
        let excerpt: String = body.chars().take(100).collect();
        let outcome = answered(&mut world, &token, status, &body);
        assert_eq!(outcome.summary(), summary, "{status} {excerpt}");
        assert_eq!(outcome.header("retry-after").is_some(), summary.starts_with("503"), "{excerpt}");
        assert_eq!((count(&world, "minted"), count(&world, "failed")), (0, 1));
        let log = world.log.join("\n");
        assert!(log.contains("upstream credential `orders` failed: the token endpoint answered"), "{excerpt}: {log}");
        assert!(!log.contains("x-admin") && !log.contains(&token), "{log}");
        // For a second, nobody asks again.
        world.pass(Duration::from_millis(999));
        assert_eq!(world.with_token(&token).summary(), summary, "{status} {excerpt}");
        world.pass(Duration::from_millis(1));
        assert_eq!(world.with_token(&token).summary(), "waiting", "{status} {excerpt}");
    }
}

#[test]
fn another_type_than_the_requested_one_is_not_used() {
    for (requested, issued, is_used) in
        [("accessToken", ACCESS_TOKEN, true), ("accessToken", JWT, false), ("idToken", ID_TOKEN, true)]
    {
        let mut world = world(&json!({"requestedTokenType": requested}));
        let outcome = answered(&mut world, &token_of("alice"), "200", &answer(&json!({"issued_token_type": issued})));
        assert_eq!(outcome.summary() == "ok", is_used, "{requested} {issued}");
    }
}

#[test]
fn a_stalling_endpoint_stops_its_callers_alone() {
    let credentials = exchange(&json!({}));
    let rules = json!([
        {"name": "plain", "match": {"paths": ["/plain"]}, "access": "authenticated", "upstream": []},
        {"name": "rest", "access": "authenticated", "upstream": "orders"},
    ]);
    let mut world =
        World::new(&inline(&json!({"upstreamCredentials": credentials, "rules": rules, "limits": {"lookups": 2}})));
    let tokens = ["alice", "bob", "carol"].map(token_of);
    let mut waiting = Vec::new();
    for token in &tokens[..2] {
        assert_eq!(world.with_token(token).summary(), "waiting");
        waiting.push(world.last());
    }
    assert_eq!(world.with_token(&tokens[2]).summary(), "503 overloaded");
    for token in &tokens {
        let outcome = world.get("/plain", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(outcome.summary(), "ok");
    }
    world.pass(Duration::from_secs(5));
    for id in waiting {
        let outcome = world.resumed.remove(&id).expect("nobody waits longer than `waitFor`");
        assert_eq!(outcome.summary(), "503 upstream_credential_unavailable");
    }
}

#[test]
fn who_gives_up_waiting_takes_nobody_with_it() {
    for config in [
        inline(
            &json!({"upstreamCredentials": exchange(&json!({})), "upstream": "orders", "limits": {"waitFor": "2s"}}),
        ),
        discovering(&json!({"limits": {"waitFor": "2s"}})),
    ] {
        let mut world = World::new(&config);
        crate::browser::Provider::new().serve(&mut world);
        let token = token_of("alice");
        let mut waiting = Vec::new();
        for _ in 0..2 {
            assert_eq!(world.with_token(&token).summary(), "waiting");
            waiting.push(world.last());
            world.pass(Duration::from_secs(1));
        }
        let late = &world.resumed[&waiting[0]];
        assert_eq!(late.summary(), "503 upstream_credential_unavailable");
        assert_eq!(late.header("retry-after"), Some("1"));
        assert_eq!(world.fetches.len(), 1, "nothing is asked twice");
        if world.fetches[0].path.starts_with("/.well-known") {
            world.answer("200", &crate::browser::discovery().to_string());
        }
        world.answer("200", &answer(&json!({})));
        assert_eq!(world.resumed[&waiting[1]].seen("authorization"), ["Bearer exchanged"]);
        assert_eq!((count(&world, "minted"), count(&world, "failed")), (1, 1));
    }
}

#[test]
fn an_endpoint_that_is_slower_than_wait_for_gives_its_token_when_the_client_comes_again() {
    for (wait_for, cache_for, used_for) in [("2s", "5m", 50), ("0s", "5m", 50), ("2s", "10s", 6), ("2s", "0s", 1)] {
        let changes = json!({"cacheFor": cache_for});
        let mut config = inline(&json!({"upstreamCredentials": exchange(&changes), "upstream": "orders"}));
        merge(&mut config, &json!({"limits": {"waitFor": wait_for}}));
        let mut world = World::new(&config);
        let token = token_of("alice");
        world.with_token(&token);
        world.pass(Duration::from_secs(4));
        assert!(world.waiting.is_empty());
        world.answer("200", &answer(&json!({})));
        // It may have been given when it was asked for.
        world.pass(Duration::from_millis(used_for * 1000 - 1));
        assert_eq!(world.with_token(&token).seen("authorization"), ["Bearer exchanged"], "{wait_for} {cache_for}");
        world.pass(Duration::from_millis(1));
        world.with_token(&token);
        assert_eq!(world.fetches.len(), 1, "{wait_for} {cache_for}");
    }
}

#[test]
fn in_audit_mode_a_late_request_passes_without_its_credential() {
    let mut config = inline(&json!({"upstreamCredentials": exchange(&json!({})), "upstream": "orders"}));
    merge(&mut config, &json!({"mode": "audit"}));
    let mut world = World::new(&config);
    assert_eq!(world.with_token(&token_of("alice")).summary(), "waiting");
    let id = world.last();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.resumed[&id].seen("authorization"), [""; 0]);
    assert_eq!(world.reported().0, "jotgate_requests_audited_upstream_credential_unavailable");
}

#[test]
fn a_stalling_endpoint_leaves_questions_to_other_credentials() {
    let mut credentials = exchange(&json!({}));
    let mut other = credentials[0].clone();
    other["name"] = json!("stock");
    credentials.as_array_mut().expect("is a list").push(other);
    let rules = json!([
        {"name": "stock", "match": {"paths": ["/stock"]}, "access": "authenticated", "upstream": "stock"},
        {"name": "rest", "access": "authenticated", "upstream": "orders"},
    ]);
    let mut world =
        World::new(&inline(&json!({"upstreamCredentials": credentials, "rules": rules, "limits": {"lookups": 10}})));
    let tokens: Vec<_> = (0..10).map(|index| token_of(&index.to_string())).collect();
    let waiting = tokens.iter().filter(|token| world.with_token(token).summary() == "waiting").count();
    assert_eq!(waiting, 5);
    for token in &tokens[..2] {
        let outcome = world.get("/stock", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(outcome.summary(), "waiting");
    }
}

#[test]
fn a_stalling_endpoint_leaves_slots_to_those_that_wait_for_keys() {
    let mut config = fetched(&json!({}), &json!({"waiting": 10}));
    merge(&mut config, &json!({"upstreamCredentials": exchange(&json!({})), "upstream": "orders"}));
    let mut world = World::new(&config);
    let token = token_of("alice");
    assert_eq!(world.with_token(&token).summary(), "waiting");
    world.answer("200", &json!({"keys": [Key::new("a").jwk()]}).to_string());
    world.pass(Duration::from_mins(1));
    let waiting = (0..10).filter(|_| world.with_token(&token).summary() == "waiting").count();
    assert_eq!(waiting, 5);
    assert_eq!(world.with_token(&Key::new("b").token(&json!({}))).summary(), "waiting");
}

#[test]
fn a_caller_whose_token_expires_meanwhile_is_refused() {
    let mut world = world(&json!({}));
    let token = Key::new("a").token(&json!({"exp": NOW - 58}));
    assert_eq!(world.with_token(&token).summary(), "waiting");
    let id = world.last();
    // Beyond what clocks may differ.
    world.now = gate::Timestamp::from_secs(NOW + 3);
    world.answer("200", &answer(&json!({})));
    let outcome = world.resumed.remove(&id).expect("is decided");
    assert_eq!(outcome.summary(), "401 expired");
}

#[test]
fn the_endpoint_is_found_by_discovery_once_for_all() {
    let config = discovering(&json!({}));
    let mut world = World::new(&config);
    let mut provider = crate::browser::Provider::new();
    provider.serve(&mut world);
    let tokens = ["alice", "bob"].map(token_of);
    for token in &tokens {
        world.with_token(token);
    }
    let paths: Vec<_> = world.fetches.iter().map(|fetch| fetch.path.clone()).collect();
    assert_eq!(paths, ["/.well-known/openid-configuration"]);
    world.answer("200", &crate::browser::discovery().to_string());
    let found: Vec<_> = world.fetches.iter().map(|fetch| (fetch.cluster.clone(), fetch.path.clone())).collect();
    assert_eq!(found, [("idp".into(), "/token".into()), ("idp".into(), "/token".into())]);
    // Of another issuer, it counts for nothing.
    let mut world = World::new(&config);
    provider.serve(&mut world);
    world.with_token(&tokens[0]);
    let id = world.last();
    let other = crate::browser::discovery().to_string().replace(ISSUER, "https://evil.example.com");
    world.answer("200", &other);
    assert_eq!(world.resumed.remove(&id).expect("is decided").summary(), "503 upstream_credential_unavailable");
    assert!(world.log.iter().any(|line| line.contains("the discovery document is unusable")), "{:?}", world.log);
    // A second later, it is asked for again.
    world.pass(Duration::from_secs(1));
    assert_eq!(world.with_token(&tokens[0]).summary(), "waiting");
}

#[test]
fn a_session_has_its_kept_token_exchanged() {
    for (subject, keep, token, kind) in [
        ("credential", "accessToken", Some("access-1"), ACCESS_TOKEN),
        ("accessToken", "accessToken", Some("access-1"), ACCESS_TOKEN),
        ("idToken", "idToken", None, ID_TOKEN),
    ] {
        let credentials = exchange(&json!({"subjectToken": subject}));
        let mut config = login(&json!({"upstreamCredentials": credentials, "upstream": "orders"}));
        config["session"]["keep"] = json!([keep]);
        let (mut world, provider, mut browser) = logged_in(&config);
        let outcome = browser.fetch(&mut world, "/app");
        assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
        let id = world.last();
        let asked = asked(&world);
        let expected = token.map_or_else(|| provider.id_token(NOW), String::from);
        assert_eq!((&asked["subject_token"], &*asked["subject_token_type"]), (&expected, kind), "{subject}");
        world.answer("200", &answer(&json!({})));
        let outcome = world.resumed.remove(&id).expect("is decided");
        assert_eq!(outcome.seen("authorization"), ["Bearer exchanged"]);
        // One that came with a token has no session.
        let expected = if subject == "credential" { "waiting" } else { "403 upstream_credential_denied" };
        assert_eq!(world.with_token(&token_of("bob")).summary(), expected);
    }
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn wrong_exchanges_are_errors_with_their_path() {
    let with = |changes: Value| inline(&json!({"upstreamCredentials": exchange(&changes), "upstream": "orders"}));
    let configs = [
        with(json!({"endpoint": "sts.example.com", "cluster": null, "client": null, "audience": [], "else": 1})),
        with(json!({"endpoint": null})),
        with(json!({"endpoint": null, "cluster": null, "issuer": "main"})),
        with(json!({"issuer": "other", "requestedTokenType": "refreshToken", "scopes": ["a b"]})),
        with(
            json!({"subjectToken": "idToken", "cacheFor": "soon", "client": {"id": "a", "secret": "b", "authentication": "none"}}),
        ),
        with(json!({"subjectToken": "refreshToken"})),
        with(json!({"resource": ["orders", "https://a.example/#b", "https://a.example/b c", "1a:b", "a:"]})),
    ];
    let errors: Vec<_> = configs.iter().map(crate::config::errors).collect();
    insta::assert_snapshot!(errors.join("\n--\n"));
}
