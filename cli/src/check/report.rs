//! What was found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Checked;
use crate::diagnostic::Diagnostic;
use crate::finding::Severity;
use crate::render::{self, render};

/// For people: each finding with its line, and a count at the end.
pub(super) fn text(checked: &[Checked]) -> String {
    let mut output = String::new();
    for checked in checked {
        for (title, finding) in &checked.findings {
            let _ = write!(output, "{}\n\n", render(&checked.file, title, finding));
        }
    }
    output.push_str(&summary(checked));
    output
}

fn summary(checked: &[Checked]) -> String {
    let count = |severity| {
        let all = checked.iter().flat_map(|checked| &checked.findings);
        all.filter(|(_, finding)| finding.severity == severity).count()
    };
    let configurations = checked.iter().map(|checked| checked.configurations.len()).sum();
    let what = counted(configurations, "configuration");
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => format!("{what}: fine\n"),
        (0, warnings) => format!("{what}: {}\n", counted(warnings, "warning")),
        (errors, 0) => format!("{what}: {}\n", counted(errors, "error")),
        (errors, warnings) => format!("{what}: {}, {}\n", counted(errors, "error"), counted(warnings, "warning")),
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// For programs.
pub(super) fn json(checked: &[Checked]) -> String {
    let files: Vec<_> = checked.iter().map(of_file).collect();
    render::json(&json!({ "files": files }))
}

fn of_file(checked: &Checked) -> Value {
    let text = &checked.file.text;
    let findings: Vec<_> =
        checked.findings.iter().map(|(title, finding)| json!(Diagnostic::new(text, title, finding))).collect();
    json!({"file": checked.file.name, "configurations": checked.configurations, "findings": findings})
}
