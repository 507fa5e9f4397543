//! How the cases went.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::Played;
use crate::engine::Fate;
use crate::render;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// For people: what failed with what was expected (-) and what was found (+), and a count.
pub(super) fn text(played: &[Played], unreached: &[&str], is_needed: bool) -> String {
    let mut output = String::new();
    for case in played {
        if case.differences.is_empty() {
            let _ = writeln!(output, "{GOOD}ok{GOOD:#}    {}", case.name);
        } else {
            output.push_str(&failure(case));
        }
    }
    let failed = played.iter().filter(|case| !case.differences.is_empty()).count();
    let _ = writeln!(output, "\n{} cases: {} ok, {failed} failed", played.len(), played.len().saturating_sub(failed));
    if !unreached.is_empty() {
        let word = if is_needed { format!("{BAD}failed{BAD:#}: ") } else { String::new() };
        let _ = writeln!(output, "{word}no case reaches the rules {}", unreached.join(", "));
    }
    output
}

fn failure(case: &Played) -> String {
    let mut output = format!("{BAD}FAIL{BAD:#}  {}\n      {}: {}\n", case.name, case.place, request(case));
    for difference in &case.differences {
        let (what, expected, found) = (&difference.what, &difference.expected, &difference.found);
        let _ = writeln!(output, "      {GOOD}- {what}: {expected}{GOOD:#}\n      {BAD}+ {what}: {found}{BAD:#}");
    }
    let told = |name: &str| case.decided.properties.get(name).map(|value| format!("{name} `{value}`"));
    let known: Vec<_> = ["rule", "reason", "issuer", "subject"].into_iter().filter_map(told).collect();
    if !known.is_empty() {
        let _ = writeln!(output, "      decided by {}", known.join(", "));
    }
    output
}

fn request(case: &Played) -> String {
    let value = |name| case.sent.lines.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
    format!("{} {}{}", value(":method"), value(":authority"), value(":path"))
}

/// For programs.
pub(super) fn json(played: &[Played], unreached: &[&str]) -> String {
    let cases: Vec<_> = played.iter().map(of_case).collect();
    render::json(&json!({"cases": cases, "unreachedRules": unreached}))
}

fn of_case(case: &Played) -> Value {
    let differences = case
        .differences
        .iter()
        .map(|difference| json!({"what": difference.what, "expected": difference.expected, "found": difference.found}));
    let status = match &case.decided.fate {
        Fate::Answered { status, .. } => json!(status),
        Fate::Passed(_) | Fate::Waiting => Value::Null,
    };
    json!({
        "name": case.name,
        "place": case.place,
        "ok": case.differences.is_empty(),
        "status": status,
        "properties": case.decided.properties,
        "differences": differences.collect::<Vec<_>>(),
    })
}
