//! Paths and patterns: both readings of a path and every match are what another reading gives.
//!
//! The first line is a request target, the others are patterns.

#![no_main]

use fuzz::path::{self, Pattern};
use gate::http::{CanonicalPath, PathMode};
use gate::rules::PathPattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let strict = canonical(target, PathMode::Strict);
    let lenient = canonical(target, PathMode::Lenient);
    assert_eq!(strict, path::strict(target));
    assert_eq!(lenient, path::lenient(target));
    assert!(strict.is_none() || strict == lenient, "lenient reads {lenient:?} for {strict:?}");
    let Some(seen) = lenient else { return };
    for mode in [PathMode::Strict, PathMode::Lenient] {
        assert_eq!(canonical(seen.as_bytes(), mode).as_ref(), Some(&seen), "is canonical");
    }
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    for query in ["", "?", "?/../%2e%2E//;\\%"] {
        let other = [&target[..end], query.as_bytes()].concat();
        assert_eq!(canonical(&other, PathMode::Lenient).as_ref(), Some(&seen), "the query counts");
    }
    let found = CanonicalPath::strict(seen.as_bytes()).expect("is canonical");
    let decoded: Vec<_> = found.decoded().iter().map(|path| path.as_str().to_string()).collect();
    assert_eq!(decoded, path::decoded(&seen));
    check_patterns(&found, &lines.filter_map(|line| str::from_utf8(line).ok()).take(8).collect::<Vec<_>>());
});

fn canonical(target: &[u8], mode: PathMode) -> Option<String> {
    CanonicalPath::of(target, mode).ok().map(|path| path.as_str().to_string())
}

fn check_patterns(path: &CanonicalPath<'_>, texts: &[&str]) {
    let mut patterns = Vec::new();
    // All of them as one expression; the first alternative matches no path.
    let (mut either, mut is_either) = (String::from("-"), false);
    for text in texts {
        let ours = PathPattern::parse(text);
        let theirs = Pattern::read(text);
        assert_eq!(ours.is_ok(), theirs.is_some(), "{text:?}: {ours:?}");
        if let (Ok(ours), Some(theirs)) = (ours, theirs) {
            let expected = theirs.matches(path.as_str());
            assert_eq!(ours.matches(path), expected, "{text:?} {path:?}");
            // The longer ones compile to more than an expression may.
            either = [either, theirs.to_regex()].join("|");
            is_either |= expected;
            match PathPattern::regex(&either) {
                Ok(regex) => assert_eq!(regex.matches(path), is_either, "{either:?} {path:?}"),
                Err(problem) => assert!(either.len() > 200, "{either:?} {problem}"),
            }
            patterns.push(ours);
        }
        if let Ok(regex) = PathPattern::regex(text) {
            if let Ok(grouped) = PathPattern::regex(&format!("(?:{text})")) {
                assert_eq!(grouped.matches(path), regex.matches(path), "{text:?}");
            }
            patterns.push(regex);
        }
    }
    for wide in &patterns {
        for narrow in &patterns {
            assert!(!wide.covers(narrow) || !narrow.matches(path) || wide.matches(path), "{wide:?} {narrow:?}");
        }
    }
}
