//! Where a token may stand, and that the upstream does not see it there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use real_envoy::http::{Connection, Request, Response};
use serde_json::{Value, json};

use crate::world::{World, every_location, refused, verdict};

fn world(changes: Value) -> World {
    let mut config = every_location();
    if let Value::Object(changes) = changes {
        config.as_object_mut().unwrap().extend(changes);
    }
    World::shared(&config)
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// What the upstream saw of a caller whose token it must not see.
fn path_seen(response: &Response, token: &str) -> String {
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["alice".into()]));
    let text = response.text();
    assert!(!text.contains(token) && !text.contains(STANDARD.encode(token).get(..100).unwrap()), "{text}");
    response.json()["path"].as_str().unwrap().to_string()
}

#[test]
fn cookies() {
    let world = world(json!({}));
    let token = world.alice();
    let pair = format!("session={token}");
    let one = world.send(&Request::get("/x").header("cookie", format!("a=1; {pair}; b=\"2 3\"")));
    assert_eq!((path_seen(&one, &token).as_str(), one.seen("cookie")), ("/x", vec!["a=1; b=\"2 3\"".into()]));
    let lines = Request::get("/x").header("Cookie", "a=1").header("cookie", format!("session=\"{token}\""));
    let lines = world.send(&lines.header("COOKIE", "b=2"));
    assert_eq!((path_seen(&lines, &token).as_str(), lines.seen("cookie")), ("/x", vec!["a=1; b=2".into()]));
    let alone = world.send(&Request::get("/x").header("cookie", &pair));
    assert_eq!((path_seen(&alone, &token).as_str(), alone.seen("cookie").len()), ("/x", 0));
    let kept = world.send(&Request::get("/keeps").header("cookie", &pair));
    assert_eq!(kept.seen("cookie"), [pair.as_str()]);
    let public = Request::get("/public/a").header("cookie", &pair).header("cookie", format!("a=1, {pair}; b=2"));
    assert_eq!(world.send(&public).seen("cookie"), ["b=2"]);
    for (lines, reason) in [
        (vec![pair.clone(), pair.clone()], "ambiguous_credentials"),
        (vec![format!("{pair}; {pair}")], "ambiguous_credentials"),
        (vec![format!("a=1, {pair}")], "malformed_credentials"),
        (vec![format!("sess%69on={token}")], "malformed_credentials"),
        (vec!["session=".into()], "malformed_credentials"),
    ] {
        let request = lines.iter().fold(Request::get("/x"), |request, line| request.header("cookie", line));
        assert_eq!(verdict(&world.send(&request)), refused(400, reason), "{lines:?}");
    }
    assert_eq!(verdict(&world.send(&Request::get("/x").header("cookie", "Session=a"))), refused(401, "missing_token"));
    world.assert_good_passes();
}

#[test]
fn queries() {
    let world = world(json!({}));
    let token = world.alice();
    for (query, left) in [
        (format!("?access_token={token}"), ""),
        (format!("?a=%7e&acce%73s_token={token}&b"), "?a=%7e&b"),
        (format!("?access_token={}&b=1;2", token.replace('.', "%2e")), "?b=1;2"),
    ] {
        let response = world.send(&Request::get(&format!("/x{query}")));
        assert_eq!(path_seen(&response, &token), format!("/x{left}"));
    }
    let kept = world.send(&Request::get(&format!("/keeps?access_token={token}")));
    assert_eq!(kept.json()["path"], format!("/keeps?access_token={token}"));
    let public =
        world.send(&Request::get(&format!("/public/a?access_token={token}&a;access_token=b&access_token[]=c&d")));
    assert_eq!(public.json()["path"], "/public/a?d");
    for (query, expected) in [
        (format!("?access_token={token}&access_token={token}"), refused(400, "ambiguous_credentials")),
        (format!("?a;access_token={token}"), refused(400, "malformed_credentials")),
        (format!("?Access_Token={token}"), refused(400, "malformed_credentials")),
        (String::from("?access_token"), refused(400, "malformed_credentials")),
        (String::from("?access_token=a"), refused(401, "malformed_token")),
        (format!("?token={token}"), refused(401, "missing_token")),
    ] {
        assert_eq!(verdict(&world.send(&Request::get(&format!("/x{query}")))), expected, "{query}");
    }
    assert!(!world.envoy.log().contains(token.rsplit('.').next().unwrap()), "the log has a token");
}

#[test]
fn names_and_passwords() {
    let world = world(json!({}));
    let token = world.alice();
    for pair in [format!("{token}:x-oauth-basic"), format!("x-oauth-basic:{token}"), format!("{token}:")] {
        let response = world.send(&Request::get("/x").header("authorization", basic(&pair)));
        assert_eq!((path_seen(&response, &token).as_str(), response.seen("authorization").len()), ("/x", 0));
    }
    let kept = world.send(&Request::get("/keeps").header("authorization", basic(&format!("{token}:"))));
    assert_eq!(kept.seen("authorization"), [basic(&format!("{token}:"))]);
    let good = basic(&format!("{token}:"));
    for (value, expected) in [
        (basic("alice:secret"), refused(401, "malformed_token")),
        (basic(&token), refused(400, "malformed_credentials")),
        (good.trim_end_matches('=').to_string() + "=A", refused(400, "malformed_credentials")),
        (format!("{good}, Bearer {token}"), refused(400, "malformed_credentials")),
    ] {
        let response = world.send(&Request::get("/x").header("authorization", &value));
        assert_eq!(verdict(&response), expected, "{value}");
    }
    // Envoy joins them.
    let two = Request::get("/x").header("authorization", &good).bearer(&token);
    assert_eq!(verdict(&world.send(&two)), refused(400, "malformed_credentials"));
    assert!(world.send(&Request::get("/public/a").header("authorization", &good)).seen("authorization").is_empty());
}

#[test]
fn subprotocols() {
    let world = world(json!({}));
    let token = world.alice();
    let upgrade = |lines: &[&str]| {
        let request = Request::get("/ws")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let request = lines.iter().fold(request, |request, line| request.header("sec-websocket-protocol", line));
        let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
        connection.write(&request.bytes()).unwrap();
        connection.head(false).unwrap()
    };
    let offer = format!("jotgate.bearer.{token}");
    for lines in [&[format!("{offer}, chat, v2").as_str()][..], &[&offer, "chat, v2"], &["chat", &offer, "v2"]] {
        let head = upgrade(lines);
        assert_eq!(head.status, 101);
        assert_eq!(head.header("sec-websocket-protocol").as_deref(), Some("chat"), "the upstream picks what remains");
        let seen = head.header("x-testbed-request").unwrap();
        assert!(seen.contains(r#"["sec-websocket-protocol","chat, v2"]"#) && !seen.contains(&token), "{seen}");
        assert!(seen.contains(r#"["x-auth-request-user","alice"]"#), "{seen}");
    }
    for lines in [&[offer.as_str()][..], &[&offer, &offer, "chat"], &["jotgate.bearer., chat"], &[&offer, ","]] {
        assert_eq!(upgrade(lines).status, 400, "{lines:?}");
    }
    assert_eq!(upgrade(&["chat"]).status, 401);
    let public = world.send(&Request::get("/public/a").header("sec-websocket-protocol", format!("{offer}, chat")));
    assert_eq!(public.seen("sec-websocket-protocol"), ["chat"], "whether it is an upgrade or not");
}

#[test]
fn conflicts() {
    let (refusing, settling) = (world(json!({})), world(json!({"credentialConflict": "first"})));
    for (world, expected) in [(&refusing, refused(400, "ambiguous_credentials")), (&settling, refused(200, ""))] {
        let token = world.alice();
        let request = Request::get("/x?access_token=a&b").header("x-api-token", "a").header("cookie", "session=a; c=1");
        let response = world.send(&request.bearer(&token));
        assert_eq!(verdict(&response), expected);
        if response.status == 200 {
            assert_eq!((path_seen(&response, &token).as_str(), response.seen("cookie")), ("/x?b", vec!["c=1".into()]));
            assert!(response.seen("x-api-token").is_empty());
        }
        let lines = Request::get("/x").header("x-api-token", &token).header("X-API-Token", &token);
        assert_eq!(verdict(&world.send(&lines)), refused(400, "ambiguous_credentials"));
    }
}
