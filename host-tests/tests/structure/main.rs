//! The structure holds: which crate may use which, and what the module that ships asks of its host.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod circles;

use std::collections::BTreeSet;
use std::process::Command;

use real_envoy::plugin;
use strict_host::Plugin;
use test_support::workspace;

/// Ways to a host, a clock, randomness or the network.
const IMPURE: [&str; 18] = [
    "chrono",
    "getrandom",
    "hyper",
    "js-sys",
    "libc",
    "mio",
    "proxy-wasm",
    "rand",
    "rand_chacha",
    "rustix",
    "socket2",
    "time",
    "tokio",
    "wasi",
    "wasip2",
    "wasm-bindgen",
    "web-sys",
    "web-time",
];

/// The names that an older proxy has, too: others keep the module from loading there.
const IMPORTS: [&str; 6] =
    ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];

const EXPORTS: [&str; 13] = [
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
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// What a crate is built with, all the way down, itself left out; dev-dependencies are not followed.
fn dependencies(name: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges=normal", "--prefix=none", "--format={p}", "--package", name])
        .args(["--target", "wasm32-unknown-unknown"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("is text");
    let names: BTreeSet<_> = text.lines().skip(1).filter_map(|line| line.split(' ').next()).map(String::from).collect();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    names
}

#[test]
fn the_library_in_machine_code_is_in_the_native_module_alone() {
    assert!(dependencies("dynamic-module").contains("graviola"));
    assert!(!dependencies("filter").contains("graviola"));
}

#[test]
fn the_engine_reaches_for_no_host_clock_or_randomness() {
    let impure =
        |name| dependencies(name).into_iter().filter(|name| IMPURE.contains(&name.as_str())).collect::<Vec<_>>();
    assert_eq!(impure("jose"), [""; 0]);
    assert_eq!(impure("oauth"), [""; 0]);
    assert_eq!(impure("aws"), [""; 0]);
    assert_eq!(impure("gate"), [""; 0]);
    assert_eq!(impure("driver"), [""; 0]);
    assert_eq!(impure("inspect"), [""; 0]);
    assert!(impure("testbed").len() > 3, "what is looked for can be found: {:?}", impure("testbed"));
}

#[test]
fn dependencies_point_one_way() {
    let members = [
        "abi",
        "aws",
        "bench",
        "browsers",
        "calls",
        "cli",
        "driver",
        "dynamic-module",
        "filter",
        "gate",
        "guest",
        "host-tests",
        "inspect",
        "jose",
        "module-abi",
        "nothing",
        "oauth",
        "playground",
        "real-envoy",
        "ship",
        "signature-probe",
        "strict-host",
        "test-support",
        "testbed",
    ];
    for (name, allowed) in [
        ("abi", vec!["jose"]),
        ("aws", vec!["jose", "oauth"]),
        ("bench", vec!["real-envoy", "test-support", "testbed"]),
        ("browsers", vec!["real-envoy", "test-support"]),
        ("calls", vec![]),
        ("cli", vec!["aws", "driver", "gate", "inspect", "jose", "oauth"]),
        ("nothing", vec![]),
        ("jose", vec![]),
        ("oauth", vec!["jose"]),
        ("gate", vec!["aws", "jose", "oauth"]),
        ("driver", vec!["aws", "gate", "jose", "oauth"]),
        ("dynamic-module", vec!["aws", "driver", "gate", "jose", "module-abi", "oauth"]),
        ("module-abi", vec![]),
        ("filter", vec!["abi", "aws", "driver", "gate", "jose", "oauth"]),
        ("guest", vec![]),
        ("inspect", vec!["aws", "driver", "gate", "jose", "oauth"]),
        ("playground", vec!["aws", "driver", "gate", "inspect", "jose", "oauth"]),
        ("real-envoy", vec!["test-support"]),
        ("ship", vec![]),
        ("signature-probe", vec!["abi", "jose"]),
        ("strict-host", vec!["test-support"]),
        ("test-support", vec![]),
        ("testbed", vec![]),
    ] {
        let found: Vec<_> = dependencies(name).into_iter().filter(|name| members.contains(&name.as_str())).collect();
        assert_eq!(found, allowed, "{name}");
    }
    assert!(dependencies("strict-host").contains("wasmtime"), "what is looked for can be found");
    for name in ["bench", "real-envoy"] {
        assert!(!dependencies(name).contains("wasmtime"), "{name} needs no Wasm engine");
    }
}

#[test]
fn the_module_asks_for_what_every_proxy_has_and_exports_what_it_uses() {
    let path = plugin().expect("the plugin is built");
    let plugin = Plugin::load(&path).expect("proxies load it");
    let module = plugin.module();
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
    assert_eq!(exports, expected, "bodies never cross into the plugin");
    let size = std::fs::metadata(&path).expect("is a file").len();
    // docs/performance.md says what takes the room, and what it would cost to have less.
    assert!(size <= 3 << 19, "the module has {size} bytes");
}
