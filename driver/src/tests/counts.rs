//! Hosts to which a call is dear get to know of events once in a while, and of every one.

use std::time::Duration;

use gate::RequestId;
use serde_json::json;

use super::support::{Trusting, configuration, gate, get, host, keys, proxy_on, summary};
use crate::host::Host as _;
use crate::memory::{Call, Memory, Proxy};
use crate::vm::Vm;

const PERIOD: Duration = Duration::from_secs(1);
const ALLOWED: &str = "jotgate_requests_allowed";

fn counting() -> Memory {
    let mut host = host();
    host.count_period = Some(PERIOD);
    host
}

/// A proxy that has its keys, and nothing left to report.
fn proxy() -> Proxy<Trusting> {
    let mut proxy = proxy_on(counting());
    proxy.answer_next(keys());
    proxy.pass(PERIOD * 2);
    proxy
}

fn allowed(host: &Memory) -> u64 {
    host.metrics.get(ALLOWED).copied().unwrap_or_default()
}

#[test]
fn events_are_reported_together_one_period_after_the_first() {
    let mut proxy = proxy();
    proxy.send(get("/public"));
    proxy.pass(PERIOD / 2);
    proxy.send(get("/public"));
    assert_eq!(allowed(&proxy.host), 0);
    proxy.pass(PERIOD);
    assert_eq!(allowed(&proxy.host), 2);
    proxy.pass(PERIOD * 30);
    assert_eq!(allowed(&proxy.host), 2, "once");
}

#[test]
fn without_events_there_is_no_timer_for_them() {
    let mut proxy = proxy();
    let until_next = |proxy: &Proxy<_>| proxy.host.timer().map(|due| due.since(proxy.host.now)).unwrap_or_default();
    assert!(until_next(&proxy) > PERIOD * 2);
    proxy.send(get("/public"));
    assert!(until_next(&proxy) <= PERIOD + Duration::from_millis(1));
    proxy.pass(PERIOD * 2);
    assert!(until_next(&proxy) > PERIOD * 2);
}

#[test]
fn a_new_configuration_loses_no_event() {
    let mut proxy = proxy();
    proxy.send(get("/public"));
    let mut changed = configuration("https://idp.example.com/jwks");
    changed["rules"] = json!([{"access": "public"}]);
    proxy.reconfigure(gate(&changed, proxy.host.now), Trusting);
    assert_eq!(allowed(&proxy.host), 1);
    proxy.send(get("/public"));
    proxy.pass(PERIOD * 2);
    assert_eq!(allowed(&proxy.host), 2);
}

#[test]
fn a_configuration_that_ends_loses_no_event() {
    let (mut vm, mut host) = (Vm::new(), counting());
    host.configuration = configuration("https://idp.example.com/jwks").to_string().into_bytes();
    let size = host.configuration.len();
    vm.create_context(1, 0);
    assert!(vm.configure(&mut host, 1, size, |_| Trusting));
    vm.create_context(7, 1);
    host.requests.insert(RequestId(7), get("/public"));
    host.select_request(RequestId(7)).expect("is there");
    vm.request_headers(&mut host, 7, false);
    vm.delete_context(&mut host, 7);
    assert_eq!(allowed(&host), 0);
    vm.delete_context(&mut host, 1);
    assert_eq!(allowed(&host), 1);
}

#[test]
fn what_a_host_does_not_take_it_gets_with_the_next_event() {
    let mut proxy = proxy();
    proxy.host.fail(Call::IncrementMetric);
    proxy.send(get("/public"));
    proxy.pass(PERIOD * 2);
    proxy.host.recover();
    assert_eq!(allowed(&proxy.host), 0);
    proxy.send(get("/public"));
    proxy.pass(PERIOD * 2);
    assert_eq!(allowed(&proxy.host), 2);
}

#[test]
fn a_host_without_a_timer_gets_to_know_with_each_request() {
    let mut host = counting();
    host.fail(Call::SetTimer);
    let mut proxy = proxy_on(host);
    let id = proxy.send(get("/public"));
    assert_eq!((summary(&proxy, id).as_str(), allowed(&proxy.host)), ("forwarded", 1));
}
