//! Bodies and trailers of requests.

use crate::{REQUEST, results, start};
use std::time::Duration;
use strict_host::{HeaderMap, Outcome, Pause};

#[test]
fn each_chunk_passes_the_body_callback() {
    let (_proxy, root) = start("request_body buffer 0 0 100");
    let stream = root.request(REQUEST, false);
    stream.receive_body("one", false);
    stream.receive_body("two", true);
    assert_eq!(results(root.vm(), "buffer 0 0 100"), ["one", "two"]);
    assert_eq!(stream.upstream().body, b"onetwo");
}

#[test]
fn a_plugin_can_change_a_body() {
    let (_proxy, root) = start("request_body set-buffer 0 1 2 XYZ\nrequest_body buffer 0 1 3");
    let stream = root.request(REQUEST, false);
    stream.receive_body("abcd", true);
    assert_eq!(results(root.vm(), "buffer 0 1 3"), ["XYZ"]);
    assert_eq!(stream.upstream().body, b"aXYZd");
}

#[test]
fn a_paused_body_gathers_and_goes_on_when_resumed() {
    let script =
        "configure tick 5\nrequest_body pause\nrequest_body buffer 0 0 100\ntick effective 2\ntick resume request";
    let (proxy, root) = start(script);
    let stream = root.request(REQUEST, false);
    stream.receive_body("one", false);
    stream.receive_body("two", true);
    assert_eq!(results(root.vm(), "buffer 0 0 100"), ["one", "onetwo"]);
    assert_eq!(stream.upstream().body, b"");
    assert!(matches!(stream.outcome(), Outcome::Continued(_)), "the headers are not held back");
    proxy.advance(Duration::from_millis(5));
    assert_eq!(stream.upstream().body, b"onetwo");
}

#[test]
fn what_comes_while_headers_are_paused_passes_its_callbacks_after_the_resume() {
    let script = "configure tick 5\nrequest_headers pause\ntick effective 2\ntick resume request\n\
                  request_body buffer 0 0 100\nrequest_trailers add 1 x-added yes";
    let (proxy, root) = start(script);
    let stream = root.request(REQUEST, false);
    stream.receive_body("one", false);
    stream.receive_body("two", false);
    stream.receive_trailers([("x-trailer", "1")]);
    assert_eq!(results(root.vm(), "buffer 0 0 100"), [""; 0]);
    assert_eq!(stream.upstream().headers, None);
    proxy.advance(Duration::from_millis(5));
    assert_eq!(results(root.vm(), "buffer 0 0 100"), ["onetwo"]);
    assert_eq!(stream.upstream().body, b"onetwo");
    let trailers = HeaderMap::from([("x-trailer", "1"), ("x-added", "yes")]);
    assert_eq!(stream.upstream().trailers, Some(trailers));
}

#[test]
fn trailers_can_be_read_changed_and_paused() {
    let script = "configure tick 5\nrequest_trailers pairs 1\nrequest_trailers remove 1 x-user\n\
                  request_trailers pause\ntick effective 2\ntick resume request";
    let (proxy, root) = start(script);
    let stream = root.request(REQUEST, false);
    stream.receive_trailers([("x-user", "mallory"), ("x-sum", "1")]);
    assert_eq!(stream.upstream().trailers, None);
    proxy.advance(Duration::from_millis(5));
    assert_eq!(results(root.vm(), "pairs 1"), ["x-user=mallory x-sum=1"]);
    assert_eq!(stream.upstream().trailers, Some(HeaderMap::from([("x-sum", "1")])));
}

#[test]
fn a_plugin_may_answer_while_the_body_comes() {
    let (_proxy, root) = start("request_body reply 413 large");
    let stream = root.request(REQUEST, false);
    stream.receive_body("one", false);
    stream.receive_body("two", true);
    assert_eq!(stream.reply().status, 413);
    assert_eq!(stream.upstream().body, b"");
}

#[test]
fn a_pause_in_the_body_is_told_apart_where_the_headers_wait_too() {
    let options = strict_host::VmOptions::new().allow_on_headers_stop_iteration(true);
    let (_proxy, root) = crate::start_with(options, "request_headers pause\nrequest_body pause");
    let stream = root.request(REQUEST, false);
    stream.receive_body("held", true);
    assert_eq!(stream.outcome(), Outcome::Paused(Pause::StopIteration));
    assert_eq!(stream.upstream().body, b"");
}
