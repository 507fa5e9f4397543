//! Requests make no call to be counted: the plugin counts, and reports with its timer and at its ends.

use std::time::Duration;

use serde_json::json;
use strict_host::{Proxy, Root, VmOptions};

use crate::world::{get, inline, plugin, summary};

const ALLOWED: &str = "jotgate_requests_allowed";
/// A period and a little.
const COUNTED: Duration = Duration::from_millis(1100);

/// A proxy whose gate has let three requests pass, and nobody knows yet.
fn uncounted() -> (Proxy, Root) {
    let proxy = Proxy::new();
    let root = proxy.vm(plugin(), VmOptions::new()).start(inline(&json!({}))).unwrap();
    for _ in 0..3 {
        let stream = get(&root, "/public/x", &[]);
        assert_eq!(summary(&stream), "ok");
        stream.end();
    }
    assert_eq!(proxy.metrics().counter(ALLOWED), Some(0));
    (proxy, root)
}

#[test]
fn the_timer_reports_what_requests_were_without_a_call_of_theirs() {
    let (proxy, root) = uncounted();
    assert_eq!(root.vm().calls("proxy_increment_metric"), 0);
    proxy.advance(COUNTED);
    assert_eq!(proxy.metrics().counter(ALLOWED), Some(3));
    assert_eq!(root.vm().calls("proxy_increment_metric"), 1);
    proxy.advance(COUNTED * 10);
    assert_eq!(root.vm().calls("proxy_increment_metric"), 1, "without events there is nothing to report");
}

#[test]
fn no_count_is_lost_where_a_configuration_is_replaced_or_ends() {
    let (proxy, root) = uncounted();
    root.reconfigure(inline(&json!({}))).unwrap();
    assert_eq!(proxy.metrics().counter(ALLOWED), Some(3));
    let stream = get(&root, "/public/x", &[]);
    assert_eq!(summary(&stream), "ok");
    stream.end();
    assert!(root.shut_down());
    assert_eq!(proxy.metrics().counter(ALLOWED), Some(4));
}

#[test]
fn a_refused_configuration_leaves_counts_where_they_are() {
    let (proxy, root) = uncounted();
    assert!(root.reconfigure("{}").is_err());
    proxy.advance(COUNTED);
    assert_eq!(proxy.metrics().counter(ALLOWED), Some(3));
}
