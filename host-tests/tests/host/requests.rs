//! Requests, responses and the plugin's own answers.

use crate::{REQUEST, get, result, start, start_with};
use std::time::Duration;
use strict_host::{HeaderMap, LocalReply, Outcome, Pause, Plugin, Proxy, VmOptions};

#[test]
fn a_request_goes_on_with_the_plugins_edits() {
    let (_proxy, root) = start(
        "request_headers add 0 x-many c\n\
         request_headers replace 0 x-one new\n\
         request_headers remove 0 X-Gone\n\
         request_headers add 0 x-bytes hex:ff41",
    );
    let lines = [("X-Many", "a"), ("x-one", "1"), ("x-gone", "1"), ("x-many", "b"), ("x-one", "2"), ("x-gone", "2")];
    let stream = root.request(REQUEST.into_iter().chain(lines).collect::<HeaderMap>(), true);
    let headers = stream.forwarded();
    assert_eq!(headers.all("x-many"), [b"a", b"b", b"c"]);
    assert_eq!(headers.all("x-one"), [b"new"]);
    assert!(!headers.contains("x-gone"));
    assert_eq!(headers.get("X-BYTES"), Some(&[0xff, b'A'][..]));
    // `X-Gone` is written in upper case.
    assert_eq!(root.vm().take_violations().len(), 1);
}

#[test]
fn bytes_that_are_no_text_reach_the_plugin() {
    let (_proxy, root) = start("request_headers pairs 0\nrequest_headers get 0 x-odd");
    let stream = root.request([(&b":path"[..], &b"/"[..]), (b"x-odd", b"\xff"), (b"x-odd", b"")], true);
    assert_eq!(result(root.vm(), "pairs 0"), r":path=/ x-odd=\xff x-odd=");
    assert_eq!(result(root.vm(), "get 0 x-odd"), r"\xff");
    assert_eq!(stream.forwarded().all("x-odd"), [&b"\xff"[..], b""]);
}

const DOUBLED: &str = "request_headers get 0 authorization\nrequest_headers get 0 x-many\n\
                       request_headers get 0 x-none\nrequest_headers pairs 0";

#[test]
fn lines_of_known_names_arrive_joined_and_the_getter_takes_the_first_of_others() {
    let (_proxy, root) = start(&format!("{DOUBLED}\nrequest_headers add 0 authorization c"));
    let lines = [("authorization", "a"), ("x-many", "1"), ("Authorization", "b"), ("x-many", "2")];
    let stream = root.request(lines, true);
    assert_eq!(result(root.vm(), "get 0 authorization"), "a,b");
    assert_eq!(result(root.vm(), "get 0 x-many"), "1");
    assert_eq!(result(root.vm(), "get 0 x-none"), "Ok(None)");
    assert_eq!(result(root.vm(), "pairs 0"), "authorization=a,b x-many=1 x-many=2");
    assert_eq!(stream.forwarded().all("authorization"), [b"a,b,c"]);
}

#[test]
fn a_host_that_joins_no_lines_can_be_played() {
    let (_proxy, root) = start_with(VmOptions::new().keep_duplicate_lines(true), DOUBLED);
    root.request([("authorization", "a"), ("x-many", "1"), ("authorization", "b")], true);
    assert_eq!(result(root.vm(), "get 0 authorization"), "a");
    assert_eq!(result(root.vm(), "pairs 0"), "authorization=a x-many=1 authorization=b");
}

#[test]
fn pseudo_headers_stay_in_front() {
    let (_proxy, root) =
        start("request_headers replace 0 :path /other\nrequest_headers set-pairs 0 x-a=1 :path=/third");
    let headers = get(&root).forwarded();
    let names: Vec<_> = headers.iter().map(|(name, _)| name.to_vec()).collect();
    assert_eq!(names, [b":path".to_vec(), b"x-a".to_vec()]);
    assert_eq!(headers.text(":path").as_deref(), Some("/third"));
}

#[test]
fn a_local_reply_stops_the_request() {
    let (_proxy, root) = start("request_headers reply 401 no x-why=because");
    let stream = get(&root);
    let reply = stream.reply();
    assert_eq!(reply.status, 401);
    assert_eq!(reply.headers, HeaderMap::from([("x-why", "because")]));
    assert_eq!((reply.body.as_slice(), reply.grpc_status, reply.details.as_str()), (&b"no"[..], None, ""));
    assert_eq!(stream.upstream().headers, None);
    stream.receive_body("ignored", true);
    stream.end();
}

#[test]
fn a_local_reply_carries_details_and_a_grpc_status() {
    let (_proxy, root) = start("request_headers raw proxy_send_local_response 200 'jotgate_denied 'detail 0 0 7");
    let expected = LocalReply {
        status: 200,
        headers: HeaderMap::new(),
        body: b"detail".to_vec(),
        grpc_status: Some(7),
        details: "jotgate_denied".to_owned(),
    };
    assert_eq!(get(&root).reply(), expected);
}

#[test]
fn a_reset_ends_the_request() {
    let (_proxy, root) = start("request_headers reset request\nrequest_headers pause");
    assert_eq!(get(&root).outcome(), Outcome::Reset);
}

#[test]
fn a_connection_that_is_closed_from_a_tick_ends_after_it() {
    let script = "configure tick 10\ntick effective 2\ntick reset request\ntick log-level\ndelete log-level";
    let (proxy, root) = start(script);
    let stream = get(&root);
    stream.respond([(":status", "101")], false);
    assert!(!stream.has_ended());
    proxy.advance(Duration::from_millis(10));
    assert!(stream.has_ended());
    // Once at the end of the tick, and once when the stream is deleted, which its call comes before.
    assert_eq!(crate::results(root.vm(), "log-level").len(), 2);
}

#[test]
fn a_paused_request_waits_until_it_is_cancelled() {
    let (_proxy, root) = start("request_headers pause\nlog pairs 0\ndone log-level\ndelete log-level");
    let stream = get(&root);
    assert_eq!(stream.outcome(), Outcome::Paused(Pause::StopIteration));
    assert!(stream.is_waiting());
    stream.cancel();
    assert_eq!(stream.outcome(), Outcome::Abandoned);
    let order: Vec<_> = root.vm().take_log().into_iter().map(|line| line.message).collect();
    assert_eq!(order.len(), 3, "{order:#?}");
    assert!(order[0].starts_with("pairs 0 => :method=GET"), "{order:#?}");
}

#[test]
fn the_stronger_pauses_are_told_apart() {
    for (action, pause) in [(3, Pause::StopAllIterationAndBuffer), (4, Pause::StopAllIterationAndWatermark)] {
        let proxy = Proxy::new();
        let vm = proxy.vm(&answering(action), VmOptions::new().allow_on_headers_stop_iteration(true));
        let stream = vm.start("").unwrap().request(REQUEST, false);
        stream.receive_body("held", true);
        assert_eq!(stream.outcome(), Outcome::Paused(pause));
        assert_eq!(stream.upstream().body, b"");
    }
}

#[test]
fn an_unknown_action_is_a_violation_and_stops_everything() {
    let proxy = Proxy::new();
    let vm = proxy.vm(&answering(77), VmOptions::new());
    let stream = vm.start("").unwrap().request(REQUEST, true);
    assert_eq!(stream.outcome(), Outcome::Paused(Pause::StopAllIterationAndWatermark));
    assert_eq!(crate::violations(&vm), ["it answered 77, which is no action"]);
}

#[test]
fn a_callback_that_is_not_exported_passes_everything() {
    let plugin = Plugin::compile(crate::modules::SMALLEST).unwrap();
    let proxy = Proxy::new();
    let stream = proxy.vm(&plugin, VmOptions::new()).start("x").unwrap().request(REQUEST, false);
    stream.receive_body("body", false);
    stream.receive_trailers([("x-trailer", "1")]);
    stream.respond([(":status", "200")], false);
    stream.respond_body("hello", true);
    assert_eq!(stream.upstream().body, b"body");
    assert_eq!(stream.upstream().trailers, Some(HeaderMap::from([("x-trailer", "1")])));
    assert_eq!(stream.downstream().body, b"hello");
    stream.end();
}

#[test]
fn responses_pass_the_plugin_too() {
    let (_proxy, root) = start(
        "response_headers add 2 x-response yes\n\
         response_body set-buffer 1 0 100 shorter\n\
         response_trailers replace 3 x-t new",
    );
    let stream = get(&root);
    stream.respond([(":status", "200")], false);
    stream.respond_body("long body", false);
    stream.respond_trailers([("x-t", "old")]);
    let response = stream.downstream();
    assert_eq!(response.headers, Some(HeaderMap::from([(":status", "200"), ("x-response", "yes")])));
    assert_eq!(response.body, b"shorter");
    assert_eq!(response.trailers, Some(HeaderMap::from([("x-t", "new")])));
}

#[test]
fn a_plugin_may_answer_instead_of_the_upstream() {
    let (_proxy, root) = start("response_headers reply 502 bad");
    let stream = get(&root);
    stream.respond([(":status", "200")], true);
    assert_eq!(stream.reply().status, 502);
    let headers = [(":status", "502"), ("content-length", "3"), ("content-type", "text/plain")];
    assert_eq!(stream.downstream().headers, Some(HeaderMap::from(headers)));
    assert_eq!(stream.downstream().body, b"bad");
}

#[test]
fn a_local_reply_passes_the_response_callbacks() {
    let script = "request_headers reply 403 no content-type=text/x\nresponse_headers pairs 2\n\
                  response_headers add 2 x-seen yes\nresponse_body buffer 1 0 9\nlog get 2 x-seen";
    let (_proxy, root) = start(script);
    let stream = get(&root);
    assert_eq!(result(root.vm(), "pairs 2"), ":status=403 content-length=2 content-type=text/x");
    assert_eq!(result(root.vm(), "buffer 1 0 9"), "no");
    let client = stream.downstream();
    assert_eq!(client.headers.unwrap().text("x-seen").as_deref(), Some("yes"));
    assert_eq!(client.body, b"no");
    assert!(stream.reply().headers.get("x-seen").is_none(), "the reply is what the plugin said first");
    stream.end();
    assert_eq!(result(root.vm(), "get 2 x-seen"), "yes");
}

#[test]
fn a_local_reply_to_a_grpc_request_is_a_grpc_status() {
    let (_proxy, root) = start("request_headers reply 401 who");
    let stream = root.request([(":path", "/"), ("content-type", "application/grpc+proto")], false);
    let headers =
        [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "16"), ("grpc-message", "who")];
    assert_eq!(stream.downstream().headers, Some(HeaderMap::from(headers)));
    assert_eq!(stream.downstream().body, b"");
}

#[test]
fn a_paused_response_can_be_resumed() {
    let (proxy, root) = start("response_headers pause\ntick effective 2\ntick resume response\nconfigure tick 10");
    let stream = get(&root);
    stream.respond([(":status", "204")], true);
    assert_eq!(stream.downstream().headers, None);
    proxy.advance(Duration::from_millis(10));
    assert!(stream.downstream().headers.is_some());
}

#[test]
fn allow_on_headers_stop_iteration_lets_a_body_callback_release_the_headers() {
    // What makes that option dangerous: the SDK's default body callback continues.
    let options = VmOptions::new().allow_on_headers_stop_iteration(true);
    let (_proxy, root) = start_with(options, "request_headers pause");
    let stream = root.request(REQUEST, false);
    assert!(stream.is_waiting());
    stream.receive_body("leaked", true);
    assert!(matches!(stream.outcome(), Outcome::Continued(_)));
    assert_eq!(stream.upstream().body, b"leaked");
}

#[test]
#[should_panic(expected = "expected stream 2 to go on, found Replied")]
fn asking_for_forwarded_headers_of_a_reply_fails_the_test() {
    let (_proxy, root) = start("request_headers reply 403 no");
    get(&root).forwarded();
}

#[test]
#[should_panic(expected = "stream 2 cannot receive a body: it has ended")]
fn driving_an_ended_stream_fails_the_test() {
    let (_proxy, root) = start("");
    let stream = get(&root);
    stream.end();
    stream.receive_body("late", true);
}

fn answering(action: u32) -> Plugin {
    Plugin::compile(format!(
        r#"(module (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 0))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const {action})))"#
    ))
    .unwrap()
}
