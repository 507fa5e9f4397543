//! Bytes that nobody should send: the plugin answers them, and works on. A trap fails the test by itself.

use serde_json::json;

use strict_host::{CalloutAnswer, Proxy, Response, VmOptions};
use test_support::random::Random;

use crate::world::{fetched, inline, plugin, proxy, start, summary, token, with_token};

#[test]
fn any_bytes_in_any_header_are_answered() {
    let proxy = proxy();
    let locations = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"cookie": "session"},
        {"query": "q"},
        {"basic": true},
        {"websocketProtocol": "p."},
    ]);
    let root = start(&proxy, &inline(&json!({"credentials": locations, "credentialConflict": "first"})));
    let good = format!("Bearer {}", token(&json!({}), proxy.clock().now()).unwrap());
    let mut random = Random::new(42);
    for _ in 0..3000 {
        let mut lines: Vec<(Vec<u8>, Vec<u8>)> = [
            (":method", "GET"),
            (":path", "/x?q=1"),
            (":scheme", "https"),
            (":authority", "h"),
            ("authorization", good.as_str()),
            ("cookie", "a=1; session=\"b\"; c"),
            ("sec-websocket-protocol", "p.a, chat"),
        ]
        .into_iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
        let line = random.below(lines.len());
        for _ in 0..=random.below(4) {
            let value = &mut lines[line].1;
            let at = random.below(value.len() + 1);
            let byte = u8::try_from(random.below(255) + 1).unwrap();
            match random.below(3) {
                0 if at < value.len() => value[at] = byte,
                1 if at < value.len() => drop(value.remove(at)),
                _ => value.insert(at, byte),
            }
        }
        // What no proxy lets through is not asked of the plugin.
        for (_, value) in &mut lines {
            value.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        }
        let stream = root.request(lines.as_slice(), true);
        assert_ne!(summary(&stream), "waiting");
        stream.end();
    }
    assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
}

#[test]
fn requests_that_lack_everything_are_answered() {
    let proxy = proxy();
    let root = start(&proxy, &inline(&json!({})));
    let none: [(&str, &str); 0] = [];
    assert_eq!(summary(&root.request(none.as_slice(), true)), "400 ambiguous_path");
    assert_eq!(summary(&root.request([(":path", "/public/a")].as_slice(), true)), "ok");
    assert_eq!(summary(&root.request([("authorization", "x")].as_slice(), true)), "400 ambiguous_path");
}

/// Two lines of one name, where the host does not join them.
#[test]
fn two_authorization_lines_are_refused_joined_or_not() {
    for keep in [false, true] {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new().keep_duplicate_lines(keep));
        let root = vm.start(inline(&json!({}))).unwrap();
        let good = format!("Bearer {}", token(&json!({}), proxy.clock().now()).unwrap());
        let send = |first: &str, second: &str| {
            let lines = [
                (":method", "GET"),
                (":path", "/x"),
                (":authority", "h"),
                ("authorization", first),
                ("authorization", second),
            ];
            summary(&root.request(lines.as_slice(), true))
        };
        assert!(send(&good, &good).starts_with("400 "));
        assert!(send(&good, "Basic x").starts_with("400 "));
        assert!(send("Basic x", &good).starts_with("400 "));
    }
}

#[test]
fn any_bytes_for_a_key_set_are_no_keys() {
    let good = crate::world::key_set().to_string().into_bytes();
    let mut random = Random::new(7);
    for round in 0..100 {
        let mut body = good.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(body.len());
            match random.below(3) {
                0 => body[at] = u8::try_from(random.below(256)).unwrap(),
                1 => body.truncate(at + 1),
                _ => drop(body.splice(at..at, b"[[[[{\"keys\":\xff".iter().copied())),
            }
        }
        let proxy = Proxy::new();
        proxy.on_callout(move |_| CalloutAnswer::respond(Response::new(200).body(body.clone())));
        let root = start(&proxy, &fetched(&json!({"limits": {"waitFor": "0s"}})));
        proxy.settle();
        let verdict = summary(&with_token(&root, &proxy, &json!({})));
        let possible =
            ["ok", "503 keys_unavailable", "401 unknown_key", "401 bad_signature", "401 unsupported_algorithm"];
        assert!(possible.contains(&verdict.as_str()), "{round}: {verdict}");
    }
}

#[test]
fn any_bytes_for_a_configuration_are_told_about() {
    let good = inline(&json!({})).into_bytes();
    let proxy = Proxy::new();
    let mut random = Random::new(11);
    let mut refused = 0;
    for _ in 0..300 {
        let mut text = good.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => text[at] = u8::try_from(random.below(256)).unwrap(),
                1 => text.truncate(at),
                _ => text.insert(at, b"{}[]\",:0ax\n\xff"[random.below(12)]),
            }
            if text.is_empty() {
                break;
            }
        }
        refused += usize::from(proxy.vm(plugin(), VmOptions::new()).start(&text).is_err());
    }
    assert!(refused > 200, "{refused}");
}
