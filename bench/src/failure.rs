//! Why a run was stopped.

use std::fmt::{self, Display};
use std::io;

use real_envoy::StartError;
use testbed::BadRequest;

/// What went wrong, and where. A run that fails leaves no figures: a wrong answer is not worth measuring.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self(error.to_string())
    }
}

impl From<BadRequest> for Failure {
    fn from(error: BadRequest) -> Self {
        Self(error.to_string())
    }
}

/// Says where something failed.
pub(crate) trait At<T> {
    fn at(self, location: impl Display) -> Result<T>;
}

impl<T, E: Into<Failure>> At<T> for std::result::Result<T, E> {
    fn at(self, location: impl Display) -> Result<T> {
        self.map_err(|error| Failure(format!("{location}: {}", error.into())))
    }
}
