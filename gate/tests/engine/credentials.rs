//! Credentials on their way through the engine: which one counts, and what of them the upstream sees.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, NOW, World, fetched, inline, merge, policy};
use gate::{Gate, HeaderLine, Request, RequestId, Timestamp};
use jose::signature::Software;

fn token() -> String {
    Key::new("a").token(&json!({}))
}

/// `user:password` as `Authorization` has it.
fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Every place there is.
fn places() -> Value {
    json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "x-api-token"},
        {"cookie": "session"},
        {"query": "access_token"},
        {"basic": true},
        {"websocketProtocol": "bearer."},
    ])
}

fn world(changes: &Value) -> World {
    World::new(&config(changes))
}

fn config(changes: &Value) -> Value {
    let rules = json!([
        {"match": {"paths": ["/public"]}, "access": "public"},
        {"match": {"paths": ["/optional"]}, "access": "optional"},
        {"match": {"paths": ["/keeps"]}, "access": "authenticated", "forwardToken": true},
        {"access": "authenticated"},
    ]);
    let mut config = inline(&json!({"credentials": places(), "rules": rules}));
    merge(&mut config, changes);
    config
}

/// A request for `path` with `token` in one of the places: its header and what is left of that, then its query and
/// what is left of that.
fn carriers(token: &str) -> Vec<(&'static str, String, Vec<&'static str>, String, &'static str)> {
    let header =
        |name, value: String, left: &[&'static str]| (name, value, left.to_vec(), String::from("?q=1"), "?q=1");
    vec![
        header("authorization", format!("Bearer {token}"), &[]),
        header("authorization", basic(&format!("{token}:x-oauth-basic")), &[]),
        header("authorization", basic(&format!("x-oauth-basic:{token}")), &[]),
        header("authorization", basic(&format!("{token}:")), &[]),
        header("x-api-token", token.into(), &[]),
        header("cookie", format!("a=1; session={token}; b=2"), &["a=1; b=2"]),
        header("cookie", format!("session=\"{token}\""), &[]),
        header("sec-websocket-protocol", format!("bearer.{token}, chat"), &["chat"]),
        ("x-other", "1".into(), vec!["1"], format!("?q=1&access_token={token}"), "?q=1"),
        ("x-other", "1".into(), vec!["1"], format!("?acce%73s_token={token}"), ""),
    ]
}

#[test]
fn a_token_counts_in_each_place_and_leaves_no_trace_there() {
    for path in ["/x", "/optional", "/public"] {
        for (name, value, left, query, query_left) in carriers(&token()) {
            let outcome = world(&json!({})).get(&format!("{path}{query}"), &[(name, &value)]);
            assert_eq!(outcome.seen(name), left, "{path} {name}");
            assert_eq!(outcome.seen(":path"), [format!("{path}{query_left}")], "{path} {name}");
            let user: &[&str] = if path == "/public" { &[] } else { &["alice"] };
            assert_eq!(outcome.seen("x-auth-request-user"), user, "{path} {name}");
        }
    }
}

#[test]
fn what_is_no_token_is_refused_and_leaves_no_trace_on_public_routes() {
    for (name, value, left, query, query_left) in carriers("secret") {
        for path in ["/x", "/optional"] {
            let outcome = world(&json!({})).get(&format!("{path}{query}"), &[(name, &value)]);
            assert_eq!(outcome.summary(), "401 malformed_token", "{path} {name} {value} {query}");
        }
        let outcome = world(&json!({})).get(&format!("/public{query}"), &[(name, &value)]);
        assert_eq!(
            (outcome.seen(name), outcome.seen(":path")),
            (left.iter().map(ToString::to_string).collect(), vec![format!("/public{query_left}")])
        );
    }
    for (name, value, query, left) in [
        ("authorization", "Bearer", "", vec![]),
        ("authorization", "Basic !", "", vec![]),
        ("authorization", "Digest a, basic YTo=", "", vec![]),
        ("x-api-token", "", "", vec![]),
        ("cookie", "a=1; session=", "", vec!["a=1"]),
        ("cookie", "a=1; sess%69on=a", "", vec!["a=1"]),
        ("sec-websocket-protocol", "bearer.secret", "", vec![]),
        ("x-other", "1", "?access_token", vec!["1"]),
        ("x-other", "1", "?access_token[]=a", vec!["1"]),
    ] {
        for path in ["/x", "/optional", "/keeps"] {
            let outcome = world(&json!({})).get(&format!("{path}{query}"), &[(name, value)]);
            assert_eq!(outcome.summary(), "400 malformed_credentials", "{path} {name} {value} {query}");
        }
        let outcome = world(&json!({})).get(&format!("/public{query}"), &[(name, value)]);
        assert_eq!(
            (outcome.seen(name), outcome.seen(":path")),
            (left.iter().map(ToString::to_string).collect(), vec!["/public".into()])
        );
    }
}

#[test]
fn only_what_was_verified_is_forwarded_and_only_where_that_is_wanted() {
    for (name, value, _, query, _) in carriers(&token()) {
        let path = format!("/keeps{query}");
        let outcome = world(&json!({})).get(&path, &[(name, &value)]);
        assert_eq!((outcome.seen(name), outcome.seen(":path")), (vec![value.clone()], vec![path]));
        let outcome = world(&json!({"forwardToken": true})).get(&format!("/public{query}"), &[(name, &value)]);
        let traces = [outcome.seen(name), outcome.seen(":path")].concat();
        assert!(!traces.concat().contains(&token()), "{traces:?}");
    }
    let mut world = world(&json!({"credentialConflict": "first"}));
    let good = token();
    let outcome = world
        .get("/keeps?access_token=a&b", &[("cookie", &format!("session={good}; c=1")), ("authorization", "Basic !")]);
    assert_eq!((outcome.seen("cookie"), outcome.seen("authorization")), (vec![format!("session={good}; c=1")], vec![]));
    assert_eq!(outcome.seen(":path"), ["/keeps?b"]);
}

#[test]
fn a_conflict_is_refused_or_settled_by_the_order_of_the_places() {
    let (good, bearer) = (token(), format!("Bearer {}", token()));
    let lines = [("authorization", bearer.as_str()), ("x-api-token", "bad"), ("cookie", "session=; session=")];
    let mut refusing = world(&json!({}));
    assert_eq!(refusing.get("/x", &lines).summary(), "400 ambiguous_credentials");
    assert_eq!(refusing.get("/optional", &lines).summary(), "400 ambiguous_credentials");
    assert_eq!(
        refusing.get(&format!("/x?access_token={good}&access_token={good}"), &[]).summary(),
        "400 ambiguous_credentials"
    );
    let mut settling = world(&json!({"credentialConflict": "first"}));
    let outcome = settling.get("/x?access_token=", &lines);
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
    for name in ["authorization", "x-api-token", "cookie"] {
        assert_eq!(outcome.seen(name), [""; 0], "{name}");
    }
    assert_eq!(outcome.seen(":path"), ["/x"]);
    assert_eq!(settling.get("/x", &lines[1..]).summary(), "401 malformed_token");
    assert_eq!(settling.get("/x", &lines[2..]).summary(), "400 ambiguous_credentials");
}

#[test]
fn spellings_of_credential_headers_are_removed() {
    let outcome = world(&json!({}))
        .get("/public", &[("Sec_WebSocket_Protocol", "bearer.a"), ("x_api_token", "a"), ("cookie", "a=1")]);
    assert_eq!((outcome.seen("Sec_WebSocket_Protocol"), outcome.seen("x_api_token")), (vec![], vec![]));
    assert_eq!(outcome.seen("cookie"), ["a=1"]);
}

#[test]
fn a_request_that_waited_is_cleaned_like_any_other() {
    let mut config = fetched(&json!({}), &json!({}));
    config["credentials"] = json!([{"query": "access_token"}]);
    let mut world = World::new(&config);
    assert_eq!(world.get(&format!("/x?access_token={}&b", token()), &[]).summary(), "waiting");
    world.answer_keys(&[&Key::new("a")]);
    let outcome = &world.resumed[&world.last()];
    assert_eq!(
        (outcome.seen(":path"), outcome.seen("x-auth-request-user")),
        (vec!["/x?b".into()], vec!["alice".into()])
    );
}

#[test]
fn trailers_carry_no_credential() {
    let world = world(&json!({}));
    let trailers: [HeaderLine<'_>; 5] = [
        (b"authorization", b"Basic a"),
        (b"cookie", b"a=1"),
        (b"Sec-WebSocket-Protocol", b"bearer.a"),
        (b"x_api_token", b"a"),
        (b"grpc-status", b"0"),
    ];
    let left = gate::HeaderEdit::apply(&world.gate().handle_trailers(&trailers), &trailers);
    assert_eq!(left, [(b"grpc-status".to_vec(), b"0".to_vec())]);
}

#[test]
fn nothing_of_a_credential_is_told() {
    let secret = "eyJzZWNyZXQi";
    for (name, value, _, query, _) in carriers(secret) {
        let now = Timestamp::from_secs(NOW);
        let mut gate = Gate::new(policy(&config(&json!({}))), now, 1);
        for path in ["/x", "/public"] {
            let path = format!("{path}{query}");
            let lines: [HeaderLine<'_>; 3] =
                [(b":method", b"GET"), (b":path", path.as_bytes()), (name.as_bytes(), value.as_bytes())];
            let decision = gate.handle_request(RequestId(1), &Request::new(&lines), now, &Software);
            let told = format!("{decision:?}");
            // Twelve bytes are sixteen characters of base64, whatever follows them.
            let encoded = basic(secret).replace("Basic ", "");
            assert!(!told.contains(secret) && !told.contains(&encoded), "{told}");
        }
    }
}
