//! What a request can cost that many rules are asked of, in instructions: bounded, whatever anybody sends.

use serde_json::{Value, json};
use strict_host::{Proxy, Root, VmOptions};

use crate::world::{get, inline, plugin, summary};

/// About what one good signature under an RSA key of 4,096 bits costs in Wasm.
const MOST: u64 = 13_500_000;

/// What the dearest of three requests costs.
fn cost(rules: &Value, path: &str, headers: &[(&str, &str)], verdict: &str) -> u64 {
    let proxy = Proxy::new();
    let vm = proxy.vm(plugin(), VmOptions::new());
    let root: Root = vm.start(inline(&json!({"rules": rules, "default": "public"}))).unwrap();
    let costs = (0..3).map(|_| {
        let before = vm.fuel();
        let stream = get(&root, path, headers);
        assert_eq!(summary(&stream), verdict);
        stream.end();
        vm.fuel() - before
    });
    costs.max().unwrap()
}

fn all(count: usize, matcher: impl Fn(usize) -> Value) -> Value {
    (0..count).map(|index| json!({"match": matcher(index), "access": "deny"})).collect()
}

#[test]
fn a_long_header_is_read_once_however_many_rules_name_it() {
    let few = all(1, |index| json!({"headers": {"x-tenant": format!("tenant-{index}")}}));
    let many = all(200, |index| json!({"headers": {"x-tenant": format!("tenant-{index}")}}));
    for line in [",".repeat(8192), "a,".repeat(4096), "\"".repeat(8192)] {
        let (few, many) = [&few, &many].map(|rules| cost(rules, "/", &[("x-tenant", &line)], "ok")).into();
        assert!(many < 3 * few && many < MOST / 3, "{few} {many}");
    }
    let long = ",".repeat(56_000);
    let refused = cost(&many, "/", &[("x-tenant", &long)], "400 ambiguous_request");
    assert!(refused < MOST / 10, "{refused}");
}

#[test]
fn expressions_cost_what_a_few_signatures_do_whatever_the_path() {
    // As many of the dearest as a configuration may have: one more is an error.
    let dear = |index: usize| json!({"paths": [{"regex": format!("/(.*[b].*[0-9b].*a){{1}}/(a?){{10}}x{index}")}]});
    let most = (1..100).take_while(|&count| is_accepted(&all(count, dear))).last().unwrap();
    assert!((4..60).contains(&most), "{most}");
    let rules = all(most, dear);
    for path in [
        format!("/{}", "a".repeat(8191)),
        format!("/{}", "ab0a".repeat(2047)),
        format!("/{}%3B:", "ab0a".repeat(510)),
        format!("/{}%3B%3F:", "ab0a".repeat(509)),
    ] {
        let spent = cost(&rules, &path, &[], "ok");
        // Some 25 ms on a slow machine, for the dearest expressions that there are.
        assert!(spent < 18 * MOST, "{spent}");
    }
    // The same for servers that decode escapes.
    let mut escaped = rules.clone();
    escaped[0]["match"]["paths"][0]["regex"] = json!("/(.*[b].*[0-9b].*a){1}/(a?){10}x%3A");
    let spent = cost(&escaped, &format!("/{}%3B%3F:", "ab0a".repeat(509)), &[], "ok");
    assert!(spent < 18 * MOST, "{spent}");
    let refused = cost(&escaped, &format!("/{}", "a".repeat(8191)), &[], "400 ambiguous_path");
    assert!(refused < MOST / 2, "{refused}");
    let refused = cost(&rules, &format!("/{}%3B:", "ab0a".repeat(2045)), &[], "400 ambiguous_path");
    assert!(refused < MOST / 2, "{refused}");
}

fn is_accepted(rules: &Value) -> bool {
    let config = inline(&json!({"rules": rules}));
    gate::Policy::parse(config.as_bytes(), &|_| None).is_ok()
}
