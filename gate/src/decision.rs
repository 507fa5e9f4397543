//! The way of one request through the gate, in the order of the contract.

mod browser;
mod introspection;
mod role;
mod sender;
mod upstream;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Refusal;
use crate::callers::{Claimed, Entry, Failure, Principal, TokenCache, digest_of_token};
use crate::canonical::Canonical;
use crate::credentials::Credential;
use crate::http::{CanonicalPath, HeaderEdit, Request};
use crate::identity::{RequestFacts, UnrepresentableHeader};
use crate::known::Known;
use crate::login::OwnPath;
use crate::policy::Policy;
use crate::report::{Cause, Detail, Reason};
use crate::rules::{Access, Denial, MatchedRequest, Mode, Requirement, Rule};
use crate::sessions::SessionUse;
use crate::trail::Trail;
use crate::verdict::{Event, Judgement, Verdict};

/// Decides on `request`; `trail` notes the steps.
pub(crate) fn decide<T: Trail>(
    request: &Request<'_>,
    known: &Known<'_>,
    cache: &mut TokenCache,
    trail: &mut T,
) -> Judgement {
    let policy = known.verification.policy;
    let (received, canonical) = (request, Canonical::of(request, policy));
    let request = &canonical.as_ref().map_or(*received, |canonical| canonical.request(received));
    let edits = policy.hygiene.edits(request);
    let path = canonical.as_ref().ok().map(|canonical| &canonical.path);
    let mut evaluation = Evaluation {
        request,
        path,
        known,
        cache,
        policy,
        trail,
        rule: None,
        has_readings: false,
        edits,
        events: Vec::new(),
        session: None,
    };
    let canonical = match &canonical {
        Err(ambiguity) => {
            evaluation.trail.ambiguous(ambiguity);
            evaluation.has_readings = true;
            return evaluation.refuse_before_credential(ambiguity.reason());
        }
        Ok(canonical) => canonical,
    };
    canonical.add_edits(received, &mut evaluation.edits);
    if let Some(reply) = policy.metadata.answer(request, &canonical.path) {
        evaluation.trail.metadata();
        return Verdict::Answer(reply, "jotgate_resource_metadata").into();
    }
    if let Some(reply) = policy.key_sets.answer(request, &canonical.path) {
        evaluation.trail.key_set();
        return Verdict::Answer(reply, "jotgate_jwks").into();
    }
    if let Some(browser) = &policy.browser
        && let Some(path) = OwnPath::of(browser, request, &canonical.path)
    {
        evaluation.trail.own_path();
        return evaluation.answer_own_path(browser, path);
    }
    if policy.passes(request) {
        evaluation.trail.preflight();
        return evaluation.forward_anonymous();
    }
    let found = policy.find_rule(request, &canonical.path);
    evaluation.trail.rule(policy, request, &canonical.path, &found);
    let Ok(rule) = found else {
        evaluation.has_readings = true;
        return evaluation.refuse_before_credential(Reason::AmbiguousPath);
    };
    evaluation.rule = rule.and_then(|index| policy.rules.get(index));
    match evaluation.rule.map_or(&policy.default, |rule| &rule.access) {
        Access::Deny if evaluation.rule.is_some() => evaluation.refuse_before_credential(Reason::DeniedByRule),
        Access::Deny => evaluation.refuse_before_credential(Reason::NoRule),
        Access::Public => evaluation.forward_anonymous(),
        Access::Authenticated | Access::Optional | Access::Require(_) => evaluation.check_caller(),
    }
}

/// The evaluation of one request.
struct Evaluation<'c, T> {
    request: &'c Request<'c>,
    /// Its path, where it has one reading.
    path: Option<&'c CanonicalPath<'c>>,
    known: &'c Known<'c>,
    cache: &'c mut TokenCache,
    policy: &'c Policy,
    trail: &'c mut T,
    rule: Option<&'c Rule>,
    /// Whether it has several readings, so that any rule of its host may be the one that was written for it.
    has_readings: bool,
    /// What is to be edited whatever becomes of the request.
    edits: Vec<HeaderEdit>,
    /// What is to be done besides.
    events: Vec<Event>,
    /// The session that it is forwarded with.
    session: Option<Box<SessionUse>>,
}

impl<'c, T: Trail> Evaluation<'c, T> {
    fn forward_anonymous(mut self) -> Judgement {
        match self.forwards_foreign() {
            true => self.policy.credentials.remove_own_from(self.request, &mut self.edits),
            false => self.policy.credentials.remove_from(self.request, None, &mut self.edits),
        }
        let edits = std::mem::take(&mut self.edits);
        self.end(Verdict::Forward(edits))
    }

    fn check_caller(mut self) -> Judgement {
        let access = self.access();
        let credential = match self.find_credential() {
            Err(cause) => return self.refuse(cause, None),
            Ok(None) => return self.check_session(None),
            Ok(Some(credential)) => credential,
        };
        let is_cookie = self.policy.credentials.is_cookie(credential.index);
        if is_cookie && self.is_cross_site() {
            return self.refuse(Reason::CrossSiteRequest, None);
        }
        if self.forwards_foreign() && self.policy.credentials.is_foreign(credential.index, self.request) {
            self.trail.foreign();
            return self.forward_foreign(&credential);
        }
        match self.verify(&credential.token) {
            Ok(known) => self.admit(&known, Some(&credential), access),
            Err(Verdict::NeedsNewKeys { reason, .. })
                if is_cookie && (self.known.has_all_keys || self.known.is_check) =>
            {
                self.check_session(Some(reason.into()))
            }
            Err(Verdict::Refuse(refusal)) if refusal.reason.status() == 401 => {
                let reason = refusal.reason;
                let found = (reason == Reason::MalformedToken).then(|| Detail::of_token(&credential.token)).flatten();
                match is_cookie {
                    true => self.check_session(Some(Cause::new(reason, found))),
                    false => self.refuse(Cause::new(reason, found), None),
                }
            }
            Err(verdict) => self.judge(verdict, None),
        }
    }

    /// No other credential is there, or a token in a cookie is bad, which is as good as none: a session may be there.
    fn check_session(self, bad: Option<Cause>) -> Judgement {
        match self.policy.browser.as_ref().filter(|_| self.policy.credentials.has_session()) {
            Some(browser) => self.check_browser(browser, bad),
            None => self.lacks_caller(bad),
        }
    }

    /// Nobody is known by a good credential.
    fn lacks_caller(self, bad: Option<Cause>) -> Judgement {
        match bad {
            None if *self.access() == Access::Optional => self.forward_anonymous(),
            None => self.refuse_missing(),
            Some(cause) => self.refuse_or_log_in(cause),
        }
    }

    fn refuse_missing(self) -> Judgement {
        let found = self.policy.credentials.missing(self.request);
        self.refuse_or_log_in(Cause::new(Reason::MissingToken, found))
    }

    fn access(&self) -> &'c Access {
        self.rule.map_or(&self.policy.default, |rule| &rule.access)
    }

    /// Whether the rule lets credentials through that are not for the gate.
    fn forwards_foreign(&self) -> bool {
        self.rule.is_some_and(|rule| rule.forwards_foreign)
    }

    /// Forwards a credential that is not for the gate, without identity; whatever else is one goes.
    fn forward_foreign(mut self, credential: &Credential<'_>) -> Judgement {
        self.policy.credentials.remove_from(self.request, Some((credential, true)), &mut self.edits);
        let edits = std::mem::take(&mut self.edits);
        self.end(Verdict::Forward(edits))
    }

    fn find_credential(&mut self) -> Result<Option<Credential<'c>>, Cause> {
        let found = self.policy.credentials.take(self.request);
        self.trail.credential(self.policy, self.request, &found);
        found
    }

    fn verify(&mut self, token: &[u8]) -> Result<Arc<Entry>, Verdict> {
        let verification = self.known.verification;
        let now = verification.now.since_epoch();
        let key_set = |issuer: usize| verification.keys.get(issuer)?.key_set(verification.steady);
        if let Some(known) = self.cache.find(token, (now, verification.steady), key_set) {
            self.trail.known(&known);
            return Ok(known);
        }
        // One that is too large is refused as any other.
        if token.len() <= self.policy.limits.token_bytes
            && let Some(index) = self.policy.introspects(token)
        {
            return self.introspect(index, token);
        }
        let mut claimed = Claimed::default();
        let checked = self.check_token(token, &mut claimed);
        let kid = claimed.kid.clone();
        self.trail.token(verification, token, claimed, checked.as_ref().map(|(principal, _)| principal));
        let (principal, valid) = checked.map_err(Verdict::from)?;
        let issuer = principal.issuer();
        let key_set = key_set(issuer).ok_or(Verdict::NeedsKeys { issuer })?;
        let digest = digest_of_token(self.policy, token);
        let known =
            Arc::new(Entry { token: token.into(), principal, kid, key_set, valid, digest, until: None, session: None });
        self.cache.insert(Arc::clone(&known));
        Ok(known)
    }

    /// All checks of a token. Says whose it is, and while its dates certainly allow it.
    fn check_token(&mut self, token: &[u8], claimed: &mut Claimed) -> Result<(Principal, Range<Duration>), Failure> {
        let encoded = self.known.verification.decode(token, claimed)?;
        let evidence = self.known.verification.verify(&encoded, claimed)?;
        let issuer = self.policy.issuers.get(evidence.issuer()).ok_or(Reason::UnknownIssuer)?;
        let text = str::from_utf8(token).map_err(|_| Reason::MalformedToken)?;
        self.trail.evidence(&evidence, issuer);
        let valid = evidence.valid();
        Ok((Principal::new(evidence, Some(text), self.policy, issuer), valid))
    }

    /// The caller is certain: a credential says so, or the session.
    fn admit(mut self, entry: &Entry, credential: Option<&Credential<'_>>, access: &Access) -> Judgement {
        let principal = &entry.principal;
        if self.needs_sender(principal, credential) {
            self = match self.judge_sender(principal, credential) {
                Ok(evaluation) => evaluation,
                Err(judgement) => return *judgement,
            };
        }
        let asks_for_groups = access.requirement().is_some_and(Requirement::asks_for_groups);
        if let Some(detail) = principal.odd_groups().filter(|_| asks_for_groups) {
            self.trail.odd_groups(detail);
            return self.refuse(Reason::BadClaim, Some(entry));
        }
        match self.check_access(principal, access) {
            Err(Denial::AccessDenied) => return self.refuse(Reason::AccessDenied, Some(entry)),
            Err(Denial::InsufficientScope(scopes)) => {
                let refusal = Refusal { scopes, ..Refusal::from(Reason::InsufficientScope) };
                return self.judge(Verdict::Refuse(refusal), Some(entry));
            }
            Ok(()) => {}
        }
        let mut edits = std::mem::take(&mut self.edits);
        let before = edits.len();
        edits.reserve(self.policy.identity.len().saturating_add(1));
        let is_forwarded = self.rule.and_then(|rule| rule.forward_token).unwrap_or(self.policy.forward_token);
        let used = credential.map(|credential| (credential, is_forwarded));
        self.policy.credentials.remove_from(self.request, used, &mut edits);
        if credential.is_none() && is_forwarded {
            edits.extend(self.kept_token());
        }
        let Err(UnrepresentableHeader(name)) =
            self.with_request_facts(|facts| principal.add_identity(facts, &mut edits))
        else {
            if self.policy.upstream.credentials.is_empty() {
                return self.end(Verdict::Forward(edits));
            }
            return self.forward_with_credentials(entry, edits, before);
        };
        edits.truncate(before);
        self.edits = edits;
        let found = Detail::UnrepresentableHeader(name);
        self.refuse(Cause::new(Reason::UnrepresentableClaim, found), Some(entry))
    }

    fn check_access(&self, principal: &Principal, access: &Access) -> Result<(), Denial> {
        let (Some(asked), Some(path), Some(rule)) = (access.requirement(), self.path, self.rule) else {
            // Only rules have requirements.
            return access.requirement().map_or(Ok(()), |_| Err(Denial::AccessDenied));
        };
        let matched = MatchedRequest { request: self.request, path, matcher: &rule.matcher };
        asked.check(principal, self.policy.scope_match, &matched)
    }

    /// Refuses a request whose credential was not read.
    fn refuse_before_credential(mut self, reason: Reason) -> Judgement {
        // Where it passes all the same, it does so with the identity that it has.
        let known = if self.is_audited() { self.find_caller().ok().flatten() } else { None };
        let is_certain = |known: &Arc<Entry>| known.session.is_none() || self.is_sender_certain(&known.principal, None);
        let known = known.filter(is_certain);
        self.refuse(reason, known.as_deref())
    }

    /// The caller, where there is one; otherwise what stands against it, or has to be known first. A bad token in a cookie
    /// takes no session away, and another site's request has no caller by a cookie.
    fn find_caller(&mut self) -> Result<Option<Arc<Entry>>, Verdict> {
        let Ok(found) = self.find_credential() else { return Ok(None) };
        let mut bad = Ok(None);
        if let Some(credential) = found {
            let is_cookie = self.policy.credentials.is_cookie(credential.index);
            if is_cookie && self.is_cross_site() {
                return Ok(None);
            }
            bad = match self.verify(&credential.token) {
                Ok(known) => {
                    Ok(Some(known).filter(|known| self.is_sender_certain(&known.principal, Some(&credential))))
                }
                Err(verdict) => Err(verdict),
            };
            let is_bad = match &bad {
                Ok(known) => known.is_none(),
                Err(Verdict::Refuse(refusal)) => refusal.reason.status() == 401,
                Err(verdict) => matches!(verdict, Verdict::NeedsNewKeys { .. }),
            };
            if !is_cookie || !is_bad {
                return bad;
            }
        }
        match self.find_session() {
            Some(_) if self.is_cross_site() => Ok(None),
            Some(session) => Ok(Some(session)),
            None => bad,
        }
    }

    fn refuse(self, cause: impl Into<Refusal>, entry: Option<&Entry>) -> Judgement {
        self.judge(Verdict::Refuse(cause.into()), entry)
    }

    /// A verdict that is, or may become, a refusal. In audit mode the request passes as it came, its credential
    /// included, with the identity of the caller that `entry` is.
    fn judge(mut self, verdict: Verdict, entry: Option<&Entry>) -> Judgement {
        if !self.is_audited() {
            return self.end(verdict);
        }
        if let Some(entry) = entry {
            let mut edits = std::mem::take(&mut self.edits);
            self.with_request_facts(|facts| entry.principal.add_representable(facts, &mut edits));
            self.edits = edits;
        }
        // Whatever else passes in audit mode: the gate's own cookies are nobody else's.
        self.policy.credentials.remove_session_from(self.request, &mut self.edits);
        let verdict = match self.policy.upstream.credentials.is_empty() {
            true => verdict,
            false => self.audit_with_credentials(verdict, entry),
        };
        let audited = Some(std::mem::take(&mut self.edits));
        Judgement { audited, ..self.end(verdict) }
    }

    fn end(self, verdict: Verdict) -> Judgement {
        Judgement { verdict, audited: None, events: self.events, session: self.session, failure: None }
    }

    fn is_audited(&self) -> bool {
        let mode = match self.has_readings {
            true => self.policy.strictest_mode(self.request),
            false => self.rule.and_then(|rule| rule.mode).unwrap_or(self.policy.mode),
        };
        mode == Mode::Audit
    }

    fn with_request_facts<R>(&self, write: impl FnOnce(&RequestFacts<'_>) -> R) -> R {
        let needs = self.policy.needs;
        let asked = self.rule.filter(|_| needs.asked_scopes).and_then(|rule| rule.access.requirement());
        let scopes = asked.map(|asked| asked.scopes().join(" ")).filter(|scopes| !scopes.is_empty());
        write(&RequestFacts {
            rule: self.rule.map(|rule| &*rule.name),
            required_scopes: scopes.as_deref(),
            satisfy: asked.and_then(Requirement::satisfy),
            client_ip: needs.client_ip.then(|| self.policy.trusted_proxies.client_ip(self.request)).flatten(),
            max_bytes: self.policy.limits.header_bytes,
        })
    }
}
