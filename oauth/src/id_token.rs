//! What an ID token must say beside its signature, dates and issuer (OpenID Connect Core 1.0 §3.1.3.7, §12.2).

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use jose::base64url;
use jose::claims::{NumericDate, audience_contains};
use jose::json::{Kind, Value};
use jose::jws::Token;

use crate::Secret;
use crate::text::quoted;

/// How long ago an ID token may have been issued when its response arrives.
pub const MAX_AGE: Duration = Duration::from_mins(10);

/// What the client knows when an ID token arrives from the token endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The client's identifier.
    pub client_id: &'a str,
    /// The access token that came with it.
    pub access_token: &'a Secret,
    /// The present instant, since 1970.
    pub now: Duration,
    /// How far the clocks may differ.
    pub clock_skew: Duration,
}

/// What the client asked for when the user logged in.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// `nonce` of the authorization request.
    pub nonce: &'a Secret,
    /// `max_age` of the authorization request.
    pub max_age: Option<Duration>,
}

/// Who logged in when the session began.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// `iss` of the first ID token.
    pub issuer: &'a str,
    /// `sub` of the first ID token.
    pub subject: &'a str,
    /// `nonce` of the authorization request, where it is still known.
    pub nonce: Option<&'a Secret>,
}

/// Checks the ID token of a login (OpenID Connect Core 1.0 §3.1.3.7, steps 3 to 5 and 10 to 13).
pub fn check(token: &Token<'_>, context: &Context<'_>, login: &Login<'_>) -> Result<(), IdTokenError> {
    let claims = token.claims();
    check_client(claims, context.client_id)?;
    match string(claims, "nonce")? {
        Some(nonce) if nonce == login.nonce.reveal() => {}
        Some(_) => return Err(IdTokenError::Nonce),
        None => return Err(IdTokenError::Missing("nonce")),
    }
    check_access_token(token, context.access_token)?;
    check_issued_at(claims, context)?;
    login.max_age.map_or(Ok(()), |max_age| check_authentication_time(claims, max_age, context))?;
    subject(claims).map(drop)
}

/// Checks the ID token of a refresh (OpenID Connect Core 1.0 §12.2): the same user of the same issuer, for the same
/// client. A nonce is compared if it is there.
pub fn check_refreshed(token: &Token<'_>, context: &Context<'_>, original: &Original<'_>) -> Result<(), IdTokenError> {
    let claims = token.claims();
    match string(claims, "iss")? {
        Some(issuer) if issuer == original.issuer => {}
        Some(found) => {
            let (expected, found) = (original.issuer.to_string(), found.to_string());
            return Err(IdTokenError::Issuer { expected, found });
        }
        None => return Err(IdTokenError::Missing("iss")),
    }
    if subject(claims)? != original.subject {
        return Err(IdTokenError::Subject);
    }
    check_client(claims, context.client_id)?;
    let expected = original.nonce.map(Secret::reveal);
    if string(claims, "nonce")?.is_some_and(|nonce| expected.is_some_and(|expected| nonce != expected)) {
        return Err(IdTokenError::Nonce);
    }
    check_access_token(token, context.access_token)?;
    check_issued_at(claims, context)
}

fn subject(claims: Value<'_>) -> Result<&str, IdTokenError> {
    string(claims, "sub")?.filter(|subject| !subject.is_empty()).ok_or(IdTokenError::Missing("sub"))
}

/// `aud` names the client; `azp` does where it is there, and is there where others are named as well.
fn check_client(claims: Value<'_>, client_id: &str) -> Result<(), IdTokenError> {
    let audience = present(claims, "aud").ok_or(IdTokenError::Missing("aud"))?;
    let wrong_type =
        IdTokenError::Type { claim: "aud", expected: "a string or a list of strings", found: audience.kind() };
    let expected = || client_id.to_string();
    if !audience_contains(audience, |found| found == client_id).ok_or(wrong_type)? {
        return Err(IdTokenError::Audience { expected: expected() });
    }
    match string(claims, "azp")? {
        Some(found) if found != client_id => {
            Err(IdTokenError::AuthorizedParty { expected: expected(), found: Some(found.to_string()) })
        }
        None if audience.elements().nth(1).is_some() => {
            Err(IdTokenError::AuthorizedParty { expected: expected(), found: None })
        }
        _ => Ok(()),
    }
}

/// `at_hash`: the left half of the access token's hash, by the hash function of `alg` (§3.1.3.6).
fn check_access_token(token: &Token<'_>, access_token: &Secret) -> Result<(), IdTokenError> {
    let Some(found) = string(token.claims(), "at_hash")? else { return Ok(()) };
    let algorithm = token.algorithm().ok_or(IdTokenError::AccessTokenHash)?;
    match access_token_hash(algorithm, access_token.reveal()) == found {
        true => Ok(()),
        false => Err(IdTokenError::AccessTokenHash),
    }
}

fn access_token_hash(algorithm: jose::Algorithm, access_token: &str) -> String {
    let digest = algorithm.hash().digest(&[access_token.as_bytes()]);
    let (half, _) = digest.split_at_checked(digest.len() / 2).unwrap_or((&digest, &[]));
    base64url::encode(half)
}

/// `iat` is neither long ago nor in the future.
fn check_issued_at(claims: Value<'_>, context: &Context<'_>) -> Result<(), IdTokenError> {
    let earliest = context.now.saturating_sub(MAX_AGE).saturating_sub(context.clock_skew);
    match place(date(claims, "iat")?, earliest, context) {
        Ordering::Less => Err(IdTokenError::Old),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(IdTokenError::Future("iat")),
    }
}

/// `auth_time` is no longer ago than `max_age`.
fn check_authentication_time(claims: Value<'_>, max_age: Duration, context: &Context<'_>) -> Result<(), IdTokenError> {
    let earliest = context.now.saturating_sub(max_age).saturating_sub(context.clock_skew);
    match place(date(claims, "auth_time")?, earliest, context) {
        Ordering::Less => Err(IdTokenError::AuthenticationTime { max_age }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(IdTokenError::Future("auth_time")),
    }
}

/// Whether a date lies before, in or behind the time from `earliest` to now.
fn place(date: NumericDate<'_>, earliest: Duration, context: &Context<'_>) -> Ordering {
    let latest = context.now.saturating_add(context.clock_skew);
    match (date.cmp_instant(earliest), date.cmp_instant(latest)) {
        (Ordering::Less, _) => Ordering::Less,
        (_, Ordering::Greater) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn date<'t>(claims: Value<'t>, claim: &'static str) -> Result<NumericDate<'t>, IdTokenError> {
    let value = present(claims, claim).ok_or(IdTokenError::Missing(claim))?;
    NumericDate::from_claim(value).ok_or(IdTokenError::Type { claim, expected: "a date", found: value.kind() })
}

fn string<'t>(claims: Value<'t>, claim: &'static str) -> Result<Option<&'t str>, IdTokenError> {
    let Some(value) = present(claims, claim) else { return Ok(None) };
    let wrong_type = || IdTokenError::Type { claim, expected: "a string", found: value.kind() };
    value.as_str().map(Some).ok_or_else(wrong_type)
}

/// A claim, unless it is null: some serialisers write that for what is absent.
fn present<'t>(claims: Value<'t>, claim: &str) -> Option<Value<'t>> {
    claims.get(claim).filter(|value| !value.is_null())
}

/// Why an ID token is not for this login or this session. Carries no nonce, hash or subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdTokenError {
    /// `at_hash` belongs to another access token.
    AccessTokenHash,
    /// `aud` does not name the client.
    Audience {
        /// The client.
        expected: String,
    },
    /// `auth_time` is longer ago than `max_age`.
    AuthenticationTime {
        /// The one of the request.
        max_age: Duration,
    },
    /// `azp` is another client, or is missing beside several audiences.
    AuthorizedParty {
        /// The client.
        expected: String,
        /// The one found.
        found: Option<String>,
    },
    /// A date that lies ahead.
    Future(&'static str),
    /// A refreshed token of another issuer.
    Issuer {
        /// The issuer of the session.
        expected: String,
        /// The one found.
        found: String,
    },
    /// A claim is absent.
    Missing(&'static str),
    /// `nonce` is another one.
    Nonce,
    /// `iat` is longer ago than [`MAX_AGE`].
    Old,
    /// A refreshed token of another user.
    Subject,
    /// A claim has the wrong type.
    Type {
        /// Which.
        claim: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: Kind,
    },
}

impl std::error::Error for IdTokenError {}

impl fmt::Display for IdTokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessTokenHash => formatter.write_str("`at_hash` is not the hash of the access token"),
            Self::Audience { expected } => {
                write!(formatter, "expected `aud` to name the client {}, found others", quoted(expected))
            }
            Self::AuthenticationTime { max_age } => {
                write!(formatter, "expected `auth_time` within the last {} s, found an earlier one", max_age.as_secs())
            }
            Self::AuthorizedParty { expected, found: Some(found) } => {
                write!(formatter, "expected `azp` to be the client {}, found {}", quoted(expected), quoted(found))
            }
            Self::AuthorizedParty { expected, found: None } => write!(
                formatter,
                "expected `azp` to be the client {}, since `aud` names several, found none",
                quoted(expected)
            ),
            Self::Future(claim) => write!(formatter, "`{claim}` is in the future"),
            Self::Issuer { expected, found } => {
                write!(formatter, "expected `iss` to stay {}, found {}", quoted(expected), quoted(found))
            }
            Self::Missing(claim) => write!(formatter, "`{claim}` is missing"),
            Self::Nonce => formatter.write_str("`nonce` differs"),
            Self::Old => {
                write!(formatter, "expected `iat` within the last {} s, found an earlier one", MAX_AGE.as_secs())
            }
            Self::Subject => formatter.write_str("expected `sub` to stay that of the session, found another"),
            Self::Type { claim, expected, found } => {
                write!(formatter, "expected `{claim}` to be {expected}, found {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
