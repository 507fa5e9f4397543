//! What became of the checks of a token.

use std::collections::BTreeSet;

use jose::json::Value;
use jose::jwk::{Candidates, VerificationKey};
use jose::jws::EncodedToken;

use super::check::Check;
use super::evidence::Evidence;
use super::principal::Principal;
use super::verification::{Claimed, Failure, Verification, serves};
use crate::identity::says_verified;
use crate::policy::Issuer;
use crate::report::{Detail, Reason};

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
    /// Whose token it says it is, by the issuer's index.
    pub issuer: Option<usize>,
    /// Whether its issuer is asked what it is worth.
    pub is_introspected: bool,
    /// The key that it names.
    pub kid: Option<String>,
    /// Whose it is, if all checks passed.
    pub principal: Option<Principal>,
    /// What it claims for its subject, and rules and headers do not see.
    pub withheld: Withheld,
}

/// What a verified token claims, and its issuer's settings keep from rules and headers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Withheld {
    /// The groups outside `grants`, in the order of the token.
    pub groups: Vec<String>,
    /// The scopes outside `grants`, those from `groupScopes` as well; sorted, each once.
    pub scopes: Vec<String>,
    /// Whether there is an `email` that does not count as verified.
    pub email: bool,
}

impl Withheld {
    pub(crate) fn new(token: &Evidence<'_>, issuer: &Issuer) -> Self {
        let (inside, groups): (Vec<_>, Vec<_>) =
            token.groups.names().iter().cloned().partition(|group| issuer.grants.has_group(group));
        let from_groups =
            issuer.group_scopes.iter().filter(|(_, needed)| needed.iter().any(|one| inside.contains(one)));
        let scopes: BTreeSet<_> = token.scopes.iter().chain(from_groups.map(|(scope, _)| scope)).cloned().collect();
        let claims = token.claims();
        let has_email = claims.get("email").is_some_and(|email| !email.is_null());
        Self {
            groups,
            scopes: scopes.into_iter().filter(|scope| !issuer.grants.has_scope(scope)).collect(),
            email: has_email && !issuer.trust_email && !says_verified(claims),
        }
    }
}

impl TokenTrace {
    /// What became of the token `text`.
    pub(crate) fn new(
        verification: &Verification<'_>,
        text: &[u8],
        claimed: &Claimed,
        outcome: Result<&Principal, &Failure>,
    ) -> Self {
        let failed = outcome.err().map(|failure| match failure {
            Failure::NoKeys { .. } => (claimed.check, Reason::KeysUnavailable),
            Failure::Refused(reason) | Failure::UnknownKey { reason, .. } => (claimed.check, *reason),
        });
        Self {
            text: text.to_vec(),
            failed,
            detail: claimed.detail.clone().or_else(|| verification.detail(failed?, text, claimed.issuer)),
            issuer: claimed.issuer,
            is_introspected: claimed.is_introspected,
            kid: claimed.kid.as_deref().map(String::from),
            principal: outcome.ok().cloned(),
            withheld: Withheld::default(),
        }
    }
}

impl Verification<'_> {
    /// What the reason for a failed check does not say.
    fn detail(&self, (check, reason): (Check, Reason), text: &[u8], issuer: Option<usize>) -> Option<String> {
        match check {
            Check::Signature if reason == Reason::UnknownKey => {
                Some(String::from("no key has that `kid`, and no key without one made the signature"))
            }
            Check::Form => {
                let read = EncodedToken::decode(text).and_then(|encoded| encoded.parse().map(drop));
                let found = Detail::of_token(text).map(|detail| detail.text().into_owned());
                read.err().map(|error| found.unwrap_or_else(|| error.to_string()))
            }
            Check::Key => {
                let encoded = EncodedToken::decode(text).ok()?;
                let untrusted = encoded.parse().ok()?;
                let set = self.keys.get(issuer?)?.usable(self.steady)?;
                let (kid, algorithm) = (untrusted.kid(), untrusted.algorithm()?);
                let iss = untrusted.issuer().and_then(Value::as_str);
                let checked_by = self.verifier.checked_by(algorithm);
                let candidates = set.candidates_among(kid, algorithm, checked_by, |key| serves(key, iss));
                let is_of_another = |key: &&VerificationKey| kid.is_some() && key.kid() == kid && !serves(key, iss);
                if let Some(issuer) = set.keys().iter().find(is_of_another).and_then(VerificationKey::issuer) {
                    return Some(format!("the issuer's key of that `kid` is for tokens of `{issuer}` alone"));
                }
                let skipped = set.skipped().iter().find(|key| kid.is_some() && key.kid.as_deref() == kid);
                Some(match (&candidates, skipped) {
                    (Candidates::WrongAlgorithm, Some(skipped)) => {
                        format!("the issuer's key of that `kid` is not usable: {}", skipped.error)
                    }
                    _ => in_words(&candidates).to_string(),
                })
            }
            _ => None,
        }
    }
}

fn in_words(candidates: &Candidates<'_>) -> &'static str {
    match candidates {
        Candidates::Keys(_) => "there are some",
        Candidates::None => "none of the issuer's keys fits",
        Candidates::TooLarge => "the issuer's key has more than 4096 bits: it is used only where the host verifies",
        Candidates::TooMany => "more of the issuer's keys fit than are tried",
        Candidates::TooMuchWork => "trying all of the issuer's keys that fit takes more work than one token may cost",
        Candidates::WrongAlgorithm => "the issuer's key of that `kid` is not for this algorithm",
    }
}
