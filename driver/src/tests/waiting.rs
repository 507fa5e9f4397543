//! Requests that wait: continued later, decided within their own call, or gone.

use std::time::Duration;

use super::support::{Trusting, configuration, gate, get, host, keys, proxy, proxy_on, summary, user, with_token};
use crate::memory::{Call, Proxy};

#[test]
fn a_request_waits_for_keys_and_goes_on_with_its_identity() {
    let mut proxy = proxy();
    let id = proxy.send(with_token());
    assert_eq!(summary(&proxy, id), "waiting");
    proxy.answer_next(keys());
    assert_eq!((summary(&proxy, id).as_str(), user(&proxy, id).as_deref()), ("forwarded", Some("alice")));
    let exchange = proxy.take(id).expect("is there");
    assert_eq!(exchange.headers.value("authorization"), None);
    assert_eq!(exchange.properties.get("jotgate_subject").map(String::as_str), Some("alice"));
    assert_eq!(proxy.host.metrics.get("jotgate_requests_allowed"), Some(&1));
}

#[test]
fn a_request_that_shared_keys_decide_goes_on_within_its_own_call() {
    // Two VMs of one proxy: the second has only been configured when the first fetches.
    let mut second = Proxy::on(host(), gate(&configuration("https://idp.example.com/jwks"), host().now), Trusting);
    let mut first = proxy_on(host().with_store(second.host.store.clone()));
    first.answer_next(keys());
    second.host.fail(Call::ContinueRequest);
    second.host.now = second.host.now.after(Duration::from_millis(1));
    let id = second.send(with_token());
    assert_eq!((summary(&second, id).as_str(), user(&second, id).as_deref()), ("forwarded", Some("alice")));
    assert!(second.host.callouts.is_empty());
}

#[test]
fn a_request_that_is_gone_is_not_decided() {
    let mut proxy = proxy();
    let id = proxy.send(with_token());
    assert!(proxy.take(id).is_some());
    let other = proxy.send(with_token());
    proxy.answer_next(keys());
    assert_eq!([summary(&proxy, id), summary(&proxy, other)], ["gone", "forwarded"]);
    assert_eq!(proxy.host.metrics.get("jotgate_requests_allowed"), Some(&1));
}

#[test]
fn a_crowd_is_continued_in_portions_each_with_a_call_of_its_own() {
    let mut proxy = proxy();
    let ids: Vec<_> = (0..100).map(|_| proxy.send(with_token())).collect();
    proxy.answer_next(keys());
    let passed = |proxy: &Proxy<_>| ids.iter().filter(|id| summary(proxy, **id) == "forwarded").count();
    let at_once = passed(&proxy);
    assert!((1..100).contains(&at_once), "{at_once}");
    proxy.pass(Duration::from_millis(10));
    assert_eq!(passed(&proxy), 100);
}

#[test]
fn nobody_else_is_continued_within_the_call_of_a_request() {
    let mut proxy = proxy();
    let waits = proxy.send(with_token());
    // Its time is over, and the timer is late.
    proxy.host.now = proxy.host.now.after(Duration::from_secs(7));
    let other = proxy.send(get("/public"));
    assert_eq!([summary(&proxy, waits), summary(&proxy, other)], ["waiting", "forwarded"]);
    proxy.pass(Duration::from_millis(1));
    assert_eq!(summary(&proxy, waits), "503 jotgate_keys_unavailable");
}
