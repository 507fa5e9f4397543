//! What entries may be like.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use gate::Policy;
use serde_json::{Value, json};

use super::{beside_jwts, entry};
use crate::support::{inline, policy};

fn errors(config: &Value) -> String {
    let env = |name: &str| (name == "ODD").then(|| String::from("two words"));
    Policy::parse(config.to_string().as_bytes(), &env).expect_err("is refused").to_string()
}

#[test]
fn an_entry_is_an_issuer_behind_the_others() {
    let policy = policy(&beside_jwts(&[entry("gaf", &json!({}))], &json!({})));
    let names: Vec<_> =
        policy.issuers().iter().map(|issuer| (issuer.name(), issuer.signs(), issuer.is_introspected())).collect();
    assert_eq!(names, [("main", true, false), ("gaf", false, true)]);
    assert!(policy.warnings().is_empty());
}

#[test]
fn entries_may_be_all_there_is() {
    let policy = policy(&json!({"introspection": [entry("gaf", &json!({}))], "default": "authenticated"}));
    assert_eq!(policy.issuers().len(), 1);
    let neither = errors(&json!({"default": "authenticated"}));
    assert!(neither.contains("`issuers` is missing"), "{neither}");
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn all_errors_of_entries_are_reported_at_once() {
    let entries = [
        json!({}),
        entry(
            "Gaf",
            &json!({
                "issuer": "", "match": {}, "endpoint": "ftp://x", "cluster": 1, "client": {"id": "gate"}, "style": "github",
                "audiences": "data", "scopeClaims": [], "groupsClaim": 1, "groupScopes": {"a b": ["x"]},
                "claims": {"active": "on", "sub": "a", "cnf": "x"}, "cacheFor": "0s", "negativeFor": "1", "timeout": "5", "other": 1,
            }),
        ),
        entry("a", &json!({"match": {"prefix": "a", "pattern": "a"}, "client": null})),
        entry("b", &json!({"match": {"prefix": ""}, "style": "self"})),
        entry("c", &json!({"match": {"prefix": "a b"}, "client": {"token": {"env": "ODD"}}})),
        entry("d", &json!({"match": {"pattern": "("}, "client": {"token": {"env": "NONE"}, "id": "x"}})),
        entry("e", &json!({"claims": {"sub": "a", "subject": "b"}})),
    ];
    insta::assert_snapshot!(errors(&beside_jwts(&entries, &json!({}))));
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn entries_do_not_get_in_each_others_way() {
    let form = |name: &str, form: Value| entry(name, &json!({"match": form}));
    let entries = [
        form("main", json!({"prefix": "m-"})),
        form("a", json!({"prefix": "gt-"})),
        form("b", json!({"prefix": "gt-x"})),
        form("a", json!({"prefix": "other"})),
        form("c", json!({"pattern": "[a-z]+"})),
        form("d", json!({"pattern": "[a-z]+"})),
        form("e", Value::Null),
        form("f", Value::Null),
    ];
    insta::assert_snapshot!(errors(&beside_jwts(&entries, &json!({}))));
}

#[test]
fn nobody_logs_in_where_tokens_are_looked_up() {
    let login = |provider: &str| {
        json!({
            "login": {"provider": provider, "issuer": "gaf", "client": {"id": "gate", "secret": "s3cret"}, "cluster": "gaf"},
            "session": {"secrets": ["0123456789abcdef0123456789abcdef"], "publicUrl": "https://api.example.com"},
            "introspection": [entry("gaf", &json!({}))],
        })
    };
    for provider in ["oidc", "github"] {
        let found = errors(&inline(&login(provider)));
        assert!(found.contains("login.issuer: expected one of the `issuers`"), "{found}");
    }
}

#[test]
fn rules_name_entries_as_they_name_issuers() {
    let rules = |issuer: &str| json!({"rules": [{"access": {"issuers": [issuer]}}]});
    policy(&beside_jwts(&[entry("gaf", &json!({}))], &rules("gaf")));
    assert!(errors(&beside_jwts(&[entry("gaf", &json!({}))], &rules("fag"))).contains("rules[0].access.issuers[0]"));
}
