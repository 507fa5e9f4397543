//! The runner of cases, tried on the guest.

use crate::guest;
use serde_json::{Value, json};
use std::time::Duration;
use strict_host::cases::{run_all, run_file};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guest/cases");

/// `{{word: alice}}` is `alice`.
fn mint(placeholder: &Value, _now: Duration) -> Result<Value, String> {
    match &placeholder["word"] {
        Value::Null => Err("only words are known".to_owned()),
        Value::String(word) => Ok(json!(word)),
        other => Ok(json!(other.to_string())),
    }
}

/// The failures of a case that must fail, without the file's path.
fn failures(file: &str) -> String {
    let error = run_file(format!("{CASES}/bad/{file}"), guest(), &mint).unwrap_err();
    error.split_once(".yaml: ").unwrap().1.to_owned()
}

#[test]
fn good_cases_pass() {
    run_all(format!("{CASES}/good"), guest(), &mint);
}

#[test]
#[should_panic(expected = "5 of 5 cases failed:")]
fn bad_cases_fail() {
    run_all(format!("{CASES}/bad"), guest(), &mint);
}

#[test]
fn every_difference_is_told() {
    let expected = r#"each difference is told
- requests[0]: header x-none: expected ["x"], found []
- requests[0]: header x-user: expected ["bob"], found ["alice"]
- requests[0]: header :path: expected [], found ["/"]
- requests[0]: property jotgate_subject: expected Some("alice"), found None
- requests[1]: expected it to be answered, found Continued("#;
    let found = failures("everything.yaml");
    assert!(found.starts_with(expected), "{found}");
    assert!(found.ends_with("\n- counter hits: expected Some(2), found None"), "{found}");
}

#[test]
fn a_violation_fails_a_case() {
    let found = failures("violation.yaml");
    assert!(found.contains("`X-User` is not a header name"), "{found}");
}

#[test]
fn a_configuration_that_passes_fails_a_case_that_wants_it_refused() {
    let expected = "a configuration that should be refused is not\n\
                    - expected the configuration to be refused, but it was accepted";
    assert_eq!(failures("accepted.yaml"), expected);
}

#[test]
fn unknown_members_and_placeholders_are_errors() {
    let found = failures("misspelt.yaml");
    assert!(found.contains("unknown field `expcet`, expected one of `advance`, `send`, `expect`"), "{found}");
    assert!(found.contains("line 4"), "{found}");
    assert_eq!(failures("unminted.yaml"), r#"placeholder `{"nonsense":1}`: only words are known"#);
}
