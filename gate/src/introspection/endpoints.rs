//! How introspection endpoints do: which are left alone for a while, and what operators were told of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

/// How many tokens in a row an endpoint fails at until it is left alone. It may be one of them that it chokes on: a
/// client that made it up must not lock out others.
const TOKENS_IN_A_ROW: usize = 3;
/// The first pause; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often one trouble is logged.
const LOGGED_EVERY: Duration = Duration::from_mins(1);

/// The endpoints that are in trouble, by the index of their issuer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(BTreeMap<usize, State>);

#[derive(Clone, Debug, Default)]
struct State {
    /// The tokens that it failed at since it last answered, or was left alone: fewer than [`TOKENS_IN_A_ROW`].
    failed_at: Vec<[u8; 32]>,
    /// How often in a row it was left alone.
    pauses: u32,
    /// Until then it is not asked.
    pause_ends: Timestamp,
    /// The trouble that was logged last, and when.
    logged: Option<(String, Timestamp)>,
    /// Whether operators take it to be in trouble.
    is_announced: bool,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// The endpoint cannot be asked, or does not want to be, whatever the token.
    Endpoint,
    /// It failed: at this token, or at each.
    Failure,
    /// It answers, and may do so properly when it is asked about another token.
    Question,
}

impl State {
    /// Whether it is to be left alone after this.
    fn is_down(&mut self, trouble: Trouble, token: &[u8; 32]) -> bool {
        match trouble {
            Trouble::Endpoint => true,
            Trouble::Failure if self.failed_at.contains(token) => false,
            Trouble::Failure => {
                self.failed_at.push(*token);
                self.failed_at.len() >= TOKENS_IN_A_ROW
            }
            Trouble::Question => false,
        }
    }

    fn pause(&mut self, now: Timestamp) {
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.pauses).unwrap_or(u32::MAX));
        self.pauses = self.pauses.saturating_add(1);
        self.pause_ends = now.after(pause.min(LONGEST_PAUSE));
        self.failed_at.clear();
    }
}

impl Endpoints {
    /// In how many whole seconds it may be asked again, where it is left alone.
    pub(crate) fn retry_after(&self, issuer: usize, now: Timestamp) -> Option<u64> {
        let left = self.0.get(&issuer)?.pause_ends.since(now);
        (!left.is_zero()).then(|| left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)))
    }

    /// It gave a proper answer. Says whether that is to be logged.
    pub(crate) fn succeed(&mut self, issuer: usize) -> bool {
        let Some(state) = self.0.get_mut(&issuer) else { return false };
        (state.pauses, state.pause_ends) = (0, Timestamp::default());
        state.failed_at.clear();
        std::mem::take(&mut state.is_announced)
    }

    /// It did not, asked about the token with that digest at `asked`. Says whether `words` are to be logged.
    pub(crate) fn fail(
        &mut self,
        (issuer, token): (usize, &[u8; 32]),
        trouble: Trouble,
        words: &str,
        (asked, now): (Timestamp, Timestamp),
    ) -> bool {
        let state = self.0.entry(issuer).or_default();
        // What was asked before the pause says nothing new.
        if state.pause_ends <= asked && state.is_down(trouble, token) {
            state.pause(now);
        }
        let is_known = |(logged, at): &(String, Timestamp)| logged == words && now < at.after(LOGGED_EVERY);
        let is_news = !state.logged.as_ref().is_some_and(is_known);
        if is_news {
            state.logged = Some((words.to_string(), now));
            state.is_announced |= trouble != Trouble::Question;
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::default().after(Duration::from_millis(millis))
    }

    fn fail(endpoints: &mut Endpoints, trouble: Trouble, asked: u64, now: u64) -> bool {
        endpoints.fail((0, &[0; 32]), trouble, "stalls", (at(asked), at(now)))
    }

    fn fail_at(endpoints: &mut Endpoints, token: u8, now: u64) {
        endpoints.fail((0, &[token; 32]), Trouble::Failure, "stalls", (at(now), at(now)));
    }

    #[test]
    fn an_endpoint_that_fails_at_several_tokens_in_a_row_is_left_alone() {
        let mut endpoints = Endpoints::default();
        for round in 0..2 {
            for token in 1..=3 {
                assert_eq!(endpoints.retry_after(0, at(5000 * round)), None, "{token}");
                fail_at(&mut endpoints, token, 5000 * round);
            }
            assert_eq!(endpoints.retry_after(0, at(5000 * round)), Some(round + 1));
        }
    }

    #[test]
    fn one_token_locks_out_no_other_however_often_it_is_sent() {
        let mut endpoints = Endpoints::default();
        for second in 0..100 {
            fail_at(&mut endpoints, 1, second * 1000);
            fail_at(&mut endpoints, 2, second * 1000);
            assert_eq!(endpoints.retry_after(0, at(second * 1000)), None);
        }
        for token in 1..=100 {
            fail_at(&mut endpoints, token, 100_000);
            endpoints.succeed(0);
            assert_eq!(endpoints.retry_after(0, at(100_000)), None, "it answers others");
        }
    }

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let mut endpoints = Endpoints::default();
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..40 {
            fail(&mut endpoints, Trouble::Endpoint, now, now);
            let pause = endpoints.retry_after(0, at(now)).expect("is left alone");
            pauses.push(pause);
            now += pause * 1000;
            assert_eq!(endpoints.retry_after(0, at(now)), None);
        }
        assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert!(endpoints.succeed(0) && !endpoints.succeed(0));
        fail(&mut endpoints, Trouble::Endpoint, now, now);
        assert_eq!(endpoints.retry_after(0, at(now)), Some(1), "it begins anew");
    }

    #[test]
    fn what_was_asked_at_once_counts_once() {
        let mut endpoints = Endpoints::default();
        for _ in 0..100 {
            fail(&mut endpoints, Trouble::Endpoint, 0, 5000);
        }
        assert_eq!(endpoints.retry_after(0, at(5000)), Some(1));
        assert_eq!(endpoints.retry_after(0, at(5001)), Some(1), "seconds are rounded up");
        assert_eq!(endpoints.retry_after(1, at(5000)), None, "others are asked");
    }

    #[test]
    fn what_one_token_provokes_pauses_nothing() {
        let mut endpoints = Endpoints::default();
        fail(&mut endpoints, Trouble::Question, 0, 0);
        assert_eq!(endpoints.retry_after(0, at(0)), None);
    }

    #[test]
    fn one_trouble_is_logged_once_a_minute() {
        let mut endpoints = Endpoints::default();
        assert!(fail(&mut endpoints, Trouble::Question, 0, 0));
        assert!(!fail(&mut endpoints, Trouble::Question, 0, 59_999));
        assert!(fail(&mut endpoints, Trouble::Question, 0, 60_000));
        assert!(endpoints.fail((0, &[0; 32]), Trouble::Question, "lies", (at(0), at(60_001))));
        assert!(!endpoints.succeed(0), "it was one token's");
        assert!(fail(&mut endpoints, Trouble::Endpoint, 61_000, 61_000) && endpoints.succeed(0));
        assert!(
            !fail(&mut endpoints, Trouble::Endpoint, 62_000, 62_000) && !endpoints.succeed(0),
            "the log has a line"
        );
    }
}
