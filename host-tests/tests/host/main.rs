//! The host does what Envoy does, and misses nothing that a plugin does wrong.
//!
//! Most tests give the guest a script; those about modules of another shape write one in WAT.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod bodies;
mod callouts;
mod cases;
mod clock;
mod contexts;
mod modules;
mod requests;
mod sharing;
mod signatures;
mod violations;
mod world;

use std::sync::LazyLock;
use strict_host::{Plugin, Proxy, Root, Stream, Vm, VmOptions};

static GUEST: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_GUEST", "target/wasm32-wasip1/release/guest.wasm", "make guest"));

const REQUEST: [(&str, &str); 4] =
    [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "example.com")];

/// The guest, compiled once per test binary.
fn guest() -> &'static Plugin {
    &GUEST
}

/// A proxy with one VM that runs a script.
fn start(script: &str) -> (Proxy, Root) {
    start_with(VmOptions::new(), script)
}

fn start_with(options: VmOptions, script: &str) -> (Proxy, Root) {
    let proxy = Proxy::new();
    let root = proxy.vm(guest(), options).start(script).unwrap();
    (proxy, root)
}

/// A GET without a body.
fn get(root: &Root) -> Stream {
    root.request(REQUEST, true)
}

/// What the guest logged for an operation, each time.
fn results(vm: &Vm, operation: &str) -> Vec<String> {
    let prefix = format!("{operation} => ");
    vm.log().into_iter().filter_map(|line| line.message.strip_prefix(&prefix).map(str::to_owned)).collect()
}

/// What it logged for an operation that ran once.
fn result(vm: &Vm, operation: &str) -> String {
    let results = results(vm, operation);
    assert_eq!(results.len(), 1, "`{operation}` in {:#?}", vm.log());
    results[0].clone()
}

/// The messages of all violations, which are then forgotten.
fn violations(vm: &Vm) -> Vec<String> {
    vm.take_violations().into_iter().map(|violation| violation.message).collect()
}
