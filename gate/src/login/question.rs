//! What a provider is asked, and what it answered.

use std::fmt;

use zeroize::Zeroizing;

use crate::callout::{Callout, CalloutFailure, CalloutOutcome};
use crate::http::Response;
use crate::lookup::Lookup;

/// What a question is about: one answer serves all that ask for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Topic {
    pub(crate) subject: Subject,
    pub(crate) step: Step,
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Subject {
    /// A login under way, by its flow.
    Flow([u8; 16]),
    /// A provider, by the index of its login.
    Provider(usize),
    /// The refresh of this generation of a session.
    Session([u8; 16], u32),
}

/// The questions of one exchange, in their order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Step {
    /// What a provider says of itself.
    Metadata,
    /// A code or a refresh token, for tokens.
    Tokens,
    /// Further claims; a provider may have several pages of them.
    Claims(u8),
    /// A token is given back.
    Revocation,
}

/// A question that was not asked yet.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) topic: Topic,
    /// Its number is given by the engine.
    pub(crate) callout: Callout,
}

/// What came back. It may hold tokens, so it is zeroised, and hidden from `Debug`.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// The header `link`.
    pub(crate) link: Vec<u8>,
}

/// An answer, or why there is none.
pub(crate) type Answered = Result<Answer, CalloutFailure>;

/// The answers that are there.
pub(crate) type Answers = Lookup<Topic, Answered>;

impl Answer {
    /// What a host hands over. A response without a proper status is as good as none.
    pub(crate) fn of(outcome: CalloutOutcome<'_>) -> Answered {
        let response = outcome?;
        let status = str::from_utf8(response.status()).ok().and_then(|status| status.parse().ok());
        Ok(Self {
            status: status.ok_or(CalloutFailure::NoAnswer)?,
            body: Zeroizing::new(response.body().to_vec()),
            link: link(&response),
        })
    }
}

fn link(response: &Response<'_>) -> Vec<u8> {
    let lines: Vec<_> = response.lines("link").collect();
    lines.join(&b", "[..])
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
