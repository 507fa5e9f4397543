//! Where a token may stand in HTTP/2, and that the upstream does not see it there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use real_envoy::http::{Head, Request};
use real_envoy::http2::Connection;
use serde_json::json;

use crate::client::identity;
use crate::world::{World, every_location, refused, verdict};

fn world() -> World {
    let config = every_location();
    // What the upstream hears in HTTP/2 is what the gate left, with nothing translated.
    World::shared_with(&config, |bootstrap| {
        let allow = json!(true);
        bootstrap.http2("upstream").connection_manager("http2_protocol_options/allow_connect", &allow)
    })
}

fn connect(world: &World) -> Connection {
    Connection::open(world.envoy.address("gateway")).unwrap()
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// Whether nothing of the token is in the text: neither a part of it, nor as Basic has it.
fn is_clean(text: &str, token: &str) -> bool {
    let encoded = STANDARD.encode(token);
    token.split('.').chain(encoded.get(..100)).all(|part| !text.contains(part))
}

#[test]
fn a_token_is_taken_from_every_location_and_goes_no_further() {
    let world = world();
    let (connection, token) = (connect(&world), world.alice());
    let get = |path: &str| Request::get(path);
    let query = format!("?a=1&access_token={token}&b=2");
    for request in [
        get("/x").bearer(&token),
        get("/x").header("x-api-token", &token),
        get("/x").header("cookie", format!("a=1; session={token}; b=2")),
        get("/x").header("cookie", "a=1").header("cookie", format!("session={token}")).header("cookie", "b=2"),
        get(&format!("/x{query}")),
        get("/x").header("authorization", basic(&format!("{token}:x-oauth-basic"))),
        get("/x").header("authorization", basic(&format!("x-oauth-basic:{token}"))),
        get("/x").header("sec-websocket-protocol", format!("chat, jotgate.bearer.{token}")),
    ] {
        let response = connection.send(&request).unwrap();
        assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["alice".into()]), "{request:?}");
        assert_eq!(response.json()["http_version"], "2");
        assert!(is_clean(&response.text(), &token), "{}", response.text());
        let kept = connection.send(&Request::get(&format!("/keeps{query}"))).unwrap();
        assert_eq!(kept.json()["path"], format!("/keeps{query}"));
    }
}

/// RFC 9113 §8.2.3: a cookie may come in several lines, for compression.
#[test]
fn crumbs_are_one_cookie() {
    let world = world();
    let (connection, token) = (connect(&world), world.alice());
    let with = |path: &str, crumbs: &[&str]| {
        let request = crumbs.iter().fold(Request::get(path), |request, crumb| request.header("cookie", crumb));
        connection.send(&request).unwrap()
    };
    let session = format!("session={token}");
    let crumbs = |response: &real_envoy::http::Response| response.seen("cookie").join("; ");
    let one = with("/x", &["a=1", &session, "b=2; c=3"]);
    assert_eq!((verdict(&one), crumbs(&one)), (refused(200, ""), "a=1; b=2; c=3".into()));
    let public = with("/public/a", &["a=1", &session, &session, "b=2"]);
    assert_eq!((verdict(&public), crumbs(&public)), (refused(200, ""), "a=1; b=2".into()));
    let (start, end) = session.split_at(40);
    for (cookie, expected) in [
        (&[session.as_str(), &session][..], refused(400, "ambiguous_credentials")),
        (&[&session, "a=1", "session=other"], refused(400, "ambiguous_credentials")),
        (&["a=1", "session="], refused(400, "malformed_credentials")),
        (&["a=1", &format!("b=2, {session}")], refused(400, "malformed_credentials")),
        // A line ends a pair: what comes in two is not put together.
        (&[start, end], refused(401, "malformed_token")),
        (&["a=1", "Session=b"], refused(401, "missing_token")),
    ] {
        assert_eq!(verdict(&with("/x", cookie)), expected, "{cookie:?}");
    }
}

#[test]
fn two_credentials_are_none() {
    let world = world();
    let (connection, token) = (connect(&world), world.alice());
    let bearer = format!("Bearer {token}");
    let name = basic(&format!("{token}:"));
    for (lines, reasons) in [
        (&[("authorization", &bearer), ("authorization", &bearer)][..], JOINED),
        (&[("authorization", &bearer), ("authorization", &name)], JOINED),
        (&[("authorization", &name), ("authorization", &bearer)], JOINED),
        (&[("x-api-token", &token), ("x-api-token", &token)], AMBIGUOUS),
        (&[("authorization", &bearer), ("x-api-token", &token)], AMBIGUOUS),
    ] {
        let request = lines.iter().fold(Request::get("/x"), |request, (name, value)| request.header(name, value));
        let (status, reason) = verdict(&connection.send(&request).unwrap());
        assert!(status == 400 && reasons.contains(&reason.as_str()), "{lines:?}: {status} {reason}");
        // On a public route nobody looks at them, and neither does the upstream.
        let public = lines.iter().fold(Request::get("/public/a"), |request, (name, value)| request.header(name, value));
        let public = connection.send(&public).unwrap();
        assert!(public.status == 200 && is_clean(&public.text(), &token), "{}", public.text());
        assert!(identity(&public.json()).is_empty());
    }
    assert_eq!(world.upstream.count(), 5);
}

const AMBIGUOUS: &[&str] = &["ambiguous_credentials"];
/// Envoy may join the lines of `Authorization`.
const JOINED: &[&str] = &["ambiguous_credentials", "malformed_credentials"];

/// RFC 8441.
#[test]
fn a_websocket_over_http2_offers_its_token() {
    let config = json!({"credentials": [{"websocketProtocol": "jotgate.bearer."}]});
    let allow = json!(true);
    let world = World::shared_with(&config, |bootstrap| {
        bootstrap.connection_manager("http2_protocol_options/allow_connect", &allow)
    });
    let (connection, token) = (connect(&world), world.alice());
    let offer = |path: &str, protocols: &str| {
        let request = Request::new("CONNECT", path)
            .header("sec-websocket-version", "13")
            // HTTP/2 has no use for it, the upstream does, and Envoy makes none.
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("x-auth-request-user", "admin")
            .header("sec-websocket-protocol", protocols);
        connection.connect("websocket", &request).unwrap()
    };
    let offered = format!("jotgate.bearer.{token}, chat, v2");
    let mut stream = offer("/ws", &offered);
    let head = stream.head().unwrap();
    assert_eq!((head.status, head.header("sec-websocket-protocol").as_deref()), (200, Some("chat")));
    let seen = seen_by_upstream(&head);
    assert!(seen.contains(r#"["sec-websocket-protocol","chat, v2"]"#) && is_clean(&seen, &token), "{seen}");
    assert!(seen.contains(r#"["x-auth-request-user","alice"]"#) && !seen.contains("admin"), "{seen}");
    // A masked text frame (RFC 6455 §5.7), the mask being zero.
    stream.write(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'], false).unwrap();
    assert_eq!(stream.piece().unwrap().unwrap(), [0x81, 0x02, b'h', b'i']);

    for (protocols, expected) in [
        (format!("jotgate.bearer.{token}"), refused(400, "malformed_credentials")),
        (format!("{offered}, jotgate.bearer.{token}"), refused(400, "ambiguous_credentials")),
        ("jotgate.bearer.a.b.c, chat".into(), refused(401, "malformed_token")),
        ("chat".into(), refused(401, "missing_token")),
    ] {
        assert_eq!(verdict(&offer("/ws", &protocols).response().unwrap()), expected, "{protocols}");
    }
    assert_eq!(world.upstream.count(), 1);
}

fn seen_by_upstream(head: &Head) -> String {
    head.header("x-testbed-request").unwrap()
}
