//! Credentials on their way through the engine: which one counts, and what of them the upstream sees.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, NOW, Outcome, World, at, fetched, inline, merge, policy};
use gate::{Gate, HeaderLine, Request, RequestId, Timestamp};

fn token() -> String {
    Key::new("a").token(&json!({}))
}

/// `user:password` as `Authorization` has it.
fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Every location there is.
fn locations() -> Value {
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
    let mut config = inline(&json!({"credentials": locations(), "rules": rules}));
    merge(&mut config, changes);
    config
}

/// A request for `path` with `token` in one of the locations: its header and what is left of that, then its query and
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
fn a_token_is_read_from_each_location_and_removed_there() {
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
fn a_conflict_is_refused_or_settled_by_the_order_of_the_locations() {
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
    assert_eq!(settling.get("/x", &lines[2..]).summary(), "400 malformed_credentials");
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
fn nothing_of_a_credential_leaks() {
    let secret = "eyJzZWNyZXQi";
    for (name, value, _, query, _) in carriers(secret) {
        let now = Timestamp::from_secs(NOW);
        let mut gate = Gate::new(policy(&config(&json!({}))), now, 1);
        for path in ["/x", "/public"] {
            let path = format!("{path}{query}");
            let lines: [HeaderLine<'_>; 3] =
                [(b":method", b"GET"), (b":path", path.as_bytes()), (name.as_bytes(), value.as_bytes())];
            let decision = gate.handle_request(RequestId(1), &Request::new(&lines), at(now));
            let shown = format!("{decision:?}");
            // Twelve bytes are sixteen characters of base64, whatever follows them.
            let encoded = basic(secret).replace("Basic ", "");
            assert!(!shown.contains(secret) && !shown.contains(&encoded), "{shown}");
        }
    }
}

/// The `detail` of an answer.
fn detail(outcome: &Outcome) -> String {
    let Outcome::Replied(reply) = outcome else { panic!("passes: {outcome:?}") };
    let body: Value = serde_json::from_str(&reply.body).expect("is a problem document");
    body["detail"].as_str().expect("is text").to_string()
}

#[test]
fn the_answer_says_what_stands_where_a_token_should() {
    let jwt = token();
    let lines = [
        ("authorization", "Bearer a.b.c.d.e".to_string(), "401 malformed_token", "encrypted token (JWE)"),
        ("authorization", "Bearer gt-0123456789".into(), "401 malformed_token", "opaque"),
        ("authorization", "Bearer null".into(), "401 malformed_token", "null"),
        ("authorization", "bearer undefined".into(), "401 malformed_token", "undefined"),
        ("authorization", "Bearer [object Object]".into(), "400 malformed_credentials", "missing value"),
        ("authorization", format!("Bearer Bearer {jwt}"), "400 malformed_credentials", "twice"),
        ("authorization", "Bearer".into(), "400 malformed_credentials", "empty"),
        ("authorization", format!("Bearer \"{jwt}\""), "401 malformed_token", "quotes"),
        ("authorization", format!("Bearer {jwt}=="), "401 malformed_token", "padded"),
        ("authorization", jwt.clone(), "401 missing_token", "no authentication scheme"),
        ("authorization", "null".into(), "401 missing_token", "null"),
        ("x-api-token", format!("Bearer {jwt}"), "400 malformed_credentials", "where none is expected"),
        ("cookie", "session=undefined".into(), "401 malformed_token", "undefined"),
        ("cookie", format!("session=\"Bearer {jwt}\""), "400 malformed_credentials", "where none is expected"),
        ("sec-websocket-protocol", format!("bearer.{jwt}"), "400 malformed_credentials", "another subprotocol"),
    ];
    for (name, value, summary, expected) in lines {
        let outcome = world(&json!({})).get("/x", &[(name, &value)]);
        assert_eq!(outcome.summary(), summary, "{name}: {value}");
        assert!(detail(&outcome).contains(expected), "{name}: {value}: {}", detail(&outcome));
        assert!(!format!("{outcome:?}").contains(&jwt), "{name}: {value}");
        // RFC 6750 §3: without a credential there is no error.
        let challenge = outcome.header("www-authenticate").expect("challenges");
        assert_eq!(challenge.contains("error"), summary != "401 missing_token", "{challenge}");
        assert!(!summary.ends_with("malformed_token") || challenge.contains(&detail(&outcome)), "{challenge}");
    }
    let none = world(&json!({})).get("/x", &[]);
    assert_eq!(detail(&none), "the request needs a token");
}

#[test]
fn a_wrong_audience_is_not_a_missing_one() {
    for (aud, expected) in [
        (json!("other"), "the token is meant for another audience"),
        (json!(["a", "b"]), "the token is meant for another audience"),
        (json!(null), "the token names no audience"),
        (json!([]), "the token names no audience"),
    ] {
        let outcome = world(&json!({})).with_token(&Key::new("a").token(&json!({"aud": aud})));
        assert_eq!(outcome.summary(), "401 wrong_audience", "{aud}");
        assert!(detail(&outcome).starts_with(expected), "{aud}: {}", detail(&outcome));
    }
}

#[test]
fn a_claim_that_fits_no_header_is_logged_by_the_name_of_the_header() {
    let config = json!({"identityHeaders": {"X-User": "sub", "X-Team": "team"}, "stripHeaders": []});
    let outcome = world(&config).with_token(&Key::new("a").token(&json!({"team": "secret\r\nx"})));
    assert_eq!(outcome.summary(), "401 unrepresentable_claim");
    assert_eq!(detail(&outcome), "a claim of the token cannot be passed on in the header x-team");
    assert!(outcome.header("www-authenticate").expect("challenges").contains("x-team"));
    assert!(!format!("{outcome:?}").contains("secret"));
}

/// Rules that forward what is no JWT.
fn forwarding(changes: &Value) -> World {
    let rules = json!([
        {"match": {"paths": ["/public"]}, "access": "public", "foreignCredentials": "forward"},
        {"match": {"paths": ["/optional"]}, "access": "optional", "foreignCredentials": "forward"},
        {"match": {"paths": ["/plain"]}, "access": "public"},
        {"access": "authenticated"},
    ]);
    let mut config = config(&json!({"rules": rules}));
    merge(&mut config, changes);
    World::new(&config)
}

#[test]
fn a_foreign_credential_is_forwarded_as_it_came_and_without_identity() {
    for key in ["ragflow-abc123", "SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf", "null"] {
        for path in ["/public", "/optional"] {
            for (name, value, _, query, _) in carriers(key) {
                let path = format!("{path}{query}");
                let lines = [(name, value.as_str()), ("X-Auth-Request-User", "root"), ("x_auth_request_user", "root")];
                let outcome = forwarding(&json!({})).get(&path, &lines);
                assert_eq!((outcome.seen(name), outcome.seen(":path")), (vec![value.clone()], vec![path]), "{name}");
                assert_eq!(outcome.seen("x-auth-request-user"), [""; 0], "{name}");
            }
        }
        for (name, value, left, query, query_left) in carriers(key) {
            let outcome = forwarding(&json!({})).get(&format!("/plain{query}"), &[(name, &value)]);
            assert_eq!(
                (outcome.seen(name), outcome.seen(":path")),
                (left.iter().map(ToString::to_string).collect(), vec![format!("/plain{query_left}")])
            );
            assert_eq!(
                forwarding(&json!({})).get(&format!("/x{query}"), &[(name, &value)]).summary(),
                "401 malformed_token"
            );
        }
    }
}

#[test]
fn a_jwt_is_no_foreign_credential() {
    let good = token();
    let forged = good.replace('.', "..");
    let parts: Vec<_> = good.split('.').collect();
    let padded = format!("{}==.{}.{}", parts[0], parts[1], parts[2]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let encrypted = format!("{}.a.b.c.d", parts[0]);
    let quoted = format!("'{good}'");
    for (name, value, left, query, query_left) in carriers(&good) {
        let outcome = forwarding(&json!({})).get(&format!("/optional{query}"), &[(name, &value)]);
        assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "{name}");
        let public = forwarding(&json!({})).get(&format!("/public{query}"), &[(name, &value)]);
        for outcome in [outcome, public] {
            let path = outcome.seen(":path").concat();
            assert_eq!(outcome.seen(name), left, "{name}");
            assert!(path.ends_with(query_left) && !path.contains(&good), "{path}");
        }
    }
    for token in [forged, padded, unsigned, encrypted, quoted, good.replace('.', "%2e")] {
        let value = format!("Bearer {token}");
        let mut world = forwarding(&json!({}));
        let optional = world.get("/optional", &[("authorization", &value)]);
        assert!(optional.summary().starts_with("401 "), "{token}: {}", optional.summary());
        assert_eq!(world.get("/public", &[("authorization", &value)]).seen("authorization"), [""; 0], "{token}");
    }
    // Some servers read the password, whatever the user name.
    let value = basic(&format!("user:{good}"));
    let mut world = forwarding(&json!({}));
    assert_eq!(world.get("/optional", &[("authorization", &value)]).summary(), "401 malformed_token");
    assert_eq!(world.get("/public", &[("authorization", &value)]).seen("authorization"), [""; 0]);
}

#[test]
fn what_lenient_servers_read_as_a_jwt_is_no_foreign_credential() {
    let good = token();
    let rest = good.strip_prefix("eyJ").expect("begins an object");
    for token in [
        format!("%65yJ{rest}"),
        format!("%2565yJ{rest}"),
        format!("e!yJ{rest}"),
        // `{"alg":"none"}` in UTF-16, `{alg:"none"}`
        String::from("ewAiAGEAbABnACIAOgAiAG4AbwBuAGUAIgB9AA.ewB9AA.x"),
        String::from("e2FsZzoibm9uZSJ9.e30.x"),
    ] {
        for (name, value) in [("authorization", format!("Bearer {token}")), ("cookie", format!("session={token}"))] {
            let mut world = forwarding(&json!({}));
            assert_eq!(world.get("/optional", &[(name, &value)]).summary(), "401 malformed_token", "{name} {token}");
            assert_eq!(world.get("/public", &[(name, &value)]).seen(name), [""; 0], "{name} {token}");
        }
    }
}

#[test]
fn nothing_gets_past_beside_a_foreign_credential() {
    let good = token();
    let cookie = format!("session={good}");
    let lines = [("authorization", "Bearer ragflow-abc123"), ("cookie", cookie.as_str())];
    let mut refusing = forwarding(&json!({}));
    assert_eq!(refusing.get("/optional", &lines).summary(), "400 ambiguous_credentials");
    let public = refusing.get("/public", &lines);
    assert_eq!((public.seen("authorization"), public.seen("cookie")), (vec!["Bearer ragflow-abc123".into()], vec![]));
    let joined = format!("Bearer ragflow-abc123, Bearer {good}");
    for value in [joined.as_str(), "Bearer", "Bearer a b"] {
        assert_eq!(refusing.get("/optional", &[("authorization", value)]).summary(), "400 malformed_credentials");
        assert_eq!(refusing.get("/public", &[("authorization", value)]).seen("authorization"), [""; 0]);
    }
    let two = format!("session=ragflow; session={good}; a=1");
    assert_eq!(refusing.get("/public", &[("cookie", &two)]).seen("cookie"), ["a=1"]);
    assert_eq!(refusing.get("/optional", &[("cookie", &two)]).summary(), "400 ambiguous_credentials");

    let mut settling = forwarding(&json!({"credentialConflict": "first"}));
    for path in ["/public", "/optional"] {
        assert_eq!(settling.get(path, &[("cookie", &two)]).seen("cookie"), ["session=ragflow; a=1"], "{path}");
        let outcome = settling.get(path, &lines);
        assert_eq!(outcome.seen("x-auth-request-user"), [""; 0]);
        assert_eq!(
            (outcome.seen("authorization"), outcome.seen("cookie")),
            (vec!["Bearer ragflow-abc123".into()], vec![])
        );
    }
}

#[test]
fn a_client_with_two_cookies_of_one_name_is_not_locked_out_where_the_first_counts() {
    let (good, other) = (token(), Key::new("a").token(&json!({"sub": "bob"})));
    let value = format!("session={good}; a=1; session={other}");
    assert_eq!(world(&json!({})).get("/x", &[("cookie", &value)]).summary(), "400 ambiguous_credentials");
    let mut settling = world(&json!({"credentialConflict": "first"}));
    let outcome = settling.get("/x", &[("cookie", &value)]);
    assert_eq!(
        (outcome.seen("x-auth-request-user"), outcome.seen("cookie")),
        (vec!["alice".into()], vec!["a=1".into()])
    );
    let kept = settling.get("/keeps", &[("cookie", &value)]);
    assert_eq!(kept.seen("cookie"), [format!("session={good}; a=1")]);
    assert_eq!(settling.get("/public", &[("cookie", &value)]).seen("cookie"), ["a=1"]);
}

#[test]
fn tokens_count_in_the_ways_that_frameworks_send_them() {
    let locations = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "authorization"},
        {"cookie": "access_token", "scheme": "Bearer"},
        {"websocketProtocol": "bearer, "},
        {"websocketProtocol": "base64url.bearer.authorization.k8s.io."},
        {"websocketProtocol": "b64.", "encoding": "base64url"},
        {"websocketProtocol": "base64url.plain.", "encoding": "plain"},
    ]);
    let good = token();
    let encoded = jose::base64url::encode(good.as_bytes());
    let mut world = world(&json!({"credentials": locations}));
    for (name, value, left) in [
        ("authorization", format!("Bearer {good}"), vec![]),
        ("authorization", good.clone(), vec![]),
        ("cookie", format!("access_token=\"Bearer {good}\""), vec![]),
        ("cookie", format!("access_token=Bearer%20{good}; a=1"), vec!["a=1"]),
        ("sec-websocket-protocol", format!("bearer, {good}"), vec!["bearer"]),
        ("sec-websocket-protocol", format!("chat, bearer,{good}"), vec!["chat"]),
        (
            "sec-websocket-protocol",
            format!("base64url.bearer.authorization.k8s.io.{encoded}, v4.channel.k8s.io"),
            vec!["v4.channel.k8s.io"],
        ),
        ("sec-websocket-protocol", format!("b64.{encoded}, chat"), vec!["chat"]),
        ("sec-websocket-protocol", format!("base64url.plain.{good}, chat"), vec!["chat"]),
    ] {
        let outcome = world.get("/x", &[(name, &value)]);
        assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "{value}");
        assert_eq!(outcome.seen(name), left, "{value}");
    }
    let split = world.get("/x", &[("sec-websocket-protocol", "bearer"), ("sec-websocket-protocol", &good)]);
    assert_eq!(
        (split.seen("x-auth-request-user"), split.seen("sec-websocket-protocol")),
        (vec!["alice".into()], vec!["bearer".into()])
    );
    for (value, summary) in [
        (basic("alice:secret"), "401 missing_token"),
        (String::from("Digest username=\"a\""), "401 missing_token"),
        (String::from("gt-opaque"), "401 malformed_token"),
    ] {
        assert_eq!(world.get("/x", &[("authorization", &value)]).summary(), summary, "{value}");
    }
}

#[test]
fn a_subprotocol_that_is_forwarded_is_no_stray_beside_a_pair() {
    let config = inline(&json!({
        "credentials": [{"websocketProtocol": "jot."}, {"websocketProtocol": "bearer, "}],
        "forwardToken": true,
    }));
    let offers = format!("chat, jot.{}", Key::new("a").token(&json!({})));
    let headers = [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-protocol", offers.as_str())];
    let outcome = World::new(&config).get("/x", &headers);
    assert_eq!(outcome.seen("sec-websocket-protocol"), [offers]);
}
