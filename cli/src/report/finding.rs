//! A finding, with the lines that it is about.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use inspect::configuration::{Rejection, without_secrets};
use inspect::finding::{Finding, Severity};

use crate::input::Input;

/// A finding in `file`, in colours, which are removed where the output is not a terminal. `title` is that of the
/// configuration that it is about.
pub(crate) fn render(file: &Input, title: &str, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let label = if finding.path.is_empty() { title } else { &finding.path };
    // What is printed ends up in logs.
    let text = without_secrets(&file.text);
    let annotation = AnnotationKind::Primary.span(on_one_line(&text, &finding.span));
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    let snippet = Snippet::source(&text).path(&file.name).line_start(1).annotation(annotation);
    let help = finding.help.as_ref().map(|help| Level::HELP.message(help));
    let group = level.primary_title(&finding.message).id(finding.name).element(snippet).elements(help);
    Renderer::styled().render(&[group])
}

/// Why a configuration in `file` cannot be used.
pub(crate) fn render_rejection(file: &Input, rejection: &Rejection) -> String {
    let findings = rejection.findings.iter().map(|finding| render(file, &rejection.title, finding));
    let parts: Vec<_> = std::iter::once(format!("{}: {}", file.name, rejection.message)).chain(findings).collect();
    parts.join("\n\n")
}

/// The part of `span` on its first line.
fn on_one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let marked = text.get(start..span.end.min(text.len())).unwrap_or_default();
    let line = marked.lines().next().unwrap_or_default().trim_end();
    start..start.saturating_add(line.len())
}
