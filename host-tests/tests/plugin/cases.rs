//! Behaviours that are written as data, in `host-tests/cases`.

use std::time::Duration;

use host_tests::cases::run_all;
use serde_json::{Value, json};

use crate::world::{ISSUER, key_set, plugin, token};

/// `{{keys: {}}}` is the issuer's key set, `{{issuer: {}}}` its name, `{{token: {…}}}` a token.
fn mint(placeholder: &Value, now: Duration) -> Result<Value, String> {
    let members = placeholder.as_object().ok_or("expected an object")?;
    match members.iter().next() {
        Some((name, _)) if name == "keys" => Ok(key_set()),
        Some((name, _)) if name == "issuer" => Ok(json!(ISSUER)),
        Some((name, request)) if name == "token" => token(request, now).map(Value::String),
        _ => Err("expected `keys`, `issuer` or `token`".into()),
    }
}

#[test]
fn all_cases_pass() {
    run_all(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"), plugin(), &mint);
}
