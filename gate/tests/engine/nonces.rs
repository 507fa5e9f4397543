//! Nonces of proofs (RFC 9449 §8, §9): who gets one when, and for how long it is good.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::bound::{challenges, proof, send, token};
use crate::support::{Key, NOW, World, inline, merge};

/// A configuration whose proofs need nonces, with `changes`.
fn config(changes: &Value) -> Value {
    let nonce = json!({"secrets": ["0123456789abcdef0123456789abcdef"]});
    let mut config = inline(&json!({"senderConstraint": {"dpop": {"nonce": nonce}}}));
    merge(&mut config, changes);
    config
}

/// The nonce of a challenge.
fn challenged(world: &mut World) -> String {
    let outcome = send(world, &token(), &proof(&token(), &json!({"jti": "none"})));
    outcome.header("dpop-nonce").expect("has one").to_string()
}

/// Sends a request with a proof of `seconds` after the start, and has the upstream answer it; the nonces of the response.
fn answered(world: &mut World, nonce: &str, seconds: u64, response: &[(&str, &str)]) -> Vec<String> {
    let changes = json!({"nonce": nonce, "iat": NOW + seconds, "jti": format!("{seconds}{nonce}{response:?}")});
    assert_eq!(send(world, &token(), &proof(&token(), &changes)).summary(), "ok", "{seconds}");
    let lines = world.respond(world.last(), &[&[(":status", "200")], response].concat());
    lines.into_iter().filter(|(name, _)| name == "dpop-nonce").map(|(_, value)| value).collect()
}

#[test]
fn a_proof_needs_a_nonce_of_the_gates_where_that_is_configured() {
    let config = config(&json!({}));
    let mut world = World::new(&config);
    let outcome = send(&mut world, &token(), &proof(&token(), &json!({})));
    assert_eq!(outcome.summary(), "401 bad_proof");
    assert!(challenges(&outcome)[0].contains("error=\"use_dpop_nonce\""));
    let nonce = outcome.header("dpop-nonce").expect("has one").to_string();
    for (changes, summary) in [
        (json!({"nonce": "x"}), "401 bad_proof"),
        (json!({"nonce": nonce.replace(nonce.get(..4).expect("is long"), "BBBB")}), "401 bad_proof"),
        (json!({"nonce": nonce}), "ok"),
        (json!({"nonce": nonce}), "401 proof_replayed"),
        (json!({"nonce": nonce, "jti": "2"}), "ok"),
    ] {
        assert_eq!(send(&mut world, &token(), &proof(&token(), &changes)).summary(), summary, "{changes}");
    }
    // Another VM has the same keys.
    let mut other = World::new(&config);
    assert_eq!(send(&mut other, &token(), &proof(&token(), &json!({"nonce": nonce}))).summary(), "ok");
    other.pass(Duration::from_mins(5));
    let late = proof(&token(), &json!({"nonce": nonce, "iat": NOW + 300}));
    assert_eq!(send(&mut other, &token(), &late).summary(), "401 bad_proof");
}

#[test]
fn a_client_whose_nonce_is_old_gets_another_with_its_response() {
    let mut world = World::new(&config(&json!({})));
    world.holds_responses = true;
    let first = challenged(&mut world);
    assert!(answered(&mut world, &first, 0, &[]).is_empty());
    world.pass(Duration::from_secs(149));
    assert!(answered(&mut world, &first, 149, &[]).is_empty(), "more than half of its life is left");
    world.pass(Duration::from_secs(1));
    let second = answered(&mut world, &first, 150, &[]);
    assert_eq!(second.len(), 1);
    assert_ne!(second[0], first);
    // A shared cache would hand it to others, until it is old.
    for shared in [("cache-control", "public"), ("cache-control", "s-maxage=5")] {
        assert!(answered(&mut world, &first, 150, &[shared]).is_empty(), "{shared:?}");
    }
    assert_eq!(answered(&mut world, &first, 150, &[("cache-control", "private")]).len(), 1);
    // There is one at most, and it is the gate's: upstreams get no proofs.
    assert_eq!(answered(&mut world, &first, 150, &[("dpop-nonce", "theirs"), ("DPoP-Nonce", "too")]), second);
    world.pass(Duration::from_secs(149));
    assert!(!answered(&mut world, &first, 299, &[]).is_empty(), "the old one is good until its end");
    assert!(answered(&mut world, &second[0], 299, &[]).is_empty());
    world.pass(Duration::from_mins(2));
    assert_eq!(answered(&mut world, &second[0], 419, &[]).len(), 1, "no challenge was needed");
}

#[test]
fn nobody_else_gets_a_nonce() {
    let rules = json!([
        {"match": {"paths": ["/public"]}, "access": "public"},
        {"match": {"paths": ["/denied"]}, "access": {"groups": {"any": ["ops"]}}},
        {"access": "authenticated"},
    ]);
    let mut world = World::new(&config(&json!({"rules": rules})));
    world.holds_responses = true;
    let nonce = challenged(&mut world);
    world.pass(Duration::from_secs(200));
    let plain = format!("Bearer {}", Key::new("a").token(&json!({})));
    let old = |path: &str, jti: &str| {
        let htu = format!("https://api.example.com{path}");
        let proof = proof(&token(), &json!({"nonce": nonce, "iat": NOW + 200, "jti": jti, "htu": htu}));
        [("authorization", format!("DPoP {}", token())), ("dpop", proof)]
    };
    // A replay, a refusal, another credential, no credential: none of these shows that its sender had a fresh proof.
    let (used, denied) = (old("/x", "1"), old("/denied", "2"));
    let mut get = |path: &str, headers: &[(&str, &str)], summary: &str| {
        assert_eq!(world.get(path, headers).summary(), summary, "{path}");
        let id = world.last();
        let has_nonce = match summary {
            "ok" => world.respond(id, &[(":status", "200")]).iter().any(|(name, _)| name == "dpop-nonce"),
            _ => world.gate().expects_response(gate::RequestId(id)),
        };
        assert!(!world.gate().expects_response(gate::RequestId(id)));
        has_nonce
    };
    let used: Vec<_> = used.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let denied: Vec<_> = denied.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(get("/x", &used, "ok"));
    assert!(!get("/x", &used, "401 proof_replayed"));
    assert!(!get("/denied", &denied, "403 access_denied"));
    assert!(!get("/x", &[("authorization", &plain)], "ok"));
    assert!(!get("/x", &[("authorization", &plain), used[1]], "ok"));
    assert!(!get("/public", &used, "ok"));
    // Whose client went away is forgotten.
    let gone = old("/x", "3");
    let gone: Vec<_> = gone.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.get("/x", &gone).summary(), "ok");
    let id = world.last();
    assert!(world.gate().expects_response(gate::RequestId(id)));
    world.cancel(id);
    assert!(!world.gate().expects_response(gate::RequestId(id)));
}

#[test]
fn a_nonce_goes_on_under_another_configuration_with_its_secrets() {
    let secrets = |secrets: &[&str]| {
        let nonce = json!({"secrets": secrets});
        inline(&json!({"senderConstraint": {"dpop": {"nonce": nonce}}}))
    };
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    let mut world = World::new(&secrets(&[old]));
    world.holds_responses = true;
    let nonce = challenged(&mut world);
    world.pass(Duration::from_secs(160));
    let proof = proof(&token(), &json!({"nonce": nonce, "iat": NOW + 160}));
    assert_eq!(send(&mut world, &token(), &proof).summary(), "ok");
    // The configuration changes while the request is under way.
    let id = world.last();
    world.reconfigure(&secrets(&[new, old]));
    let lines = world.respond(id, &[(":status", "200")]);
    let fresh = lines.iter().find(|(name, _)| name == "dpop-nonce").map(|(_, value)| value).expect("has one");
    assert_eq!(send(&mut world, &token(), &proof).summary(), "401 proof_replayed");
    world.reconfigure(&secrets(&[new]));
    assert!(answered(&mut world, fresh, 160, &[]).is_empty());
    world.reconfigure(&inline(&json!({})));
    assert!(world.respond(id, &[(":status", "200")]).iter().all(|(name, _)| name != "dpop-nonce"));
}
