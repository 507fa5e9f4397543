//! Contexts: their start and end, and acting for another one.

use crate::{get, guest, result, results, start, start_with, violations};
use std::time::Duration;
use strict_host::{Outcome, Proxy, VmOptions};

const TICK: Duration = Duration::from_millis(10);

#[test]
fn a_vm_starts_as_in_envoy() {
    let options = VmOptions::new().vm_configuration("vm_start buffer 6 0 8");
    let (_proxy, root) = start_with(options, "configure buffer 7 0 16");
    assert_eq!(result(root.vm(), "buffer 6 0 8"), "vm_start");
    assert_eq!(result(root.vm(), "buffer 7 0 16"), "configure buffer");
}

#[test]
fn a_refused_configuration_is_a_value() {
    let vm = Proxy::new().vm(guest(), VmOptions::new());
    let refused = vm.start("configure warn nonsense\nconfigure refuse").unwrap_err();
    assert_eq!(refused.callback, "proxy_on_configure");
    assert!(refused.to_string().contains("[Warn] nonsense"), "{refused}");

    let vm = Proxy::new().vm(guest(), VmOptions::new().vm_configuration("vm_start refuse"));
    assert_eq!(vm.start("").unwrap_err().callback, "proxy_on_vm_start");
}

#[test]
fn no_configuration_reads_as_none() {
    let (_proxy, root) = start("");
    assert_eq!(get(&root).forwarded().len(), 4);
}

#[test]
fn a_vm_holds_several_configurations() {
    let vm = Proxy::new().vm(guest(), VmOptions::new());
    let one = vm.start("request_headers add 0 x-root one").unwrap();
    let two = vm.start("request_headers add 0 x-root two").unwrap();
    assert_eq!(get(&one).forwarded().text("x-root").as_deref(), Some("one"));
    assert_eq!(get(&two).forwarded().text("x-root").as_deref(), Some("two"));
}

#[test]
fn a_root_resumes_a_stream_through_the_effective_context() {
    let script = "configure tick 10\nrequest_headers pause\ntick effective 2\ntick add 0 x-user alice\n\
                  tick resume request\ntick add 0 x-still open";
    let (proxy, root) = start(script);
    let stream = get(&root);
    proxy.advance(TICK);
    let headers = stream.forwarded();
    assert_eq!(headers.text("x-user").as_deref(), Some("alice"));
    // The resume takes effect once the plugin has returned.
    assert_eq!(headers.text("x-still").as_deref(), Some("open"));
}

#[test]
fn a_root_answers_a_stream_through_the_effective_context() {
    let (proxy, root) = start("configure tick 10\nrequest_headers pause\ntick effective 2\ntick reply 503 later");
    let stream = get(&root);
    proxy.advance(TICK);
    assert_eq!(stream.reply().status, 503);
    root.vm().take_violations();
}

#[test]
fn the_effective_context_ends_with_the_callback() {
    let (proxy, root) = start("configure tick 10\nrequest_headers pause\ntick effective 2\nqueue resume request");
    let stream = get(&root);
    proxy.advance(TICK);
    assert!(stream.is_waiting());
    let (proxy, root) = start("configure tick 10\nrequest_headers pause\ntick resume request");
    let stream = get(&root);
    proxy.advance(TICK);
    assert!(stream.is_waiting());
    assert_eq!(violations(root.vm()), ["a root context has no stream: set the effective context first"]);
}

#[test]
fn a_stream_that_is_gone_cannot_be_resumed() {
    let (proxy, root) = start("configure tick 10\nrequest_headers pause\ntick effective 2\ntick effective 77");
    let stream = get(&root);
    stream.cancel();
    proxy.advance(TICK);
    assert_eq!(result(root.vm(), "effective 2"), "Err(BadArgument)");
    assert_eq!(violations(root.vm()), ["context 2 was deleted", "context 77 was never created"]);
    assert_eq!(stream.outcome(), Outcome::Abandoned);
}

#[test]
fn the_end_of_a_stream_logs_with_all_headers() {
    let (_proxy, root) = start("log pairs 0\nlog pairs 2\nlog get 0 :path");
    let stream = get(&root);
    stream.respond([(":status", "200")], true);
    stream.end();
    assert_eq!(result(root.vm(), "get 0 :path"), "/");
    assert_eq!(result(root.vm(), "pairs 2"), ":status=200");
}

#[test]
fn a_root_can_ask_for_time_before_it_is_deleted() {
    let (_proxy, root) = start("root_done log-level\nroot_delete time");
    let vm = root.vm().clone();
    assert!(root.shut_down());
    assert_eq!((results(&vm, "log-level").len(), results(&vm, "time").len()), (1, 1));

    let (proxy, root) = start("configure tick 10\nroot_done refuse\ntick raw proxy_done\nroot_delete time");
    let vm = root.vm().clone();
    assert!(!root.shut_down());
    assert_eq!(results(&vm, "time").len(), 0);
    proxy.advance(TICK * 5);
    assert_eq!(results(&vm, "raw proxy_done"), ["0 []"]);
    assert_eq!(results(&vm, "time").len(), 1);
}

#[test]
fn a_root_that_is_gone_gets_no_answers() {
    let (proxy, root) = start("configure call idp / 1000\ncallout time");
    let vm = root.vm().clone();
    root.shut_down();
    proxy.advance(Duration::from_secs(5));
    assert_eq!(results(&vm, "time"), [""; 0]);
}
