//! From the bytes of a credential to a token that was verified in full.
//!
//! The checks stand in the order in which the contract names their reasons: the first failure gives the answer.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jose::claims::{NumericDate, audience_contains, is_type};
use jose::json::Value;
use jose::jwk::Candidates;
use jose::jws::{EncodedToken, Token, UntrustedToken};
use jose::signature::SignatureVerifier;

use super::check::Check;
use super::evidence::{Evidence, Source};
use crate::claims::{ClaimRef, NotStrings, add_groups, add_scopes};
use crate::distinct::distinct;
use crate::keys::IssuerKeys;
use crate::policy::{Audiences, Issuer, Policy};
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
}

impl Claimed {
    /// Whether its signature was checked, whatever came of it.
    pub(crate) fn checked_signature(&self) -> bool {
        self.check >= Check::Signature
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
    /// Decodes `text`, if it is short enough to be looked at.
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
        let index = self.find_issuer(&untrusted)?;
        claimed.issuer = Some(index);
        let (Some(issuer), Some(keys)) = (self.policy.issuers.get(index), self.keys.get(index)) else {
            return Err(Reason::UnknownIssuer.into());
        };
        let token = self.check_signature(untrusted, index, issuer, keys, &mut claimed.check)?;
        check_claims(token, index, issuer, self.now, &mut claimed.check).map_err(Failure::Refused)
    }

    /// `iss` picks the issuer, byte for byte.
    fn find_issuer(&self, token: &UntrustedToken<'_>) -> Result<usize, Reason> {
        let claim = token.issuer().ok_or(Reason::UnknownIssuer)?;
        let name = claim.as_str().ok_or(Reason::BadClaim)?;
        self.policy.issuers.iter().position(|issuer| issuer.identifier == name).ok_or(Reason::UnknownIssuer)
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
        match set.candidates(token.kid(), algorithm, self.verifier.checked_by(algorithm)) {
            Candidates::Keys(keys) => {
                *check = Check::Signature;
                token.verify(&keys, self.verifier).map_err(|_| match is_named {
                    true => Failure::Refused(Reason::BadSignature),
                    false => Failure::UnknownKey { issuer: index, reason: Reason::BadSignature },
                })
            }
            Candidates::None => Err(Failure::UnknownKey { issuer: index, reason: Reason::UnknownKey }),
            Candidates::TooMany | Candidates::TooMuchWork => Err(Reason::UnknownKey.into()),
            Candidates::TooLarge if !is_named => Err(Reason::UnknownKey.into()),
            Candidates::TooLarge | Candidates::WrongAlgorithm => Err(Reason::UnsupportedAlgorithm.into()),
        }
    }
}

fn check_claims<'e>(
    token: Token<'e>,
    index: usize,
    issuer: &Issuer,
    now: Timestamp,
    check: &mut Check,
) -> Result<Evidence<'e>, Reason> {
    let claims = token.claims();
    *check = Check::Type;
    check_type(&token, issuer)?;
    *check = Check::Scopes;
    let scopes = sorted(united(&issuer.scope_claims, claims, add_scopes)?);
    *check = Check::Groups;
    let groups = groups_in(claims, issuer)?.into_iter().map(str::to_string).collect();
    *check = Check::Audience;
    let audiences = audiences_in(claims)?;
    let dates = Dates::read(claims, check)?;
    *check = Check::Expiry;
    dates.check_expiry(issuer, now)?;
    *check = Check::Start;
    dates.check_start(issuer, now)?;
    *check = Check::Lifetime;
    dates.check_lifetime(issuer)?;
    *check = Check::Audience;
    check_audience(&audiences, issuer)?;
    let valid = dates.valid(issuer.clock_skew);
    Ok(Evidence { issuer: index, source: Source::Token(token), scopes, groups, audiences, valid })
}

fn check_type(token: &Token<'_>, issuer: &Issuer) -> Result<(), Reason> {
    let Some(wanted) = &issuer.token_types else { return Ok(()) };
    let typ = token.typ().ok_or(Reason::WrongType)?;
    match wanted.iter().any(|wanted| is_type(typ, wanted)) {
        true => Ok(()),
        false => Err(Reason::WrongType),
    }
}

fn groups_in<'d>(claims: Value<'d>, issuer: &Issuer) -> Result<Vec<&'d str>, Reason> {
    united(std::slice::from_ref(&issuer.groups_claim), claims, add_groups).map(distinct)
}

fn audiences_in(claims: Value<'_>) -> Result<Vec<String>, Reason> {
    let mut audiences = Vec::new();
    if let Some(aud) = claims.get("aud") {
        audience_contains(aud, |name| {
            audiences.push(name.to_string());
            false
        })
        .ok_or(Reason::BadClaim)?;
    }
    Ok(audiences)
}

fn check_audience(audiences: &[String], issuer: &Issuer) -> Result<(), Reason> {
    match &issuer.audiences {
        Audiences::OneOf(wanted) if !wanted.iter().any(|name| audiences.contains(name)) => Err(Reason::WrongAudience),
        _ => Ok(()),
    }
}

/// The strings in all of `references`, in the order of the token.
fn united<'d>(
    references: &[ClaimRef],
    claims: Value<'d>,
    add: impl Fn(Value<'d>, &mut Vec<&'d str>) -> Result<(), NotStrings>,
) -> Result<Vec<&'d str>, Reason> {
    let mut found = Vec::new();
    for claim in references.iter().filter_map(|reference| reference.find(claims)) {
        add(claim, &mut found).map_err(|NotStrings| Reason::BadClaim)?;
    }
    Ok(found)
}

/// Each text once, sorted. There may be thousands, for whoever can sign: they are not compared one with all others.
fn sorted(mut texts: Vec<&str>) -> Vec<String> {
    texts.sort_unstable();
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
    fn read(claims: Value<'d>, check: &mut Check) -> Result<Self, Reason> {
        let date =
            |name| claims.get(name).map(|claim| NumericDate::from_claim(claim).ok_or(Reason::BadClaim)).transpose();
        *check = Check::Expiry;
        let exp = date("exp")?;
        *check = Check::Start;
        Ok(Self { exp, nbf: date("nbf")?, iat: date("iat")? })
    }

    fn check_expiry(&self, issuer: &Issuer, now: Timestamp) -> Result<(), Reason> {
        let then = now.since_epoch().checked_sub(issuer.clock_skew);
        match self.exp {
            None if issuer.require_expiration => Err(Reason::BadClaim),
            // now >= exp + skew, without letting the left side wrap below the epoch.
            Some(exp) if then.is_some_and(|then| exp.cmp_instant(then) != Ordering::Greater) => Err(Reason::Expired),
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

    fn check_lifetime(&self, issuer: &Issuer) -> Result<(), Reason> {
        match (self.exp, self.iat, issuer.max_lifetime) {
            (Some(exp), Some(iat), Some(max)) if exp.is_later_by_more_than(iat, max) => Err(Reason::LifetimeTooLong),
            (None, _, Some(_)) | (_, None, Some(_)) => Err(Reason::BadClaim),
            _ => Ok(()),
        }
    }

    /// The whole seconds in which the dates are fine.
    fn valid(&self, skew: Duration) -> Range<Duration> {
        let from = self.starts().map(NumericDate::ceiling).max();
        let from = from.map_or(Duration::ZERO, |from| Duration::from_secs(from).saturating_sub(skew));
        let until = self.exp.map_or(Duration::MAX, |exp| Duration::from_secs(exp.floor()).saturating_add(skew));
        from..until
    }

    fn starts(&self) -> impl Iterator<Item = NumericDate<'d>> {
        [self.nbf, self.iat].into_iter().flatten()
    }
}
