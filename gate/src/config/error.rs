//! What is wrong with a configuration.

use std::fmt;

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// Where: `rules[3].match.paths[0]`; empty for the document as a whole.
    pub path: String,
    /// What.
    pub problem: Problem,
    /// The byte of the JSON text at which the value in question begins.
    pub offset: usize,
}

/// What is wrong with a value. [`fmt::Display`] says it in a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// Something else was expected.
    Expected {
        /// What, in words.
        expected: String,
        /// The words that it may be, where these are all that there are.
        words: Vec<String>,
        /// What it is: the text between backticks, or a kind of value.
        found: String,
    },
    /// Something else, in words.
    Other(String),
    /// A member that the configuration does not have.
    UnknownMember {
        /// Its name.
        name: String,
        /// The names of the members that there are.
        known: Vec<String>,
    },
}

impl ConfigErrors {
    pub(super) fn new(errors: Vec<ConfigError>) -> Self {
        Self(errors)
    }

    pub(super) fn one(message: impl Into<String>) -> Self {
        Self(vec![ConfigError { path: String::new(), problem: Problem::Other(message.into()), offset: 0 }])
    }

    /// The errors, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => self.problem.fmt(formatter),
            path => write!(formatter, "{path}: {}", self.problem),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected { expected, found, .. } => write!(formatter, "expected {expected}, found {found}"),
            Self::Other(message) => formatter.write_str(message),
            Self::UnknownMember { known, .. } => write!(formatter, "unknown member, expected {}", one_of(known)),
        }
    }
}

/// `` `a`, `b` or `c` ``
pub(super) fn one_of(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::from("nothing"),
    }
}
