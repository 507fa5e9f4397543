//! The paths that Envoy and Istio test their normalisation with, and what the engine makes of each.
//!
//! Strict refuses a path or sees what they see. Lenient, too, but for what is listed here with its reason; whatever it
//! makes of a path is what it forwards.

use gate::http::PathMode;
use serde_json::{Value, json};
use vectors::{are_absent, read_json};

use super::{forwarded, seen};

/// The answer to a path that can be read in two ways.
const REFUSED: Result<String, u16> = Err(400);

/// A path that lenient leaves in another form than the peer does under its fullest normalisation.
struct Difference {
    path: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

/// They remove dot segments first and collapse `//` afterwards; here it is the other way round. What is forwarded has
/// neither, so the upstream reads it as the rules do.
const OTHER_ORDER: [Difference; 1] = [Difference { path: "/app//../admin", ours: "/admin", theirs: "/app/admin" }];

/// They leave parameters in; servers that know parameters cut them, and then look at dots.
const PARAMETERS: [Difference; 4] = [
    Difference { path: "/..;/admin", ours: "/admin", theirs: "/..;/admin" },
    Difference { path: "/;/admin", ours: "/admin", theirs: "/;/admin" },
    Difference { path: "/admin;a=b", ours: "/admin", theirs: "/admin;a=b" },
    Difference { path: "/admin;a=b/xyz", ours: "/admin/xyz", theirs: "/admin;a=b/xyz" },
];

/// What the upstream gets if everything is public.
fn passed(path: &str, mode: &str) -> Result<String, u16> {
    forwarded(path, mode, &json!([]))
}

/// Strict refuses `path`, or sees `theirs` and forwards that; the query, if any, stays.
fn check_strict(path: &str, theirs: &str) {
    let Some(ours) = seen(path, PathMode::Strict) else {
        return assert_eq!(passed(path, "strict"), REFUSED, "{path}");
    };
    assert_eq!(seen(theirs, PathMode::Strict).as_ref(), Some(&ours), "{path}");
    let query = path.find('?').and_then(|at| path.get(at..)).unwrap_or_default();
    assert_eq!(passed(path, "strict"), Ok(format!("{ours}{query}")));
}

/// Lenient refuses `path`, or forwards what rules see; the result, if that is not `theirs`.
fn lenient_difference(path: &str, theirs: &str) -> Option<String> {
    let ours = passed(path, "lenient").ok()?;
    let (without_query, query) =
        ours.split_once('?').map_or((ours.as_str(), None), |(path, query)| (path, Some(query)));
    assert_eq!(seen(path, PathMode::Lenient).as_deref(), Some(without_query), "{path}");
    assert_eq!(query, path.split_once('?').map(|(_, query)| query), "{path}");
    // Theirs may have escapes with small digits, which say the same.
    let alike = seen(theirs, PathMode::Strict).as_deref() == Some(without_query);
    (!alike).then_some(ours)
}

fn check_lenient(cases: &[(String, String)], expected: &[&[Difference]]) {
    let mut found: Vec<_> = cases
        .iter()
        .filter_map(|(path, theirs)| Some((path.as_str(), lenient_difference(path, theirs)?, theirs.as_str())))
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut expected: Vec<_> =
        expected.iter().copied().flatten().map(|case| (case.path, case.ours.to_string(), case.theirs)).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Pairs of a path and what the peer makes of it.
fn pairs(list: &Value, path: impl Fn(&Value) -> &Value, theirs: impl Fn(&Value) -> &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    list.as_array().unwrap().iter().map(|case| (text(path(case)), text(theirs(case)))).collect()
}

#[test]
fn paths_of_envoy() {
    if are_absent() {
        return;
    }
    let file: Value = read_json("envoy/path_normalization_cases.json");
    let list = |name: &str| pairs(&file[name], |case| &case[0], |case| &case[1]);
    let (normalized, merged) = (list("normalize"), list("merge_slashes"));
    for (path, theirs) in normalized.iter().chain(&merged) {
        check_strict(path, theirs);
    }
    check_lenient(&[normalized, merged].concat(), &[]);

    for (path, theirs) in list("remove_query_and_fragment") {
        for mode in [PathMode::Strict, PathMode::Lenient] {
            let expected = (!path.is_empty() && !path.contains('#')).then_some(theirs.clone());
            assert_eq!(seen(&path, mode), expected, "a query is cut off, a fragment refused: {path}");
        }
    }
    for path in file["invalid"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        assert_eq!((passed(path, "strict"), passed(path, "lenient")), (REFUSED, REFUSED), "{path}");
    }
}

#[test]
fn paths_of_istio() {
    if are_absent() {
        return;
    }
    let file: Value = read_json("istio/path_normalization_cases.json");
    let mut fullest = Vec::new();
    for group in file["groups"].as_array().unwrap() {
        let cases = pairs(&group["cases"], |case| &case["in"], |case| &case["out"]);
        for (path, theirs) in &cases {
            match theirs.as_str() {
                "400" => assert_eq!((passed(path, "strict"), passed(path, "lenient")), (REFUSED, REFUSED), "{path}"),
                theirs => check_strict(path, theirs),
            }
        }
        if group["normalization"] == "DECODE_AND_MERGE_SLASHES" {
            fullest.extend(cases);
        }
    }
    check_lenient(&fullest, &[&OTHER_ORDER, &PARAMETERS]);
}

/// As `percent_encoded` in Istio's file says: they decode what is unreserved, and slashes.
#[test]
fn escapes_of_istio() {
    for byte in 1..=0xff_u8 {
        let path = format!("/admin%{byte:02X}");
        let theirs = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                format!("/admin{}", char::from(byte))
            }
            b'/' | b'\\' => "/admin/".into(),
            _ => path.clone(),
        };
        check_strict(&path, &theirs);
        assert_eq!(lenient_difference(&path, &theirs), None);
    }
}
