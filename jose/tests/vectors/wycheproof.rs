//! Wycheproof's JWS and JWK, with what a strict verifier must make of each.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use jose::jwk::Origin;
use serde_json::Value;

use crate::verify::verify_jws;

/// The tests of a file, each with the key or set of its group.
fn tests(file: &str) -> Vec<(Value, Value)> {
    let suite = vectors::read_json::<Value>(file);
    let groups = suite["testGroups"].as_array().unwrap();
    let with_key = |group: &Value| {
        let key = group.get("public").unwrap_or(&group["private"]).clone();
        group["tests"].as_array().unwrap().iter().map(move |test| (test.clone(), key.clone())).collect::<Vec<_>>()
    };
    groups.iter().flat_map(with_key).collect()
}

/// Judges each test by both expectations: for keys that an issuer publishes, and for configured ones, secrets included.
fn judge(file: &str, expectations: &[Value], configured: &str) -> [usize; 2] {
    let mut counts = [0, 0];
    for (test, key) in tests(file) {
        let id = &test["tcId"];
        let expected = expectations.iter().find(|entry| &entry["tcId"] == id).unwrap();
        for (origin, column) in [(Origin::Issuer, "asymmetric_only_product"), (Origin::Configuration, configured)] {
            // What is no text is no compact serialisation.
            let found = test["jws"].as_str().map_or(Err("no text".into()), |jws| verify_jws(jws, &key, origin));
            let wanted = expected[column] == "accept";
            assert_eq!(found.is_ok(), wanted, "test {id} ({}), {origin:?}: {found:?}", test["comment"]);
            counts[usize::from(found.is_ok())] += 1;
        }
    }
    counts
}

#[test]
fn signatures_are_judged_as_a_strict_verifier_must() {
    if vectors::are_absent() {
        return;
    }
    let expectations = vectors::read_json::<Value>("wycheproof/jws_strict_expectations.json");
    let expectations = expectations["tests"].as_array().unwrap();
    let counts = judge("wycheproof/json_web_signature_test.json", expectations, "strict_jws_layer");
    assert!(counts[0] > 700 && counts[1] > 50, "{counts:?}");
}

#[test]
fn keys_are_judged_as_a_strict_verifier_must() {
    if vectors::are_absent() {
        return;
    }
    let expectations = vectors::read_json::<Value>("wycheproof/jwk_strict_expectations.json");
    let expectations = expectations.as_array().unwrap();
    let counts = judge("wycheproof/json_web_key_test.json", expectations, "naive_strict");
    assert!(counts[0] > 40 && counts[1] >= 7, "{counts:?}");
}
