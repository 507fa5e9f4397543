//! The policy: in every dimension a rule that protects, and a weaker one that follows.

use serde_json::{Value, json};
use testbed::issuer::Issuer;

use crate::world::Gateway;

/// The listeners of the Envoy that tests share.
pub(crate) const ALL: [Gateway; 3] =
    [("strict", || json!({})), ("lenient", || json!({"paths": "lenient"})), ("preflights", preflights)];

/// The rule that is meant for a handler.
pub(crate) const HANDLERS: [(&str, &str); 17] = [
    ("read-item", "items"),
    ("delete-item", "delete-items"),
    ("item", "items"),
    ("acme", "acme"),
    ("tenant", "tenants"),
    ("purge", "purge"),
    ("job", "jobs"),
    ("style", "styles"),
    ("secret", "static"),
    ("braces", "braces"),
    ("x", "x"),
    ("pipe", "pipe"),
    ("public", "public"),
    ("admin", "admin"),
    ("api-site", "api-site"),
    ("public-site", "public-site"),
    ("other-site", "rest"),
];

/// Whether a rule may let a request through to a handler: one that is meant for it, or one that asks for more.
pub(crate) fn is_meant(rule: &str, handler: &str) -> bool {
    let meant = HANDLERS.iter().find(|(name, _)| *name == handler).map_or("rest", |(_, rule)| rule);
    let is_weak = |rule| WEAK.contains(&rule);
    rule == meant || !is_weak(rule) && (is_weak(meant) || meant == "rest")
}

/// The rules that ask for nothing.
pub(crate) const WEAK: [&str; 7] = ["items", "tenants", "jobs", "x", "styles", "public", "public-site"];

pub(crate) fn config(issuer: &Issuer, changes: &Value) -> Value {
    let mut config = json!({
        "issuers": [{
            "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
            "keys": {"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer"},
        }],
        "rules": [
            rule("delete-items", &json!({"paths": ["/items/*"], "methods": ["DELETE"]})),
            rule("items", &json!({"paths": ["/items/*"]})),
            rule("acme", &json!({"paths": ["/tenant/**"], "headers": {"x-tenant": "acme"}})),
            rule("tenants", &json!({"paths": ["/tenant/**"]})),
            rule("purge", &json!({"paths": ["/jobs/*%3Adelete"]})),
            rule("jobs", &json!({"paths": ["/jobs/*"]})),
            rule("styles", &json!({"paths": ["/static/*.css"]})),
            rule("static", &json!({"paths": ["/static/**"]})),
            rule("braces", &json!({"paths": ["/x/%7Badmin%7D/**"]})),
            rule("x", &json!({"paths": ["/x/**"]})),
            rule("pipe", &json!({"paths": ["/p%7Cq"]})),
            rule("admin", &json!({"paths": ["/admin/**"]})),
            rule("public", &json!({"paths": ["/public/**"]})),
            rule("api-site", &json!({"paths": ["/site"], "hosts": ["api.example.com"]})),
            rule("public-site", &json!({"paths": ["/site"], "hosts": ["public.example.com"]})),
            rule("rest", &Value::Null),
        ],
    });
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// A rule that asks for a scope, unless it is one of the weak.
fn rule(name: &str, criteria: &Value) -> Value {
    let access = if WEAK.contains(&name) { json!("public") } else { json!({"scopes": {"all": ["all"]}}) };
    match criteria {
        Value::Null => json!({"name": name, "access": access}),
        criteria => json!({"name": name, "match": criteria, "access": access}),
    }
}

/// Nothing passes but preflights.
fn preflights() -> Value {
    json!({"corsPreflight": "pass", "rules": [{"name": "all", "access": "deny"}]})
}
