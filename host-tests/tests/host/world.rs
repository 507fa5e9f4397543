//! Logs, properties, environment and randomness.

use crate::{get, guest, result, results, start, start_with};
use strict_host::{LogLevel, LogLine, Proxy, Status, VmOptions};

#[test]
fn logs_and_standard_output_are_captured() {
    let (_proxy, root) = start_with(
        VmOptions::new().log_level(LogLevel::Error),
        "configure warn odd\nconfigure print hello\nconfigure log-level",
    );
    let line = |level, message: &str| LogLine { level, message: message.to_owned() };
    assert!(root.vm().log().contains(&line(LogLevel::Warn, "odd")));
    assert!(root.vm().log().contains(&line(LogLevel::Info, "hello")));
    assert_eq!(root.vm().log_at_least(LogLevel::Warn), ["odd"]);
    assert_eq!(result(root.vm(), "log-level"), "Ok(Error)");
    assert!(!root.vm().take_log().is_empty());
    assert!(root.vm().take_log().is_empty());
}

#[test]
fn the_environment_is_the_tests() {
    let (_proxy, root) = start_with(VmOptions::new().env("A", "1").env("B", "x=y"), "configure env");
    assert_eq!(result(root.vm(), "env"), r#"[("A", "1"), ("B", "x=y")]"#);
    let (_proxy, root) = start("configure env");
    assert_eq!(result(root.vm(), "env"), "[]");
}

#[test]
fn randomness_follows_the_seed() {
    let draw = |seed| {
        let (_proxy, root) = start_with(VmOptions::new().random_seed(seed), "configure random");
        result(root.vm(), "random")
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn properties_come_from_the_stream_the_vm_and_the_host() {
    let script = "request_headers property source.address\nrequest_headers property xds.route_name\n\
                  request_headers property plugin_name\nrequest_headers property request.id";
    let options =
        VmOptions::new().property("source.address", "192.0.2.1:1").property("xds.route_name", "r").plugin_name("p");
    let (_proxy, root) = start_with(options, script);
    let stream = root.open();
    stream.set_property("source.address", "192.0.2.2:2");
    stream.receive_headers(crate::REQUEST, true);
    assert_eq!(result(root.vm(), "property source.address"), "192.0.2.2:2");
    assert_eq!(result(root.vm(), "property xds.route_name"), "r");
    assert_eq!(result(root.vm(), "property plugin_name"), "p");
    assert_eq!(result(root.vm(), "property request.id"), "Ok(None)");
}

#[test]
fn a_property_that_the_plugin_sets_is_filter_state() {
    let (_proxy, root) = start("request_headers set-property jotgate_subject alice\nlog property jotgate_subject");
    let stream = get(&root);
    assert_eq!(stream.property_text("jotgate_subject").as_deref(), Some("alice"));
    assert_eq!(stream.property("jotgate_issuer"), None);
    stream.end();
    assert_eq!(result(root.vm(), "property jotgate_subject"), "alice");
    assert_eq!(stream.property("jotgate_subject"), Some(b"alice".to_vec()));
}

#[test]
fn grpc_callouts_are_not_offered() {
    let (_proxy, root) = start("configure raw proxy_grpc_cancel 1\nconfigure raw proxy_get_status @ @ @");
    assert_eq!(result(root.vm(), "raw proxy_grpc_cancel 1"), "12 []");
    assert_eq!(result(root.vm(), "raw proxy_get_status @ @ @"), "0 [0, 0, 0]");
}

#[test]
fn a_forced_failure_does_nothing_else() {
    let vm = Proxy::new().vm(guest(), VmOptions::new());
    vm.fail_call("proxy_http_call", Status::UNIMPLEMENTED);
    vm.fail_call("random_get", Status(52));
    vm.fail_call("proxy_get_property", Status::INTERNAL_FAILURE);
    let root = vm.start("configure property plugin_name\nconfigure raw proxy_http_call 'c 0 0 0 0 0 0 5 @").unwrap();
    assert_eq!(results(root.vm(), "property plugin_name"), ["Err(InternalFailure)"]);
    assert_eq!(results(root.vm(), "raw proxy_http_call 'c 0 0 0 0 0 0 5 @"), ["12 [0]"]);
    assert!(vm.pending_callouts().is_empty());
}

#[test]
#[should_panic(expected = "there is no host call `proxy_nonsense`")]
fn a_misspelt_host_call_fails_the_test() {
    Proxy::new().vm(guest(), VmOptions::new()).fail_call("proxy_nonsense", Status::OK);
}
