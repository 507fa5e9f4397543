//! What was expected of a request, compared with the decision.

use std::collections::BTreeMap;

use super::format::{Expect, Values};
use crate::engine::{Decided, Outcome};

/// Something that is not as expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// What.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// All that is not as expected.
pub(super) fn compare(expect: &Expect, decided: &Decided) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut add = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(Difference { what: what.to_string(), expected, found });
        }
    };
    let in_words = |status: Option<u16>| status.map_or_else(|| String::from("passes"), |status| status.to_string());
    let found = match &decided.outcome {
        Outcome::Replied { status, .. } => Some(*status),
        Outcome::Forwarded(_) => None,
        Outcome::Waiting => Some(503),
    };
    add("the request", in_words(expect.status), in_words(found));
    let details = &expect.details;
    for (name, expected) in [("reason", &details.reason), ("rule", &details.rule), ("decision", &details.decision)] {
        if let Some(expected) = expected {
            let found = decided.properties.get(name).map_or("none", String::as_str);
            add(name, expected.clone(), found.to_string());
        }
    }
    let none = Vec::new();
    let (answer, upstream) = match &decided.outcome {
        Outcome::Replied { headers, .. } => (headers, &none),
        Outcome::Forwarded(lines) => (&none, lines),
        Outcome::Waiting => (&none, &none),
    };
    compare_headers("answer header", &details.headers, answer, &mut add);
    compare_headers("upstream header", &details.upstream, upstream, &mut add);
    differences
}

fn compare_headers(
    what: &str,
    expected: &BTreeMap<String, Values>,
    found: &[(String, String)],
    add: &mut dyn FnMut(&str, String, String),
) {
    for (name, Values(expected)) in expected {
        let lines = found.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let show = |values: Vec<&str>| if values.is_empty() { String::from("none") } else { values.join(" | ") };
        add(&format!("{what} {name}"), show(expected.iter().map(String::as_str).collect()), show(lines.collect()));
    }
}
