//! Modules of every shape, and how they fail.

use crate::{REQUEST, guest, start};
use strict_host::{LoadError, Plugin, Proxy, VmOptions};

/// What every plugin must export.
pub(crate) const SMALLEST: &str = r#"(module (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#;

fn with(more: &str) -> Result<Plugin, LoadError> {
    let at = SMALLEST.find("(memory").unwrap();
    let (head, tail) = SMALLEST.split_at(at);
    let (imports, rest) = more.split_once("---").unwrap_or(("", more));
    let body = tail.strip_suffix(')').unwrap();
    Plugin::compile(format!("{head}{imports}{body}{rest})"))
}

fn request_callback(body: &str) -> String {
    format!(r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {body})"#)
}

#[test]
fn an_unknown_import_is_named() {
    for (module, name) in [
        ("wasi_snapshot_preview1", "sched_yield"),
        ("wasi_snapshot_preview1", "fd_read"),
        ("env", "proxy_get_configuration"),
        ("env", "emscripten_notify"),
        ("other", "proxy_log"),
    ] {
        let error = with(&format!(r#"(import "{module}" "{name}" (func))---"#)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the module imports `{module}.{name}`, which proxies refuse")), "{error}");
    }
}

#[test]
fn an_import_with_a_wrong_signature_is_named() {
    let error = with(r#"(import "env" "proxy_log" (func (param i32)))---"#).unwrap_err();
    assert!(matches!(error, LoadError::Signature(_)));
    assert!(error.to_string().contains("proxy_log"), "{error}");
}

#[test]
fn a_missing_export_is_named() {
    let error = Plugin::compile("(module)").unwrap_err();
    assert_eq!(error.to_string(), "the module does not export `proxy_abi_version_0_2_1`, which ABI 0.2.1 requires");
    let error = Plugin::compile(SMALLEST.replace("malloc", "calloc")).unwrap_err();
    assert!(matches!(error, LoadError::Export("proxy_on_memory_allocate")));
}

#[test]
fn a_file_that_is_no_module_is_named() {
    let error = Plugin::load("/nowhere/plugin.wasm").unwrap_err().to_string();
    assert!(error.starts_with("cannot read the module `/nowhere/plugin.wasm`: "), "{error}");
    assert!(matches!(Plugin::compile("nonsense"), Err(LoadError::Compile(_))));
}

#[test]
fn the_guest_exports_what_it_wants_to_be_called_for() {
    assert!(guest().exports("proxy_on_tick"));
    assert!(!guest().exports("proxy_on_nonsense"));
    assert!(!guest().exports("memory"));
}

#[test]
#[should_panic(expected = "it ran for 5000000 instructions and did not return: an endless loop?")]
fn an_endless_loop_fails_the_test() {
    let plugin = with(&request_callback("(loop (br 0)) (i32.const 0)")).unwrap();
    let vm = Proxy::new().vm(&plugin, VmOptions::new().fuel_per_call(5_000_000));
    vm.start("").unwrap().request(REQUEST, true);
}

#[test]
#[should_panic(expected = "an endless loop?")]
fn an_endless_loop_in_rust_fails_the_test() {
    let proxy = Proxy::new();
    let _root = proxy.vm(guest(), VmOptions::new()).start("configure loop");
}

#[test]
#[should_panic(expected = "the plugin trapped in `proxy_on_request_headers` for context 2")]
fn a_trap_fails_the_test() {
    let plugin = with(&request_callback("unreachable")).unwrap();
    Proxy::new().vm(&plugin, VmOptions::new()).start("").unwrap().request(REQUEST, true);
}

#[test]
#[should_panic(expected = "all is lost")]
fn a_panic_fails_the_test_with_the_plugins_log() {
    let (_proxy, root) = start("request_headers panic all is lost");
    crate::get(&root);
}

#[test]
#[should_panic(expected = "the plugin exited with code 3")]
fn an_exit_fails_the_test() {
    start("configure exit");
}

#[test]
#[should_panic(expected = "does not instantiate")]
fn host_calls_during_instantiation_fail_the_test() {
    let module = r#"(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))---
        (func $start (drop (call $log (i32.const 0) (i32.const 0) (i32.const 1)))) (start $start)"#;
    Proxy::new().vm(&with(module).unwrap(), VmOptions::new());
}

#[test]
#[should_panic(expected = "proxy_on_tick")]
fn an_export_of_the_wrong_type_fails_the_test() {
    let module = r#"(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))---
        (func (export "proxy_on_configure") (param i32 i32) (result i32) (drop (call $tick (i32.const 1))) (i32.const 1))
        (func (export "proxy_on_tick"))"#;
    let proxy = Proxy::new();
    let _root = proxy.vm(&with(module).unwrap(), VmOptions::new()).start("").unwrap();
    proxy.advance(std::time::Duration::from_secs(1));
}

#[test]
fn the_memory_of_a_vm_is_known() {
    let (_proxy, root) = start("request_headers grow 3000000");
    let before = root.vm().memory_bytes();
    crate::get(&root);
    let after = root.vm().memory_bytes();
    assert!(after >= before + 2_900_000, "{before} {after}");
}

#[test]
fn one_compiled_module_serves_many_threads() {
    let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(|| crate::get(&start("").1).forwarded().len())).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 4);
    }
}
