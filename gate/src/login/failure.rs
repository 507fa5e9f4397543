//! Why a login or a refresh does not succeed, or not yet.

use std::fmt;

use oauth::authorization::CallbackError;
use oauth::id_token::IdTokenError;
use oauth::{ErrorCode, ResponseError};

use crate::authorization_server::no_answer;
use crate::callers::Failure;
use crate::callout::CalloutFailure;
use crate::question::Question;
use crate::random::NoRandomness;
use crate::report::{LoginFailure, Reason};
use crate::sessions::SealError;

/// What stops an exchange with a provider.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// It does not succeed.
    Failed(Failed),
    /// It goes on when this is answered.
    Needs(Box<Question>),
    /// It goes on when the issuer, by index, has usable keys.
    NeedsKeys { issuer: usize },
    /// It goes on if the issuer, by index, has published new keys meanwhile.
    NeedsNewKeys { issuer: usize, reason: Reason },
}

/// Why there is no session.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) cause: LoginFailure,
    /// For operators; holds no code, state, token, cookie or secret.
    pub(crate) words: String,
    /// Of a cookie that would be too large: the claims that take the most.
    pub(crate) claims: Vec<String>,
}

impl Failed {
    pub(crate) fn new(cause: LoginFailure, words: impl fmt::Display) -> Self {
        Self { cause, words: words.to_string(), claims: Vec::new() }
    }

    /// What an endpoint answered.
    pub(crate) fn at(endpoint: &str, error: &ResponseError) -> Self {
        let cause = match error {
            ResponseError::Unavailable { .. } => LoginFailure::Unavailable,
            ResponseError::Refused { code: Some(code), .. } if code.ends_grant() => LoginFailure::Grant,
            _ => LoginFailure::Provider,
        };
        Self::new(cause, format_args!("the {endpoint} endpoint {error}"))
    }

    /// An endpoint that did not answer.
    pub(crate) fn no_answer(endpoint: &str, failure: CalloutFailure) -> Self {
        Self::new(LoginFailure::Unavailable, no_answer(endpoint, failure))
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Question> for Stop {
    fn from(question: Question) -> Self {
        Self::Needs(Box::new(question))
    }
}

impl From<NoRandomness> for Failed {
    fn from(error: NoRandomness) -> Self {
        Self::new(LoginFailure::Randomness, error)
    }
}

impl From<NoRandomness> for Stop {
    fn from(error: NoRandomness) -> Self {
        Failed::from(error).into()
    }
}

impl From<CallbackError> for Failed {
    fn from(error: CallbackError) -> Self {
        let cause = match error.code() {
            Some(ErrorCode::AccessDenied) => LoginFailure::Denied,
            Some(code) if code.is_temporary() => LoginFailure::Unavailable,
            Some(_) => LoginFailure::Provider,
            None if matches!(error, CallbackError::NoIssuer { .. } | CallbackError::OtherIssuer { .. }) => {
                LoginFailure::Issuer
            }
            None => LoginFailure::State,
        };
        Self::new(cause, error)
    }
}

impl From<SealError> for Failed {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoRandomness(error) => error.into(),
            SealError::TooLarge(error) => Self { claims: error.names(), ..Self::new(LoginFailure::TooLarge, error) },
        }
    }
}

impl From<IdTokenError> for Failed {
    fn from(error: IdTokenError) -> Self {
        Self::new(LoginFailure::IdToken, format_args!("the ID token is not for this login: {error}"))
    }
}

/// A token that was not verified: what it waits for, or why it is refused.
pub(crate) fn of_token(token: &str, failure: Failure, detail: Option<&str>) -> Stop {
    match failure {
        Failure::NoKeys { issuer } => Stop::NeedsKeys { issuer },
        Failure::UnknownKey { issuer, reason } => Stop::NeedsNewKeys { issuer, reason },
        Failure::Refused(reason) => {
            let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            let words = format!("the {token} is not accepted: {}{detail}", reason.detail());
            Failed::new(LoginFailure::IdToken, words).into()
        }
    }
}
