//! The virtual clock and the ticks.

use crate::{guest, result, results, start};
use std::time::Duration;
use strict_host::{Clock, Proxy, Status, VmOptions};

const TICKS: &str = "tick time";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The ticks so far, in milliseconds since the start.
fn ticks(vm: &strict_host::Vm) -> Vec<u128> {
    let number = |shown: String| shown.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u128>().unwrap();
    results(vm, "time").into_iter().map(|shown| (number(shown) - Clock::START.as_nanos()) / 1_000_000).collect()
}

#[test]
fn the_plugin_sees_the_virtual_time() {
    let proxy = Proxy::new();
    proxy.clock().set_wall(Duration::from_secs(1_000));
    proxy.advance(Duration::from_nanos(7));
    let vm = proxy.vm(guest(), VmOptions::new());
    let _root = vm.start("configure time\nconfigure wasi-time\nconfigure monotonic").unwrap();
    assert_eq!(result(&vm, "time"), "Ok(Ok(1000000000007))");
    assert_eq!(result(&vm, "wasi-time"), "Ok(1000000000007)");
    assert_eq!(result(&vm, "monotonic"), "0ns");
}

#[test]
fn ticks_come_at_their_instants() {
    let (proxy, root) = start(&format!("configure tick 100\n{TICKS}"));
    proxy.advance(millis(99));
    assert_eq!(ticks(root.vm()), [0; 0]);
    proxy.advance(millis(251));
    assert_eq!(ticks(root.vm()), [100, 200, 300]);
}

#[test]
fn setting_the_period_arms_the_timer_anew_from_now() {
    let (proxy, root) = start(&format!("configure tick 100\n{TICKS}\nrequest_headers tick 100"));
    proxy.advance(millis(60));
    crate::get(&root);
    proxy.advance(millis(99));
    assert_eq!(ticks(root.vm()), [0; 0]);
    proxy.advance(millis(1));
    assert_eq!(ticks(root.vm()), [160]);
}

#[test]
fn a_tick_may_change_its_period_or_stop() {
    let (proxy, root) = start(&format!("configure tick 100\n{TICKS}\ntick tick 30"));
    proxy.advance(millis(160));
    assert_eq!(ticks(root.vm()), [100, 130, 160]);

    let (proxy, root) = start(&format!("configure tick 100\n{TICKS}\ntick tick 0"));
    proxy.advance(millis(1000));
    assert_eq!(ticks(root.vm()), [100]);
}

#[test]
fn every_root_of_every_vm_ticks_on_its_own() {
    let proxy = Proxy::new();
    let one = proxy.vm(guest(), VmOptions::new());
    let two = proxy.vm(guest(), VmOptions::new());
    let _roots = [
        one.start(format!("configure tick 100\n{TICKS}")).unwrap(),
        one.start(format!("configure tick 70\n{TICKS}")).unwrap(),
        two.start(format!("configure tick 40\n{TICKS}")).unwrap(),
    ];
    proxy.advance(millis(120));
    assert_eq!(ticks(&one), [70, 100]);
    assert_eq!(ticks(&two), [40, 80, 120]);
}

#[test]
fn a_jump_of_the_wall_clock_moves_no_timer() {
    let (proxy, root) = start("configure tick 100\ntick log-level");
    proxy.clock().set_wall(Duration::from_secs(5));
    proxy.advance(millis(100));
    assert_eq!(results(root.vm(), "log-level").len(), 1);
    assert_eq!(proxy.clock().now(), Duration::from_secs(5) + millis(100));
}

#[test]
fn a_host_without_ticks_can_be_played() {
    let proxy = Proxy::new();
    let vm = proxy.vm(guest(), VmOptions::new());
    vm.fail_call("proxy_set_tick_period_milliseconds", Status::UNIMPLEMENTED);
    let script = format!("configure raw proxy_set_tick_period_milliseconds 100\n{TICKS}");
    let _root = vm.start(script).unwrap();
    proxy.advance(millis(1000));
    assert_eq!(result(&vm, "raw proxy_set_tick_period_milliseconds 100"), "12 []");
    assert_eq!(ticks(&vm), [0; 0]);
}

#[test]
fn a_dropped_vm_ticks_no_more() {
    let (proxy, root) = start("configure tick 100");
    drop(root);
    proxy.advance(millis(1000));
}
