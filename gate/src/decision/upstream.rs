//! Credentials for the upstream, in what is forwarded.

use std::sync::Arc;

use super::Evaluation;
use crate::answer::Refusal;
use crate::callers::Entry;
use crate::http::{HeaderEdit, Request};
use crate::policy::UpstreamCredential;
use crate::report::{Metric, Reason};
use crate::trail::Trail;
use crate::upstream::{Caller, Lack, mint};
use crate::verdict::{Event, Judgement, Verdict};

impl<T: Trail> Evaluation<'_, T> {
    /// Forwards a request whose access was granted, with its credentials for the upstream. What is in `edits` from
    /// `before` on is said to nobody where one of them lacks.
    #[inline(never)]
    pub(super) fn forward_with_credentials(
        mut self,
        entry: &Entry,
        mut edits: Vec<HeaderEdit>,
        before: usize,
    ) -> Judgement {
        let events = self.events.len();
        let Err(verdict) = self.add_credentials(entry, &mut edits) else {
            return self.end(Verdict::Forward(edits));
        };
        edits.truncate(before);
        self.edits = edits;
        if !self.is_audited() && is_missing(&verdict) {
            self.session = None;
            return self.refuse_missing();
        }
        if self.is_audited() {
            // They are asked for again.
            self.events.truncate(events);
        }
        self.judge(verdict, Some(entry))
    }

    /// In audit mode: a refused request gets what it would get were it not refused, where its caller is certain.
    #[inline(never)]
    pub(super) fn audit_with_credentials(&mut self, verdict: Verdict, entry: Option<&Entry>) -> Verdict {
        let mut edits = std::mem::take(&mut self.edits);
        let locations = &self.policy.credentials;
        let own = locations.take(self.request).ok().flatten();
        let own = own.filter(|own| entry.is_some_and(|entry| *entry.token == *own.token));
        locations.remove_upstream_from(
            self.request,
            |index| own.as_ref().is_some_and(|own| own.index == index),
            &mut edits,
        );
        // Where the rule is not known, what it gives is not either.
        let entry = entry.filter(|_| !self.has_readings);
        let lacking = entry.and_then(|entry| self.add_credentials(entry, &mut edits).err());
        self.edits = edits;
        match lacking {
            // It is decided anew, with the answer.
            Some(needs @ Verdict::NeedsAnswer(_)) => needs,
            _ => verdict,
        }
    }

    /// Puts the credentials of the rule in the place of whatever has their headers.
    fn add_credentials(&mut self, entry: &Entry, edits: &mut Vec<HeaderEdit>) -> Result<(), Verdict> {
        if self.known.is_check {
            // Nobody is there to get them.
            return Ok(());
        }
        let policy = self.policy;
        let credentials = policy.upstream_of(self.rule);
        let credentials =
            credentials.iter().filter_map(|&index| Some((index, policy.upstream.credentials.get(index)?)));
        credentials.clone().for_each(|(_, credential)| remove(self.request, &credential.header, edits));
        let caller = Caller::of(entry);
        for (index, credential) in credentials {
            let value = self.credential(index, credential, &caller)?;
            edits.push(HeaderEdit::Add(Arc::clone(&credential.header), value));
        }
        Ok(())
    }

    /// One of them: the one that is there from before, or a new one.
    fn credential(
        &mut self,
        index: usize,
        credential: &UpstreamCredential,
        caller: &Caller<'_>,
    ) -> Result<Arc<str>, Verdict> {
        let now = self.known.verification.steady;
        if let Some(minted) = self.known.minted.find(index, &caller.digest, now) {
            self.events.push(Event::Count(Metric::UpstreamCached(index)));
            return Ok(minted.value.reveal().into());
        }
        match mint(index, credential, caller, self.known) {
            Ok(minted) => {
                let value = minted.value.reveal().into();
                self.events.push(Event::Count(Metric::UpstreamMinted(index)));
                if now < minted.ends {
                    self.events.push(Event::KeepMinted(index, caller.digest, minted));
                }
                Ok(value)
            }
            Err(Lack::Needs(question)) => Err(Verdict::NeedsAnswer(question)),
            Err(Lack::NeedsRole) => Err(self.needs_role()),
            Err(lack) => {
                self.events.push(Event::Count(Metric::UpstreamFailed(index)));
                Err(Verdict::Refuse(refusal(&lack)))
            }
        }
    }
}

/// Whether it is as if there were no session.
fn is_missing(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refuse(refusal) if refusal.reason == Reason::MissingToken)
}

fn refusal(lack: &Lack) -> Refusal {
    match lack {
        Lack::Unavailable { retry_after } => {
            let retry_after = Some(*retry_after);
            Refusal { retry_after, ..Refusal::from(Reason::UpstreamCredentialUnavailable) }
        }
        Lack::SessionOver => Reason::MissingToken.into(),
        Lack::Denied | Lack::Needs(_) | Lack::NeedsRole => Reason::UpstreamCredentialDenied.into(),
    }
}

/// Removes all lines of a header, unless nothing is left of them.
fn remove(request: &Request<'_>, header: &str, edits: &mut Vec<HeaderEdit>) {
    let last = edits.iter().rev().find(|edit| edit.name().eq_ignore_ascii_case(header.as_bytes()));
    let is_there = match last {
        Some(edit) => !matches!(edit, HeaderEdit::Remove(_)),
        None => request.lines(header).next().is_some(),
    };
    if is_there {
        edits.push(HeaderEdit::Remove(header.as_bytes().to_vec()));
    }
}
