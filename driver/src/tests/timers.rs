//! The host calls again when something is due, and not before.

use std::time::Duration;

use gate::Timestamp;

use super::support::{NOW, get, host, keys, proxy, proxy_on, summary, with_token};
use crate::memory::Call;

#[test]
fn the_timer_follows_what_is_due_next() {
    let mut proxy = proxy();
    let due = |proxy: &crate::memory::Proxy<_>| proxy.host.timer().map(|due| due.since(proxy.host.now));
    // The first callout's timeout and a grace, or the gauges.
    let before = due(&proxy).expect("something is due");
    let id = proxy.send(with_token());
    // A request waits for 5 s at most.
    let waiting = due(&proxy).expect("something is due");
    assert!(waiting <= Duration::from_millis(5_001) && waiting <= before, "{waiting:?} {before:?}");
    proxy.pass(Duration::from_secs(6));
    assert_eq!(summary(&proxy, id), "503 jotgate_keys_unavailable");
}

#[test]
fn a_request_that_waits_is_timed_from_now_even_if_the_clock_was_set_back() {
    let mut proxy = proxy();
    proxy.host.now = Timestamp::from_secs(NOW - 86_400);
    let id = proxy.send(with_token());
    assert_eq!(summary(&proxy, id), "waiting");
    let due = proxy.host.timer().expect("something is due");
    assert!(due.since(proxy.host.now) <= Duration::from_millis(5_001), "{due:?}");
    proxy.pass(Duration::from_secs(6));
    assert_eq!(summary(&proxy, id), "503 jotgate_keys_unavailable");
}

#[test]
fn a_host_without_a_timer_does_what_is_due_with_each_request() {
    let mut host = host();
    host.fail(Call::SetTimer);
    let mut proxy = proxy_on(host);
    assert_eq!((proxy.host.timer(), proxy.host.callouts.len()), (None, 0));
    let id = proxy.send(with_token());
    assert_eq!((summary(&proxy, id).as_str(), proxy.host.callouts.len()), ("waiting", 1));
    // Nobody answers: the next request ends the wait of the first.
    proxy.host.now = proxy.host.now.after(Duration::from_secs(6));
    let other = proxy.send(get("/public"));
    assert_eq!([summary(&proxy, other), summary(&proxy, id)], ["forwarded", "503 jotgate_keys_unavailable"]);
    proxy.host.callouts.clear();
    proxy.host.now = proxy.host.now.after(Duration::from_mins(1));
    proxy.send(get("/public"));
    assert!(proxy.answer_next(keys()), "what is due is asked for again");
    let id = proxy.send(with_token());
    assert_eq!(summary(&proxy, id), "forwarded");
}

#[test]
fn a_timer_that_comes_while_the_host_has_no_time_does_nothing() {
    let mut proxy = proxy();
    let id = proxy.send(with_token());
    proxy.host.fail(Call::Now);
    proxy.pass(Duration::from_mins(1));
    assert_eq!(summary(&proxy, id), "waiting");
}
