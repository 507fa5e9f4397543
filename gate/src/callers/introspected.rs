//! The third maker of evidence: what an issuer says of a token that only it can read (RFC 7662 §2.2).

use jose::json::Value;

use super::check::Check;
use super::evidence::{Evidence, EvidenceSource};
use super::rejection::Rejection;
use super::verification::{Claimed, Failure, Read, Verification, read_claims};
use crate::policy::{IntrospectionStyle, Issuer, present};
use crate::report::Reason;

impl Claimed {
    /// Of a token that this issuer, by index, is asked about.
    pub(crate) fn of_introspected(issuer: usize) -> Self {
        Self { issuer: Some(issuer), check: Check::Introspection, is_introspected: true, ..Self::default() }
    }
}

impl Verification<'_> {
    /// Checks what the issuer of that index has just said of a token, as the claims of any token are checked.
    pub(crate) fn verify_introspected<'e>(
        &self,
        claims: Value<'e>,
        index: usize,
        claimed: &mut Claimed,
    ) -> Result<Evidence<'e>, Failure> {
        let issuer = self.policy.issuers.get(index).ok_or(Reason::UnknownIssuer)?;
        self.check_introspected(claims, index, issuer, &mut claimed.check)
            .map_err(|rejection| claimed.reject(rejection))
    }

    fn check_introspected<'e>(
        &self,
        claims: Value<'e>,
        index: usize,
        issuer: &Issuer,
        check: &mut Check,
    ) -> Result<Evidence<'e>, Rejection> {
        *check = Check::Issuer;
        check_issuer(claims, issuer)?;
        *check = Check::Type;
        check_token_type(claims, issuer)?;
        let Read { scopes, groups, audiences, valid } = read_claims(claims, issuer, self.now, check)?;
        Ok(Evidence { issuer: index, source: EvidenceSource::Answer(claims), scopes, groups, audiences, valid })
    }
}

/// An answer need not say whose token it is; where it does, it is this issuer's.
fn check_issuer(claims: Value<'_>, issuer: &Issuer) -> Result<(), Rejection> {
    let Some(claim) = present(claims, "iss") else { return Ok(()) };
    match claim.as_str() {
        None => Err(Rejection::wrong_type("iss", claim, "a string")),
        Some(iss) if iss == issuer.identifier => Ok(()),
        Some(_) => Err(Reason::UnknownIssuer.into()),
    }
}

/// RFC 7662 §2.2: a type of RFC 6749 §5.1. Others are those of tokens that give no access, such as refresh tokens; one
/// for `DPoP` is bound to a key (RFC 9449 §6.2). Where the token itself was sent, the word has a meaning of its own.
fn check_token_type(claims: Value<'_>, issuer: &Issuer) -> Result<(), Rejection> {
    let is_of_rfc = |style: &IntrospectionStyle| matches!(style, IntrospectionStyle::Rfc7662(_));
    let claim = present(claims, "token_type")
        .filter(|_| issuer.introspection().is_some_and(|settings| is_of_rfc(settings.style())));
    let Some(claim) = claim else { return Ok(()) };
    let found = claim.as_str().ok_or_else(|| Rejection::wrong_type("token_type", claim, "a string"))?;
    let is_bound = || present(claims, "cnf").and_then(|cnf| cnf.get("jkt")?.as_str()).is_some();
    match found.eq_ignore_ascii_case("Bearer") || (found.eq_ignore_ascii_case("DPoP") && is_bound()) {
        true => Ok(()),
        false => Err(Reason::WrongType.into()),
    }
}
