//! Callouts, on their way to the main thread, and what comes of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use driver::{CalloutToken, HostError};
use gate::Callout;
use module_abi::{Answer, ConfigWaker, Main};

/// Whose callout it is: the index of the engine, and the token that its driver knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sender {
    pub(crate) engine: usize,
    pub(crate) token: CalloutToken,
}

/// What came of a callout.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) token: CalloutToken,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Response),
    NoAnswer,
    NotSent { status: u32 },
}

/// A response to a callout.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// The callouts of all engines of a configuration.
#[derive(Debug)]
pub(crate) struct Post {
    state: Mutex<State>,
    waker: ConfigWaker,
}

#[derive(Debug, Default)]
struct State {
    tokens: CalloutToken,
    /// With the time when each was asked for.
    unsent: Vec<(Sender, Callout, Instant)>,
    /// By Envoy's numbers, with how much of each body is of use.
    under_way: HashMap<u64, (Sender, usize)>,
}

impl Post {
    pub(crate) fn new(waker: ConfigWaker) -> Self {
        Self { state: Mutex::default(), waker }
    }

    /// Has the main thread make a callout.
    pub(crate) fn send(&self, engine: usize, callout: &Callout) -> CalloutToken {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tokens = state.tokens.wrapping_add(1);
        let token = state.tokens;
        state.unsent.push((Sender { engine, token }, callout.clone(), Instant::now()));
        drop(state);
        self.waker.wake();
        token
    }

    /// Makes the callouts that were not made yet; those that Envoy does not make come back.
    pub(crate) fn make(&self, main: Main<'_>) -> Vec<(usize, Delivery)> {
        let unsent = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).unsent);
        let mut failed = Vec::new();
        for (sender, callout, since) in unsent {
            let Some(timeout) = left(callout.timeout, since.elapsed()) else {
                failed.push((sender.engine, Delivery { token: sender.token, outcome: Outcome::NoAnswer }));
                continue;
            };
            match make(main, &callout, timeout) {
                Ok(number) => {
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.under_way.insert(number, (sender, callout.max_body_bytes));
                }
                Err(HostError { status }) => {
                    let outcome = Outcome::NotSent { status };
                    failed.push((sender.engine, Delivery { token: sender.token, outcome }));
                }
            }
        }
        failed
    }

    /// A callout is over: whose it was, and what came of it.
    pub(crate) fn receive(&self, number: u64, answer: Option<Answer<'_>>) -> Option<(usize, Delivery)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (Sender { engine, token }, limit) = state.under_way.remove(&number)?;
        let outcome = answer.map_or(Outcome::NoAnswer, |answer| Outcome::Answered(Response::copy(&answer, limit)));
        Some((engine, Delivery { token, outcome }))
    }
}

impl Response {
    /// The headers, and as much of the body as is of use.
    fn copy(answer: &Answer<'_>, limit: usize) -> Self {
        let headers = answer.headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        let mut body = Vec::new();
        for piece in &answer.body {
            let room = limit.saturating_sub(body.len());
            body.extend(piece.iter().take(room));
        }
        Self { headers, body }
    }
}

/// What is left of a timeout, if anything: an engine counts from when it asked, and then may ask anew, which must not be
/// done twice with what can be used once. Envoy counts in milliseconds, and takes none for no timeout.
fn left(timeout: Duration, waited: Duration) -> Option<Duration> {
    timeout.checked_sub(waited).filter(|left| left.as_millis() > 0)
}

fn make(main: Main<'_>, callout: &Callout, timeout: Duration) -> Result<u64, HostError> {
    main.callout(&callout.cluster, &callout.header_list(), &callout.body, timeout)
        .map_err(|error| HostError { status: error.status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callout_has_the_time_that_is_left_of_its_own() {
        for (waited, expected) in [(0, Some(5_000_000)), (10, Some(4_999_990)), (4_999_000, Some(1000))] {
            let left = left(Duration::from_secs(5), Duration::from_micros(waited));
            assert_eq!(left, expected.map(Duration::from_micros), "{waited}");
        }
        for waited in [4_999_001, 5_000_000, 60_000_000] {
            assert_eq!(left(Duration::from_secs(5), Duration::from_micros(waited)), None, "{waited}");
        }
    }

    #[test]
    fn as_much_of_a_body_is_copied_as_is_of_use() {
        let answer = Answer { headers: vec![(b":status", b"200")], body: vec![b"abc", b"", b"def", b"ghi"] };
        for (limit, body) in [(0, ""), (2, "ab"), (3, "abc"), (5, "abcde"), (9, "abcdefghi"), (100, "abcdefghi")] {
            let copied = Response::copy(&answer, limit);
            assert_eq!(copied.body, body.as_bytes(), "{limit}");
            assert_eq!(copied.headers, [(b":status".to_vec(), b"200".to_vec())]);
        }
    }
}
