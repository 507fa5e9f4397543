//! Keys that the VMs of one proxy share.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use strict_host::{CalloutAnswer, Proxy, Response, Root, VmOptions};
use testbed::keys::{Algorithm, SigningKey, jwk_set};

use crate::world::{FIRST_TICK, fetched, get, key, key_set, plugin, proxy, start, summary, with_token};

const SECOND: Duration = Duration::from_secs(1);
/// For so long the plugin counts by itself.
const COUNTED: Duration = Duration::from_millis(1100);
/// A few looks at the shared entry.
const SOON: Duration = Duration::from_millis(50);

fn sharing(keys: &Value) -> String {
    let mut config: Value = serde_json::from_str(&fetched(&json!({}))).unwrap();
    for (name, value) in keys.as_object().unwrap() {
        config["issuers"][0]["keys"][name] = value.clone();
    }
    config.to_string()
}

fn workers(proxy: &Proxy, count: usize, config: &str) -> Vec<Root> {
    (0..count).map(|_| start(proxy, config)).collect()
}

/// A proxy whose issuer answers after a second, with the keys that it has then.
fn slow_proxy() -> (Proxy, Rc<RefCell<Value>>) {
    let proxy = Proxy::new();
    let keys = Rc::new(RefCell::new(key_set()));
    let served = Rc::clone(&keys);
    proxy.on_callout(move |_| CalloutAnswer::respond(Response::json(served.borrow())).after(SECOND));
    (proxy, keys)
}

fn unknown(root: &Root, proxy: &Proxy) -> strict_host::Stream {
    with_token(root, proxy, &json!({"header": {"kid": "junk"}}))
}

#[test]
fn all_vms_share_one_fetch_and_nobody_waits_longer_for_it() {
    let (proxy, _) = slow_proxy();
    let roots = workers(&proxy, 8, &fetched(&json!({})));
    let streams: Vec<_> = roots.iter().map(|root| with_token(root, &proxy, &json!({}))).collect();
    proxy.advance(SECOND + SOON);
    assert!(streams.iter().all(|stream| summary(stream) == "ok"));
    assert_eq!(proxy.callouts().len(), 1);
    proxy.advance(COUNTED);
    assert_eq!(proxy.metrics().counter("jotgate_keys_fetched_main"), Some(1));
    assert_eq!(proxy.metrics().gauge("jotgate_keys_usable_main"), Some(10));
    assert_eq!(proxy.metrics().histogram("jotgate_callout_ms"), Some(vec![1000]));
    proxy.advance(Duration::from_secs(3500));
    // `refreshAfter`, and up to a tenth of it more: ten or eleven times in an hour.
    let callouts = proxy.callouts().len();
    assert!((11..=13).contains(&callouts), "{callouts}");
}

#[test]
fn vms_that_do_not_share_fetch_for_themselves() {
    let proxy = proxy();
    let roots = workers(&proxy, 4, &sharing(&json!({"share": false})));
    let streams: Vec<_> = roots.iter().map(|root| with_token(root, &proxy, &json!({}))).collect();
    proxy.settle();
    assert!(streams.iter().all(|stream| summary(stream) == "ok"));
    proxy.advance(COUNTED);
    assert_eq!(proxy.metrics().counter("jotgate_keys_fetched_main"), Some(4));
    assert!(proxy.shared_data().keys().is_empty());
}

/// Proxies try a configuration out in a VM that they throw away without a word: it may not have the lease.
#[test]
fn a_vm_that_is_only_configured_fetches_nothing() {
    let proxy = proxy();
    let canary = start(&proxy, &fetched(&json!({})));
    drop(canary);
    let root = start(&proxy, &fetched(&json!({})));
    proxy.advance(FIRST_TICK);
    assert_eq!(summary(&with_token(&root, &proxy, &json!({}))), "ok");
    assert_eq!(proxy.callouts().len(), 1);
}

#[test]
fn a_vm_that_starts_later_is_ready_at_once() {
    let proxy = proxy();
    let first = start(&proxy, &fetched(&json!({})));
    proxy.advance(SECOND);
    for changes in [json!({}), json!({"default": "deny", "rules": [{"access": "authenticated"}]})] {
        let later = start(&proxy, &fetched(&changes));
        assert_eq!(summary(&with_token(&later, &proxy, &json!({}))), "ok", "{changes}");
    }
    // The same VM with a further configuration.
    let later = first.vm().start(fetched(&json!({"realm": "other"}))).unwrap();
    assert_eq!(summary(&with_token(&later, &proxy, &json!({}))), "ok");
    proxy.advance(SECOND);
    assert_eq!(proxy.callouts().len(), 1);
}

#[test]
fn other_keys_or_another_secret_are_other_entries() {
    let proxy = proxy();
    let secret = |value: &str| VmOptions::new().env("JOTGATE_SHARED_SECRET", value);
    let mut roots = Vec::new();
    for (options, config) in [
        (VmOptions::new(), fetched(&json!({}))),
        (VmOptions::new(), sharing(&json!({"timeout": "4s"}))),
        (secret("one"), fetched(&json!({}))),
        (secret("two"), fetched(&json!({}))),
        (secret("two"), fetched(&json!({}))),
    ] {
        roots.push(proxy.vm(plugin(), options).start(config).unwrap());
    }
    proxy.advance(SOON);
    assert_eq!(proxy.callouts().len(), 4);
    assert_eq!(proxy.shared_data().keys().len(), 4);
    assert!(proxy.shared_data().keys().iter().all(|key| key.starts_with(b"jotgate.keys.2.")));
}

#[test]
fn an_unknown_kid_costs_one_fetch_per_cooldown_and_proxy() {
    let (proxy, keys) = slow_proxy();
    let roots = workers(&proxy, 4, &fetched(&json!({})));
    proxy.advance(SECOND * 3);
    assert_eq!(proxy.callouts().len(), 1);
    let streams: Vec<_> = (0..400).map(|index| unknown(&roots[index % 4], &proxy)).collect();
    let known: Vec<_> = roots.iter().map(|root| summary(&with_token(root, &proxy, &json!({})))).collect();
    assert_eq!(known, ["ok"; 4], "known keys never wait");
    proxy.advance(SECOND * 2);
    assert!(streams.iter().all(|stream| summary(stream) == "401 unknown_key"));
    for root in &roots {
        assert_eq!(summary(&unknown(root, &proxy)), "401 unknown_key", "the miss is remembered");
    }
    assert_eq!(proxy.callouts().len(), 2);

    // A key that is new for real is found by all once the cooldown is over.
    let new = SigningKey::generate(Algorithm::ES256).with_kid("new");
    *keys.borrow_mut() = jwk_set([key("ES256"), &new]);
    proxy.advance(Duration::from_secs(30));
    let claims = testbed::mint::usual_claims(
        crate::world::ISSUER,
        "api",
        "alice",
        i64::try_from(proxy.clock().now().as_secs()).unwrap(),
        600,
    );
    let token = testbed::mint::mint(&new, &serde_json::Map::new(), &claims);
    let bearer = format!("Bearer {token}");
    let streams: Vec<_> = roots.iter().map(|root| get(root, "/x", &[("authorization", &bearer)])).collect();
    proxy.advance(SECOND + SOON);
    assert!(streams.iter().all(|stream| summary(stream) == "ok"));
    assert_eq!(proxy.callouts().len(), 3);
}

#[test]
fn a_vm_that_dies_while_it_fetches_holds_nobody_up_for_long() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::json(key_set())).after(SECOND * 3));
    let mut roots = workers(&proxy, 3, &fetched(&json!({"limits": {"waitFor": "20s"}})));
    proxy.advance(FIRST_TICK);
    let fetcher = proxy.callouts()[0].vm;
    roots.retain(|root| root.vm().id() != fetcher);
    assert_eq!(roots.len(), 2);
    let streams: Vec<_> = roots.iter().map(|root| with_token(root, &proxy, &json!({}))).collect();
    // Its lease ends with the timeout, and a second fetch takes three seconds.
    proxy.advance(Duration::from_secs(5 + 1 + 3) + SOON);
    assert!(streams.iter().all(|stream| summary(stream) == "ok"));
    assert_eq!(proxy.callouts().len(), 2);
}

#[test]
fn a_configuration_that_ends_while_it_fetches_holds_nobody_up() {
    let (proxy, _) = slow_proxy();
    let root = start(&proxy, &fetched(&json!({})));
    proxy.advance(FIRST_TICK);
    let next = start(&proxy, &fetched(&json!({"realm": "next"})));
    assert!(root.shut_down());
    let stream = with_token(&next, &proxy, &json!({}));
    // A second fetch takes a second.
    proxy.advance(SECOND + SOON);
    assert_eq!(summary(&stream), "ok");
    assert_eq!(proxy.callouts().len(), 2);
}

#[test]
fn a_dead_issuer_is_asked_by_one_vm_at_a_time() {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::fail());
    let roots = workers(&proxy, 8, &fetched(&json!({})));
    proxy.advance(Duration::from_mins(2));
    // 0, 1, 3, 7, 15, 31, 61, 91, each with a little more.
    let callouts = proxy.callouts().len();
    assert!((7..=9).contains(&callouts), "{callouts}");
    let lines: usize = roots.iter().map(|root| root.vm().log_at_least(strict_host::LogLevel::Warn).len()).sum();
    assert_eq!(lines, 1, "once for the whole proxy");
    for root in &roots {
        assert_eq!(summary(&get(root, "/public/a", &[])), "ok");
    }
    proxy.on_callout(|_| CalloutAnswer::respond(Response::json(key_set())));
    proxy.advance(Duration::from_secs(40));
    for root in &roots {
        assert_eq!(summary(&with_token(root, &proxy, &json!({}))), "ok");
    }
}

/// What somebody else wrote under the name of the entry is nothing; neither is what stood there long ago.
#[test]
fn entries_that_are_foreign_changed_or_old_are_ignored() {
    let proxy = proxy();
    let roots = workers(&proxy, 2, &fetched(&json!({})));
    proxy.advance(SOON);
    let data = proxy.shared_data();
    let name = data.keys()[0].clone();
    let (old, _) = data.get(&name).unwrap();
    let mut changed = old.clone();
    *changed.last_mut().unwrap() ^= 1;
    let foreign = vec![0; 1 << 20];
    proxy.advance(Duration::from_secs(24 * 3600 + 400));
    for bytes in [&old, &changed, &foreign, &Vec::new(), &b"keys".to_vec()] {
        data.set(&name, bytes, 0).unwrap();
        for root in &roots {
            assert_eq!(summary(&with_token(root, &proxy, &json!({}))), "ok");
        }
        let before = proxy.callouts().len();
        let new = start(&proxy, &fetched(&json!({})));
        assert_eq!(summary(&with_token(&new, &proxy, &json!({}))), "waiting", "has no keys yet");
        proxy.advance(SOON);
        assert_eq!(summary(&with_token(&new, &proxy, &json!({}))), "ok");
        assert_eq!(proxy.callouts().len(), before + 1);
    }
}

#[test]
fn a_clock_that_is_set_stops_nothing() {
    for wall in [Duration::from_secs(1_000_000_000), Duration::from_hours(800_000)] {
        let proxy = proxy();
        let roots = workers(&proxy, 3, &fetched(&json!({})));
        proxy.advance(SOON);
        proxy.clock().set_wall(wall);
        proxy.advance(SECOND);
        let new = start(&proxy, &fetched(&json!({})));
        proxy.advance(SECOND);
        assert_eq!(summary(&with_token(&new, &proxy, &json!({}))), "ok", "{wall:?}");
        let before = proxy.callouts().len();
        proxy.advance(Duration::from_secs(400));
        let refreshes = proxy.callouts().len() - before;
        assert!((1..=3).contains(&refreshes), "{refreshes} after {wall:?}");
        for root in &roots {
            assert_eq!(summary(&with_token(root, &proxy, &json!({}))), "ok", "{wall:?}");
        }
    }
}

#[test]
fn a_host_without_ticks_shares_on_demand() {
    let (proxy, _) = slow_proxy();
    let roots: Vec<_> = (0..2)
        .map(|_| {
            let vm = proxy.vm(plugin(), VmOptions::new());
            vm.fail_call("proxy_set_tick_period_milliseconds", strict_host::Status::UNIMPLEMENTED);
            vm.start(fetched(&json!({}))).unwrap()
        })
        .collect();
    let first = with_token(&roots[0], &proxy, &json!({}));
    let second = with_token(&roots[1], &proxy, &json!({}));
    proxy.advance(SECOND);
    assert_eq!((summary(&first).as_str(), summary(&second).as_str()), ("ok", "waiting"));
    // The next request looks, is answered within its own call, and takes those along who wait.
    assert_eq!(summary(&with_token(&roots[1], &proxy, &json!({}))), "ok");
    assert_eq!(summary(&second), "ok");
    assert_eq!(proxy.callouts().len(), 1);
}

#[test]
fn vms_with_nothing_to_do_hardly_tick() {
    let proxy = proxy();
    let roots = workers(&proxy, 2, &fetched(&json!({})));
    proxy.advance(SECOND);
    let before = roots[1].vm().calls("proxy_get_current_time_nanoseconds");
    proxy.advance(Duration::from_secs(250));
    let ticks = roots[1].vm().calls("proxy_get_current_time_nanoseconds") - before;
    assert!(ticks <= 20, "{ticks}");
}
