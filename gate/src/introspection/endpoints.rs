//! How introspection endpoints do: which are left alone for a while, and what operators were told of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

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
    /// How often in a row it could not answer.
    failures: u32,
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
    /// The endpoint cannot answer, whatever it is asked.
    Endpoint,
    /// It may answer when it is asked about another token.
    Question,
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
        (state.failures, state.pause_ends) = (0, Timestamp::default());
        std::mem::take(&mut state.is_announced)
    }

    /// It did not, asked at `asked`. Says whether `words` are to be logged.
    pub(crate) fn fail(
        &mut self,
        issuer: usize,
        trouble: Trouble,
        words: &str,
        (asked, now): (Timestamp, Timestamp),
    ) -> bool {
        let state = self.0.entry(issuer).or_default();
        // What was asked before the pause says nothing new.
        if trouble == Trouble::Endpoint && state.pause_ends <= asked {
            let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(state.failures).unwrap_or(u32::MAX));
            state.failures = state.failures.saturating_add(1);
            state.pause_ends = now.after(pause.min(LONGEST_PAUSE));
        }
        let is_known = |(logged, at): &(String, Timestamp)| logged == words && now < at.after(LOGGED_EVERY);
        let is_news = !state.logged.as_ref().is_some_and(is_known);
        if is_news {
            state.logged = Some((words.to_string(), now));
            state.is_announced |= trouble == Trouble::Endpoint;
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
        endpoints.fail(0, trouble, "stalls", (at(asked), at(now)))
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
        assert!(endpoints.fail(0, Trouble::Question, "lies", (at(0), at(60_001))));
        assert!(!endpoints.succeed(0), "it was one token's");
        assert!(fail(&mut endpoints, Trouble::Endpoint, 61_000, 61_000) && endpoints.succeed(0));
        assert!(
            !fail(&mut endpoints, Trouble::Endpoint, 62_000, 62_000) && !endpoints.succeed(0),
            "the log has a line"
        );
    }
}
