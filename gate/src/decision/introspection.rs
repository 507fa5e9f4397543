//! Tokens that only their issuer can read: what is known of them, and until then the question.

use std::sync::Arc;

use jose::json::Document;
use oauth::Secret;

use super::Evaluation;
use crate::answer::Refusal;
use crate::callers::{Claimed, Entry, Failure, Principal, digest_of_answer};
use crate::introspection::{self, Answered};
use crate::policy::Issuer;
use crate::report::Reason;
use crate::time::Timestamp;
use crate::trail::Trail;
use crate::verdict::{Event, Verdict};

/// From so many octets on, an answer is not kept beside what was made of it.
const LARGE: usize = 4096;

/// What is certain of a token.
struct Known {
    entry: Entry,
    /// What it takes in memory as it came.
    octets: usize,
}

impl<T: Trail> Evaluation<'_, T> {
    /// Verifies a token that the issuer of that index alone can read.
    #[inline(never)]
    pub(super) fn introspect(&mut self, index: usize, token: &[u8]) -> Result<Arc<Entry>, Verdict> {
        let mut claimed = Claimed::of_introspected(index);
        let found = self.ask_about(index, token, &mut claimed);
        let outcome = found.as_ref().map(|known| &known.entry.principal).map_err(|verdict| match verdict {
            Verdict::Refuse(refusal) => Failure::Refused(refusal.reason),
            _ => Failure::Refused(Reason::IntrospectionUnavailable),
        });
        self.trail.token(self.known.verification, token, claimed, outcome.as_ref().copied());
        let Known { entry, octets } = found?;
        let entry = Arc::new(entry);
        if self.cache.insert(Arc::clone(&entry)) && octets > LARGE {
            let subject = introspection::topic(index, token).subject;
            self.events.push(Event::Forget(subject));
        }
        Ok(entry)
    }

    fn ask_about(&mut self, index: usize, token: &[u8], claimed: &mut Claimed) -> Result<Known, Verdict> {
        let (known, verification) = (self.known, self.known.verification);
        let issuer = self.policy.issuers.get(index).ok_or_else(|| refuse(Reason::UnknownIssuer))?;
        let settings = issuer.introspection().ok_or_else(|| refuse(Reason::UnknownIssuer))?;
        let text = str::from_utf8(token).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        let text = text.ok_or_else(|| refuse(Reason::MalformedToken))?;
        let topic = introspection::topic(index, token);
        let retry_after = known.endpoints.retry_after(index, verification.steady);
        let Some((answered, until)) = known.answers.get(&topic, verification.steady) else {
            if retry_after.is_some() {
                return Err(unavailable(retry_after));
            }
            let asked = introspection::question(settings, topic, &Secret::new(text), verification.now, known.random);
            return Err(asked.map_or_else(|_| unavailable(None), |question| Verdict::NeedsAnswer(Box::new(question))));
        };
        let unavailable = || unavailable(retry_after);
        let answer = answered.as_ref().map_err(|_| unavailable())?;
        match introspection::read(settings, answer) {
            Err(_) => Err(unavailable()),
            Ok(Answered::Inactive) => Err(refuse(Reason::InactiveToken)),
            Ok(Answered::Active(claims)) => {
                let entry = self.entry_of(text, &claims, (index, issuer), until, claimed)?;
                Ok(Known { entry, octets: answer.body.len() })
            }
        }
    }

    fn entry_of(
        &mut self,
        text: &str,
        claims: &[u8],
        (index, issuer): (usize, &Issuer),
        until: Timestamp,
        claimed: &mut Claimed,
    ) -> Result<Entry, Verdict> {
        // INVARIANT: it was read before.
        let document = Document::parse(claims).map_err(|_| unavailable(None))?;
        let evidence = self.known.verification.verify_introspected(document.root(), index, claimed);
        let evidence = evidence.map_err(Verdict::from)?;
        self.trail.evidence(&evidence, issuer);
        let valid = evidence.valid();
        let principal = Principal::new(evidence, Some(text), self.policy, issuer);
        let token = text.as_bytes();
        let digest = digest_of_answer(self.policy, token, claims);
        let (token, until) = (token.into(), Some(until));
        Ok(Entry { token, principal, kid: None, key_set: 0, valid, digest, until, session: None })
    }
}

fn refuse(reason: Reason) -> Verdict {
    Verdict::Refuse(reason.into())
}

fn unavailable(retry_after: Option<u64>) -> Verdict {
    Verdict::Refuse(Refusal { retry_after, ..Refusal::from(Reason::IntrospectionUnavailable) })
}
