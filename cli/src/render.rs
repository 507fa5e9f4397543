//! What people and programs read: findings with their lines, and JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::input::Input;

/// A finding in `file`, in colours: whoever prints it takes them out where nobody sees them. `title` is what the
/// configuration is called that it is about.
pub fn render(file: &Input, title: &str, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let label = if finding.path.is_empty() { title } else { &finding.path };
    let place = AnnotationKind::Primary.span(on_one_line(&file.text, &finding.span));
    let place = if label.is_empty() { place } else { place.label(label) };
    let snippet = Snippet::source(&file.text).path(&file.name).line_start(1).annotation(place);
    let help = finding.help.as_ref().map(|help| Level::HELP.message(help));
    let group = level.primary_title(&finding.message).id(finding.name).element(snippet).elements(help);
    Renderer::styled().render(&[group])
}

/// A value for programs, as JSON on several lines.
pub(crate) fn json(value: &impl Serialize) -> String {
    // What is made here has texts for the names of members: it cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// What of `span` stands on its first line.
fn on_one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let marked = text.get(start..span.end.min(text.len())).unwrap_or_default();
    let line = marked.lines().next().unwrap_or_default().trim_end();
    start..start.saturating_add(line.len())
}

/// Line and column of a byte, from 1, the column in characters.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}
