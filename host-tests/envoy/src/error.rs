//! Why there is no Envoy.

use std::fmt;

/// Why Envoy did not start, with what it logged.
#[derive(Clone, PartialEq, Eq)]
pub struct StartError(pub(crate) String);

impl StartError {
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// As the message, since this is what `unwrap` shows.
impl fmt::Debug for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
