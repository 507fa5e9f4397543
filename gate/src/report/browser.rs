//! What becomes of logins and sessions: one row for each cause.

/// Makes an enumeration of causes from its table: the variant, and the name that a metric ends with.
macro_rules! causes {
    ($(#[$doc:meta])* $name:ident { $($(#[$cause:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$cause])* $variant,)*
        }

        impl $name {
            /// Every cause, in the order of the names.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

causes! {
    /// Why a login failed. The names are part of the contract: metrics carry them.
    LoginFailure {
        /// The provider or the user said no.
        Denied = "denied",
        /// The code or refresh token is not good, or not any more.
        Grant = "grant",
        /// The ID token, or the access token, is not for this login.
        IdToken = "id_token",
        /// `iss` of the callback is missing or another (RFC 9207).
        Issuer = "issuer",
        /// The provider answered what no provider should, or has no such endpoint.
        Provider = "provider",
        /// The host draws no randomness.
        Randomness = "randomness",
        /// The callback is not of a login that this browser began a short time ago.
        State = "state",
        /// The session does not fit its cookies.
        TooLarge = "too_large",
        /// The provider cannot answer now.
        Unavailable = "unavailable",
    }
}

causes! {
    /// Why a session ended. The names are part of the contract: metrics carry them.
    SessionEnd {
        /// Its claims have expired, and there is no refresh token.
        Expired = "expired",
        /// It was not used for too long.
        Idle = "idle",
        /// It is older than sessions get.
        Lifetime = "lifetime",
        /// The user logged out.
        Logout = "logout",
        /// The policy reads claims that it does not hold, and nothing can renew it.
        MissingClaims = "missing_claims",
        /// It is from before `session.notBefore`.
        NotBefore = "not_before",
        /// Its issuer could not be reached for too long.
        Outage = "outage",
        /// Its issuer does not renew it.
        Revoked = "revoked",
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_are_distinct_and_sorted() {
        assert!(LoginFailure::ALL.is_sorted_by(|one, other| one.name() < other.name()));
        assert!(SessionEnd::ALL.is_sorted_by(|one, other| one.name() < other.name()));
    }
}
