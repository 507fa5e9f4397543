//! Why requests are refused: one stable name per failure, and what clients are told.

/// Why a request is refused. The names are part of the contract: logs, metrics and answers carry them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The token verified; something else than scopes is missing.
    AccessDenied,
    /// More than one credential.
    AmbiguousCredentials,
    /// A path that parsers may read in different ways.
    AmbiguousPath,
    /// A method, host or header that rules look at, and that parsers may read in different ways.
    AmbiguousRequest,
    /// A claim has the wrong type, or one that is needed is missing.
    BadClaim,
    /// The signature fits no key that may have made it.
    BadSignature,
    /// The rule lets nobody pass.
    DeniedByRule,
    /// `exp` has passed.
    Expired,
    /// The token verified; scopes are missing.
    InsufficientScope,
    /// There are no usable keys of the token's issuer.
    KeysUnavailable,
    /// `exp` lies too long after `iat`.
    LifetimeTooLong,
    /// A credential that is empty or holds a blank or comma.
    MalformedCredentials,
    /// What stands where a token should is none.
    MalformedToken,
    /// No credential.
    MissingToken,
    /// No rule matches, and the default is to deny.
    NoRule,
    /// `nbf` or `iat` lie in the future.
    NotYetValid,
    /// Too many requests wait for keys.
    Overloaded,
    /// The token is longer than the limit.
    TokenTooLarge,
    /// `iss` is absent or not configured.
    UnknownIssuer,
    /// The issuer has no such key.
    UnknownKey,
    /// A claim cannot be carried in an identity header.
    UnrepresentableClaim,
    /// An algorithm or extension that is not supported or not allowed.
    UnsupportedAlgorithm,
    /// `aud` names none of the configured audiences.
    WrongAudience,
    /// `typ` is none of the configured ones.
    WrongType,
}

impl Reason {
    /// Every reason, in the order of the names.
    pub const ALL: [Self; 24] = [
        Self::AccessDenied,
        Self::AmbiguousCredentials,
        Self::AmbiguousPath,
        Self::AmbiguousRequest,
        Self::BadClaim,
        Self::BadSignature,
        Self::DeniedByRule,
        Self::Expired,
        Self::InsufficientScope,
        Self::KeysUnavailable,
        Self::LifetimeTooLong,
        Self::MalformedCredentials,
        Self::MalformedToken,
        Self::MissingToken,
        Self::NoRule,
        Self::NotYetValid,
        Self::Overloaded,
        Self::TokenTooLarge,
        Self::UnknownIssuer,
        Self::UnknownKey,
        Self::UnrepresentableClaim,
        Self::UnsupportedAlgorithm,
        Self::WrongAudience,
        Self::WrongType,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AmbiguousCredentials => "ambiguous_credentials",
            Self::AmbiguousPath => "ambiguous_path",
            Self::AmbiguousRequest => "ambiguous_request",
            Self::BadClaim => "bad_claim",
            Self::BadSignature => "bad_signature",
            Self::DeniedByRule => "denied_by_rule",
            Self::Expired => "expired",
            Self::InsufficientScope => "insufficient_scope",
            Self::KeysUnavailable => "keys_unavailable",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::MalformedCredentials => "malformed_credentials",
            Self::MalformedToken => "malformed_token",
            Self::MissingToken => "missing_token",
            Self::NoRule => "no_rule",
            Self::NotYetValid => "not_yet_valid",
            Self::Overloaded => "overloaded",
            Self::TokenTooLarge => "token_too_large",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::UnrepresentableClaim => "unrepresentable_claim",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::WrongAudience => "wrong_audience",
            Self::WrongType => "wrong_type",
        }
    }

    /// What the client is told, in a sentence that reflects nothing it sent. Its characters are those of an
    /// `error_description` (RFC 6750 §3).
    pub const fn detail(self) -> &'static str {
        match self {
            Self::AccessDenied => "the token does not meet the requirements for this request",
            Self::AmbiguousCredentials => "the request carries more than one credential",
            Self::AmbiguousPath => "the path can be read in more than one way",
            Self::AmbiguousRequest => "the method or host or a header can be read in more than one way",
            Self::BadClaim => "a claim is missing or has the wrong type",
            Self::BadSignature => "the signature of the token is not valid",
            Self::DeniedByRule => "no one may make this request",
            Self::Expired => "the token has expired",
            Self::InsufficientScope => "the token lacks a scope that this request needs",
            Self::KeysUnavailable => "the keys of the token's issuer are not available at the moment",
            Self::LifetimeTooLong => "the token is valid for longer than is accepted",
            Self::MalformedCredentials => "the credential is empty or malformed",
            Self::MalformedToken => "the token is not a well-formed JWT",
            Self::MissingToken => "the request needs a token",
            Self::NoRule => "no rule allows this request",
            Self::NotYetValid => "the token is not valid yet",
            Self::Overloaded => "too many requests are waiting for the keys of an issuer",
            Self::TokenTooLarge => "the token is too large",
            Self::UnknownIssuer => "the issuer of the token is not trusted here",
            Self::UnknownKey => "the token was signed with a key that its issuer does not publish",
            Self::UnrepresentableClaim => "a claim of the token cannot be passed on in a header",
            Self::UnsupportedAlgorithm => "the token uses an algorithm or extension that is not accepted",
            Self::WrongAudience => "the token is meant for another audience",
            Self::WrongType => "the token is of a type that is not accepted",
        }
    }

    /// The HTTP status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::AmbiguousCredentials | Self::AmbiguousPath | Self::AmbiguousRequest | Self::MalformedCredentials => {
                400
            }
            Self::AccessDenied | Self::DeniedByRule | Self::InsufficientScope | Self::NoRule => 403,
            Self::KeysUnavailable | Self::Overloaded => 503,
            _ => 401,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_are_distinct_and_sorted() {
        assert!(Reason::ALL.is_sorted_by(|one, other| one.name() < other.name()));
    }

    #[test]
    fn details_fit_an_error_description() {
        for reason in Reason::ALL {
            let fits = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(reason.detail().bytes().all(fits), "{reason:?}");
        }
    }
}
