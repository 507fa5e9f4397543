//! The values of `error`.

use std::fmt;

/// An error code of an authorization server.
///
/// What is not here is [`ErrorCode::Other`]: unknown text is neither logged nor shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The resource owner or the server refused (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// An account has to be chosen (OpenID Connect Core 1.0 §3.1.2.6).
    AccountSelectionRequired,
    /// The refresh token is unknown, used or expired (GitHub's name for `invalid_grant`).
    BadRefreshToken,
    /// The code is unknown, used or expired (GitHub's name for `invalid_grant`).
    BadVerificationCode,
    /// Consent is required (OpenID Connect Core 1.0 §3.1.2.6).
    ConsentRequired,
    /// The client's credentials are wrong (GitHub's name for `invalid_client`).
    IncorrectClientCredentials,
    /// Interaction is required (OpenID Connect Core 1.0 §3.1.2.6).
    InteractionRequired,
    /// The client did not authenticate (RFC 6749 §5.2).
    InvalidClient,
    /// The proof of possession is invalid (RFC 9449 §5).
    InvalidDpopProof,
    /// The code or refresh token is invalid, expired or revoked (RFC 6749 §5.2).
    InvalidGrant,
    /// A parameter is missing, repeated or malformed (RFC 6749 §4.1.2.1, §5.2).
    InvalidRequest,
    /// The scope is unknown or exceeds what was granted (RFC 6749 §4.1.2.1, §5.2).
    InvalidScope,
    /// The resource or audience is unknown (RFC 8693 §2.2.2, RFC 8707 §2).
    InvalidTarget,
    /// The access token is expired, revoked or malformed (RFC 6750 §3.1).
    InvalidToken,
    /// The access token has too few scopes (RFC 6750 §3.1).
    InsufficientScope,
    /// Nobody is logged in (OpenID Connect Core 1.0 §3.1.2.6).
    LoginRequired,
    /// The redirect URI is not registered (GitHub).
    RedirectUriMismatch,
    /// The server failed (RFC 6749 §4.1.2.1).
    ServerError,
    /// The server is overloaded or in maintenance (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// The client may not use this grant (RFC 6749 §4.1.2.1, §5.2).
    UnauthorizedClient,
    /// The server does not have this grant (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The server does not have this response type (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// The server does not revoke this type of token (RFC 7009 §2.2.1).
    UnsupportedTokenType,
    /// The server wants a nonce in the proof of possession (RFC 9449 §8).
    UseDpopNonce,
    /// Another one.
    Other,
}

impl ErrorCode {
    /// Every code that has a name.
    pub const NAMED: [Self; 24] = [
        Self::AccessDenied,
        Self::AccountSelectionRequired,
        Self::BadRefreshToken,
        Self::BadVerificationCode,
        Self::ConsentRequired,
        Self::IncorrectClientCredentials,
        Self::InteractionRequired,
        Self::InvalidClient,
        Self::InvalidDpopProof,
        Self::InvalidGrant,
        Self::InvalidRequest,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::LoginRequired,
        Self::RedirectUriMismatch,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::UnsupportedResponseType,
        Self::UnsupportedTokenType,
        Self::UseDpopNonce,
    ];

    /// The code that `name` stands for; names are case-sensitive.
    pub fn from_name(name: &str) -> Self {
        Self::NAMED.into_iter().find(|code| code.name() == name).unwrap_or(Self::Other)
    }

    /// The value of `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::BadRefreshToken => "bad_refresh_token",
            Self::BadVerificationCode => "bad_verification_code",
            Self::ConsentRequired => "consent_required",
            Self::IncorrectClientCredentials => "incorrect_client_credentials",
            Self::InteractionRequired => "interaction_required",
            Self::InvalidClient => "invalid_client",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::LoginRequired => "login_required",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::Other => "with an unknown error",
        }
    }

    /// Whether the code or the refresh token is of no more use (RFC 6749 §5.2).
    pub const fn ends_grant(self) -> bool {
        matches!(self, Self::BadRefreshToken | Self::BadVerificationCode | Self::InvalidGrant)
    }

    /// Whether the same request may succeed later.
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::ServerError | Self::TemporarilyUnavailable)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_grant_ends_by_the_name_of_the_standard_and_of_github() {
        let ending: Vec<_> =
            ErrorCode::NAMED.into_iter().filter(|code| code.ends_grant()).map(ErrorCode::name).collect();
        assert_eq!(ending, ["bad_refresh_token", "bad_verification_code", "invalid_grant"]);
    }

    #[test]
    fn names_are_case_sensitive_and_unknown_ones_are_not_kept() {
        for code in ErrorCode::NAMED {
            assert_eq!(ErrorCode::from_name(code.name()), code);
        }
        for unknown in ["", "Invalid_Grant", "invalid_grant ", "with an unknown error", "<script>"] {
            assert_eq!(ErrorCode::from_name(unknown), ErrorCode::Other, "{unknown}");
        }
    }
}
