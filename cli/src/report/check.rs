//! What was found, for people and for programs.

use std::fmt::Write as _;

use inspect::check::Checked;
use inspect::finding::Severity;
use serde_json::{Value, json};

use super::finding::render;
use super::json::pretty;
use crate::input::Input;

/// For people: each finding with its line, and a count at the end.
pub(crate) fn text(checked: &[(Checked, Input)]) -> String {
    let mut output = String::new();
    for (checked, file) in checked {
        for (title, finding) in &checked.findings {
            let _ = write!(output, "{}\n\n", render(file, title, finding));
        }
    }
    output.push_str(&summary(checked));
    output
}

fn summary(checked: &[(Checked, Input)]) -> String {
    let count = |severity| {
        let all = checked.iter().flat_map(|(checked, _)| &checked.findings);
        all.filter(|(_, finding)| finding.severity == severity).count()
    };
    let configurations = checked.iter().map(|(checked, _)| checked.configurations.len()).sum();
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
pub(crate) fn json(checked: &[(Checked, Input)]) -> String {
    let files: Vec<_> = checked.iter().map(of_file).collect();
    pretty(&json!({ "files": files }))
}

fn of_file((checked, file): &(Checked, Input)) -> Value {
    let diagnosis = checked.diagnosis(&file.text);
    json!({"file": file.name, "configurations": diagnosis.configurations, "findings": diagnosis.diagnostics})
}
