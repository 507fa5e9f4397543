//! Tokens that sessions keep.

/// A token that a session keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptToken {
    /// The access token.
    Access,
    /// The ID token.
    Id,
}
