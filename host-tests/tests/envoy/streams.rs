//! Bodies, trailers and upgrades pass at the proxy's own speed, and carry no identity in.

use real_envoy::http::{Connection, Request};
use serde_json::json;

use crate::world::World;

#[test]
fn events_arrive_as_they_are_sent() {
    let world = World::shared(&json!({}));
    let ask = |interval: u32| Request::get(&format!("/sse?events=2&interval_ms={interval}")).bearer(&world.alice());
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    // The second event is a minute away.
    connection.write(&ask(60_000).bytes()).unwrap();
    assert_eq!(connection.head(false).unwrap().status, 200);
    assert!(connection.piece().unwrap().is_some());
    assert!(world.send(&ask(100)).text().contains("id: 2\n"));
}

#[test]
fn an_upgrade_names_no_header_away() {
    let world = World::shared(&json!({}));
    let upgrade = |connection: &str, bearer: Option<&str>| {
        let request = Request::get("/ws")
            .header("connection", connection)
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let request = bearer.map_or(request.clone(), |token| request.clone().bearer(token));
        let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
        connection.write(&request.bytes()).unwrap();
        connection.head(false).unwrap()
    };
    assert_eq!(upgrade("Upgrade", None).status, 401);
    let token = world.alice();
    for connection in ["Upgrade", "upgrade, x-auth-request-user", "X-Auth-Request-User, Upgrade"] {
        let head = upgrade(connection, Some(&token));
        assert_eq!(head.status, 101, "{connection}");
        let seen = head.header("x-testbed-request").unwrap();
        assert!(seen.contains(r#"["x-auth-request-user","alice"]"#), "{connection}: {seen}");
    }
}

#[test]
fn trailers_carry_no_identity() {
    let world = World::shared_with(&json!({}), |bootstrap| {
        bootstrap.connection_manager("http_protocol_options/enable_trailers", &json!(true)).http2("upstream")
    });
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    let head = "POST /public/a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n";
    let body = "3\r\nabc\r\n0\r\nx-auth-request-user: admin\r\nx_auth_request_user: admin\r\nx-kept: yes\r\n\r\n";
    connection.write(format!("{head}{body}").as_bytes()).unwrap();
    let response = connection.response(false).unwrap();
    assert_eq!(response.status, 200);
    let text = response.text();
    assert!(text.contains("x-kept") && !text.contains("admin"), "{text}");
}
