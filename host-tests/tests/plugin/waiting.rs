//! Requests that wait, in several VMs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use strict_host::{CalloutAnswer, Outcome, Pause, Proxy, Response, VmOptions};

use crate::world::{FIRST_TICK, fetched, get, inline, key_set, plugin, start, summary, token, with_token};

#[test]
fn requests_wait_for_the_first_keys_and_then_pass() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::json(key_set())).after(Duration::from_secs(2)));
    let root = start(&proxy, &fetched(&json!({})));
    proxy.advance(FIRST_TICK);
    let streams: Vec<_> = ["RS256", "ES256", "EdDSA"].map(|alg| with_token(&root, &proxy, &json!({"alg": alg}))).into();
    let bad = with_token(&root, &proxy, &json!({"flaw": "bad-signature"}));
    for stream in &streams {
        // Nothing of it goes on, whatever the host's options say.
        assert!(
            matches!(stream.outcome(), Outcome::Paused(Pause::StopAllIterationAndWatermark)),
            "{:?}",
            stream.outcome()
        );
    }
    proxy.advance(Duration::from_secs(2));
    for stream in &streams {
        assert_eq!(stream.forwarded().text("x-auth-request-user").as_deref(), Some("alice"));
        assert_eq!(stream.property_text("jotgate_subject").as_deref(), Some("alice"));
        stream.end();
    }
    assert_eq!(summary(&bad), "401 bad_signature");
    assert_eq!(root.vm().calls("proxy_http_call"), 1);
}

#[test]
fn memory_is_bounded_whatever_waits() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::hang());
    let vm = proxy.vm(plugin(), VmOptions::new());
    let root = vm.start(fetched(&json!({"limits": {"waiting": 100}}))).unwrap();
    let text = format!("Bearer {}", token(&json!({}), proxy.clock().now()).unwrap());
    let lines = [(":method", "GET"), (":path", "/x"), (":authority", "h"), ("authorization", text.as_str())];
    let mut after_first = 0;
    for round in 0..20 {
        let streams: Vec<_> = (0..200).map(|_| root.request(lines.as_slice(), true)).collect();
        let waiting = streams.iter().filter(|stream| stream.is_waiting()).count();
        // Later the next try may lie too far off for anyone to wait.
        assert!(waiting == 100 || (round > 0 && waiting == 0), "{waiting} in round {round}");
        proxy.advance(Duration::from_secs(30));
        assert!(streams.iter().all(|stream| !stream.is_waiting()), "round {round}");
        streams.iter().for_each(strict_host::Stream::end);
        match round {
            0 => after_first = vm.memory_bytes(),
            _ => assert!(vm.memory_bytes() <= after_first + (1 << 20), "{} of {after_first}", vm.memory_bytes()),
        }
    }
}

#[test]
fn a_further_configuration_of_the_same_context_decides_on_those_who_wait() {
    let (proxy, asked) = (Proxy::new(), Rc::new(Cell::new(0)));
    let count = Rc::clone(&asked);
    proxy.on_callout(move |_| {
        count.set(count.get() + 1);
        CalloutAnswer::respond(Response::json(key_set())).after(Duration::from_secs(1))
    });
    let root = start(&proxy, &fetched(&json!({})));
    let streams: Vec<_> = (0..100).map(|_| with_token(&root, &proxy, &json!({}))).collect();
    root.reconfigure(fetched(&json!({"default": "deny"}))).unwrap();
    assert!(root.reconfigure("{}").is_err(), "the one before stays");
    proxy.advance(Duration::from_secs(2));
    assert!(streams.iter().all(|stream| summary(stream) == "ok"));
    root.reconfigure(inline(&json!({"rules": [{"access": "deny"}]}))).unwrap();
    assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "403 denied_by_rule");
    assert_eq!(asked.get(), 1, "the callout under way is the next one's");
}

/// Envoy holds a request for good if another one is answered in its call.
#[test]
fn who_comes_while_a_crowd_is_refused_passes() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::json(key_set())).after(Duration::from_secs(1)));
    let root = start(&proxy, &fetched(&json!({})));
    proxy.advance(FIRST_TICK);
    let crowd: Vec<_> = (0..100).map(|_| with_token(&root, &proxy, &json!({"flaw": "bad-signature"}))).collect();
    proxy.advance(Duration::from_secs(1));
    assert!(crowd.iter().any(|stream| summary(stream) == "waiting"), "they are refused in several goes");
    assert_eq!(summary(&get(&root, "/public/a", &[])), "ok");
    assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
    proxy.advance(Duration::from_millis(10));
    assert!(crowd.iter().all(|stream| summary(stream) == "401 bad_signature"));
}

/// Timers do not notice when the wall clock is set: what waits is timed from now on.
#[test]
fn a_clock_that_is_set_forward_makes_nobody_wait_longer() {
    let proxy = crate::world::proxy();
    let root = start(&proxy, &fetched(&json!({"limits": {"waitFor": "2s"}})));
    proxy.advance(Duration::from_secs(1));
    assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
    // The plugin's next business is 15 s after the last. It is still armed for then, when it is long due.
    proxy.clock().set_wall(proxy.clock().now() + Duration::from_millis(13_500));
    proxy.on_callout(|_| CalloutAnswer::hang());
    let stream = with_token(&root, &proxy, &json!({"header": {"kid": "junk"}}));
    assert_eq!(summary(&stream), "waiting");
    proxy.advance(Duration::from_millis(2050));
    assert_eq!(summary(&stream), "401 unknown_key");
}
