//! What stands where a token should.

use jose::words::holds_less_than;

use crate::report::Reason;

/// What a place holds: nothing, a token, or something that should be one.
pub(super) type Found<T> = Option<Result<T, Reason>>;

/// What was found, if that was one thing.
pub(super) fn only<T>(mut found: impl Iterator<Item = Result<T, Reason>>) -> Found<T> {
    let first = found.next()?;
    Some(if found.next().is_some() { Err(Reason::AmbiguousCredentials) } else { first })
}

/// A token, if it is there and in one piece.
pub(super) fn check(token: &[u8]) -> Result<&[u8], Reason> {
    let is_separator = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'\x0b');
    match token.is_empty() || (holds_less_than(token, b',' + 1) && token.iter().any(is_separator)) {
        true => Err(Reason::MalformedCredentials),
        false => Ok(token),
    }
}
