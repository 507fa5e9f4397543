//! What was expected beside what became of a request.

use std::collections::BTreeMap;

use super::format::{Expect, Values};
use crate::engine::{Decided, Fate};

/// Something that is not as expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// All that is not as expected.
pub(super) fn judge(expect: &Expect, decided: &Decided) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(Difference { what: what.to_string(), expected, found });
        }
    };
    let fate = |status: Option<u16>| status.map_or_else(|| String::from("passes"), |status| status.to_string());
    let found = match &decided.fate {
        Fate::Answered { status, .. } => Some(*status),
        Fate::Passed(_) => None,
        Fate::Waiting => Some(503),
    };
    compare("the request", fate(expect.status), fate(found));
    let details = &expect.details;
    for (name, expected) in [("reason", &details.reason), ("rule", &details.rule), ("decision", &details.decision)] {
        if let Some(expected) = expected {
            let found = decided.properties.get(name).map_or("none", String::as_str);
            compare(name, expected.clone(), found.to_string());
        }
    }
    let none = Vec::new();
    let (answer, upstream) = match &decided.fate {
        Fate::Answered { headers, .. } => (headers, &none),
        Fate::Passed(lines) => (&none, lines),
        Fate::Waiting => (&none, &none),
    };
    compare_headers("answer header", &details.headers, answer, &mut compare);
    compare_headers("upstream header", &details.upstream, upstream, &mut compare);
    differences
}

fn compare_headers(
    what: &str,
    expected: &BTreeMap<String, Values>,
    found: &[(String, String)],
    compare: &mut dyn FnMut(&str, String, String),
) {
    for (name, Values(expected)) in expected {
        let lines = found.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let show = |values: Vec<&str>| if values.is_empty() { String::from("none") } else { values.join(" | ") };
        compare(&format!("{what} {name}"), show(expected.iter().map(String::as_str).collect()), show(lines.collect()));
    }
}
