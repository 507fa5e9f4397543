//! A mistake in a file, or a warning about it.

use std::ops::Range;

/// A mistake in a file, or a warning about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Its name, by which it can be allowed.
    pub name: &'static str,
    /// Where in the configuration: `rules[0].access`; empty for what is not in it.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// What was likely meant.
    pub help: Option<String>,
    /// Where in the file, in bytes.
    pub span: Range<usize>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The plugin rejects it, or readers read it differently.
    Error,
    /// The plugin accepts it, and it is likely a mistake.
    Warning,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Finding {
    /// An error.
    pub fn error(name: &'static str, path: impl Into<String>, message: impl Into<String>, span: Range<usize>) -> Self {
        Self { severity: Severity::Error, name, path: path.into(), message: message.into(), help: None, span }
    }

    /// A warning.
    pub fn warning(
        name: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        span: Range<usize>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(name, path, message, span) }
    }
}

/// The path of a member, as the engine writes it.
pub fn member_path(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}
