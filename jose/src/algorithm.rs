//! The signature algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 that can be verified.

use core::fmt;

use crate::hash::Hash;

/// A JWS signature algorithm. What is not here cannot be verified, whatever a token says.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037 §3.1).
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// ECDSA with P-384 and SHA-384 (RFC 7518 §3.4).
    Es384,
    /// ECDSA with P-521 and SHA-512 (RFC 7518 §3.4).
    Es512,
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    Hs256,
    /// HMAC with SHA-384 (RFC 7518 §3.2).
    Hs384,
    /// HMAC with SHA-512 (RFC 7518 §3.2).
    Hs512,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384 (RFC 7518 §3.5).
    Ps384,
    /// RSASSA-PSS with SHA-512 (RFC 7518 §3.5).
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    Rs512,
}

impl Algorithm {
    /// Every algorithm, in the order of their names.
    pub const ALL: [Self; 13] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// The algorithm that `alg` names; names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Whether the key that verifies can also sign: HMAC.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// The hash function that the message goes through.
    pub const fn hash(self) -> Hash {
        match self {
            Self::Es256 | Self::Hs256 | Self::Ps256 | Self::Rs256 => Hash::Sha256,
            Self::Es384 | Self::Hs384 | Self::Ps384 | Self::Rs384 => Hash::Sha384,
            Self::EdDsa | Self::Es512 | Self::Hs512 | Self::Ps512 | Self::Rs512 => Hash::Sha512,
        }
    }
}

impl fmt::Display for Algorithm {
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
    fn names_are_case_sensitive_and_complete() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert!(Algorithm::ALL.is_sorted_by_key(|algorithm| algorithm.name().to_ascii_lowercase()));
        for refused in ["none", "None", "NONE", "hs256", "rs256", "RS256 ", "", "ES256K", "Ed25519", "RS1", "HS1"] {
            assert_eq!(Algorithm::from_name(refused), None, "`{refused}`");
        }
    }

    #[test]
    fn names_imply_the_hash_and_whether_the_key_is_shared() {
        for algorithm in Algorithm::ALL {
            let name = algorithm.name();
            assert_eq!(algorithm.is_symmetric(), name.starts_with("HS"), "{name}");
            let bits = name.get(2..).and_then(|digits| digits.parse().ok()).unwrap_or(512);
            assert_eq!(algorithm.hash().octets() * 8, bits, "{name}");
        }
    }
}
