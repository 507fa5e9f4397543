//! A VM with several configurations.

use gate::{RequestId, Timestamp};
use serde_json::{Value, json};

use super::support::{NOW, Trusting, get, host};
use crate::driver::Action;
use crate::host::{Host as _, LogLevel};
use crate::memory::{Call, Memory, Outcome};
use crate::vm::Vm;

fn configure(vm: &mut Vm<Trusting>, host: &mut Memory, root: u32, configuration: &Value) -> bool {
    host.configuration = configuration.to_string().into_bytes();
    vm.configure(host, root, host.configuration.len(), |_| Trusting)
}

fn send(vm: &mut Vm<Trusting>, host: &mut Memory, context: u32, root: u32) -> (Action, String) {
    vm.create_context(context, root);
    host.requests.insert(RequestId(context.into()), get("/x"));
    host.select_request(RequestId(context.into())).expect("is there");
    let action = vm.request_headers(host, context, false);
    let details = match host.requests.get(&RequestId(context.into())).map(|exchange| &exchange.outcome) {
        Some(Outcome::Replied { details, .. }) => details.clone(),
        _ => String::new(),
    };
    (action, details)
}

fn all(access: &str) -> Value {
    let keys = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
    json!({
        "issuers": [{"name": "main", "issuer": "https://idp.example.com", "audiences": ["api"], "keys": keys}],
        "default": access,
    })
}

#[test]
fn each_request_is_decided_by_the_configuration_of_its_root() {
    let (mut vm, mut host) = (Vm::new(), host());
    for (root, access) in [(1, "public"), (2, "deny")] {
        vm.create_context(root, 0);
        assert!(configure(&mut vm, &mut host, root, &all(access)));
    }
    assert_eq!(send(&mut vm, &mut host, 10, 1), (Action::Continue, String::new()));
    assert_eq!(send(&mut vm, &mut host, 11, 2), (Action::Pause, "jotgate_no_rule".into()));
    vm.delete_context(&mut host, 1);
    assert_eq!(send(&mut vm, &mut host, 12, 1), (Action::Pause, "jotgate_host_failure".into()));
    assert_eq!(send(&mut vm, &mut host, 13, 2), (Action::Pause, "jotgate_no_rule".into()));
}

#[test]
fn a_request_without_a_configuration_is_refused() {
    let (mut vm, mut host) = (Vm::default(), host());
    assert_eq!(send(&mut vm, &mut host, 10, 1), (Action::Pause, "jotgate_host_failure".into()));
    assert_eq!(vm.request_trailers(&mut host, 10), Action::Pause);
}

#[test]
fn every_mistake_in_a_configuration_is_logged_and_the_one_before_stays() {
    let (mut vm, mut host) = (Vm::new(), host());
    vm.create_context(1, 0);
    assert!(configure(&mut vm, &mut host, 1, &all("public")));
    let mut broken = all("nonsense");
    broken["rules"] = json!([{"access": "neither"}]);
    assert!(!configure(&mut vm, &mut host, 1, &broken));
    let refused = |(level, line): &&(LogLevel, String)| {
        *level == LogLevel::Error && line.starts_with("jotgate: configuration refused: ")
    };
    assert_eq!(host.log.iter().filter(refused).count(), 2);
    assert_eq!(send(&mut vm, &mut host, 10, 1).0, Action::Continue);
}

#[test]
fn a_configuration_that_cannot_be_read_is_rejected() {
    for call in [Call::Configuration, Call::Now] {
        let (mut vm, mut host) = (Vm::new(), host());
        host.fail(call);
        assert!(!configure(&mut vm, &mut host, 1, &all("public")), "{call:?}");
        let line = "jotgate: the host gives neither configuration nor time";
        assert_eq!(host.log, [(LogLevel::Error, line.to_owned())]);
    }
}

#[test]
fn timers_and_answers_reach_their_configuration_and_no_other() {
    let (mut vm, mut host) = (Vm::new(), Memory::new(Timestamp::from_secs(NOW)));
    vm.create_context(1, 0);
    assert!(configure(&mut vm, &mut host, 1, &all("authenticated")));
    vm.tick(&mut host, 2);
    assert!(host.callouts.is_empty());
    vm.tick(&mut host, 1);
    let token = host.callouts.first().map(|(token, _)| *token).expect("keys are fetched");
    vm.callout_answered(&mut host, 2, token, 0);
    assert_eq!(host.metrics.get("jotgate_keys_failed_main"), None);
    vm.callout_answered(&mut host, 1, token, 0);
    assert_eq!(host.metrics.get("jotgate_keys_failed_main"), Some(&1));
}

#[test]
fn counters_are_there_before_the_first_event() {
    let (mut vm, mut host) = (Vm::new(), host());
    assert!(configure(&mut vm, &mut host, 1, &all("public")));
    for name in ["jotgate_requests_allowed", "jotgate_requests_denied_missing_token", "jotgate_keys_failed_main"] {
        assert!(host.metric_names().any(|known| known == name), "{name}");
    }
}
