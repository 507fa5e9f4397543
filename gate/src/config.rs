//! The configuration: from one JSON document to a policy in which invalid states cannot be written.
//!
//! Reading goes on after an error, so that people see all of them at once, each with its path.

mod access;
mod claim_test;
mod client_ip;
mod credentials;
mod document;
mod duration;
mod grants;
mod headers;
mod issuer;
mod metadata;
mod reader;
mod reference;
mod rule;
mod text;

use std::fmt;

/// The environment of the VM, by variable name.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// Where: `rules[3].match.paths[0]`; empty for the document as a whole.
    pub path: String,
    /// What, and what was expected instead.
    pub message: String,
    /// The byte of the JSON text at which the value in question begins.
    pub offset: usize,
}

impl ConfigErrors {
    fn one(message: impl Into<String>) -> Self {
        Self(vec![ConfigError { path: String::new(), message: message.into(), offset: 0 }])
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
            "" => formatter.write_str(&self.message),
            path => write!(formatter, "{path}: {}", self.message),
        }
    }
}
