#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use super::*;

#[test]
fn a_request_is_echoed_as_it_arrived() {
    let upstream = Upstream::start(0).unwrap();
    let request =
        b"POST /a//b%2Fc;d?e=%20 HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two: 2\r\nX-Odd: a\xFFb\r\nX-Empty:\r\n\
        Content-Length: 3\r\nConnection: close\r\n\r\nabc";
    let echo = body_json(&send(&upstream, request));
    assert_eq!((&echo["method"], &echo["path"]), (&"POST".into(), &"/a//b%2Fc;d?e=%20".into()));
    let headers = json!([
        ["host", "h"],
        ["x-two", "1"],
        ["x-two", "2"],
        ["x-odd", "a\\xFFb"],
        ["x-empty", ""],
        ["content-length", "3"],
        ["connection", "close"],
    ]);
    assert_eq!(echo["headers"], headers);
    assert_eq!((&echo["body"], &echo["body_bytes"]), (&"abc".into(), &3.into()));
    assert_eq!((&echo["http_version"], echo.get("trailers")), (&"1.1".into(), None));
}

#[test]
fn trailers_are_echoed() {
    let upstream = Upstream::start(0).unwrap();
    let request = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: x-sum\r\n\
        Connection: close\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n";
    let echo = body_json(&send(&upstream, request));
    assert_eq!((&echo["body"], &echo["trailers"]), (&"abc".into(), &json!([["x-sum", "1"]])));
}

#[test]
fn a_head_request_counts_as_seen() {
    let upstream = Upstream::start(0).unwrap();
    send(&upstream, b"HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!((upstream.count(), &upstream.seen()[0]["method"]), (1, &"HEAD".into()));
    upstream.forget();
    assert_eq!((upstream.count(), upstream.seen().len()), (0, 0));
}

#[test]
fn a_status_has_a_body_and_the_request() {
    let upstream = Upstream::start(0).unwrap();
    let answer = get(&upstream, "/any/status/403");
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nthe upstream says 403\n"), "{answer}");
    assert!(answer.contains("x-testbed-request: {"), "{answer}");
    let empty = get(&upstream, "/status/204");
    assert!(empty.starts_with("HTTP/1.1 204 ") && empty.ends_with("\r\n\r\n"), "{empty}");
    assert!(!empty.contains("content-length"), "{empty}");
    assert!(get(&upstream, "/status/99").starts_with("HTTP/1.1 400 "));
    assert!(get(&upstream, "/sse?events=x").starts_with("HTTP/1.1 400 "));
}

#[test]
fn streams_send_the_first_piece_at_once() {
    let upstream = Upstream::start(0).unwrap();
    for (path, expected) in [("/op/state/sse?events=2&", "data: {\"event\": 1}"), ("/ndjson?lines=2&", "{\"line\": 1}")]
    {
        let mut stream = TcpStream::connect(upstream.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!("GET {path}interval_ms=60000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut received = Vec::new();
        while !String::from_utf8_lossy(&received).contains(expected) {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "ended before the first piece");
            received.extend_from_slice(&bytes[..count]);
        }
        assert!(String::from_utf8_lossy(&received).contains("x-accel-buffering: no"));
        let start = Instant::now();
        get(&upstream, &format!("{path}interval_ms=100"));
        assert!(start.elapsed() >= Duration::from_millis(100), "{path}");
    }
}

#[test]
fn a_parameter_picks_the_answer_in_place_of_the_path() {
    let upstream = Upstream::start(0).unwrap();
    let answer = get(&upstream, "/collections/21/clone?as=ndjson&lines=2&interval_ms=1");
    assert!(answer.contains("content-type: application/x-ndjson") && answer.contains("{\"line\": 2}"), "{answer}");
    assert_eq!(body_json(&get(&upstream, "/sse?as=echo"))["path"], "/sse?as=echo");
}

#[test]
fn a_mirror_sends_the_body_back_while_it_arrives() {
    let upstream = Upstream::start(0).unwrap();
    let mut stream = TcpStream::connect(upstream.address()).unwrap();
    stream.write_all(b"POST /mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nConnection: close\r\n\r\n").unwrap();
    let mut received = String::new();
    for part in ["one", "two"] {
        stream.write_all(part.as_bytes()).unwrap();
        while !received.contains(part) {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "ended before `{part}`");
            received.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }
}

#[test]
fn slow_answers_after_a_while() {
    let upstream = Upstream::start(0).unwrap();
    let start = Instant::now();
    assert_eq!(body_json(&get(&upstream, "/slow?ms=50"))["path"], "/slow?ms=50");
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn websockets_echo_and_choose_the_first_subprotocol() {
    let upstream = Upstream::start(0).unwrap();
    let mut request = format!("ws://{}/chat/ws", upstream.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "one, two".parse().unwrap());
    let (mut socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "one");
    assert!(response.headers().contains_key("x-testbed-request"));
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
}

fn get(upstream: &Upstream, path: &str) -> String {
    send(upstream, format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())
}

fn send(upstream: &Upstream, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(upstream.address()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn body_json(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}
