//! From the bytes of a credential to a token that was verified in full.
//!
//! The checks stand in the order in which the contract names their reasons: the first failure gives the answer.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jose::claims::{NumericDate, audience_contains, is_type};
use jose::json::Value;
use jose::jwk::{Candidates, VerificationKey};
use jose::jws::{EncodedToken, Token, UntrustedToken};
use jose::signature::SignatureVerifier;
use jose::sorting::sort_texts;

use super::check::Check;
use super::evidence::{Evidence, EvidenceSource, Groups};
use super::rejection::{Rejection, name};
use crate::claims::{ClaimRef, NotStrings, add_groups, add_member_groups, add_scopes};
use crate::distinct::distinct;
use crate::keys::IssuerKeys;
use crate::policy::{Audiences, Issuer, IssuerKind, Policy, is_key_for, is_workload, present, trust_domain_of};
use crate::report::Reason;
use crate::time::Timestamp;

/// Why a token was not verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// Its issuer has no usable keys at the moment.
    NoKeys {
        /// The issuer, by index.
        issuer: usize,
    },
    /// It is refused.
    Refused(Reason),
    /// It is refused, unless its issuer has published new keys meanwhile.
    UnknownKey {
        /// The issuer, by index.
        issuer: usize,
        /// Why it is refused otherwise.
        reason: Reason,
    },
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// What logs may say of a token before it is verified.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claimed {
    pub(crate) issuer: Option<usize>,
    pub(crate) kid: Option<Arc<str>>,
    /// The last check that was made: of a token that is refused, the one that failed.
    pub(crate) check: Check,
    /// What more is to be said of why it is refused.
    pub(crate) detail: Option<String>,
    /// Whether its issuer is asked what it is worth.
    pub(crate) is_introspected: bool,
}

impl Claimed {
    pub(super) fn reject(&mut self, rejection: Rejection) -> Failure {
        self.detail = rejection.detail;
        Failure::Refused(rejection.reason)
    }

    /// Whether its signature was checked, whatever came of it.
    pub(crate) fn checked_signature(&self) -> bool {
        !self.is_introspected && self.check >= Check::Signature
    }
}

/// What a token is verified against.
#[derive(Clone, Copy)]
pub(crate) struct Verification<'v> {
    pub(crate) policy: &'v Policy,
    pub(crate) keys: &'v [IssuerKeys],
    pub(crate) verifier: &'v dyn SignatureVerifier,
    /// By the host's clock: what dates in tokens are compared with.
    pub(crate) now: Timestamp,
    /// By the steady clock: what the age of keys is measured by.
    pub(crate) steady: Timestamp,
}

impl Verification<'_> {
    /// Decodes `text`, if it is short enough to be read.
    pub(crate) fn decode<'t>(&self, text: &'t [u8], claimed: &mut Claimed) -> Result<EncodedToken<'t>, Failure> {
        if text.len() > self.policy.limits.token_bytes {
            return Err(Reason::TokenTooLarge.into());
        }
        claimed.check = Check::Form;
        EncodedToken::decode(text).map_err(|_| Reason::MalformedToken.into())
    }

    /// Verifies a token. What is learned on the way goes to `claimed`.
    pub(crate) fn verify<'e>(
        &self,
        encoded: &'e EncodedToken<'e>,
        claimed: &mut Claimed,
    ) -> Result<Evidence<'e>, Failure> {
        let (token, index, issuer) = self.authenticate(encoded, claimed)?;
        let checked = check_claims(token, index, issuer, self.now, &mut claimed.check);
        checked.map_err(|rejection| claimed.reject(rejection))
    }

    /// Verifies an ID token of this issuer, by index (OpenID Connect Core 1.0 §3.1.3.7): as any token of its issuer,
    /// but for its audience and type, which are the client's business.
    pub(crate) fn verify_id_token<'e>(
        &self,
        encoded: &'e EncodedToken<'e>,
        wanted: usize,
        claimed: &mut Claimed,
    ) -> Result<Token<'e>, Failure> {
        let (token, index, issuer) = self.authenticate(encoded, claimed)?;
        if index != wanted {
            return Err(Reason::UnknownIssuer.into());
        }
        let check = &mut claimed.check;
        check_dates_of_id_token(&token, issuer, self.now, check).map_err(|rejection| claimed.reject(rejection))?;
        Ok(token)
    }

    /// Whose token it is: `iss` and its signature say so.
    fn authenticate<'e>(
        &self,
        encoded: &'e EncodedToken<'e>,
        claimed: &mut Claimed,
    ) -> Result<(Token<'e>, usize, &Issuer), Failure> {
        let untrusted = encoded.parse().map_err(|_| Reason::MalformedToken)?;
        claimed.kid = untrusted.kid().map(Arc::from);
        claimed.check = Check::Algorithm;
        if untrusted.algorithm().is_none() {
            return Err(Reason::UnsupportedAlgorithm.into());
        }
        claimed.check = Check::Extensions;
        if untrusted.has_extensions() {
            return Err(Reason::UnsupportedAlgorithm.into());
        }
        claimed.check = Check::Issuer;
        let index = self.find_issuer(&untrusted).map_err(|rejection| claimed.reject(rejection))?;
        claimed.issuer = Some(index);
        let (Some(issuer), Some(keys)) = (self.policy.issuers.get(index), self.keys.get(index)) else {
            return Err(Reason::UnknownIssuer.into());
        };
        let token = self.check_signature(untrusted, index, issuer, keys, &mut claimed.check)?;
        Ok((token, index, issuer))
    }

    /// `iss` picks the issuer, byte for byte or by its tenant. A token of a trust domain needs none.
    fn find_issuer(&self, token: &UntrustedToken<'_>) -> Result<usize, Rejection> {
        let Some(claim) = token.issuer() else { return self.find_trust_domain(token) };
        let name = claim.as_str().ok_or_else(|| Rejection::wrong_type("iss", claim, "a string"))?;
        let find = |is_it: &dyn Fn(&Issuer) -> bool| self.policy.issuers.iter().position(is_it);
        let is_exact = |issuer: &Issuer| issuer.kind == IssuerKind::Exact && issuer.signs();
        if let Some(index) = find(&|issuer| issuer.identifier == name && is_exact(issuer)) {
            return Ok(index);
        }
        match find(&|issuer| issuer.tenants().is_some_and(|pattern| pattern.tenant_in(name).is_some())) {
            Some(index) => Ok(index),
            None => self.find_trust_domain(token),
        }
    }

    /// `sub` picks the trust domain.
    fn find_trust_domain(&self, token: &UntrustedToken<'_>) -> Result<usize, Rejection> {
        let subject = token.subject().and_then(Value::as_str).ok_or(Reason::UnknownIssuer)?;
        let domain = trust_domain_of(subject).ok_or(Reason::UnknownIssuer)?;
        let is_it = |issuer: &Issuer| issuer.kind == IssuerKind::TrustDomain && issuer.identifier == domain;
        let index = self.policy.issuers.iter().position(is_it).ok_or(Reason::UnknownIssuer)?;
        match is_workload(subject) {
            true => Ok(index),
            false => Err(Rejection::not("sub", "the SPIFFE ID of a workload")),
        }
    }

    fn check_signature<'e>(
        &self,
        token: UntrustedToken<'e>,
        index: usize,
        issuer: &Issuer,
        keys: &IssuerKeys,
        check: &mut Check,
    ) -> Result<Token<'e>, Failure> {
        *check = Check::AllowedAlgorithm;
        let algorithm = token.algorithm().filter(|&algorithm| issuer.allows(algorithm));
        let algorithm = algorithm.ok_or(Reason::UnsupportedAlgorithm)?;
        *check = Check::Key;
        let set = keys.usable(self.steady).ok_or(Failure::NoKeys { issuer: index })?;
        let is_named = token.kid().is_some();
        let iss = token.issuer().and_then(Value::as_str);
        let checked_by = self.verifier.checked_by(algorithm);
        match set.candidates_among(token.kid(), algorithm, checked_by, |key| serves(key, iss)) {
            Candidates::Keys(keys) => {
                *check = Check::Signature;
                let is_known = keys.iter().any(|key| key.kid().is_some());
                token.verify(&keys, self.verifier).map_err(|_| match (is_named, is_known) {
                    (true, true) => Failure::Refused(Reason::BadSignature),
                    // A key without `kid` was tried for one that no key has.
                    (true, false) => Failure::UnknownKey { issuer: index, reason: Reason::UnknownKey },
                    (false, _) => Failure::UnknownKey { issuer: index, reason: Reason::BadSignature },
                })
            }
            Candidates::None => Err(Failure::UnknownKey { issuer: index, reason: Reason::UnknownKey }),
            Candidates::TooMany | Candidates::TooMuchWork => Err(Reason::UnknownKey.into()),
            Candidates::TooLarge if !is_named => Err(Reason::UnknownKey.into()),
            Candidates::TooLarge | Candidates::WrongAlgorithm => Err(Reason::UnsupportedAlgorithm.into()),
        }
    }
}

/// Whether a key may have signed tokens of `iss`.
pub(super) fn serves(key: &VerificationKey, iss: Option<&str>) -> bool {
    key.issuer().is_none_or(|issuer| iss.is_some_and(|iss| is_key_for(issuer, iss)))
}

fn check_claims<'e>(
    token: Token<'e>,
    index: usize,
    issuer: &Issuer,
    now: Timestamp,
    check: &mut Check,
) -> Result<Evidence<'e>, Rejection> {
    let claims = token.claims();
    *check = Check::Type;
    check_type(&token, issuer)?;
    *check = Check::Tenant;
    check_tenant(claims, issuer)?;
    let Read { scopes, groups, audiences, valid } = read_claims(claims, issuer, now, check)?;
    Ok(Evidence { issuer: index, source: EvidenceSource::Token(token), scopes, groups, audiences, valid })
}

/// What the claims of a token say that passes all checks.
pub(super) struct Read {
    pub(super) scopes: Vec<String>,
    pub(super) groups: Groups,
    pub(super) audiences: Vec<String>,
    pub(super) valid: Range<Duration>,
}

/// The checks that need nothing but claims.
pub(super) fn read_claims(
    claims: Value<'_>,
    issuer: &Issuer,
    now: Timestamp,
    check: &mut Check,
) -> Result<Read, Rejection> {
    *check = Check::Scopes;
    let scopes = sorted(united(&issuer.scope_claims, claims, add_scopes)?);
    *check = Check::Groups;
    let groups = groups_in(claims, issuer)?;
    *check = Check::Audience;
    let audiences = audiences_in(claims, issuer)?;
    let dates = Dates::read(claims, check)?;
    *check = Check::Expiry;
    dates.check_expiry(issuer, now)?;
    *check = Check::Start;
    dates.check_start(issuer, now)?;
    *check = Check::Lifetime;
    dates.check_lifetime(issuer)?;
    *check = Check::Audience;
    check_audience(&audiences, issuer)?;
    Ok(Read { scopes, groups, audiences, valid: dates.valid(issuer) })
}

/// OpenID Connect Core 1.0 §2: `exp` is required, whatever tokens of this issuer otherwise need.
fn check_dates_of_id_token(
    token: &Token<'_>,
    issuer: &Issuer,
    now: Timestamp,
    check: &mut Check,
) -> Result<(), Rejection> {
    let claims = token.claims();
    *check = Check::Tenant;
    check_tenant(claims, issuer)?;
    let dates = Dates::read(claims, check)?;
    *check = Check::Expiry;
    if dates.exp.is_none() {
        return Err(Rejection::missing("exp"));
    }
    dates.check_expiry(issuer, now)?;
    *check = Check::Start;
    Ok(dates.check_start(issuer, now)?)
}

fn check_type(token: &Token<'_>, issuer: &Issuer) -> Result<(), Reason> {
    let is_one_of = |typ: &str, wanted: &[&str]| wanted.iter().any(|wanted| is_type(typ, wanted));
    let is_fine = match (&issuer.token_types, token.typ()) {
        (Some(wanted), typ) => typ.is_some_and(|typ| wanted.iter().any(|wanted| is_type(typ, wanted))),
        // SPIFFE JWT-SVID §2.3
        (None, Some(typ)) if issuer.kind == IssuerKind::TrustDomain => is_one_of(typ, &["JWT", "JOSE"]),
        (None, _) => true,
    };
    if is_fine { Ok(()) } else { Err(Reason::WrongType) }
}

/// The tenant in `iss` is the one that the token names.
pub(super) fn check_tenant(claims: Value<'_>, issuer: &Issuer) -> Result<(), Rejection> {
    let Some(pattern) = issuer.tenants() else { return Ok(()) };
    let claim = present(claims, pattern.claim()).ok_or_else(|| Rejection::missing(pattern.claim()))?;
    let named = claim.as_str().ok_or_else(|| Rejection::wrong_type(pattern.claim(), claim, "a string"))?;
    let iss = present(claims, "iss").and_then(Value::as_str);
    match iss.and_then(|iss| pattern.tenant_in(iss)) == Some(named) {
        true => Ok(()),
        false => Err(Rejection::not(pattern.claim(), "the tenant that `iss` names")),
    }
}

const STRINGS: &str = "a string or an array of strings";

/// Groups in a form that cannot be read are ignored, unless they give scopes: then the token is rejected.
pub(super) fn groups_in(claims: Value<'_>, issuer: &Issuer) -> Result<Groups, Rejection> {
    let reference = &issuer.groups_claim;
    let references = std::slice::from_ref(&reference.claim);
    let found = match reference.member.as_deref() {
        None => united(references, claims, add_groups),
        Some(member) => {
            let mut groups = Vec::new();
            match reference.claim.find(claims) {
                Some(claim) => add_member_groups(claim, member, &mut groups)
                    .map(|()| groups)
                    .map_err(|NotStrings| Rejection::not_named_by(&name(&reference.claim), claim, member)),
                None => Ok(groups),
            }
        }
    };
    match found {
        Ok(groups) => Ok(Groups::Read(distinct(groups).into_iter().map(str::to_string).collect())),
        Err(rejection) if !issuer.group_scopes.is_empty() => Err(rejection),
        Err(rejection) => Ok(Groups::Odd(rejection.detail.unwrap_or_default().into())),
    }
}

fn audiences_in(claims: Value<'_>, issuer: &Issuer) -> Result<Vec<String>, Rejection> {
    let mut audiences = Vec::new();
    for reference in &issuer.audience_claims {
        let Some(claim) = reference.find(claims) else { continue };
        audience_contains(claim, |name| {
            audiences.push(name.to_string());
            false
        })
        .ok_or_else(|| Rejection::wrong_type(&name(reference), claim, STRINGS))?;
    }
    Ok(audiences)
}

fn check_audience(audiences: &[String], issuer: &Issuer) -> Result<(), Rejection> {
    match &issuer.audiences {
        Audiences::OneOf(wanted) if wanted.iter().any(|name| audiences.contains(name)) => Ok(()),
        // SPIFFE JWT-SVID §3.2: there is always one.
        Audiences::Any if issuer.kind != IssuerKind::TrustDomain || !audiences.is_empty() => Ok(()),
        _ if audiences.is_empty() => Err(Rejection::no_audience(&issuer.audience_claims)),
        _ => Err(Reason::WrongAudience.into()),
    }
}

/// The strings in all of `references`, in the order of the token.
pub(super) fn united<'d>(
    references: &[ClaimRef],
    claims: Value<'d>,
    add: impl Fn(Value<'d>, &mut Vec<&'d str>) -> Result<(), NotStrings>,
) -> Result<Vec<&'d str>, Rejection> {
    let mut found = Vec::new();
    for (reference, claim) in references.iter().filter_map(|reference| Some((reference, reference.find(claims)?))) {
        add(claim, &mut found).map_err(|NotStrings| Rejection::wrong_type(&name(reference), claim, STRINGS))?;
    }
    Ok(found)
}

/// Each text once, sorted. A token may have thousands: they are not compared one with all others.
pub(super) fn sorted(mut texts: Vec<&str>) -> Vec<String> {
    sort_texts(&mut texts);
    texts.dedup();
    texts.into_iter().map(str::to_string).collect()
}

/// The dates of a token: RFC 7519 §4.1.4 to §4.1.6.
#[derive(Clone, Copy, Debug)]
struct Dates<'d> {
    exp: Option<NumericDate<'d>>,
    nbf: Option<NumericDate<'d>>,
    iat: Option<NumericDate<'d>>,
}

impl<'d> Dates<'d> {
    fn read(claims: Value<'d>, check: &mut Check) -> Result<Self, Rejection> {
        let date = |name| {
            let read = |claim| {
                let expected = "seconds since 1970 from 0 to 2^53";
                NumericDate::from_claim(claim).ok_or_else(|| Rejection::wrong_type(name, claim, expected))
            };
            present(claims, name).map(read).transpose()
        };
        *check = Check::Expiry;
        let exp = date("exp")?;
        *check = Check::Start;
        Ok(Self { exp, nbf: date("nbf")?, iat: date("iat")? })
    }

    fn check_expiry(&self, issuer: &Issuer, now: Timestamp) -> Result<(), Rejection> {
        let then = now.since_epoch().checked_sub(issuer.expiry_skew());
        match self.exp {
            None if issuer.require_expiration => Err(Rejection::missing("exp")),
            // now >= exp + skew, without letting the left side wrap below the epoch.
            Some(exp) if then.is_some_and(|then| exp.cmp_instant(then) != Ordering::Greater) => {
                Err(Reason::Expired.into())
            }
            _ => Ok(()),
        }
    }

    fn check_start(&self, issuer: &Issuer, now: Timestamp) -> Result<(), Reason> {
        let latest = now.after(issuer.clock_skew).since_epoch();
        match self.starts().any(|date| date.cmp_instant(latest) == Ordering::Greater) {
            true => Err(Reason::NotYetValid),
            false => Ok(()),
        }
    }

    fn check_lifetime(&self, issuer: &Issuer) -> Result<(), Rejection> {
        match (self.exp, self.iat, issuer.max_lifetime) {
            (Some(exp), Some(iat), Some(max)) if exp.is_later_by_more_than(iat, max) => {
                Err(Reason::LifetimeTooLong.into())
            }
            (None, _, Some(_)) => Err(Rejection::missing("exp")),
            (_, None, Some(_)) => Err(Rejection::missing("iat")),
            _ => Ok(()),
        }
    }

    /// The whole seconds in which the dates are fine.
    fn valid(&self, issuer: &Issuer) -> Range<Duration> {
        let from = self.starts().map(NumericDate::ceiling).max();
        let from = from.map_or(Duration::ZERO, |from| Duration::from_secs(from).saturating_sub(issuer.clock_skew));
        let until = |exp: NumericDate<'_>| Duration::from_secs(exp.floor()).saturating_add(issuer.expiry_skew());
        let until = self.exp.map_or(Duration::MAX, until);
        from..until
    }

    fn starts(&self) -> impl Iterator<Item = NumericDate<'d>> {
        [self.nbf, self.iat].into_iter().flatten()
    }
}
