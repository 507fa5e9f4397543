//! What a decision lacks and others know: what they are asked, and what they answered.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::callout::{Callout, CalloutFailure, CalloutId, CalloutOutcome};
use crate::http::Response;
use crate::lookup::{Begun, Lookup};
use crate::time::{Timestamp, sooner};

/// What a question is about: one answer serves all that ask for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Topic {
    pub(crate) subject: Subject,
    pub(crate) step: Step,
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Subject {
    /// A credential for the upstream, by its index and the digest of what it is made of: the caller's token or session.
    Credential(usize, [u8; 32]),
    /// A login under way, by its flow.
    Flow([u8; 16]),
    /// A provider, by the index of its login.
    Provider(usize),
    /// The refresh of this generation of a session.
    Session([u8; 16], u32),
    /// A token that only its issuer can read, by the index of that and its own digest.
    Token(usize, [u8; 32]),
}

impl Subject {
    /// Which credential or issuer it is of.
    fn index(&self) -> Option<usize> {
        match *self {
            Self::Credential(index, _) | Self::Token(index, _) => Some(index),
            Self::Flow(_) | Self::Provider(_) | Self::Session(..) => None,
        }
    }
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
    /// What a token is worth.
    Introspection,
    /// The credentials of a role.
    Role,
}

impl Step {
    /// The first and the last one.
    const BOUNDS: [Self; 2] = [Self::Metadata, Self::Role];
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

/// What a request finds that can wait no longer, where there is no answer.
static LATE: Answered = Err(CalloutFailure::NoAnswer);

/// How many answers to logins and refreshes there may be at a time, awaited or there.
const MOST_OF_BROWSERS: usize = 512;
/// How many credentials for the upstream.
const MOST_CREDENTIALS: usize = 1024;
/// How many tokens that were looked up.
const MOST_TOKENS: usize = 4096;

/// The answers that are there. Each kind of question has room of its own: a flood of the one starves no other.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    browsers: Lookup<Topic, Answered>,
    credentials: Lookup<Topic, Answered>,
    tokens: Lookup<Topic, Answered>,
}

/// The answers as one request finds them.
#[derive(Clone, Copy)]
pub(crate) struct AnswersAtHand<'a> {
    answers: &'a Answers,
    /// Whether it can wait no longer: what is not there yet counts as a failure, for this request alone.
    is_late: bool,
}

impl<'a> AnswersAtHand<'a> {
    /// The answer on this topic, with the instant from which on it counts no more; until it is there, a question is
    /// to be asked.
    pub(crate) fn get(self, topic: &Topic, now: Timestamp) -> Option<(&'a Answered, Timestamp)> {
        self.answers.among(topic).get_until(topic, now).or(self.is_late.then_some((&LATE, now)))
    }
}

impl Answers {
    /// As a request finds them that can still wait, or can no longer.
    pub(crate) fn at_hand(&self, is_late: bool) -> AnswersAtHand<'_> {
        AnswersAtHand { answers: self, is_late }
    }

    /// Of each kind, so many questions are under way at most; of logins, as many as there is room for. `patience` is
    /// how long a callout is waited for, if the host never ends it.
    pub(crate) fn new(in_flight: usize, patience: Duration) -> Self {
        Self {
            browsers: Lookup::new(MOST_OF_BROWSERS, MOST_OF_BROWSERS, patience),
            credentials: Lookup::new(MOST_CREDENTIALS, in_flight, patience),
            tokens: Lookup::new(MOST_TOKENS, in_flight, patience),
        }
    }

    /// Those where this topic belongs.
    fn among(&self, topic: &Topic) -> &Lookup<Topic, Answered> {
        match topic.subject {
            Subject::Credential(..) => &self.credentials,
            Subject::Token(..) => &self.tokens,
            Subject::Flow(_) | Subject::Provider(_) | Subject::Session(..) => &self.browsers,
        }
    }

    fn among_mut(&mut self, topic: &Topic) -> &mut Lookup<Topic, Answered> {
        match topic.subject {
            Subject::Credential(..) => &mut self.credentials,
            Subject::Token(..) => &mut self.tokens,
            Subject::Flow(_) | Subject::Provider(_) | Subject::Session(..) => &mut self.browsers,
        }
    }

    fn all(&self) -> [&Lookup<Topic, Answered>; 3] {
        [&self.browsers, &self.credentials, &self.tokens]
    }

    fn all_mut(&mut self) -> [&mut Lookup<Topic, Answered>; 3] {
        [&mut self.browsers, &mut self.credentials, &mut self.tokens]
    }

    /// How many questions of its kind are under way: in all, and for the same issuer or credential.
    pub(crate) fn under_way_beside(&self, topic: &Topic) -> (usize, usize) {
        let lookup = self.among(topic);
        let is_same = |other: &&Topic| other.subject.index() == topic.subject.index();
        (lookup.in_flight().len(), lookup.in_flight().filter(is_same).count())
    }

    /// See [`Lookup::is_under_way`].
    pub(crate) fn is_under_way(&self, topic: &Topic, now: Timestamp) -> bool {
        self.among(topic).is_under_way(topic, now)
    }

    /// See [`Lookup::inherit`].
    pub(crate) fn inherit(&mut self, predecessor: Self) {
        self.browsers.inherit(predecessor.browsers);
        self.credentials.inherit(predecessor.credentials);
        self.tokens.inherit(predecessor.tokens);
    }

    /// See [`Lookup::begin`].
    pub(crate) fn begin(&mut self, topic: Topic, callout: CalloutId, now: Timestamp) -> Begun {
        self.among_mut(&topic).begin(topic, callout, now)
    }

    /// The topic of a callout that is under way.
    pub(crate) fn topic_of(&self, callout: CalloutId) -> Option<Topic> {
        self.all().into_iter().find_map(|lookup| lookup.key_of(callout))
    }

    /// See [`Lookup::finish`].
    pub(crate) fn finish(
        &mut self,
        topic: &Topic,
        callout: CalloutId,
        answered: Answered,
        ttl: Duration,
        now: Timestamp,
    ) {
        self.among_mut(topic).finish(callout, answered, ttl, now);
    }

    /// See [`Lookup::forget`].
    pub(crate) fn forget(&mut self, is_forgotten: &dyn Fn(&Topic) -> bool) {
        for lookup in self.all_mut() {
            lookup.forget(is_forgotten);
        }
    }

    /// See [`Lookup::end_by`]: all that is known of this subject.
    pub(crate) fn end_by(&mut self, end: Timestamp, subject: Subject) {
        let [first, last] = Step::BOUNDS.map(|step| Topic { subject, step });
        self.among_mut(&first).end_by(end, first..=last);
    }

    /// See [`Lookup::expire`].
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<Topic> {
        let mut given_up = Vec::new();
        for lookup in self.all_mut() {
            given_up.extend(lookup.expire(now));
        }
        given_up
    }

    /// See [`Lookup::next_expiry`].
    pub(crate) fn next_expiry(&self) -> Option<Timestamp> {
        let of_requests = sooner(self.credentials.next_expiry(), self.tokens.next_expiry());
        sooner(self.browsers.next_expiry(), of_requests)
    }
}

impl Answer {
    /// One with status 200.
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self { status: 200, body: Zeroizing::new(body.to_vec()), link: Vec::new() }
    }

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
