//! STIG Manager's streams: they arrive as they are sent, and last for as long as they are sent.

use std::thread;
use std::time::Duration;

use real_envoy::http::{Connection, Head, Request};

use crate::stig_manager::{changed, world};
use crate::websocket::WebSocket;
use crate::world::World;

const EVENTS: &str = "/api/op/state/sse";

/// The head and the body, and whether the end came in order. On a busy machine two events may be one piece.
fn stream(world: &World, request: &Request) -> (Head, String, bool) {
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    connection.write(&request.bytes()).unwrap();
    let head = connection.head(false).unwrap();
    let mut body = String::new();
    loop {
        match connection.piece() {
            Ok(Some(piece)) => body.push_str(&String::from_utf8(piece).unwrap()),
            Ok(None) => return (head, body, true),
            Err(_) => return (head, body, false),
        }
    }
}

/// Whether so many events arrive, and the end in order.
fn lasts(world: &World, events: usize, interval_ms: u32) -> bool {
    let request = Request::get(&format!("{EVENTS}?events={events}&interval_ms={interval_ms}"));
    let (head, body, whole) = stream(world, &request);
    assert_eq!(head.status, 200);
    assert_eq!(whole, body.matches("id: ").count() == events, "{body}");
    whole
}

#[test]
fn the_first_event_comes_at_once_and_needs_no_token() {
    let world = world();
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    // The second is a minute away.
    connection.write(&Request::get(&format!("{EVENTS}?events=2&interval_ms=60000")).bytes()).unwrap();
    let head = connection.head(false).unwrap();
    assert_eq!(connection.piece().unwrap().unwrap(), b"id: 1\ndata: {\"event\": 1}\n\n");
    let (_, body, whole) = stream(world, &Request::get(&format!("{EVENTS}?events=2&interval_ms=100")));
    assert!(whole && body.ends_with("id: 2\ndata: {\"event\": 2}\n\n"), "{body}");
    assert_eq!((head.status, head.header("content-type").as_deref()), (200, Some("text/event-stream")));
    assert_eq!(head.header("x-accel-buffering").as_deref(), Some("no"));
}

/// As STIG Manager's keep-alives, which come for days. Envoy's usual timeout is fifteen seconds.
#[test]
fn events_go_on_when_envoys_usual_timeout_is_over() {
    let usual = thread::spawn(|| {
        let world = changed(|builder| builder.replace("timeout: 0s", "timeout: 8s"));
        lasts(&world, 9, 2000)
    });
    assert!(lasts(world(), 9, 2000));
    assert!(!usual.join().unwrap(), "a timeout cuts nothing here: the test proves nothing");
}

/// Each of the two timeouts would cut the same stream if the file did not set it.
#[test]
fn events_end_with_timeouts_that_are_too_short() {
    let short = ["idle_timeout: 120s", "timeout: 0s"].map(|setting| {
        let (name, _) = setting.split_once(' ').unwrap();
        let short = format!("{name} 1s");
        thread::spawn(move || lasts(&changed(|builder| builder.replace(setting, &short)), 3, 2500))
    });
    assert!(lasts(world(), 3, 2500));
    for stream in short {
        assert!(!stream.join().unwrap());
    }
}

#[test]
fn progress_arrives_line_by_line() {
    let world = world();
    for (path, scope) in [
        ("/api/collections/21/clone", "stig-manager:collection"),
        ("/api/collections/21/export-to/83", "stig-manager:collection:read"),
    ] {
        let token = world.scoped(scope);
        let request = |lines: usize, interval_ms: u32| {
            let target = format!("{path}?as=ndjson&lines={lines}&interval_ms={interval_ms}");
            Request::new("POST", &target).header("content-type", "application/json").body("{}").bearer(&token)
        };
        let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
        // The second is a minute away.
        connection.write(&request(2, 60_000).bytes()).unwrap();
        let head = connection.head(false).unwrap();
        assert_eq!((head.status, head.header("content-type").as_deref()), (200, Some("application/x-ndjson")));
        assert_eq!(head.header("x-accel-buffering").as_deref(), Some("no"));
        assert_eq!(connection.piece().unwrap().unwrap(), b"{\"line\": 1}\n");
        let (_, body, whole) = stream(world, &request(3, 100));
        assert!(whole, "{body}");
        assert_eq!(body, "{\"line\": 1}\n{\"line\": 2}\n{\"line\": 3}\n");
    }
}

/// The token comes in a message, so the upgrade has none.
#[test]
fn a_websocket_opens_without_a_token_and_talks_both_ways() {
    let world = world();
    let request = Request::get("/socket/log-socket?as=ws").header("x-auth-request-user", "admin");
    let (mut socket, head) = WebSocket::open(world.envoy.address("gateway"), request);
    assert_eq!(head.status, 101);
    let token = world.scoped("stig-manager:op");
    let long = "x".repeat(60_000);
    for message in [r#"{"type": "authorize"}"#, &token, &long, "1", "2", "3"] {
        socket.send(message);
        assert_eq!(socket.receive(), message);
    }
    thread::sleep(Duration::from_secs(2));
    for message in ["a", "b", "c"] {
        socket.send(message);
    }
    assert_eq!([socket.receive(), socket.receive(), socket.receive()], ["a", "b", "c"]);
    let seen = world.upstream.seen();
    let upgrade = seen.iter().find(|head| head["path"] == "/socket/log-socket?as=ws").unwrap();
    assert!(!upgrade["headers"].to_string().contains("x-auth-request"), "{upgrade}");
}

#[test]
fn an_upload_is_passed_on_as_it_comes() {
    let world = world();
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    let request = Request::new("POST", "/api/stigs?as=mirror")
        .header("transfer-encoding", "chunked")
        .bearer(&world.scoped("stig-manager:stig"));
    connection.write(&request.bytes()).unwrap();
    assert_eq!(connection.head(false).unwrap().status, 200);
    for part in ["one", "two", "three"] {
        connection.write(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).unwrap();
        assert_eq!(connection.piece().unwrap().unwrap(), part.as_bytes());
    }
    connection.write(b"0\r\n\r\n").unwrap();
    assert_eq!(connection.piece().unwrap(), None);
}

#[test]
fn a_large_upload_arrives_whole_and_one_without_a_token_does_not() {
    let world = world();
    let upload = |target| Request::new("POST", target).body(vec![b'x'; 12 << 20]);
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    // Envoy answers before the body is there, and may close the connection while it is still being sent.
    let _ = connection.write(&upload("/api/stigs?refused").bytes());
    assert!(connection.response(false).map_or(true, |response| response.status == 401));
    assert!(world.upstream.seen().iter().all(|head| head["path"] != "/api/stigs?refused"));
    let passed = world.send(&upload("/api/stigs").bearer(&world.scoped("stig-manager:stig")));
    assert_eq!((passed.status, &passed.json()["body_bytes"]), (200, &(12 << 20).into()));
}
