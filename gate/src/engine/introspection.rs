//! The engine and the issuers that alone can read their tokens: what their answers come to, and who may ask how much.

use std::time::Duration;

use super::questions::FAILURES_KEPT;
use super::{Effect, Gate, Level};
use crate::callout::CalloutFailure;
use crate::introspection::{self, Trouble};
use crate::policy::IntrospectionSettings;
use crate::question::{Answer, Answered};
use crate::report::Metric;
use crate::time::Timestamp;

/// What is said of an endpoint that stalls.
const NO_ANSWER: &str = "the endpoint did not answer in time";
/// What is kept of a no.
const INACTIVE: &[u8] = br#"{"active":false}"#;

impl Gate {
    /// Takes note of the answer about a token, or of its absence; says how long it is good. Anybody can have thousands
    /// of answers kept that are no yes: nothing is left of their bodies.
    #[inline(never)]
    pub(super) fn conclude_introspection(
        &mut self,
        (index, token): (usize, &[u8; 32]),
        answered: &mut Answered,
        asked: Timestamp,
        now: Timestamp,
    ) -> Duration {
        let Some(settings) = self.policy.issuers.get(index).and_then(|issuer| issuer.introspection()) else {
            return FAILURES_KEPT;
        };
        let took = now.since(asked);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.effects.push_back(Effect::Record(Metric::IntrospectionMilliseconds, millis));
        let found = worth(settings, answered, took);
        match found {
            Ok((kept, is_active)) => {
                if !is_active {
                    *answered = Ok(Answer::ok(INACTIVE));
                }
                self.effects.push_back(Effect::Count(Metric::IntrospectionsAnswered(index)));
                if self.endpoints.succeed(index) {
                    self.log_introspection(Level::Info, index, "the endpoint answers again");
                }
                kept
            }
            Err((trouble, words)) => {
                if let Ok(answer) = answered {
                    *answer = Answer { status: answer.status, ..Answer::ok(b"") };
                }
                self.fail_introspection((index, token), trouble, &words, (asked, now));
                FAILURES_KEPT
            }
        }
    }

    /// The host never ended a lookup.
    pub(super) fn give_up_introspection(&mut self, about: (usize, &[u8; 32]), now: Timestamp) {
        self.fail_introspection(about, Trouble::Failure, NO_ANSWER, (now, now));
    }

    /// There is no proper answer.
    fn fail_introspection(
        &mut self,
        about: (usize, &[u8; 32]),
        trouble: Trouble,
        words: &str,
        when: (Timestamp, Timestamp),
    ) {
        self.effects.push_back(Effect::Count(Metric::IntrospectionsFailed(about.0)));
        if self.endpoints.fail(about, trouble, words, when) {
            self.log_introspection(Level::Warn, about.0, words);
        }
    }

    fn log_introspection(&mut self, level: Level, index: usize, words: &str) {
        let name = self.policy.issuers.get(index).map_or("", |issuer| &issuer.name);
        let line = ["introspection at issuer `", name, "`: ", words].concat();
        self.effects.push_back(Effect::Log(level, line));
    }
}

/// How long an answer is good that took so long, and whether it is a yes; an error says what is wrong with it.
fn worth(
    settings: &IntrospectionSettings,
    answered: &Answered,
    took: Duration,
) -> Result<(Duration, bool), (Trouble, String)> {
    let answer = match answered {
        Ok(answer) => answer,
        Err(CalloutFailure::NoAnswer) => return Err((Trouble::Failure, String::from(NO_ANSWER))),
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
        Ok(introspection::Answered::Active(_)) => {
            Ok((settings.cache_for.saturating_sub(took).max(FAILURES_KEPT), true))
        }
        Ok(introspection::Answered::Inactive) => Ok((settings.negative_for, false)),
        Err(error) => {
            let trouble = match answer.status {
                429 => Trouble::Endpoint,
                500..=599 => Trouble::Failure,
                _ => Trouble::Question,
            };
            Err((trouble, format!("the endpoint {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use serde_json::json;

    use super::*;
    use crate::testing::policy;

    #[test]
    fn no_body_is_kept_but_that_of_a_yes() {
        let large = "a".repeat(60_000);
        for (style, status, body, is_kept) in [
            ("rfc7662", 200, json!({"active": true, "x": large}).to_string(), true),
            ("rfc7662", 200, json!({"active": false, "x": large}).to_string(), false),
            ("rfc7662", 200, large.clone(), false),
            ("rfc7662", 403, large.clone(), false),
            ("self", 200, json!({"x": large}).to_string(), true),
            ("self", 200, json!({"active": false, "x": large}).to_string(), false),
            ("self", 401, large.clone(), false),
            ("self", 503, large.clone(), false),
        ] {
            let mut entry = json!({
                "name": "gaf", "issuer": "https://data.example.com", "endpoint": "https://data.example.com/introspect",
                "cluster": "gaf", "style": style, "audiences": "any",
            });
            if style == "rfc7662" {
                entry["client"] = json!({"id": "gate", "secret": "s3cret"});
            }
            let mut gate = Gate::new(policy(&json!({"introspection": [entry]})), Timestamp::default(), 0);
            let came = Answer { status, ..Answer::ok(body.as_bytes()) };
            let settings = gate.policy.issuers[1].introspection().expect("is asked").clone();
            let says = |answer: &Answer| match introspection::read(&settings, answer) {
                Ok(introspection::Answered::Active(_)) => Some(true),
                Ok(introspection::Answered::Inactive) => Some(false),
                Err(_) => None,
            };
            let mut answered = Ok(came.clone());
            gate.conclude_introspection((1, &[0; 32]), &mut answered, Timestamp::default(), Timestamp::default());
            let answer = answered.expect("is an answer");
            assert_eq!(says(&answer), says(&came), "{style} {status}");
            assert_eq!(answer.body.len() > 100, is_kept, "{style} {status}");
        }
    }
}
