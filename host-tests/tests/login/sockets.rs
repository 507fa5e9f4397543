//! Connections that outlive a request end with their session.

use std::time::Duration;

use browsers::user_agent::UserAgent;
use real_envoy::http::{Connection, Request};
use serde_json::json;
use test_support::SOON;

use crate::setup::Setup;
use crate::world::World;

fn open(world: &World, browser: &UserAgent) -> Connection {
    let upgrade = Request::get(&world.url("/ws")).header("connection", "Upgrade").header("upgrade", "websocket");
    let upgrade = upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut connection = Connection::open(world.gateway()).unwrap();
    connection.write(&browser.web_socket(&world.url("/"), &upgrade).bytes()).unwrap();
    assert_eq!(connection.head(false).unwrap().status, 101);
    connection
}

/// Whether it is closed within that time.
fn ends(connection: &mut Connection, limit: Duration) -> bool {
    connection.set_timeout(limit).unwrap();
    match connection.read_raw() {
        Ok(bytes) => bytes.is_empty(),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_socket_ends_with_its_session() {
    let world = World::flawed(&Setup { session: json!({"lifetime": "8s", "refreshAfter": "1s"}), ..Setup::default() });
    let browser = world.logged_in();
    let mut connection = open(&world, &browser);
    assert!(!ends(&mut connection, Duration::from_secs(1)), "its session is there");
    assert!(ends(&mut connection, SOON), "the session is over");
    world.assert_silent(&[&browser]);
}

#[test]
fn a_socket_ends_when_its_user_logs_out_or_not_at_all() {
    for (closes, limit) in [(true, 10), (false, 4)] {
        let session = json!({"closeWebSockets": closes, "afterLogout": "/public/bye"});
        let world = World::flawed(&Setup { session, ..Setup::default() });
        let mut browser = world.logged_in();
        let mut connections: Vec<_> = (0..4).map(|_| open(&world, &browser)).collect();
        assert_eq!(browser.open(&world.url("/.jotgate/logout")).status(), 200);
        let ended = connections.iter_mut().map(|connection| ends(connection, Duration::from_secs(limit)));
        assert_eq!(ended.collect::<Vec<_>>(), [closes; 4], "whichever worker has them");
        world.assert_silent(&[&browser]);
    }
}
