//! Reading the members of a JWK.

use super::error::KeyError;
use crate::json::Value;

/// A member, unless it is null: some serialisers write that for what is absent.
pub(super) fn present<'d>(jwk: Value<'d>, member: &str) -> Option<Value<'d>> {
    jwk.get(member).filter(|value| !value.is_null())
}

/// A string, if it is there.
pub(super) fn optional_string<'d>(jwk: Value<'d>, member: &'static str) -> Result<Option<&'d str>, KeyError> {
    present(jwk, member).map(|value| value.as_str().ok_or(KeyError::Type(member))).transpose()
}
