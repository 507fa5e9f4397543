//! What flows in both directions passes at once, and the access log knows whose it was.

use real_envoy::http::Request;
use real_envoy::http2::{Connection, Reason, Stream};
use serde_json::{Value, json};
use test_support::eventually;
use testbed::flaws::Flaw;
use testbed::issuer::{Fault, Mode, TokenRequest};

use crate::world::World;

fn world() -> (World, Connection, String) {
    let world = World::shared_with(&json!({"rules": [{"name": "rest", "access": "authenticated"}]}), |bootstrap| {
        bootstrap.http2("upstream")
    });
    let connection = Connection::open(world.envoy.address("gateway")).unwrap();
    let token = world.alice();
    (world, connection, token)
}

/// Three answers at a time, over one connection.
#[test]
fn events_lines_and_messages_pass_as_they_are_sent() {
    let (world, connection, token) = world();
    let get = |path: &str| connection.start(&Request::get(path).bearer(&token)).unwrap();
    // The second pieces are a minute away.
    let streams = [get("/sse?events=2&interval_ms=60000"), get("/ndjson?lines=2&interval_ms=60000")];
    for (mut stream, content_type) in streams.into_iter().zip(["text/event-stream", "application/x-ndjson"]) {
        let head = stream.head().unwrap();
        assert_eq!((head.status, head.header("content-type").as_deref()), (200, Some(content_type)));
        assert_eq!(head.header("x-accel-buffering").as_deref(), Some("no"));
        assert!(head.header("x-testbed-request").unwrap().contains(r#"["x-auth-request-user","alice"]"#));
        assert!(stream.piece().unwrap().is_some());
        stream.reset(Reason::CANCEL);
    }
    for path in ["/sse?events=2&interval_ms=100", "/ndjson?lines=2&interval_ms=100"] {
        assert!(get(path).response().unwrap().text().contains('2'), "{path}");
    }
    let entries = world.envoy.access_log(4);
    assert!(entries.iter().all(|entry| log(entry) == ("allowed", Some("alice"), Some("rest"))), "{entries:?}");
}

/// Each message of a call is answered before the next is sent.
#[test]
fn a_grpc_call_streams_in_both_directions() {
    let (world, connection, token) = world();
    let call = Request::new("POST", "/x/mirror").header("content-type", "application/grpc").header("te", "trailers");
    let mut stream = connection.open_request(&call.clone().bearer(&token)).unwrap();
    for message in [&b"\0\0\0\0\x01a"[..], b"\0\0\0\0\x02bc", b"\0\0\0\0\0"] {
        stream.write(message, false).unwrap();
        let answered = read(&mut stream, message.len());
        assert_eq!(answered, message);
    }
    let trailers = [("grpc-status", "0"), ("x_auth_request_user", "admin"), ("x-sum", "3")];
    stream.finish_with(&trailers.map(|(name, value)| (name.into(), value.into()))).unwrap();
    assert_eq!(stream.piece().unwrap(), None);
    assert_eq!(stream.trailers().unwrap(), [("grpc-status".into(), b"0".to_vec()), ("x-sum".into(), b"3".to_vec())]);
    assert_eq!(log(&world.envoy.access_log(1)[0]), ("allowed", Some("alice"), Some("rest")));

    let refused = connection.send(&call).unwrap();
    assert_eq!((refused.header("grpc-status").as_deref(), refused.body.len()), (Some("16"), 0));
}

/// A stream that its client ends is in the access log as well; so is one that ends while it waits for keys.
#[test]
fn who_leaves_half_way_is_logged() {
    let (world, connection, token) = world();
    let mut stream = connection.start(&Request::get("/sse?events=9&interval_ms=60000").bearer(&token)).unwrap();
    assert_eq!(stream.head().unwrap().status, 200);
    stream.reset(Reason::CANCEL);
    let entries = world.envoy.access_log(1);
    assert_eq!(log(&entries[0]), ("allowed", Some("alice"), Some("rest")));

    world.issuer.set_jwks(Fault::lasting(Mode::Stall)).unwrap();
    let unknown = world.token(&TokenRequest { flaw: Flaw::UnpublishedKey, ..TokenRequest::subject("bob") });
    let fetches = world.issuer.count("/jwks");
    let waiting = connection.start(&Request::new("POST", "/x/waits").bearer(&unknown).body("abc")).unwrap();
    eventually("the key is asked for", || world.issuer.count("/jwks") > fetches);
    waiting.reset(Reason::CANCEL);
    let entries = world.envoy.access_log(2);
    let found = (&entries[1]["path"], &entries[1]["decision"], &entries[1]["subject"], &entries[1]["status"]);
    assert_eq!(found, (&json!("/x/waits"), &Value::Null, &Value::Null, &json!(0)));
    assert_eq!(world.upstream.count(), 1, "nothing of it went on");
}

fn log(entry: &Value) -> (&str, Option<&str>, Option<&str>) {
    (entry["decision"].as_str().unwrap_or_default(), entry["subject"].as_str(), entry["rule"].as_str())
}

fn read(stream: &mut Stream, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend(stream.piece().unwrap().unwrap());
    }
    bytes
}
