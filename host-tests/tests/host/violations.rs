//! Each kind of violation: the plugin gets Envoy's answer, and the test fails unless it wanted that.

use crate::{REQUEST, get, result, results, start, violations};
use std::time::Duration;

#[test]
#[should_panic(
    expected = "`proxy_get_buffer_bytes` in `proxy_on_request_headers` for context 2: the plugin configuration"
)]
fn an_unread_violation_fails_the_test_when_the_vm_is_dropped() {
    let (_proxy, root) = start("request_headers buffer 7 0 10");
    get(&root);
}

#[test]
#[should_panic(expected = "a test that expects this calls `take_violations`")]
fn an_unread_violation_fails_the_test_when_it_finishes() {
    let (_proxy, root) = start("request_headers buffer 7 0 10");
    get(&root);
    root.vm().finish();
}

/// A request to a plugin that makes some calls; answers what the calls answered, and the complaints.
fn complaints(operations: &[&str]) -> (Vec<String>, Vec<String>) {
    let script: Vec<_> = operations.iter().map(|operation| format!("request_headers {operation}")).collect();
    let (_proxy, root) = start(&script.join("\n"));
    get(&root);
    (operations.iter().flat_map(|operation| results(root.vm(), operation)).collect(), violations(root.vm()))
}

#[test]
fn maps_that_do_not_exist_in_this_phase() {
    let (answers, complaints) = complaints(&[
        "pairs 2",
        "pairs 1",
        "pairs 6",
        "raw proxy_get_header_map_value 2 ':status @ @",
        "raw proxy_add_header_map_value 2 'x-a 'b",
        "raw proxy_get_header_map_size 3 @",
        "raw proxy_get_header_map_pairs 4 @ @",
        "raw proxy_get_header_map_pairs 8 @ @",
        "raw proxy_replace_header_map_value 6 'x-a 'b",
    ]);
    assert_eq!(answers, ["", "", "", "2 [0, 0]", "2 []", "2 [0]", "0 [0, 0]", "2 [0, 0]", "2 []"]);
    assert_eq!(
        complaints,
        [
            "the response headers do not exist yet",
            "the request trailers do not exist yet",
            "there is no callout response outside of `proxy_on_http_call_response`",
            "the response headers do not exist yet",
            "the response headers do not exist yet",
            "the response trailers do not exist yet",
            "there is no gRPC metadata",
            "there is no header map 8",
            "header map 6 is read-only",
        ]
    );
}

#[test]
fn request_headers_after_they_were_sent_on() {
    let script = "response_headers pairs 0\nresponse_headers raw proxy_remove_header_map_value 0 'x-a\n\
                  log raw proxy_add_header_map_value 0 'x-a 'b";
    let (_proxy, root) = start(script);
    let stream = get(&root);
    stream.respond([(":status", "200")], true);
    stream.end();
    assert_eq!(result(root.vm(), "raw proxy_remove_header_map_value 0 'x-a"), "2 []");
    let sent_on = "the request headers were sent on already";
    let logging = "the request headers are read-only in `proxy_on_log`, if they came at all";
    assert_eq!(violations(root.vm()), [sent_on, sent_on, logging]);
}

#[test]
fn stream_maps_in_a_root_context() {
    let (proxy, root) = start("configure tick 10\ntick pairs 0\ntick raw proxy_set_property 'name 'value");
    proxy.advance(Duration::from_millis(10));
    assert_eq!(result(root.vm(), "raw proxy_set_property 'name 'value"), "1 []");
    let expected = [
        "there are no request headers in a root context: set the effective context first",
        "a root context has no filter state",
    ];
    assert_eq!(violations(root.vm()), expected);
}

#[test]
fn header_lines_that_no_proxy_sends() {
    let (answers, complaints) = complaints(&[
        "add 0 X-User alice",
        "add 0 x_ok alice",
        "add 0 x-user: alice",
        "replace 0 x-break hex:610d0a62",
        "add 0 x-nul hex:00",
        "set-pairs 0 :path=/ X-Pair=1",
        "raw proxy_set_header_map_pairs 0 'ab",
    ]);
    assert!(answers.iter().all(|answer| answer == "Ok(())" || answer == "0 []"), "{answers:?}");
    assert_eq!(
        complaints,
        [
            "`X-User` is not a header name: expected lower-case token characters",
            "`x-user:` is not a header name: expected lower-case token characters",
            "the value of `x-break` holds CR, LF or NUL",
            "the value of `x-nul` holds CR, LF or NUL",
            "`X-Pair` is not a header name: expected lower-case token characters",
            "the serialized header map is malformed",
        ]
    );
}

#[test]
fn local_replies_that_make_no_sense() {
    let (_, complaints) = complaints(&[
        "raw proxy_send_local_response 99 'some 'body 0 0 7",
        "reply 200 again",
        "add 0 x-user alice",
        "resume request",
        "reset request",
    ]);
    assert_eq!(
        complaints,
        [
            "99 is no status of a final response",
            "the stream has got a local reply already",
            "the stream has got a local reply: nobody will see this edit",
            "the request of stream 2 is over",
            "the stream is over",
        ]
    );
    let (_, complaints) = self::complaints(&["reply 401 no :status=200 X-Upper=1"]);
    let expected = [
        "`X-Upper` is not a header name: expected lower-case token characters",
        "a pseudo-header among the reply's headers",
    ];
    assert_eq!(complaints, expected);
}

#[test]
fn a_reply_when_the_upstream_has_the_request() {
    let (proxy, root) = start("configure tick 10\ntick effective 2\ntick reply 401 no");
    let stream = get(&root);
    proxy.advance(Duration::from_millis(10));
    stream.forwarded();
    let complaint = "the stream is not paused, nor in one of its callbacks: the upstream answers it";
    assert_eq!(violations(root.vm()), [complaint]);
}

#[test]
fn a_reply_to_another_stream_in_a_callback_that_continues() {
    let script = "request_headers pause\nconfigure tick 10\ntick effective 3\ntick resume request\n\
        response_headers effective 2\nresponse_headers reply 401 no";
    let (proxy, root) = start(script);
    let (first, second) = (get(&root), get(&root));
    proxy.advance(Duration::from_millis(10));
    second.forwarded();
    second.respond([(":status", "200")], true);
    let complaint = "it continues after a local reply to another stream: Envoy holds it";
    // The reply passes the same callback, which tries to reply once more.
    assert_eq!(violations(root.vm()), ["the stream has got a local reply already", complaint]);
    assert_eq!(first.reply().status, 401);
}

#[test]
fn a_reply_after_the_responses_headers() {
    let (_proxy, root) = start("response_body reply 502 no");
    let stream = get(&root);
    stream.respond([(":status", "200")], false);
    stream.respond_body("body", true);
    assert_eq!(violations(root.vm()), ["the response's headers were sent on already"]);
}

#[test]
fn a_cookie_that_is_set_twice() {
    let script = "response_headers add 2 set-cookie s=2;Path=/\nresponse_headers add 2 set-cookie s=3;Path=/x\n\
                  response_headers add 2 set-cookie t=1;Path=/";
    for (cookie, expected) in
        [("a=1", None), ("s=1", None), ("s=1; Secure; path=/", Some("s")), ("t=2; Path=/", Some("t"))]
    {
        let (_proxy, root) = start(script);
        let stream = get(&root);
        stream.respond([(":status", "200"), ("set-cookie", cookie)], true);
        let complaint = |name: &str| format!("the cookie `{name}` is set twice in one response");
        let found = violations(root.vm());
        assert_eq!(found.first().map(String::as_str), expected.map(complaint).as_deref(), "{cookie}");
    }
    let (_, complaints) = complaints(&["reply 303 - set-cookie=s=1 set-cookie=s=2"]);
    assert_eq!(complaints, ["the cookie `s` is set twice in one response"]);
}

#[test]
fn a_cookie_of_the_plugins_own_reply_that_its_response_callback_sets_again() {
    let (_proxy, root) = start("request_headers reply 303 - set-cookie=s=1\nresponse_headers add 2 set-cookie s=2");
    get(&root);
    assert_eq!(violations(root.vm()), ["the cookie `s` is set twice in one response"]);
}

#[test]
fn resuming_what_is_not_paused() {
    let (_, complaints) =
        complaints(&["resume request", "resume response", "raw proxy_continue_stream 2", "raw proxy_close_stream 9"]);
    assert_eq!(
        complaints,
        [
            "the request of stream 2 is not paused yet: answer Continue instead",
            "the response of stream 2 is not paused",
            "this is no network filter: only HTTP streams exist",
            "there is no stream type 9",
        ]
    );
    let script = "configure tick 10\nrequest_headers pause\ntick effective 2\ntick resume request\ntick resume request";
    let (proxy, root) = start(script);
    let stream = get(&root);
    proxy.advance(Duration::from_millis(10));
    stream.forwarded();
    assert_eq!(violations(root.vm()), ["the request of stream 2 was resumed already"]);
    proxy.advance(Duration::from_millis(10));
    assert_eq!(violations(root.vm()), ["the request of stream 2 is not paused"; 2]);
}

#[test]
fn buffers_out_of_their_phase_or_range() {
    let (answers, complaints) = complaints(&[
        "raw proxy_get_buffer_bytes 7 0 10 @ @",
        "raw proxy_get_buffer_bytes 4 0 10 @ @",
        "raw proxy_get_buffer_bytes 0 0 10 @ @",
        "raw proxy_get_buffer_bytes 5 0 10 @ @",
        "raw proxy_get_buffer_bytes 99 0 10 @ @",
        "raw proxy_get_buffer_bytes 6 1 10 @ @",
        "raw proxy_get_buffer_status 6 @ @",
        "raw proxy_set_buffer_bytes 7 0 0 'x",
        "raw proxy_set_buffer_bytes 99 0 0 'x",
    ]);
    assert_eq!(
        answers,
        ["1 [0, 0]", "1 [0, 0]", "0 [0, 0]", "0 [0, 0]", "2 [0, 0]", "2 [0, 0]", "0 [0, 0]", "2 []", "2 []"]
    );
    assert_eq!(
        complaints,
        [
            "the plugin configuration exists only in `proxy_on_configure`",
            "there is no callout response outside of `proxy_on_http_call_response`",
            "there is no request body outside of its callback",
            "no HTTP filter without gRPC callouts finds anything in buffer 5",
            "there is no buffer 99",
            "offset 1 is beyond the buffer's 0 bytes",
            "buffer 7 is read-only",
            "there is no buffer 99",
        ]
    );
}

#[test]
fn a_callout_response_is_gone_after_its_callback() {
    let script =
        "configure call idp / 1000\nrequest_headers pairs 6\nrequest_headers raw proxy_get_buffer_bytes 4 0 9 @ @";
    let (proxy, root) = start(script);
    proxy.advance(Duration::from_secs(1));
    get(&root);
    assert_eq!(violations(root.vm()).len(), 2);
}

#[test]
fn unknown_metrics_and_wrong_kinds() {
    let (answers, complaints) = complaints(&[
        "increment 996 1",
        "define histogram h",
        "metric 6",
        "increment 6 1",
        "define counter c",
        "increment 4 -1",
        "raw proxy_define_metric 3 'x @",
        "record 5 1",
    ]);
    let refused = "Err(BadArgument)";
    assert_eq!(answers, ["Err(NotFound)", "Ok(6)", refused, refused, "Ok(4)", refused, "2 [0]", "Err(NotFound)"]);
    assert_eq!(
        complaints,
        [
            "there is no metric 996",
            "metric 6 is of a kind that cannot do this",
            "metric 6 is of a kind that cannot do this",
            "metric 4 is of a kind that cannot do this",
            "there is no kind 3 of metrics",
            "there is no metric 5",
        ]
    );
}

#[test]
fn pointers_out_of_range() {
    let (answers, complaints) = complaints(&[
        "raw proxy_log 2 4294967295 10",
        "raw proxy_get_header_map_pairs 0 4294967290 @",
        "raw proxy_http_call 'c 4294967280 100 0 0 0 0 10 @",
    ]);
    assert_eq!(answers, ["6 []", "6 [0]", "6 [0]"]);
    assert_eq!(complaints.len(), 3);
    assert_eq!(complaints[0], "10 bytes at 0xffffffff leave the plugin's memory");
}

#[test]
fn callouts_that_envoy_refuses() {
    let (answers, complaints) =
        complaints(&["raw proxy_http_call 'c 0 0 0 0 0 0 10 @", "raw proxy_http_call 'c 0 0 0 0 0 0 4294967295 @"]);
    assert_eq!(answers, ["2 [0]", "2 [0]"]);
    assert_eq!(complaints, ["the callout has no `:method`", "a timeout of -1 ms"]);
}

#[test]
fn properties_of_several_segments() {
    let (answers, complaints) = complaints(&["set-property a.b c"]);
    assert_eq!(answers, ["Ok(())"]);
    assert_eq!(complaints, ["a path of several segments becomes one name with NULs in it, which nothing can read"]);
}

#[test]
fn done_when_nothing_waits_for_it() {
    let (answers, complaints) = complaints(&["raw proxy_done"]);
    assert_eq!(answers, ["1 []"]);
    assert_eq!(complaints, ["the context is not waiting for `proxy_done`"]);
}

#[test]
fn an_unknown_log_level() {
    let (answers, complaints) = complaints(&["raw proxy_log 6 'text"]);
    assert_eq!(answers, ["2 []"]);
    assert_eq!(complaints, ["there is no log level 6"]);
}

#[test]
fn callbacks_of_a_stream_that_never_got_headers() {
    let (_proxy, root) = start("");
    let stream = root.open();
    let late = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.receive_body("x", true)));
    assert_eq!(late.unwrap_err().downcast_ref::<String>().unwrap(), "stream 2 has no request headers yet");
    stream.receive_headers(REQUEST, true);
}
