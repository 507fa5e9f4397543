//! HTTP callouts.

use crate::{get, guest, result, results, start};
use std::time::Duration;
use strict_host::{Callout, CalloutAnswer, Clock, HeaderMap, Proxy, Response, Status, VmOptions};

const CALL: &str = "configure call idp /jwks 5000";
const READ: &str = "callout pairs 6\ncallout pairs 7\ncallout buffer 4 0 1000";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_callout_is_recorded_whole() {
    let (proxy, root) = start(CALL);
    let callouts = proxy.callouts();
    assert_eq!(callouts.len(), 1);
    let Callout { cluster, headers, body, trailers, timeout, sent_at, dispatched, .. } = &callouts[0];
    assert_eq!(cluster, "idp");
    let expected = [(":method", "GET"), (":path", "/jwks"), (":authority", "idp.example.com")];
    assert_eq!(*headers, HeaderMap::from(expected));
    assert_eq!((callouts[0].path().as_str(), callouts[0].authority().as_str()), ("/jwks", "idp.example.com"));
    assert_eq!((body.as_slice(), *timeout, *sent_at), (&b"body"[..], millis(5000), Clock::START));
    assert_eq!(*trailers, HeaderMap::from([("x-trailer", "t")]));
    assert_eq!((callouts[0].context, *dispatched), (root.id(), Status::OK));
    assert_eq!(root.vm().pending_callouts().len(), 1);
}

#[test]
fn a_handler_plays_the_issuer_with_a_delay() {
    let proxy = Proxy::new();
    proxy.on_callout(|callout| {
        CalloutAnswer::respond(Response::json(format!(r#"{{"path": "{}"}}"#, callout.path()))).after(millis(20))
    });
    let vm = proxy.vm(guest(), VmOptions::new());
    let _root = vm.start(format!("{CALL}\n{READ}")).unwrap();
    proxy.advance(millis(19));
    assert_eq!(results(&vm, "buffer 4 0 1000"), [""; 0]);
    proxy.advance(millis(1));
    assert_eq!(result(&vm, "buffer 4 0 1000"), r#"{\"path\": \"/jwks\"}"#);
    assert_eq!(result(&vm, "pairs 6"), ":status=200 content-type=application/json");
    assert_eq!(result(&vm, "pairs 7"), "");
    assert!(vm.log().iter().any(|line| line.message == "root callout 1: 2 headers, 17 bytes, 0 trailers"));
    assert!(vm.pending_callouts().is_empty());
}

#[test]
fn the_test_can_answer_by_hand() {
    let (proxy, root) = start(&format!("{CALL}\n{READ}"));
    let mut response = Response::new(200).body("late");
    response.trailers = HeaderMap::from([("x-end", "1")]);
    proxy.answer(&proxy.callouts()[0], CalloutAnswer::respond(response));
    assert_eq!(result(root.vm(), "buffer 4 0 1000"), "late");
    assert_eq!(result(root.vm(), "pairs 7"), "x-end=1");
}

#[test]
fn a_failed_connection_calls_back_with_503_and_a_text() {
    let (proxy, root) = start(&format!("{CALL}\n{READ}"));
    proxy.answer(&proxy.callouts()[0], CalloutAnswer::fail());
    assert_eq!(result(root.vm(), "pairs 6"), ":status=503 content-type=text/plain");
    assert!(result(root.vm(), "buffer 4 0 1000").starts_with("upstream connect error"));
}

#[test]
fn a_callout_times_out_with_504_at_its_timeout() {
    let (proxy, root) = start(&format!("{CALL}\n{READ}"));
    proxy.advance(millis(4999));
    assert_eq!(results(root.vm(), "pairs 6"), [""; 0]);
    proxy.advance(millis(1));
    assert_eq!(result(root.vm(), "pairs 6"), ":status=504 content-type=text/plain");
}

#[test]
fn an_answer_that_comes_too_late_is_a_timeout() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::new(200)).after(millis(6000)));
    let vm = proxy.vm(guest(), VmOptions::new());
    let _root = vm.start(format!("{CALL}\n{READ}")).unwrap();
    proxy.advance(millis(60_000));
    assert_eq!(result(&vm, "pairs 6"), ":status=504 content-type=text/plain");
}

#[test]
fn a_timeout_of_zero_never_passes() {
    let (proxy, root) = start("configure call idp /jwks 0");
    proxy.advance(Duration::from_hours(1000));
    assert_eq!(root.vm().pending_callouts().len(), 1);
}

#[test]
fn a_reset_calls_back_with_nothing() {
    let (proxy, root) = start(&format!("{CALL}\n{READ}"));
    proxy.answer(&proxy.callouts()[0], CalloutAnswer::reset());
    assert_eq!(result(root.vm(), "pairs 6"), "");
    assert!(root.vm().log().iter().any(|line| line.message == "root callout 1: 0 headers, 0 bytes, 0 trailers"));
}

#[test]
fn a_dispatch_can_be_refused() {
    for (status, shown) in
        [(Status::BAD_ARGUMENT, "Err(BadArgument)"), (Status::INTERNAL_FAILURE, "Err(InternalFailure)")]
    {
        let proxy = Proxy::new();
        proxy.on_callout(move |_| CalloutAnswer::refuse(status));
        let vm = proxy.vm(guest(), VmOptions::new());
        let _root = vm.start(CALL).unwrap();
        assert_eq!(result(&vm, "call idp /jwks 5000"), shown);
        assert_eq!(proxy.callouts()[0].dispatched, status);
        assert!(vm.pending_callouts().is_empty());
    }
}

#[test]
fn a_streams_callout_comes_back_to_it_and_can_resume_it() {
    let script = "request_headers call idp /jwks 5000\nrequest_headers pause\ncallout pairs 6\n\
                  callout add 0 x-late yes\ncallout resume request";
    let (proxy, root) = start(script);
    let stream = get(&root);
    assert_eq!((proxy.callouts()[0].root, proxy.callouts()[0].context), (root.id(), stream.id()));
    proxy.answer(&proxy.callouts()[0], CalloutAnswer::respond(Response::new(204)));
    assert_eq!(result(root.vm(), "pairs 6"), ":status=204");
    assert_eq!(stream.forwarded().text("x-late").as_deref(), Some("yes"));
}

#[test]
fn the_answer_for_a_stream_that_is_gone_harms_nobody() {
    let (proxy, root) = start("request_headers call idp /jwks 5000\nrequest_headers pause\ncallout resume request");
    get(&root).cancel();
    proxy.answer(&proxy.callouts()[0], CalloutAnswer::respond(Response::new(200)));
    assert_eq!(results(root.vm(), "resume request"), [""; 0]);
}

#[test]
fn answers_come_in_the_order_of_their_instants() {
    let proxy = Proxy::new();
    proxy.on_callout(|callout| {
        let delay = if callout.path() == "/slow" { 30 } else { 10 };
        CalloutAnswer::respond(Response::new(200).body(callout.path())).after(millis(delay))
    });
    let vm = proxy.vm(guest(), VmOptions::new());
    let script = "configure call idp /slow 5000\nconfigure call idp /fast 5000\ncallout buffer 4 0 9\ncallout time";
    let _root = vm.start(script).unwrap();
    proxy.advance(millis(100));
    assert_eq!(results(&vm, "buffer 4 0 9"), ["/fast", "/slow"]);
    let at = |millis: u64| format!("Ok(Ok({}))", Clock::START.as_nanos() + u128::from(millis) * 1_000_000);
    assert_eq!(results(&vm, "time"), [at(10), at(30)]);
}

#[test]
#[should_panic(expected = "does a callback re-trigger itself?")]
fn a_loop_of_callouts_fails_the_test() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::new(200)));
    let vm = proxy.vm(guest(), VmOptions::new());
    let _root = vm.start(format!("{CALL}\ncallout call idp /again 5000")).unwrap();
    proxy.settle();
}
