//! What was found, for people and for programs.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::Checked;
use crate::finding::{Finding, Severity};

/// For people: each finding with its line, and a count at the end.
pub(super) fn text(checked: &[Checked]) -> String {
    // Whoever prints it takes the colours out where nobody sees them.
    let renderer = Renderer::styled();
    let mut output = String::new();
    for checked in checked {
        for (title, finding) in &checked.findings {
            let _ = write!(output, "{}\n\n", render(&renderer, checked, title, finding));
        }
    }
    output.push_str(&summary(checked));
    output
}

fn render(renderer: &Renderer, checked: &Checked, title: &str, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let label = match (finding.path.as_str(), title) {
        ("", title) => title,
        (path, _) => path,
    };
    let place = AnnotationKind::Primary.span(on_one_line(&checked.file.text, &finding.span));
    let place = if label.is_empty() { place } else { place.label(label) };
    let snippet = Snippet::source(&checked.file.text).path(&checked.file.name).line_start(1).annotation(place);
    let help = finding.help.as_ref().map(|help| Level::HELP.message(help));
    renderer.render(&[level.primary_title(&finding.message).id(finding.name).element(snippet).elements(help)])
}

/// What of `span` stands on its first line.
fn on_one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let marked = text.get(start..span.end.min(text.len())).unwrap_or_default();
    let line = marked.lines().next().unwrap_or_default().trim_end();
    start..start.saturating_add(line.len())
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
    let mut text = serde_json::to_string_pretty(&json!({ "files": files })).unwrap_or_default();
    text.push('\n');
    text
}

fn of_file(checked: &Checked) -> Value {
    let findings: Vec<_> =
        checked.findings.iter().map(|(title, finding)| of_finding(checked, title, finding)).collect();
    json!({"file": checked.file.name, "configurations": checked.configurations, "findings": findings})
}

fn of_finding(checked: &Checked, title: &str, finding: &Finding) -> Value {
    let (line, column) = position(&checked.file.text, finding.span.start);
    let (end_line, end_column) = position(&checked.file.text, finding.span.end);
    json!({
        "severity": finding.severity.name(),
        "name": finding.name,
        "configuration": title,
        "path": finding.path,
        "message": finding.message,
        "help": finding.help,
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// Line and column of a byte, from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}
