//! Behaviours that are written as data, in `host-tests/cases`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strict_host::cases::run_all;

use crate::world::{ISSUER, key_set, plugin, token};

/// `{{keys: {}}}` is the issuer's key set, `{{issuer: {}}}` its name, `{{token: {…}}}` a token, `{{basic: [user,
/// password]}}` what `Authorization: Basic` has for the pair, either of which may be `{…}` for a token.
fn mint(placeholder: &Value, now: Duration) -> Result<Value, String> {
    let members = placeholder.as_object().ok_or("expected an object")?;
    match members.iter().next() {
        Some((name, _)) if name == "keys" => Ok(key_set()),
        Some((name, _)) if name == "issuer" => Ok(json!(ISSUER)),
        Some((name, request)) if name == "token" => token(request, now).map(Value::String),
        Some((name, Value::Array(pair))) if name == "basic" => {
            let halves = pair.iter().map(|half| half.as_str().map_or_else(|| token(half, now), |text| Ok(text.into())));
            let halves: Vec<String> = halves.collect::<Result<_, String>>()?;
            Ok(json!(STANDARD.encode(halves.join(":"))))
        }
        _ => Err("expected `keys`, `issuer`, `token` or `basic`".into()),
    }
}

#[test]
fn all_cases_pass() {
    run_all(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"), plugin(), &mint);
}
