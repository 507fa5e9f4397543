//! Findings as programs read them, each with its line and column.

use serde::Serialize;

use crate::document::position;
use crate::finding::Finding;

/// What was found in a text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The titles of the configurations in it.
    pub configurations: Vec<String>,
    /// What was found, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A finding. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The title of its configuration.
    pub configuration: String,
    /// Where in the configuration.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// What was likely meant.
    pub help: Option<String>,
    /// The line where it begins.
    pub line: usize,
    /// The column where it begins.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column after it.
    pub end_column: usize,
}

impl Diagnostic {
    /// A finding in `text`, about the configuration called `title`.
    pub fn new(text: &str, title: &str, finding: &Finding) -> Self {
        let (line, column) = position(text, finding.span.start);
        let (end_line, end_column) = position(text, finding.span.end);
        Self {
            severity: finding.severity.name(),
            name: finding.name,
            configuration: title.to_string(),
            path: finding.path.clone(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            line,
            column,
            end_line,
            end_column,
        }
    }
}
