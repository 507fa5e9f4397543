//! The way of one request through the gate, in the order of the contract.

use crate::answer::Refusal;
use crate::edit::HeaderEdit;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::report::Facts;
use crate::request::{CanonicalPath, Request};
use crate::rules::{Access, Denial, Requirement, Rule, is_plain_authority};
use crate::token::{Claimed, Failure, Verification, VerifiedToken};

/// What the gate makes of a request, given the keys that there are.
#[derive(Debug)]
pub(crate) enum Verdict {
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

impl From<Reason> for Verdict {
    fn from(reason: Reason) -> Self {
        Self::Refuse(reason.into())
    }
}

/// Decides on `request`; what is learned on the way goes to `facts`.
pub(crate) fn decide(request: &Request<'_>, verification: &Verification<'_>, facts: &mut Facts) -> Verdict {
    let policy = verification.policy;
    let edits = policy.hygiene.edits(request);
    let Ok(path) = CanonicalPath::strict(request.path()) else { return Reason::AmbiguousPath.into() };
    if policy.asks_for_hosts && !is_plain_authority(request.authority()) {
        return Reason::AmbiguousPath.into();
    }
    let rule = policy.rules.iter().find(|rule| rule.matcher.matches(request, &path));
    facts.rule = rule.map(|rule| rule.name.clone());
    let decision = Decision { request, verification, rule, edits };
    match (rule.map_or(&policy.default, |rule| &rule.access), rule) {
        (Access::Deny, Some(_)) => Reason::DeniedByRule.into(),
        (Access::Deny, None) => Reason::NoRule.into(),
        (Access::Public, _) => decision.forward_anonymous(),
        (Access::Authenticated, _) => decision.check_caller(None, false, facts),
        (Access::Optional, _) => decision.check_caller(None, true, facts),
        (Access::Require(requirement), _) => decision.check_caller(Some(requirement), false, facts),
    }
}

struct Decision<'d> {
    request: &'d Request<'d>,
    verification: &'d Verification<'d>,
    rule: Option<&'d Rule>,
    /// What hygiene asks for.
    edits: Vec<HeaderEdit>,
}

impl Decision<'_> {
    fn forward_anonymous(mut self) -> Verdict {
        self.edits.extend(self.verification.policy.credentials.removals(self.request, None));
        Verdict::Forward(self.edits)
    }

    fn check_caller(self, requirement: Option<&Requirement>, is_optional: bool, facts: &mut Facts) -> Verdict {
        let credential = match self.verification.policy.credentials.take(self.request) {
            Err(reason) => return reason.into(),
            Ok(None) if is_optional => return self.forward_anonymous(),
            Ok(None) => return Reason::MissingToken.into(),
            Ok(Some(credential)) => credential,
        };
        match self.verify(&credential.token, facts) {
            Ok(principal) => self.admit(&principal, credential.place, requirement),
            Err(Failure::Refused(reason)) => reason.into(),
            Err(Failure::NoKeys { issuer }) => Verdict::NeedsKeys { issuer },
            Err(Failure::UnknownKey { issuer, reason }) => Verdict::NeedsNewKeys { issuer, reason },
        }
    }

    fn verify(&self, token: &[u8], facts: &mut Facts) -> Result<Principal, Failure> {
        let encoded = self.verification.decode(token)?;
        let mut claimed = Claimed::default();
        let verified = self.verification.verify(&encoded, &mut claimed);
        facts.kid = claimed.kid;
        let issuer = claimed.issuer.and_then(|index| self.verification.policy.issuers.get(index));
        facts.issuer = issuer.map(|issuer| issuer.name.clone());
        let verified: VerifiedToken<'_> = verified?;
        let issuer = issuer.ok_or(Reason::UnknownIssuer)?;
        let principal = Principal::new(verified, self.verification.policy, issuer);
        facts.subject = principal.subject().map(str::to_string);
        Ok(principal)
    }

    fn admit(mut self, principal: &Principal, place: usize, requirement: Option<&Requirement>) -> Verdict {
        match requirement.map_or(Ok(()), |requirement| requirement.check(principal)) {
            Err(Denial::AccessDenied) => return Reason::AccessDenied.into(),
            Err(Denial::InsufficientScope(scopes)) => {
                return Verdict::Refuse(Refusal { scopes, ..Refusal::from(Reason::InsufficientScope) });
            }
            Ok(()) => {}
        }
        let rule = self.rule.map(|rule| rule.name.as_str());
        let Ok(identity) = principal.identity_headers(rule) else { return Reason::UnrepresentableClaim.into() };
        let policy = self.verification.policy;
        let is_forwarded = self.rule.and_then(|rule| rule.forward_token).unwrap_or(policy.forward_token);
        self.edits.extend(policy.credentials.removals(self.request, is_forwarded.then_some(place)));
        self.edits.extend(identity.into_iter().map(|(name, value)| HeaderEdit::Add(name, value)));
        Verdict::Forward(self.edits)
    }
}
