//! What a decision comes to, and what it has the engine do besides.

use std::sync::Arc;

use crate::answer::Refusal;
use crate::binding::FreshProof;
use crate::callers::{Entry, Failure};
use crate::http::{HeaderEdit, Reply};
use crate::question::{Question, Subject};
use crate::report::{Metric, Reason};
use crate::sessions::SessionUse;
use crate::upstream::Minted;

/// What the gate makes of a request, given what there is.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is for the gate itself, which answers; with what access logs call that.
    Answer(Reply, &'static str),
    /// It passes, with these edits.
    Forward(Vec<HeaderEdit>),
    /// It lacks the answer to a question.
    NeedsAnswer(Box<Question>),
    /// Its issuer has no usable keys at the moment.
    NeedsKeys {
        /// The issuer, by index.
        issuer: usize,
    },
    /// It is refused, unless its issuer has published new keys meanwhile.
    NeedsNewKeys {
        /// The issuer, by index.
        issuer: usize,
        /// Why it is refused otherwise.
        reason: Reason,
    },
    /// Its proof holds, if it was not used before.
    NeedsUnusedProof(FreshProof),
    /// The claims of its session are too old to be used.
    NeedsRefresh(Arc<Entry>),
    /// It is refused.
    Refuse(Refusal),
    /// It is refused, with an answer of its own.
    Turn(Box<(Reply, Refusal)>),
}

/// A verdict, and what becomes of the request where it is a refusal.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// In audit mode: the edits with which the request passes all the same.
    pub(crate) audited: Option<Vec<HeaderEdit>>,
    /// What is to be done besides.
    pub(crate) events: Vec<Event>,
    /// The session whose request passes.
    pub(crate) session: Option<Box<SessionUse>>,
    /// What a login comes to that lacks keys, and cannot wait for them.
    pub(crate) failure: Option<Box<FailedLogin>>,
}

/// A login that failed.
#[derive(Debug)]
pub(crate) struct FailedLogin {
    pub(crate) reply: Reply,
    pub(crate) events: Vec<Event>,
}

/// What a decision has the engine do.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Ask a question whose answer nobody waits for.
    Ask(Box<Question>),
    /// Increase a counter.
    Count(Metric),
    /// The answers to these questions were used, and are to be forgotten soon.
    Forget(Subject),
    /// Remember the credential of that index for the caller with that digest.
    KeepMinted(usize, [u8; 32], Minted),
    /// Tell operators.
    Log(String),
    /// The browser was sent to where it is, so that it comes again with the newest cookie.
    Bounced([u8; 16]),
    /// The session, of the login of that index, is over: its user said so.
    LoggedOut(usize, [u8; 16]),
    /// Fetch the claims of a session again; the request does not wait for it.
    Refresh(Arc<Entry>),
    /// The user of a session works in another role from now on.
    RoleChosen(Arc<Entry>),
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoKeys { issuer } => Self::NeedsKeys { issuer },
            Failure::Refused(reason) => Self::Refuse(reason.into()),
            Failure::UnknownKey { issuer, reason } => Self::NeedsNewKeys { issuer, reason },
        }
    }
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, audited: None, events: Vec::new(), session: None, failure: None }
    }
}
