//! What others answer when a credential is asked for.

use super::minted::Lack;
use crate::known::Known;
use crate::question::{Answer, Question, Topic};
use crate::time::Timestamp;

/// What was answered, with the instant from which on it counts no more; until then, the question.
pub(super) fn answer<'k>(
    known: &Known<'k>,
    topic: Topic,
    ask: impl FnOnce() -> Result<Question, Lack>,
) -> Result<(&'k Answer, Timestamp), Lack> {
    match known.answers.get(&topic, known.verification.steady) {
        Some((Ok(answer), until)) => Ok((answer, until)),
        Some((Err(_), _)) => Err(Lack::UNAVAILABLE),
        None => Err(Lack::Needs(Box::new(ask()?))),
    }
}

/// Whether a status says that this caller gets no credential; with any other one, the next may get one.
pub(super) const fn is_denied(status: u16) -> bool {
    matches!(status, 400 | 401 | 403)
}

pub(super) fn failed(is_denied: bool) -> Lack {
    if is_denied { Lack::Denied } else { Lack::UNAVAILABLE }
}
