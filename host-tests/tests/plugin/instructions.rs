//! What ordinary requests cost, in instructions of the module: nearly the same number in every run, on any machine.
//!
//! `instructions.tsv` holds what they cost when they were last looked at; `make instructions` writes it anew. What the
//! host does for the plugin is not in these numbers: `make bench` measures that.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use strict_host::{Proxy, Root, Vm, VmOptions};

use crate::world::{get, inline, log_in, plugin, summary, token, with_sessions};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.tsv");
/// By how many percent a cost may change before somebody has to look at it. Signatures differ in length by a byte or
/// two, and tokens in where they stand in the cache: that is less.
const TOLERANCE: u64 = 8;

struct Meter {
    proxy: Proxy,
    vm: Vm,
    root: Root,
}

impl Meter {
    fn new(changes: &Value) -> Self {
        Self::with(inline(changes))
    }

    fn with(config: String) -> Self {
        let proxy = Proxy::new();
        let vm = proxy.vm(plugin(), VmOptions::new());
        let root = vm.start(config).unwrap();
        Self { proxy, vm, root }
    }

    /// A token for alice; `number` makes it another one.
    fn token(&self, algorithm: &str, number: usize, claims: &Value) -> String {
        let mut claims = claims.clone();
        claims["jti"] = json!(format!("{number:04}"));
        token(&json!({"alg": algorithm, "claims": claims}), self.proxy.clock().now()).unwrap()
    }

    fn cost(&self, path: &str, headers: &[(&str, &str)], verdict: &str) -> u64 {
        let before = self.vm.fuel();
        let stream = get(&self.root, path, headers);
        assert_eq!(summary(&stream), verdict, "{path}");
        if verdict == "ok" {
            stream.respond([(":status", "200"), ("content-type", "application/json")], true);
        }
        stream.end();
        self.vm.fuel() - before
    }

    /// Of the third request like this: the first ones make what is made once.
    fn usual_cost(&self, path: &str, headers: &[(&str, &str)], verdict: &str) -> u64 {
        (0..3).map(|_| self.cost(path, headers, verdict)).last().unwrap()
    }

    /// Of a request with a token that came before, and with further headers.
    fn known(&self, path: &str, claims: &Value, headers: &[(&str, &str)]) -> u64 {
        let credential = format!("Bearer {}", self.token("RS256", 0, claims));
        let mut lines = vec![("authorization", credential.as_str())];
        lines.extend(headers);
        self.usual_cost(path, &lines, "ok")
    }

    /// Of a request with a session that came before.
    fn known_session(&self, path: &str, claims: &Value) -> u64 {
        let cookie = log_in(&self.root, &self.proxy, claims);
        self.usual_cost(path, &[("cookie", &cookie)], "ok")
    }

    /// Of a request with a token that did not.
    fn new_token(&self, algorithm: &str, claims: &Value) -> u64 {
        let cost = |number| {
            let credential = format!("Bearer {}", self.token(algorithm, number, claims));
            self.cost("/a/x", &[("authorization", &credential)], "ok")
        };
        (0..3).map(cost).last().unwrap()
    }
}

/// Rules for `/a/**` to `/…/**`; the last one lets requests for `/a/**` pass that have the scope.
fn rules(count: usize, path: impl Fn(usize) -> Value) -> Value {
    let others = (1..count).map(|number| json!({"match": path(number), "access": {"scopes": {"all": ["other"]}}}));
    let last = json!({"match": {"paths": ["/a/**"]}, "access": {"scopes": {"all": ["read"]}}});
    json!({"rules": others.chain([last]).collect::<Vec<_>>()})
}

fn costs() -> BTreeMap<String, u64> {
    let usual = json!({"scope": "read write", "email": "alice@example.com", "groups": ["a", "b"]});
    let mut costs = BTreeMap::new();
    let mut add = |name: &str, cost| assert!(costs.insert(name.to_string(), cost).is_none(), "{name}");

    let ten_rules = rules(10, |number| json!({"paths": [format!("/r{number}/**")]}));
    let ten = Meter::new(&ten_rules);
    add("known token", ten.known("/a/x", &usual, &[]));
    let names: Vec<_> = (0..50).map(|number| format!("x-header-{number:02}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "some value of some length")).collect();
    add("known token, 50 more headers", ten.known("/a/x", &usual, &headers));
    let mut long = usual.clone();
    long["text"] = json!("x".repeat(6000));
    add("known token of 8 KiB", ten.known("/a/x", &long, &[]));
    add("known token, forged identity", ten.known("/a/x", &usual, &[("x-auth-request-user", "root")]));
    add("known token, path with escapes", ten.known("/a/caf%C3%A9/%7Ex?y=1", &usual, &[]));
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA"] {
        add(&format!("new token, {algorithm}"), ten.new_token(algorithm, &usual));
    }
    add("new token of 8 KiB, RS256", ten.new_token("RS256", &long));
    let browsers = Meter::with(with_sessions(&["a secret that seals the sessions of tests"], &ten_rules));
    add("known session", browsers.known_session("/a/x", &usual));
    add("no token", ten.usual_cost("/a/x", &[], "401 missing_token"));
    let expired = format!("Bearer {}", ten.token("RS256", 0, &json!({"exp": 1000})));
    add("expired token", ten.usual_cost("/a/x", &[("authorization", &expired)], "401 expired"));

    add("public", Meter::new(&json!({})).usual_cost("/public/x", &[], "ok"));
    let siblings = Meter::new(&rules(1000, |number| json!({"paths": [format!("/a/r{number}/**")]})));
    add("known token, 1,000 sibling rules", siblings.known("/a/x", &usual, &[]));
    let mixed = Meter::new(&rules(1000, |number| match number % 4 {
        0 => json!({"paths": [format!("/r{number}/{{id}}/items")]}),
        1 => json!({"hosts": [format!("h{number}.example.com")]}),
        2 => json!({"paths": [format!("/s/r{number}/x*")], "methods": ["POST"]}),
        _ => json!({"hosts": ["api.example.com"], "paths": [format!("/t{number}/**")]}),
    }));
    add("known token, 1,000 mixed rules", mixed.known("/a/x", &usual, &[]));
    costs
}

#[test]
fn requests_cost_what_they_cost_before() {
    let costs = costs();
    if std::env::var_os("JOTGATE_WRITE_INSTRUCTIONS").is_some() {
        let table = costs.iter().fold(String::new(), |mut table, (name, cost)| {
            writeln!(table, "{name}\t{cost}").unwrap();
            table
        });
        return std::fs::write(TABLE, table).unwrap();
    }
    let table = std::fs::read_to_string(TABLE).unwrap();
    let before: BTreeMap<_, u64> = table
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(name, cost)| (name.to_string(), cost.parse().unwrap()))
        .collect();
    assert!(before.keys().eq(costs.keys()), "`make instructions` writes {TABLE} anew: it has other requests");
    let mut changed = String::new();
    for (name, &cost) in &costs {
        let was = before[name];
        println!("{cost:>9} instructions, {was:>9} before: {name}");
        if cost.abs_diff(was) * 100 > was * TOLERANCE {
            writeln!(changed, "{name}: {cost} instructions instead of {was}").unwrap();
        }
    }
    assert!(
        changed.is_empty(),
        "requests cost more or less than before; if that is meant, `make instructions` writes it down\n{changed}"
    );
}
