//! Hosts that lack something, fail or lie.

use std::time::Duration;

use serde_json::json;
use strict_host::{CalloutAnswer, Proxy, Status, VerifySignature, VmOptions};
use testbed::keys::Algorithm;

use crate::world::{FIRST_TICK, fetched, get, inline, plugin, proxy, start, summary, with_token};

const UNIMPLEMENTED: Status = Status(12);
/// A status that no ABI knows.
const ODD: Status = Status(4711);

#[test]
fn signatures_are_checked_with_the_host_and_without() {
    for mode in [
        VerifySignature::Real,
        VerifySignature::Missing,
        VerifySignature::AlwaysTrue,
        VerifySignature::AlwaysFalse,
        VerifySignature::Fails(ODD),
    ] {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new());
        vm.set_verify_signature(mode);
        let root = vm.start(inline(&json!({}))).unwrap();
        let checked = vm.calls("proxy_call_foreign_function");
        for algorithm in Algorithm::ASYMMETRIC {
            let alg = algorithm.name();
            let verdict = |flaw: &str| summary(&with_token(&root, &proxy, &json!({"alg": alg, "flaw": flaw})));
            assert_eq!(verdict("none"), "ok", "{alg}");
            assert_eq!(verdict("bad-signature"), "401 bad_signature", "{alg}");
            assert_eq!(verdict("tampered"), "401 bad_signature", "{alg}");
        }
        assert_eq!(summary(&with_token(&root, &proxy, &json!({"flaw": "foreign-key"}))), "401 bad_signature");
        let by_host = vm.calls("proxy_call_foreign_function") - checked;
        // Three tokens each for RS256 to ES512, and the foreign one.
        assert_eq!(by_host, if matches!(mode, VerifySignature::Real) { 19 } else { 0 }, "{mode:?}");
    }
}

#[test]
fn a_host_that_fails_later_is_not_asked_for_the_answer() {
    let proxy = proxy();
    let root = start(&proxy, &inline(&json!({})));
    root.vm().set_verify_signature(VerifySignature::Missing);
    assert_eq!(summary(&with_token(&root, &proxy, &json!({"alg": "RS256"}))), "ok");
    assert_eq!(summary(&with_token(&root, &proxy, &json!({"alg": "RS256", "flaw": "tampered"}))), "401 bad_signature");
}

#[test]
fn a_host_without_ticks_fetches_on_demand() {
    for status in [UNIMPLEMENTED, ODD] {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new());
        vm.fail_call("proxy_set_tick_period_milliseconds", status);
        let root = vm.start(fetched(&json!({}))).unwrap();
        let stream = with_token(&root, &proxy, &json!({}));
        proxy.settle();
        assert_eq!(summary(&stream), "ok");
        proxy.advance(Duration::from_secs(400));
        let before = vm.calls("proxy_http_call");
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
        assert_eq!(vm.calls("proxy_http_call"), before + 1);
    }
}

#[test]
fn a_host_without_shared_data_fetches_for_each_vm() {
    for call in ["proxy_get_shared_data", "proxy_set_shared_data"] {
        for status in [UNIMPLEMENTED, ODD, Status(2), Status(10)] {
            let proxy = proxy();
            let roots: Vec<_> = (0..2)
                .map(|_| {
                    let vm = proxy.vm(plugin(), VmOptions::new());
                    vm.fail_call(call, status);
                    vm.start(fetched(&json!({}))).unwrap()
                })
                .collect();
            proxy.advance(FIRST_TICK);
            for root in &roots {
                assert_eq!(summary(&with_token(root, &proxy, &json!({}))), "ok", "{call} {status:?}");
                assert_eq!(root.vm().calls("proxy_http_call"), 1, "{call} {status:?}");
            }
        }
    }
}

#[test]
fn a_host_without_callouts_has_inline_keys_and_503() {
    for status in [UNIMPLEMENTED, ODD, Status(2), Status(10)] {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new());
        vm.fail_call("proxy_http_call", status);
        let root = vm.start(inline(&json!({}))).unwrap();
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
        let root = vm.start(fetched(&json!({"limits": {"waitFor": "0s"}}))).unwrap();
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "503 keys_unavailable");
        assert_eq!(summary(&get(&root, "/public/a", &[])), "ok");
        let log = vm.log_at_least(strict_host::LogLevel::Warn).join("\n");
        assert!(log.contains(&format!("(status {})", status.0)), "{log}");
    }
}

/// What only tells operators something may fail without harm to anyone.
#[test]
fn hosts_without_metrics_properties_and_log_work() {
    for call in
        ["proxy_define_metric", "proxy_increment_metric", "proxy_record_metric", "proxy_set_property", "proxy_log"]
    {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new());
        vm.fail_call(call, ODD);
        let root = vm.start(fetched(&json!({}))).unwrap();
        proxy.advance(FIRST_TICK);
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok", "{call}");
        assert_eq!(summary(&get(&root, "/x", &[])), "401 missing_token", "{call}");
    }
}

/// Where the host does not do what a decision needs, nobody passes.
#[test]
fn a_host_that_fails_lets_nobody_pass() {
    for call in [
        "proxy_get_header_map_pairs",
        "proxy_get_current_time_nanoseconds",
        "proxy_add_header_map_value",
        "proxy_remove_header_map_value",
    ] {
        let proxy = proxy();
        let root = start(&proxy, &inline(&json!({})));
        root.vm().fail_call(call, ODD);
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "500 -", "{call}");
        root.vm().restore_call(call);
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok", "{call}");
        root.vm().fail_call("proxy_send_local_response", ODD);
        assert_eq!(summary(&get(&root, "/x", &[])), "waiting", "held, not let through");
    }
}

#[test]
fn a_configuration_that_the_host_does_not_hand_over_is_refused() {
    for call in ["proxy_get_buffer_bytes", "proxy_get_current_time_nanoseconds"] {
        let vm = Proxy::new().vm(plugin(), VmOptions::new());
        vm.fail_call(call, ODD);
        assert!(vm.start(inline(&json!({}))).is_err(), "{call}");
    }
}

#[test]
fn what_the_host_keeps_of_an_answer_is_a_failed_fetch() {
    for call in ["proxy_get_buffer_bytes", "proxy_get_header_map_pairs"] {
        let proxy = proxy();
        let vm = proxy.vm(plugin(), VmOptions::new());
        let root = vm.start(fetched(&json!({"limits": {"waitFor": "0s"}}))).unwrap();
        vm.fail_call(call, ODD);
        proxy.advance(FIRST_TICK);
        vm.restore_call(call);
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "503 keys_unavailable", "{call}");
        proxy.advance(Duration::from_secs(2));
        assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok", "{call}");
    }
}

#[test]
fn a_host_that_loses_a_request_that_waits_harms_no_other() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::hang());
    let root = start(&proxy, &fetched(&json!({})));
    let waiting: Vec<_> = (0..3).map(|_| with_token(&root, &proxy, &json!({}))).collect();
    waiting[1].cancel();
    proxy.advance(Duration::from_secs(6));
    assert_eq!(
        (summary(&waiting[0]), summary(&waiting[2])),
        ("503 keys_unavailable".into(), "503 keys_unavailable".into())
    );
    assert_eq!(summary(&get(&root, "/public/a", &[])), "ok");
}
