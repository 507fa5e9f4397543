//! Why requests are refused: one row for each failure.

/// Makes the reasons from their table: the variant, its HTTP status, its stable name, and what the client reads.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $name:literal, $detail:literal;)*) => {
        /// Why a request is refused. The names are part of the contract: logs, metrics and answers carry them.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the names.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the client reads: a sentence that reflects nothing it sent. Its characters are those of an
            /// `error_description` (RFC 6750 §3).
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }

            /// The HTTP status of the answer.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

reasons! {
    /// The token verified; something else than scopes is missing.
    AccessDenied = 403, "access_denied", "the token does not meet the requirements for this request";
    /// More than one credential.
    AmbiguousCredentials = 400, "ambiguous_credentials", "the request carries more than one credential";
    /// A path that parsers may read in different ways.
    AmbiguousPath = 400, "ambiguous_path", "the path can be read in more than one way";
    /// A method, host or header that rules look at, and that parsers may read in different ways.
    AmbiguousRequest = 400, "ambiguous_request", "the method or host or a header can be read in more than one way";
    /// A claim has the wrong type, or one that is needed is missing.
    BadClaim = 401, "bad_claim", "a claim is missing or has the wrong type";
    /// The proof of possession does not hold (RFC 9449 §4.3).
    BadProof = 401, "bad_proof", "the DPoP proof is not valid for this request and token";
    /// The signature fits no key that may have made it.
    BadSignature = 401, "bad_signature", "the signature of the token is not valid";
    /// Another site had the browser send it, with a credential from a cookie.
    CrossSiteRequest = 403, "cross_site_request", "the request comes from another site";
    /// The rule denies all requests.
    DeniedByRule = 403, "denied_by_rule", "no one may make this request";
    /// `exp` has passed.
    Expired = 401, "expired", "the token has expired";
    /// The issuer says that the token is not active (RFC 7662 §2.2).
    InactiveToken = 401, "inactive_token", "the token is not active";
    /// The token verified; scopes are missing.
    InsufficientScope = 403, "insufficient_scope", "the token lacks a scope that this request needs";
    /// What an opaque token is worth could not be found out.
    IntrospectionUnavailable = 503, "introspection_unavailable", "the issuer of the token cannot be asked about it at the moment";
    /// There are no usable keys of the token's issuer.
    KeysUnavailable = 503, "keys_unavailable", "the keys of the token's issuer are not available at the moment";
    /// `exp` is too long after `iat`.
    LifetimeTooLong = 401, "lifetime_too_long", "the token is valid for longer than is accepted";
    /// A login did not succeed; the status depends on the cause.
    LoginFailed = 400, "login_failed", "the login did not succeed";
    /// A browser without session is sent to its provider.
    LoginRedirect = 303, "login_redirect", "log in first";
    /// A credential that is empty or holds a blank or comma.
    MalformedCredentials = 400, "malformed_credentials", "the credential is empty or malformed";
    /// The credential is not a JWT.
    MalformedToken = 401, "malformed_token", "the token is not a well-formed JWT";
    /// No credential.
    MissingToken = 401, "missing_token", "the request needs a token";
    /// No rule matches, and the default is to deny.
    NoRule = 403, "no_rule", "no rule allows this request";
    /// `nbf` or `iat` is in the future.
    NotYetValid = 401, "not_yet_valid", "the token is not valid yet";
    /// Too many requests wait for keys, or for what an issuer says of a token.
    Overloaded = 503, "overloaded", "too many requests are waiting for an answer of an issuer";
    /// A token that is bound to a sender came without a proof of possession.
    ProofMissing = 401, "proof_missing", "the token is bound to a key or certificate of which the request has no proof";
    /// A proof of possession that was used before.
    ProofReplayed = 401, "proof_replayed", "the DPoP proof was used before";
    /// The token is bound in a way that is not supported or switched off.
    ProofUnsupported = 401, "proof_unsupported", "the token is bound to its sender in a way that is not accepted";
    /// The token is longer than the limit.
    TokenTooLarge = 401, "token_too_large", "the token is too large";
    /// `iss` is absent or not configured.
    UnknownIssuer = 401, "unknown_issuer", "the issuer of the token is not trusted here";
    /// The issuer has no such key.
    UnknownKey = 401, "unknown_key", "the token was signed with a key that its issuer does not publish";
    /// A claim cannot be carried in an identity header.
    UnrepresentableClaim = 401, "unrepresentable_claim", "a claim of the token cannot be passed on in a header";
    /// An algorithm or extension that is not supported or not allowed.
    UnsupportedAlgorithm = 401, "unsupported_algorithm", "the token uses an algorithm or extension that is not accepted";
    /// Nobody gives the caller a credential for the upstream.
    UpstreamCredentialDenied = 403, "upstream_credential_denied", "no credential for the upstream is given to the caller";
    /// The credential for the upstream cannot be had at the moment.
    UpstreamCredentialUnavailable = 503, "upstream_credential_unavailable", "the credential for the upstream cannot be obtained at the moment";
    /// `aud` names none of the configured audiences.
    WrongAudience = 401, "wrong_audience", "the token is meant for another audience";
    /// `typ` is not a configured one.
    WrongType = 401, "wrong_type", "the token is of a type that is not accepted";
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
