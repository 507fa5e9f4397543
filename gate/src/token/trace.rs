//! The verification of a token, check by check.

use jose::claims::NumericDate;
use jose::jwk::Candidates;
use jose::jws::EncodedToken;

use super::{
    Claimed, Dates, Failure, Verification, add_scopes, audiences_in, check_audience, check_type, groups_in, united,
};
use crate::principal::Principal;
use crate::reason::Reason;

/// A check of a token, in the order in which they are made.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Check {
    /// It is short enough to be looked at.
    Size,
    /// It is a well-formed JWT.
    Form,
    /// Its algorithm is one that is supported.
    Algorithm,
    /// Its header asks for no extension.
    Extensions,
    /// Its `iss` is configured.
    Issuer,
    /// Its issuer's tokens may use its algorithm.
    AllowedAlgorithm,
    /// Its issuer has a key for it.
    Key,
    /// Its signature was made with that key.
    Signature,
    /// Its `typ` is one that is accepted.
    Type,
    /// Its claims of scopes hold scopes.
    Scopes,
    /// Its claim of groups holds groups.
    Groups,
    /// Its `exp` is a date in the future.
    Expiry,
    /// Its `nbf` and `iat` are dates in the past.
    Start,
    /// It is not valid for longer than is accepted.
    Lifetime,
    /// Its `aud` names one of the audiences.
    Audience,
}

impl Check {
    /// All of them, in their order.
    pub const ALL: [Self; 15] = [
        Self::Size,
        Self::Form,
        Self::Algorithm,
        Self::Extensions,
        Self::Issuer,
        Self::AllowedAlgorithm,
        Self::Key,
        Self::Signature,
        Self::Type,
        Self::Scopes,
        Self::Groups,
        Self::Expiry,
        Self::Start,
        Self::Lifetime,
        Self::Audience,
    ];
}

/// What became of a token.
#[derive(Debug)]
pub struct TokenTrace {
    /// As it came.
    pub text: Vec<u8>,
    /// The check that failed, and the reason that the engine gives; those before it passed, those behind it were not
    /// made.
    pub failed: Option<(Check, Reason)>,
    /// What more is to be said of what failed.
    pub detail: Option<String>,
    /// Whose token it says it is, by the issuer's place.
    pub issuer: Option<usize>,
    /// The key that it names.
    pub kid: Option<String>,
    /// Whose it is, if all checks passed.
    pub principal: Option<Principal>,
}

impl Verification<'_> {
    /// Verifies a token as `verify` does, and tells at which check it failed.
    pub(crate) fn trace(&self, text: &[u8]) -> TokenTrace {
        let mut trace =
            TokenTrace { text: text.to_vec(), failed: None, detail: None, issuer: None, kid: None, principal: None };
        match self.principal(text, &mut trace) {
            Ok(principal) => trace.principal = Some(principal),
            Err(failure) => {
                let (Failure::Refused(reason) | Failure::UnknownKey { reason, .. }) = failure else {
                    trace.failed = Some((Check::Key, Reason::KeysUnavailable));
                    return trace;
                };
                trace.failed = Some((self.find_check(text, &mut trace.detail), reason));
            }
        }
        trace
    }

    /// What the engine says.
    fn principal(&self, text: &[u8], trace: &mut TokenTrace) -> Result<Principal, Failure> {
        let encoded = self.decode(text)?;
        let mut claimed = Claimed::default();
        let verified = self.verify(&encoded, &mut claimed);
        trace.issuer = claimed.issuer;
        trace.kid = claimed.kid.as_deref().map(String::from);
        let verified = verified?;
        let issuer = self.policy.issuers.get(verified.issuer).ok_or(Reason::UnknownIssuer)?;
        let text = str::from_utf8(text).map_err(|_| Reason::MalformedToken)?;
        Ok(Principal::new(verified, text, self.policy, issuer))
    }

    /// The first check that a token which is refused does not pass.
    fn find_check(&self, text: &[u8], detail: &mut Option<String>) -> Check {
        if self.decode(text).err() == Some(Failure::Refused(Reason::TokenTooLarge)) {
            return Check::Size;
        }
        let mut malformed = |error: jose::jws::ParseError| {
            *detail = Some(error.to_string());
            Check::Form
        };
        let encoded = match EncodedToken::decode(text) {
            Ok(encoded) => encoded,
            Err(error) => return malformed(error),
        };
        let untrusted = match encoded.parse() {
            Ok(untrusted) => untrusted,
            Err(error) => return malformed(error),
        };
        let Some(algorithm) = untrusted.algorithm() else { return Check::Algorithm };
        if untrusted.has_extensions() {
            return Check::Extensions;
        }
        let Ok(index) = self.find_issuer(&untrusted) else { return Check::Issuer };
        let (Some(issuer), Some(keys)) = (self.policy.issuers.get(index), self.keys.get(index)) else {
            return Check::Issuer;
        };
        if !issuer.allows(algorithm) {
            return Check::AllowedAlgorithm;
        }
        let candidates = keys.usable(self.steady).map(|set| set.candidates(untrusted.kid(), algorithm));
        if !matches!(candidates, Some(Candidates::Keys(_))) {
            *detail = candidates.map(|candidates| in_words(&candidates).to_string());
            return Check::Key;
        }
        let Ok(token) = self.check_signature(untrusted, index, issuer, keys, &mut false) else {
            return Check::Signature;
        };
        let claims = token.claims();
        if check_type(&token, issuer).is_err() {
            return Check::Type;
        }
        if united(&issuer.scope_claims, claims, add_scopes).is_err() {
            return Check::Scopes;
        }
        if groups_in(claims, issuer).is_err() {
            return Check::Groups;
        }
        let Ok(audiences) = audiences_in(claims) else { return Check::Audience };
        let Ok(dates) = Dates::read(claims) else {
            let is_date = claims.get("exp").is_none_or(|exp| NumericDate::from_claim(exp).is_some());
            return if is_date { Check::Start } else { Check::Expiry };
        };
        let checks = [
            (Check::Expiry, dates.check_expiry(issuer, self.now)),
            (Check::Start, dates.check_start(issuer, self.now)),
            (Check::Lifetime, dates.check_lifetime(issuer)),
            (Check::Audience, check_audience(&audiences, issuer)),
        ];
        let failed = checks.into_iter().find(|(_, outcome)| outcome.is_err());
        failed.map_or(Check::Form, |(check, _)| check)
    }
}

fn in_words(candidates: &Candidates<'_>) -> &'static str {
    match candidates {
        Candidates::Keys(_) => "there are some",
        Candidates::None => "none of the issuer's keys fits",
        Candidates::TooMany => "more of the issuer's keys fit than are tried",
        Candidates::WrongAlgorithm => "the issuer's key of that `kid` is not for this algorithm, or no usable key",
    }
}
