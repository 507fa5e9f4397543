//! The checks of a token, in their order.

/// A check of a token, in the order in which they are made.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Check {
    /// It is short enough to be read.
    #[default]
    Size,
    /// It is a well-formed JWT.
    Form,
    /// Its issuer, which alone can read it, says that it is active.
    Introspection,
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
    /// The tenant that it names is the one in its `iss`.
    Tenant,
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
    /// Those of a JWT, in their order.
    pub const OF_JWT: [Self; 16] = [
        Self::Size,
        Self::Form,
        Self::Algorithm,
        Self::Extensions,
        Self::Issuer,
        Self::AllowedAlgorithm,
        Self::Key,
        Self::Signature,
        Self::Type,
        Self::Tenant,
        Self::Scopes,
        Self::Groups,
        Self::Expiry,
        Self::Start,
        Self::Lifetime,
        Self::Audience,
    ];

    /// Those of a token that only its issuer can read, in their order.
    pub const OF_INTROSPECTED: [Self; 9] = [
        Self::Size,
        Self::Introspection,
        Self::Issuer,
        Self::Type,
        Self::Scopes,
        Self::Groups,
        Self::Expiry,
        Self::Start,
        Self::Audience,
    ];
}
