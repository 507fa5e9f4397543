//! `JSONTestSuite`: what is JSON and what is not.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use jose::json::Document;
use serde_json::Value;

#[test]
fn json_texts_are_read_as_the_grammar_says() {
    if vectors::are_absent() {
        return;
    }
    let mut counts = [0, 0];
    for name in vectors::list("json-test-suite/test_parsing") {
        let text = vectors::read(&format!("json-test-suite/test_parsing/{name}"));
        let parsed = Document::parse(&text);
        // Members that occur twice are legal JSON; a verifier refuses them all the same.
        let is_duplicate = name.starts_with("y_object_duplicated_key");
        match name.as_bytes()[0] {
            b'y' if !is_duplicate => assert!(parsed.is_ok(), "{name} was refused: {parsed:?}"),
            b'n' => assert!(parsed.is_err(), "{name} was accepted"),
            _ if is_duplicate => assert!(parsed.is_err(), "{name} was accepted"),
            _ => {}
        }
        counts[usize::from(parsed.is_ok())] += 1;
        // serde_json reads numbers as doubles, which not every number fits.
        if parsed.is_ok() && !name.starts_with("i_number") {
            assert!(serde_json::from_slice::<Value>(&text).is_ok(), "serde_json refuses what was accepted: {name}");
        }
    }
    assert!(counts[0] > 180 && counts[1] > 90, "the suite is not whole: {counts:?}");
}

/// Texts that parsers turn into others: what is read here is what is written, or nothing.
#[test]
fn json_texts_that_parsers_transform_are_read_exactly_or_refused() {
    if vectors::are_absent() {
        return;
    }
    let mut counts = [0, 0];
    for name in vectors::list("json-test-suite/test_transform") {
        let text = vectors::read(&format!("json-test-suite/test_transform/{name}"));
        let parsed = Document::parse(&text);
        let is_refused = name.starts_with("object_same_key") || name.contains("surrogate") || name.contains("invalid");
        assert_eq!(parsed.is_err(), is_refused, "{name}: {parsed:?}");
        counts[usize::from(is_refused)] += 1;
        let Some(number) = parsed.as_ref().ok().and_then(|document| document.root().elements().next()?.as_number())
        else {
            continue;
        };
        assert!(String::from_utf8_lossy(&text).contains(number.text()), "{name}: digits are kept as they are");
    }
    assert!(counts[0] > 8 && counts[1] > 5, "the suite is not whole: {counts:?}");
}
