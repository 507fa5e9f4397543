//! The structure holds: which crate may use which, and what the module that ships asks of its host.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use host_tests::envoy::{plugin, workspace};
use serde_json::Value;
use wasmtime::{Engine, Module};

/// Ways to a host, a clock, randomness or the network.
const IMPURE: [&str; 18] = [
    "chrono", "getrandom", "hyper", "js-sys", "libc", "mio", "proxy-wasm", "rand", "rand_chacha", "rustix", "socket2",
    "time", "tokio", "wasi", "wasip2", "wasm-bindgen", "web-sys", "web-time",
];

/// The names that an older proxy has, too: others keep the module from loading there.
const IMPORTS: [&str; 6] = ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];

const EXPORTS: [&str; 12] = [
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// What each crate of the workspace is built with, all the way down; dev-dependencies are not followed.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform=wasm32-unknown-unknown"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON");
    let list = |value: &Value| value.as_array().expect("is a list").clone();
    let text = |value: &Value| value.as_str().expect("is a string").to_string();

    let names: BTreeMap<_, _> =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let is_normal = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
    let direct: BTreeMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let normal = list(&node["deps"]).into_iter().filter(is_normal);
            (text(&node["id"]), normal.map(|dependency| text(&dependency["pkg"])).collect())
        })
        .collect();

    let reached = |member: &Value| {
        let (mut found, mut open) = (BTreeSet::new(), vec![text(member)]);
        while let Some(id) = open.pop() {
            let new = direct[&id].iter().filter(|id| found.insert(names[*id].clone()));
            open.extend(new.cloned());
        }
        (names[&text(member)].clone(), found)
    };
    list(&metadata["workspace_members"]).iter().map(reached).collect()
}

#[test]
fn the_engine_reaches_for_no_host_clock_or_randomness() {
    let dependencies = dependencies();
    let impure = |name: &str| dependencies[name].iter().filter(|name| IMPURE.contains(&name.as_str())).count();
    assert_eq!((impure("jose"), impure("gate")), (0, 0), "{:?} {:?}", dependencies["jose"], dependencies["gate"]);
    assert!(impure("testbed") > 3, "what is looked for can be found: {:?}", dependencies["testbed"]);
}

#[test]
fn dependencies_point_one_way() {
    let dependencies = dependencies();
    let members: BTreeSet<_> = dependencies.keys().map(String::as_str).collect();
    for (name, allowed) in [
        ("jose", vec![]),
        ("gate", vec!["jose"]),
        ("filter", vec!["gate", "jose"]),
        ("guest", vec![]),
        ("host-tests", vec!["testbed"]),
        ("testbed", vec![]),
    ] {
        let found: Vec<_> = dependencies[name].iter().map(String::as_str).filter(|name| members.contains(name)).collect();
        assert_eq!(found, allowed, "{name}");
    }
    assert_eq!(members.len(), 6, "a new crate has a place in the structure: {members:?}");
}

#[test]
fn the_module_asks_for_what_every_proxy_has_and_exports_what_it_uses() {
    let path = plugin().expect("the plugin is built");
    let module = Module::from_file(&Engine::default(), &path).expect("is a module");
    for import in module.imports() {
        let known = match import.module() {
            "env" => import.name().starts_with("proxy_"),
            "wasi_snapshot_preview1" => IMPORTS.contains(&import.name()),
            _ => false,
        };
        assert!(known, "imports {}::{}", import.module(), import.name());
    }
    let exports: BTreeSet<_> = module.exports().map(|export| export.name().to_string()).collect();
    let expected: BTreeSet<_> = EXPORTS.into_iter().map(String::from).collect();
    assert_eq!(exports, expected, "bodies and responses never cross into the plugin");
    let size = std::fs::metadata(&path).expect("is a file").len();
    assert!(size <= 1 << 20, "the module has {size} bytes");
}
