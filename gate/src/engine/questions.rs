//! The engine and what it asks others: one callout for each question, and what waits for its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use jose::json::Document;

use super::waiting::{Arrival, Awaited, Waiter};
use super::{Effect, Gate, Level};
use crate::answer::Refusal;
use crate::callout::{CalloutId, CalloutOutcome};
use crate::capabilities::Capabilities;
use crate::lookup::Begun;
use crate::policy::Issuer;
use crate::question::{Answer, Answered, Answers, Question, Step, Subject, Topic};
use crate::report::{Metric, Reason};
use crate::time::Timestamp;
use crate::upstream::{kept as kept_of_credential, trouble};

/// How long what a provider says of itself is good.
const METADATA_KEPT: Duration = Duration::from_hours(1);
/// How long other answers are, which are used once.
const ANSWERS_KEPT: Duration = Duration::from_mins(1);
/// How long a failure is: whoever comes meanwhile gets the same.
pub(super) const FAILURES_KEPT: Duration = Duration::from_secs(1);

impl Gate {
    /// What providers are asked is not asked twice: codes are good once, and many refresh tokens are. What they say of
    /// themselves is: the login of that index may be another one, and so may a credential. What issuers said of tokens
    /// is, where the issuer of that index is asked in another way.
    pub(super) fn inherit_questions(
        &mut self,
        answers: Answers,
        asked: BTreeMap<CalloutId, Timestamp>,
        issuers: &[Issuer],
    ) {
        self.answers.inherit(answers);
        self.asked = asked;
        let heirs = &self.policy.issuers;
        let fingerprint = |issuers: &[Issuer], index: usize| {
            issuers.get(index).and_then(|issuer| issuer.introspection()).map(|settings| settings.fingerprint.clone())
        };
        self.answers.forget(&|topic| match topic.subject {
            Subject::Credential(..) | Subject::Provider(_) => true,
            Subject::Token(index, _) => fingerprint(issuers, index) != fingerprint(heirs, index),
            Subject::Flow(_) | Subject::Session(..) => false,
        });
    }

    /// A request that needs an answer: it waits for it, for a while. Says whether it does; `false`: it can wait no
    /// longer. The question goes on all the same: its answer is there for others, and when the client comes again.
    #[inline(never)]
    pub(super) fn wait_for_answer(
        &mut self,
        arrival: Arrival,
        question: Question,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        let topic = question.topic;
        if deadline <= now {
            self.ask(question, now);
            return Ok(false);
        }
        self.admit(arrival, Waiter { deadline, awaits: Awaited::Answer(topic), has_body: arrival.has_body })?;
        if self.ask(question, now) {
            return Ok(true);
        }
        self.waiting.remove(arrival.id);
        Err(Reason::Overloaded.into())
    }

    /// Sends a question, unless somebody has. Says whether its answer will come.
    pub(super) fn ask(&mut self, question: Question, now: Timestamp) -> bool {
        let Question { topic, mut callout } = question;
        if !self.answers.is_under_way(&topic, now) && self.takes_too_much(&topic) {
            return false;
        }
        callout.id = CalloutId(self.fetches);
        match self.answers.begin(topic, callout.id, now) {
            Begun::Ask => {
                self.asked.insert(callout.id, now);
                self.send(callout);
                true
            }
            Begun::Joined => true,
            Begun::Full => false,
        }
    }

    /// Whether one more question to whom this one is for would leave others too few. One among others gets no more than
    /// it leaves free, so that they do not starve where it stalls.
    fn takes_too_much(&self, topic: &Topic) -> bool {
        let policy = &self.policy;
        let others = match topic.subject {
            Subject::Credential(..) => policy.upstream.credentials.iter().filter(|found| found.asks()).count(),
            Subject::Token(..) => policy.issuers.iter().filter(|issuer| issuer.is_introspected()).count(),
            Subject::Flow(_) | Subject::Provider(_) | Subject::Session(..) => return false,
        };
        let (all, own) = self.answers.under_way_beside(topic);
        others > 1 && all.saturating_add(own) >= policy.limits.lookups
    }

    /// Takes the answer to a question; says whether it was one.
    #[inline(never)]
    pub(super) fn finish_question(
        &mut self,
        id: CalloutId,
        outcome: CalloutOutcome<'_>,
        capabilities: Capabilities<'_>,
        now: Timestamp,
    ) -> bool {
        let Some(asked) = self.asked.remove(&id) else { return false };
        let mut answered = Answer::of(outcome);
        let Some(topic) = self.answers.topic_of(id) else { return true };
        let took = now.since(asked);
        if topic.step == Step::Tokens {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            self.effects.push_back(Effect::Record(Metric::TokenEndpointMilliseconds, millis));
        }
        let kept = match topic.subject {
            Subject::Token(issuer, token) => self.conclude_introspection((issuer, &token), &mut answered, asked, now),
            Subject::Credential(index, _) => {
                let credential = self.policy.upstream.credentials.get(index);
                let trouble = credential.and_then(|found| trouble(found, topic.step, &answered, capabilities.now));
                let is_fine = trouble.is_none();
                self.effects.extend(trouble.map(|text| Effect::Log(Level::Info, text)));
                match topic.step {
                    Step::Metadata if is_fine => kept(&answered, topic.step),
                    // Those that wait for it get to use it.
                    step => credential
                        .and_then(|found| kept_of_credential(found, step, &answered, capabilities.now, took))
                        .map_or(FAILURES_KEPT, |kept| kept.max(FAILURES_KEPT)),
                }
            }
            _ => kept(&answered, topic.step),
        };
        self.answers.finish(&topic, id, answered, kept, now);
        self.wake_for(Awaited::Answer(topic));
        self.advance_refreshes(capabilities, now);
        true
    }

    /// When [`Self::give_up_questions`] has something to do.
    pub(super) fn next_question_event(&self) -> Option<Timestamp> {
        self.answers.next_expiry()
    }

    /// Gives up what the host never answered.
    pub(super) fn give_up_questions(&mut self, now: Timestamp) {
        let given_up = self.answers.expire(now);
        if !given_up.is_empty() {
            let answers = &self.answers;
            self.asked.retain(|&id, _| answers.topic_of(id).is_some());
        }
        for topic in given_up {
            if let Subject::Token(issuer, token) = topic.subject {
                self.give_up_introspection((issuer, &token), now);
            }
            self.wake_for(Awaited::Answer(topic));
        }
    }

    pub(super) fn wake_for(&mut self, awaited: Awaited) {
        let ready = self.waiting.wake(&|waiter| waiter.awaits == awaited);
        self.wake(ready);
    }
}

/// How long an answer is good.
fn kept(answered: &Answered, step: Step) -> Duration {
    match answered {
        // An error, or a page in its place, is no word of the provider's on itself: it passes.
        Ok(answer) if step == Step::Metadata => match answer.status == 200 && Document::parse(&answer.body).is_ok() {
            true => METADATA_KEPT,
            false => FAILURES_KEPT,
        },
        Ok(answer) if answer.status < 500 => ANSWERS_KEPT,
        _ => FAILURES_KEPT,
    }
}
