//! What stands where a token should.

use jose::swar::contains_byte_below;

use crate::report::{Cause, Detail, Reason};

/// What a location holds: nothing, a token, or something that should be one.
pub(super) type Found<T> = Option<Result<T, Cause>>;

/// What was found, if that was one thing.
pub(super) fn only<T>(mut found: impl Iterator<Item = Result<T, Cause>>) -> Found<T> {
    let first = found.next()?;
    Some(if found.next().is_some() { Err(Reason::AmbiguousCredentials.into()) } else { first })
}

/// A token, if it is there and in one piece; `scheme` is the one before it.
pub(super) fn check<'t>(token: &'t [u8], scheme: Option<&str>) -> Result<&'t [u8], Cause> {
    let is_separator = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'\x0b');
    match token.is_empty() || (contains_byte_below(token, b',' + 1) && token.iter().any(is_separator)) {
        true => Err(malformed(Detail::of_credential(token, scheme))),
        false => Ok(token),
    }
}

/// [`check`], of a token that was decoded.
pub(super) fn check_owned(token: Vec<u8>) -> Result<Vec<u8>, Cause> {
    check(&token, None)?;
    Ok(token)
}

/// A malformed credential, with what was found where that is known.
pub(super) fn malformed(detail: impl Into<Option<Detail>>) -> Cause {
    Cause::new(Reason::MalformedCredentials, detail)
}
