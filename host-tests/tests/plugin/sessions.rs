//! Sessions in the strict host: what the client, the upstream and a failing host get to see of them.

use std::time::Duration;

use serde_json::json;
use strict_host::{LogLevel, Root, Status, Stream};

use crate::world::{cookies, get, log_in, navigate, proxy, start, summary, with_sessions};

const SECRET: &str = "a secret that seals the sessions of tests";
const NEXT: &str = "another one, which will seal them later on";

fn with_cookie(root: &Root, cookie: &str) -> Stream {
    let stream = get(root, "/x", &[("cookie", cookie)]);
    assert_eq!(summary(&stream), "ok");
    stream
}

/// The names of the cookies that the client gets.
fn set(stream: &Stream) -> Vec<String> {
    let headers = stream.downstream().headers.unwrap();
    let name = |line: &[u8]| String::from_utf8_lossy(line).split('=').next().unwrap().to_owned();
    headers.all("set-cookie").into_iter().map(name).collect()
}

fn errors(root: &Root) -> Vec<String> {
    root.vm().log_at_least(LogLevel::Error)
}

#[test]
fn a_session_is_a_caller_and_its_cookie_stays_at_the_gate() {
    let proxy = proxy();
    let root = start(&proxy, &with_sessions(&[SECRET], &json!({})));
    let cookie = log_in(&root, &proxy, &json!({}));
    assert!(cookie.starts_with("__Host-jotgate="), "{cookie}");
    let stream = with_cookie(&root, &format!("theme=dark; {cookie}"));
    let forwarded = stream.forwarded();
    assert_eq!(forwarded.text("x-auth-request-user").as_deref(), Some("alice"));
    assert_eq!(forwarded.text("cookie").as_deref(), Some("theme=dark"));
}

#[test]
fn a_response_to_a_session_that_is_fresh_is_left_alone() {
    let proxy = proxy();
    let root = start(
        &proxy,
        &with_sessions(
            &[SECRET],
            &json!({"session": {
                "secrets": [SECRET], "publicUrl": "https://api.example.com", "closeWebSockets": false,
            }}),
        ),
    );
    let stream = with_cookie(&root, &log_in(&root, &proxy, &json!({})));
    let calls = root.vm().all_calls();
    stream.respond([(":status", "200"), ("set-cookie", "a=1")], true);
    assert_eq!((root.vm().all_calls(), set(&stream)), (calls, vec!["a".to_owned()]));
}

#[test]
fn a_session_with_an_old_seal_comes_back_with_the_response_and_stays_private() {
    let proxy = proxy();
    let cookie = log_in(&start(&proxy, &with_sessions(&[SECRET], &json!({}))), &proxy, &json!({}));
    let root = start(&proxy, &with_sessions(&[NEXT, SECRET], &json!({})));
    let stream = with_cookie(&root, &cookie);
    stream.respond([(":status", "200"), ("set-cookie", "a=1")], true);
    assert_eq!(set(&stream), ["a", "__Host-jotgate"]);
    let headers = stream.downstream().headers.unwrap();
    assert_eq!(headers.text("cache-control").as_deref(), Some("private"));
    let renewed = cookies(&headers).split_once("; ").unwrap().1.to_owned();
    assert_ne!(renewed, cookie);
    // The old secret is gone now.
    let root = start(&proxy, &with_sessions(&[NEXT], &json!({})));
    with_cookie(&root, &renewed);
    assert_eq!(summary(&get(&root, "/x", &[("cookie", &cookie)])), "401 missing_token");
}

#[test]
fn a_host_that_fails_at_a_response_lets_it_go_on() {
    let proxy = proxy();
    let cookie = log_in(&start(&proxy, &with_sessions(&[SECRET], &json!({}))), &proxy, &json!({}));
    let root = start(&proxy, &with_sessions(&[NEXT, SECRET], &json!({})));
    let failing = ["proxy_get_current_time_nanoseconds", "proxy_get_header_map_pairs", "proxy_add_header_map_value"];
    for (count, call) in failing.into_iter().enumerate() {
        let stream = with_cookie(&root, &cookie);
        root.vm().fail_call(call, Status(10));
        stream.respond([(":status", "200")], true);
        root.vm().restore_call(call);
        assert_eq!(set(&stream), [""; 0], "{call}");
        let line = "jotgate: a call to the host failed, the response goes on as it is";
        assert_eq!(errors(&root), vec![line; count + 1], "{call}");
    }
}

#[test]
fn a_host_without_randomness_keeps_sessions_and_begins_none() {
    let proxy = proxy();
    let cookie = log_in(&start(&proxy, &with_sessions(&[SECRET], &json!({}))), &proxy, &json!({}));
    let root = start(&proxy, &with_sessions(&[NEXT, SECRET], &json!({})));
    root.vm().fail_call("random_get", Status(52));
    let stream = with_cookie(&root, &cookie);
    stream.respond([(":status", "200")], true);
    assert_eq!(set(&stream), [""; 0], "it is not sealed anew");
    assert_eq!(navigate(&root, "/x", "").reply().status, 503);
}

#[test]
fn a_web_socket_ends_with_its_session() {
    let proxy = proxy();
    let root = start(&proxy, &with_sessions(&[SECRET], &json!({})));
    let cookie = log_in(&root, &proxy, &json!({}));
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("cookie", &cookie)];
    let socket = get(&root, "/x", &upgrade);
    let other = get(&root, "/x", &upgrade);
    assert_eq!((summary(&socket).as_str(), summary(&other).as_str()), ("ok", "ok"));
    socket.respond([(":status", "101")], false);
    other.respond([(":status", "403")], true);
    proxy.advance(Duration::from_mins(5));
    assert!(!socket.has_ended());
    // The ID token's ten minutes are over, and so is what clocks may differ by.
    proxy.advance(Duration::from_mins(10));
    assert!(socket.has_ended());
    assert!(!other.has_ended(), "it was not upgraded");
    assert_eq!(root.vm().calls("proxy_close_stream"), 1);
}
