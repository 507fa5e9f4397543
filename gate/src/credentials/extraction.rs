//! Envoy's own cases of where a token stands, and what Jotgate makes of them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::http::Request;
use crate::testing::policy;

/// A case: how Jotgate is configured for it, what it takes, and why that is not what Envoy takes; empty where it is.
struct Expected {
    id: &'static str,
    config: Value,
    taken: Result<Option<&'static str>, &'static str>,
    difference: &'static str,
}

fn table() -> Vec<Expected> {
    let case = |id, locations: Value, taken, difference| Expected {
        id,
        config: json!({"credentials": locations}),
        taken,
        difference,
    };
    let first = |id, locations: Value, taken, difference| Expected {
        id,
        config: json!({"credentials": locations, "credentialConflict": "first"}),
        taken,
        difference,
    };
    let bearer = || json!([{"header": "authorization", "scheme": "Bearer"}]);
    let prefix = |scheme: &str| json!({"header": "prefix-header", "scheme": scheme});
    let cookies = || json!([{"cookie": "token-cookie"}, {"cookie": "token-cookie-2"}, {"cookie": "token-cookie-3"}]);
    let all = || {
        json!([
            {"header": "authorization", "scheme": "Bearer"}, prefix("AAA"), {"header": "token-header"},
            {"query": "access_token"}, {"query": "token_param"},
        ])
    };
    vec![
        case("default-header", bearer(), Ok(Some("jwt_token")), ""),
        case(
            "valid-then-space-and-junk",
            bearer(),
            Err("malformed_credentials"),
            "a token with a blank in it is no token; Envoy refuses it later, as no JWT",
        ),
        case("default-param", bearer(), Ok(None), "the query is a location only where it is listed (RFC 6750 §2.3)"),
        case("default-param", json!([{"query": "access_token"}]), Ok(Some("jwt_token")), ""),
        case(
            "dup-custom-header",
            json!([{"header": "token-header"}]),
            Err("ambiguous_credentials"),
            "two lines are two credentials; Envoy joins them to what is no JWT",
        ),
        case("prefix-mismatch", json!([prefix("AAA"), prefix("AAABBB")]), Ok(None), ""),
        case(
            "prefix-match-two",
            json!([prefix("AAA"), prefix("AAABBB")]),
            Ok(None),
            "a scheme ends at a blank (RFC 9110 §11.4), it is no prefix",
        ),
        case(
            "prefix-anywhere",
            json!([prefix("CCCDDD")]),
            Ok(None),
            "a scheme begins the value, and no token is cut out of the middle of a text",
        ),
        case("cookies", cookies(), Err("ambiguous_credentials"), "Envoy verifies every token that it finds"),
        first("cookies", cookies(), Ok(Some("token-cookie-value")), "one credential is used, the others are not"),
        case("cookie-disables-default", json!([{"cookie": "token-cookie"}]), Ok(Some("token-cookie-value")), ""),
        case("multi-location-order", all(), Err("ambiguous_credentials"), "Envoy verifies every token that it finds"),
        first("multi-location-order", all(), Ok(Some("token1")), "one credential is used, the others are not"),
    ]
}

#[test]
fn envoys_cases_are_read_strictly() {
    if vectors::are_absent() {
        return;
    }
    let cases: Vec<Value> = vectors::read_json("envoy/extraction_cases.json");
    let table = table();
    for case in &cases {
        assert!(table.iter().any(|expected| case["id"] == expected.id), "{} is not in the table", case["id"]);
    }
    for expected in table {
        let case = cases.iter().find(|case| case["id"] == expected.id).expect("is among the cases");
        let taken = take(case, &expected.config);
        assert_eq!(taken, expected.taken.map(|token| token.map(String::from)), "{}", expected.id);
        let theirs: Vec<_> = case["tokens"].as_array().expect("is a list").iter().filter_map(Value::as_str).collect();
        let is_same = taken.is_ok_and(|token| token.iter().eq(theirs.iter()));
        assert_eq!(is_same, expected.difference.is_empty(), "{}: {theirs:?}", expected.id);
    }
}

fn take(case: &Value, config: &Value) -> Result<Option<String>, &'static str> {
    let text = |value: &Value| value.as_str().expect("is text").replace("{GoodToken}", "a.b.c").into_bytes();
    let mut lines = vec![(b":path".to_vec(), case.get("path").map_or(b"/".to_vec(), text))];
    for line in case["headers"].as_array().into_iter().flatten() {
        lines.push((text(&line[0]).to_ascii_lowercase(), text(&line[1])));
    }
    let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let credential = policy(config).credentials.take(&Request::new(&lines));
    let token = credential.map_err(|cause| cause.reason.name())?;
    Ok(token.map(|credential| String::from_utf8(credential.token.into_owned()).expect("is text")))
}
