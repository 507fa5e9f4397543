//! The engine and the issuers that alone can read their tokens: what their answers come to, and who may ask how much.

use std::time::Duration;

use super::questions::FAILURES_KEPT;
use super::{Effect, Gate, Level};
use crate::answer::Refusal;
use crate::callout::CalloutFailure;
use crate::introspection::{self, Trouble};
use crate::policy::IntrospectionSettings;
use crate::question::{Answered, Question, Subject, Topic};
use crate::report::{Metric, Reason};
use crate::time::Timestamp;

/// What is said of an endpoint that stalls.
const NO_ANSWER: &str = "the endpoint did not answer in time";

impl Gate {
    /// A request that has waited for an issuer's word for as long as it may. The lookup goes on: the answer is there when
    /// the client comes again.
    pub(super) fn refuse_late(&mut self, question: Question, now: Timestamp) -> Refusal {
        self.ask(question, now);
        Refusal { retry_after: Some(1), ..Refusal::from(Reason::IntrospectionUnavailable) }
    }

    /// Takes note of the answer about a token, or of its absence; says how long it is good.
    #[inline(never)]
    pub(super) fn conclude_introspection(
        &mut self,
        index: usize,
        answered: &Answered,
        asked: Timestamp,
        now: Timestamp,
    ) -> Duration {
        let Some(settings) = self.policy.issuers.get(index).and_then(|issuer| issuer.introspection()) else {
            return FAILURES_KEPT;
        };
        let took = now.since(asked);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.effects.push_back(Effect::Record(Metric::IntrospectionMilliseconds, millis));
        match worth(settings, answered, took) {
            Ok(kept) => {
                self.effects.push_back(Effect::Count(Metric::IntrospectionsAnswered(index)));
                if self.endpoints.succeed(index) {
                    self.log_introspection(Level::Info, index, "the endpoint answers again");
                }
                kept
            }
            Err((trouble, words)) => {
                self.fail_introspection(index, trouble, &words, (asked, now));
                FAILURES_KEPT
            }
        }
    }

    /// The host never ended a lookup.
    pub(super) fn give_up_introspection(&mut self, index: usize, now: Timestamp) {
        self.fail_introspection(index, Trouble::Endpoint, NO_ANSWER, (now, now));
    }

    /// There is no proper answer.
    fn fail_introspection(&mut self, index: usize, trouble: Trouble, words: &str, when: (Timestamp, Timestamp)) {
        self.effects.push_back(Effect::Count(Metric::IntrospectionsFailed(index)));
        if self.endpoints.fail(index, trouble, words, when) {
            self.log_introspection(Level::Warn, index, words);
        }
    }

    fn log_introspection(&mut self, level: Level, index: usize, words: &str) {
        let name = self.policy.issuers.get(index).map_or("", |issuer| &issuer.name);
        let line = ["introspection at issuer `", name, "`: ", words].concat();
        self.effects.push_back(Effect::Log(level, line));
    }
}

/// How long an answer is good that took so long; an error says what is wrong with it.
fn worth(settings: &IntrospectionSettings, answered: &Answered, took: Duration) -> Result<Duration, (Trouble, String)> {
    let answer = match answered {
        Ok(answer) => answer,
        Err(CalloutFailure::NoAnswer) => return Err((Trouble::Endpoint, String::from(NO_ANSWER))),
        Err(CalloutFailure::NotSent { status }) => {
            let words = format!(
                "the proxy did not send the request (status {status}): is there a cluster `{}`?",
                settings.cluster
            );
            return Err((Trouble::Endpoint, words));
        }
    };
    match introspection::read(settings, answer) {
        // It counts from when it was asked for; those that wait for it get to use it.
        Ok(introspection::Answered::Active(_)) => Ok(settings.cache_for.saturating_sub(took).max(FAILURES_KEPT)),
        Ok(introspection::Answered::Inactive) => Ok(settings.negative_for),
        Err(error) => {
            let trouble = match answer.status {
                429 | 500..=599 => Trouble::Endpoint,
                _ => Trouble::Question,
            };
            Err((trouble, format!("the endpoint {error}")))
        }
    }
}
