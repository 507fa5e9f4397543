//! The results of test cases.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use inspect::cases::{CaseReport, Report};
use inspect::engine::Outcome;
use serde_json::{Value, json};

use super::json::pretty;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// For people: what failed with what was expected (-) and what was found (+), and a count.
pub(crate) fn text(report: &Report, file: &str, is_needed: bool) -> String {
    let mut output = String::new();
    for case in &report.cases {
        if case.differences.is_empty() {
            let _ = writeln!(output, "{GOOD}ok{GOOD:#}    {}", case.name);
        } else {
            output.push_str(&failure(case, file));
        }
    }
    let count = report.cases.len();
    let failed = report.cases.iter().filter(|case| !case.differences.is_empty()).count();
    let _ = writeln!(output, "\n{count} cases: {} ok, {failed} failed", count.saturating_sub(failed));
    if !report.unreached_rules.is_empty() {
        let word = if is_needed { format!("{BAD}failed{BAD:#}: ") } else { String::new() };
        let _ = writeln!(output, "{word}no case reaches the rules {}", report.unreached_rules.join(", "));
    }
    output
}

fn failure(case: &CaseReport, file: &str) -> String {
    let mut output = format!("{BAD}FAIL{BAD:#}  {}\n      {file}:{}: {}\n", case.name, case.line, request(case));
    for difference in &case.differences {
        let (what, expected, found) = (&difference.what, &difference.expected, &difference.found);
        let _ = writeln!(output, "      {GOOD}- {what}: {expected}{GOOD:#}\n      {BAD}+ {what}: {found}{BAD:#}");
    }
    let property = |name: &str| case.decided.properties.get(name).map(|value| format!("{name} `{value}`"));
    let known: Vec<_> = ["rule", "reason", "issuer", "subject"].into_iter().filter_map(property).collect();
    if !known.is_empty() {
        let _ = writeln!(output, "      decided by {}", known.join(", "));
    }
    output
}

fn request(case: &CaseReport) -> String {
    let value =
        |name| case.request.lines.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
    format!("{} {}{}", value(":method"), value(":authority"), value(":path"))
}

/// For programs.
pub(crate) fn json(report: &Report, file: &str) -> String {
    let cases: Vec<_> = report.cases.iter().map(|case| of_case(case, file)).collect();
    pretty(&json!({"cases": cases, "unreachedRules": report.unreached_rules}))
}

fn of_case(case: &CaseReport, file: &str) -> Value {
    let differences = case
        .differences
        .iter()
        .map(|difference| json!({"what": difference.what, "expected": difference.expected, "found": difference.found}));
    let status = match &case.decided.outcome {
        Outcome::Replied { status, .. } => json!(status),
        Outcome::Forwarded(_) | Outcome::Waiting => Value::Null,
    };
    json!({
        "name": case.name,
        "place": format!("{file}:{}", case.line),
        "ok": case.differences.is_empty(),
        "status": status,
        "properties": case.decided.properties,
        "differences": differences.collect::<Vec<_>>(),
    })
}
