//! The way of one request through the gate, in the order of the contract.

use std::rc::Rc;

use crate::answer::Refusal;
use crate::callers::{Claimed, Entry, Failure, Principal, TokenCache, Verification};
use crate::canonical::Canonical;
use crate::credentials::Credential;
use crate::http::{HeaderEdit, Reply, Request};
use crate::identity::Occasion;
use crate::policy::Policy;
use crate::report::{Facts, Reason};
use crate::rules::{Access, Denial, Mode, Requirement, Rule};

/// What the gate makes of a request, given the keys that there are.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is for the gate itself.
    Answer(Reply),
    /// It passes, with these edits.
    Forward(Vec<HeaderEdit>),
    /// It is refused.
    Refuse(Refusal),
    /// Its issuer has no usable keys at the moment.
    NeedsKeys {
        /// The issuer, by its place in the configuration.
        issuer: usize,
    },
    /// It is refused, unless its issuer has published new keys meanwhile.
    NeedsNewKeys {
        /// The issuer, by its place in the configuration.
        issuer: usize,
        /// Why it is refused otherwise.
        reason: Reason,
    },
}

/// A verdict, and what becomes of the request where it is a refusal.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// In audit mode: the edits with which the request passes all the same.
    pub(crate) audited: Option<Vec<HeaderEdit>>,
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, audited: None }
    }
}

/// Decides on `request`; what is learned on the way goes to `facts`.
pub(crate) fn decide(
    request: &Request<'_>,
    verification: &Verification<'_>,
    cache: &mut TokenCache,
    facts: &mut Facts,
) -> Judgement {
    let policy = verification.policy;
    let (received, canonical) = (request, Canonical::of(request, policy));
    let request = &canonical.as_ref().map_or(*received, |canonical| canonical.request(received));
    let mut case = Case { request, verification, cache, policy, rule: None, edits: policy.hygiene.edits(request) };
    let canonical = match &canonical {
        Err(ambiguity) => return case.refuse_unseen(ambiguity.reason(), facts),
        Ok(canonical) => canonical,
    };
    canonical.add_edits(received, &mut case.edits);
    if let Some(reply) = policy.metadata.answer(request, &canonical.path) {
        return Verdict::Answer(reply).into();
    }
    if policy.passes(request) {
        return case.forward_anonymous();
    }
    let Ok(rule) = policy.find_rule(request, &canonical.path) else {
        return case.refuse_unseen(Reason::AmbiguousPath, facts);
    };
    facts.rule = rule;
    case.rule = facts.rule.and_then(|index| policy.rules.get(index));
    match case.rule.map_or(&policy.default, |rule| &rule.access) {
        Access::Deny if case.rule.is_some() => case.refuse_unseen(Reason::DeniedByRule, facts),
        Access::Deny => case.refuse_unseen(Reason::NoRule, facts),
        Access::Public => case.forward_anonymous(),
        Access::Authenticated | Access::Optional | Access::Require(_) => case.check_caller(facts),
    }
}

/// A request on its way.
struct Case<'c> {
    request: &'c Request<'c>,
    verification: &'c Verification<'c>,
    cache: &'c mut TokenCache,
    policy: &'c Policy,
    rule: Option<&'c Rule>,
    /// What is to be edited whatever becomes of the request.
    edits: Vec<HeaderEdit>,
}

impl Case<'_> {
    fn forward_anonymous(mut self) -> Judgement {
        self.policy.credentials.remove_from(self.request, None, &mut self.edits);
        Verdict::Forward(self.edits).into()
    }

    fn check_caller(mut self, facts: &mut Facts) -> Judgement {
        let access = self.rule.map_or(&self.policy.default, |rule| &rule.access);
        let credential = match self.policy.credentials.take(self.request) {
            Err(reason) => return self.refuse(reason, None),
            Ok(None) if *access == Access::Optional => return self.forward_anonymous(),
            Ok(None) => return self.refuse(Reason::MissingToken, None),
            Ok(Some(credential)) => credential,
        };
        match self.verify(&credential.token, facts) {
            Ok(known) => self.admit(&known.principal, &credential, access),
            Err(Failure::Refused(reason)) => self.refuse(reason, None),
            Err(Failure::NoKeys { issuer }) => self.judge(Verdict::NeedsKeys { issuer }, None),
            Err(Failure::UnknownKey { issuer, reason }) => self.judge(Verdict::NeedsNewKeys { issuer, reason }, None),
        }
    }

    fn verify(&mut self, token: &[u8], facts: &mut Facts) -> Result<Rc<Entry>, Failure> {
        let verification = self.verification;
        let now = verification.now.since_epoch();
        let key_set = |issuer: usize| verification.keys.get(issuer)?.key_set(verification.steady);
        if let Some(known) = self.cache.find(token, now, key_set) {
            facts.was_cached = true;
            facts.kid.clone_from(&known.kid);
            facts.know(&known.principal);
            return Ok(known);
        }
        let mut claimed = Claimed::default();
        let encoded = verification.decode(token, &mut claimed)?;
        let verified = verification.verify(&encoded, &mut claimed);
        facts.checked_signature = claimed.checked_signature();
        facts.kid = claimed.kid;
        facts.issuer = claimed.issuer;
        let evidence = verified?;
        let index = evidence.issuer();
        let issuer = self.policy.issuers.get(index).ok_or(Reason::UnknownIssuer)?;
        let text = str::from_utf8(token).map_err(|_| Reason::MalformedToken)?;
        let valid = evidence.valid();
        let principal = Principal::new(evidence, text, self.policy, issuer);
        facts.know(&principal);
        let key_set = key_set(index).ok_or(Failure::NoKeys { issuer: index })?;
        let known = Rc::new(Entry { token: token.into(), principal, kid: facts.kid.clone(), key_set, valid });
        self.cache.insert(Rc::clone(&known));
        Ok(known)
    }

    fn admit(mut self, principal: &Principal, credential: &Credential<'_>, access: &Access) -> Judgement {
        let checked = access.requirement().map_or(Ok(()), |asked| asked.check(principal, self.policy.scope_match));
        match checked {
            Err(Denial::AccessDenied) => return self.refuse(Reason::AccessDenied, Some(principal)),
            Err(Denial::InsufficientScope(scopes)) => {
                let refusal = Refusal { scopes, ..Refusal::from(Reason::InsufficientScope) };
                return self.judge(Verdict::Refuse(refusal), Some(principal));
            }
            Ok(()) => {}
        }
        let mut edits = std::mem::take(&mut self.edits);
        let before = edits.len();
        edits.reserve(self.policy.identity.len().saturating_add(1));
        let is_forwarded = self.rule.and_then(|rule| rule.forward_token).unwrap_or(self.policy.forward_token);
        self.policy.credentials.remove_from(self.request, Some((credential, is_forwarded)), &mut edits);
        if self.on_this_occasion(|occasion| principal.add_identity(occasion, &mut edits)).is_ok() {
            return Verdict::Forward(edits).into();
        }
        edits.truncate(before);
        self.edits = edits;
        self.refuse(Reason::UnrepresentableClaim, Some(principal))
    }

    /// Refuses a request whose credential was not looked at.
    fn refuse_unseen(mut self, reason: Reason, facts: &mut Facts) -> Judgement {
        // Where it passes all the same, it does so with the identity that it has.
        let credential = self.is_audited().then(|| self.policy.credentials.take(self.request));
        let credential = credential.and_then(|found| found.ok().flatten());
        let known = credential.and_then(|credential| self.verify(&credential.token, facts).ok());
        self.refuse(reason, known.as_deref().map(|known| &known.principal))
    }

    fn refuse(self, reason: Reason, principal: Option<&Principal>) -> Judgement {
        self.judge(Verdict::Refuse(reason.into()), principal)
    }

    /// A verdict that is, or may become, a refusal. In audit mode the request passes as it came, its credential
    /// included, with the identity of `principal`.
    fn judge(mut self, verdict: Verdict, principal: Option<&Principal>) -> Judgement {
        if !self.is_audited() {
            return verdict.into();
        }
        if let Some(principal) = principal {
            let mut edits = std::mem::take(&mut self.edits);
            self.on_this_occasion(|occasion| principal.add_representable(occasion, &mut edits));
            self.edits = edits;
        }
        Judgement { verdict, audited: Some(self.edits) }
    }

    fn is_audited(&self) -> bool {
        self.rule.and_then(|rule| rule.mode).unwrap_or(self.policy.mode) == Mode::Audit
    }

    fn on_this_occasion<T>(&self, tell: impl FnOnce(&Occasion<'_>) -> T) -> T {
        let needs = self.policy.needs;
        let asked = self.rule.filter(|_| needs.asked_scopes).and_then(|rule| rule.access.requirement());
        let scopes = asked.map(|asked| asked.scopes().join(" ")).filter(|scopes| !scopes.is_empty());
        tell(&Occasion {
            rule: self.rule.map(|rule| &*rule.name),
            required_scopes: scopes.as_deref(),
            satisfy: asked.and_then(Requirement::satisfy),
            client_ip: needs.client_ip.then(|| self.policy.trusted_proxies.client_ip(self.request)).flatten(),
            max_bytes: self.policy.limits.header_bytes,
        })
    }
}
