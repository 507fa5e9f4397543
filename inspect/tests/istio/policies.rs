//! Policies and requests of all kinds.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::model::Request;

pub(crate) const ONE: &str = "https://one.example.com";
pub(crate) const TWO: &str = "https://two.example.com";

const PATHS: [&str; 14] = [
    "/a", "/a*", "/a/*", "/a/b", "/a/b/*", "*.js", "*/b", "*", "/a/{*}", "/{*}/b", "/a/{**}", "/c", "/a/x.js",
    "/a/{*}/c",
];
const HOSTS: [&str; 6] = ["example.com", "example.com:*", "*.example.com", "api.example.com", "*", "other.org:*"];
const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "*"];
const PRINCIPALS: [&str; 9] = [
    "*",
    "https://one.example.com/alice",
    "https://one.example.com/*",
    "https://one.example.com/a*",
    "https://*",
    "*/alice",
    "*lice",
    "*com/bob",
    "https://three.example.com/alice",
];
const CONDITIONS: [(&str, &[&str]); 9] = [
    ("request.auth.claims[groups]", &["a", "ab", "b c", "a*", "*b", "*"]),
    ("request.auth.claims[scope]", &["read", "write", "r*", "*e", "*", "read write"]),
    ("request.auth.claims[permission]", &["x", "y", "x*", "*y"]),
    ("request.auth.claims[n][m]", &["v", "*", "w"]),
    ("request.auth.claims[a.b]", &["v"]),
    ("request.auth.audiences", &["api", "web"]),
    ("request.auth.presenter", &["app"]),
    ("request.auth.principal", &["https://two.example.com/bob"]),
    ("request.headers[x-t]", &["1", "2"]),
];

fn values(pool: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(pool, 1..=pool.len().min(3)).prop_map(|values| json!(values))
}

/// Fields of an object: some of these, at least one.
fn fields(known: Vec<(&'static str, &'static [&'static str])>) -> impl Strategy<Value = Value> {
    let field = select(known).prop_flat_map(|(name, pool)| values(pool).prop_map(move |values| (name, values)));
    vec(field, 1..=2).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, values)| (name.to_string(), values)).collect::<Map<_, _>>())
    })
}

fn operation() -> impl Strategy<Value = Value> {
    fields(vec![
        ("paths", &PATHS),
        ("paths", &PATHS),
        ("notPaths", &PATHS),
        ("methods", &METHODS),
        ("notMethods", &METHODS[..2]),
        ("hosts", &HOSTS),
        ("notHosts", &HOSTS[..3]),
    ])
}

/// `hidden`: of what Jotgate does not see, too.
fn source(hidden: bool) -> impl Strategy<Value = Value> {
    let mut known: Vec<(&str, &[&str])> =
        vec![("requestPrincipals", &PRINCIPALS), ("notRequestPrincipals", &PRINCIPALS)];
    if hidden {
        known.extend([
            ("principals", &["cluster.local/ns/a/sa/b", "*"][..]),
            ("notNamespaces", &["a"]),
            ("ipBlocks", &["10.0.0.1"]),
        ]);
    }
    fields(known)
}

fn when() -> impl Strategy<Value = Value> {
    (select(&CONDITIONS[..]), any::<bool>()).prop_flat_map(|((key, pool), is_not)| {
        let name = if is_not { "notValues" } else { "values" };
        values(pool).prop_map(move |values| json!({"key": key, name: values}))
    })
}

fn rule(hidden: bool) -> impl Strategy<Value = Value> {
    let from = vec(source(hidden).prop_map(|source| json!({"source": source})), 1..=2);
    let to = vec(operation().prop_map(|operation| json!({"operation": operation})), 1..=2);
    (weighted(0.5, from), weighted(0.8, to), weighted(0.4, vec(when(), 1..=2))).prop_map(|(from, to, when)| {
        let parts = [("from", from), ("to", to), ("when", when)];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_string(), json!(part?))));
        Value::Object(parts.collect())
    })
}

/// A policy.
fn policy(hidden: bool) -> impl Strategy<Value = Value> {
    let actions =
        if hidden { vec!["ALLOW", "DENY", "CUSTOM", "AUDIT"] } else { vec!["ALLOW", "ALLOW", "DENY", "AUDIT"] };
    (select(actions), vec(rule(hidden), 0..=3), proptest::bool::weighted(0.05)).prop_map(|(action, rules, is_dry)| {
        json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": "p", "namespace": "n", "annotations": {"istio.io/dry-run": is_dry.to_string()}},
            "spec": {"action": action, "rules": rules},
        })
    })
}

/// Several policies.
pub(crate) fn policies(hidden: bool) -> impl Strategy<Value = Vec<Value>> {
    vec(policy(hidden), 0..=3)
}

/// The issuers of all tokens.
pub(crate) fn authentication() -> Value {
    let rule = |issuer: &str| json!({"issuer": issuer, "jwks": crate::gate::KEYS});
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "jwt", "namespace": "n"},
        "spec": {"jwtRules": [rule(ONE), rule(TWO)]},
    })
}

/// Requests that try everything that policies match.
pub(crate) fn requests() -> impl Strategy<Value = Vec<Request>> {
    vec(request(), 60)
}

fn request() -> impl Strategy<Value = Request> {
    let paths = [
        "/",
        "/a",
        "/ab",
        "/a/",
        "/a/b",
        "/a/b/",
        "/a/b/c",
        "/a/x.js",
        "/x.js",
        "/b",
        "/c/b",
        "/a/b.js",
        "/a/b/c.js",
        "/c",
        "/a/x/c",
    ];
    let peers = [
        json!({}),
        json!({"principals": "cluster.local/ns/a/sa/b", "namespaces": "a", "ipBlocks": "10.0.0.1"}),
        json!({"principals": "cluster.local/ns/c/sa/d", "namespaces": "c", "ipBlocks": "10.0.0.2"}),
    ];
    (
        select(&["GET", "POST", "DELETE", "PUT"][..]),
        select(&["example.com", "api.example.com", "a.api.example.com", "other.org"][..]),
        select(paths.to_vec()),
        weighted(0.4, select(&["1", "2", "3"][..])),
        weighted(0.8, claims()),
        select(peers.to_vec()),
    )
        .prop_map(|(method, host, path, header, claims, peer)| Request {
            method: method.to_string(),
            host: host.to_string(),
            path: path.to_string(),
            header: header.map(String::from),
            claims,
            peer,
        })
}

fn claims() -> impl Strategy<Value = Value> {
    let some = |name: &'static str, values: Vec<Value>| {
        select(values).prop_map(move |value| (name.to_string(), value)).boxed()
    };
    let claims = vec![
        some("iss", vec![json!(ONE), json!(TWO)]),
        some("sub", vec![json!("alice"), json!("bob"), json!("malice"), json!(null)]),
        some(
            "groups",
            vec![json!("a"), json!("ab"), json!(["a", "b"]), json!("b c"), json!(["b c", "x"]), json!(null), json!("")],
        ),
        some("scope", vec![json!("read"), json!("read write"), json!("reader"), json!(["write", "x"]), json!(null)]),
        some("permission", vec![json!("x"), json!("x y"), json!("z yy"), json!(["x", "y"]), json!(null), json!(7)]),
        some("n", vec![json!({"m": "v"}), json!({"m": ["v", "u"]}), json!({"m": true}), json!("v"), json!(null)]),
        some("a.b", vec![json!("v"), json!(null)]),
        some("aud", vec![json!("api"), json!(["web", "api"]), json!(null)]),
        some("azp", vec![json!("app"), json!("other"), json!(null)]),
    ];
    claims.prop_map(|claims| Value::Object(claims.into_iter().filter(|(_, value)| !value.is_null()).collect()))
}
