//! Why a text is no key to sign with.

use core::fmt;

use crate::json;

/// Why a JWK or a text in PEM is no key to sign with. Carries no key material.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SigningKeyError {
    /// `alg` names another algorithm than the one of this key.
    Algorithm,
    /// A member occurs twice.
    DuplicateMember,
    /// The text in PEM is encrypted.
    Encrypted,
    /// A member is not strict base64url.
    Encoding(&'static str),
    /// The private number is zero, or not below the order of the curve; or a text in PEM holds no valid key.
    Invalid,
    /// The text is not acceptable JSON.
    Json(json::Error),
    /// The public members are not those of the private key.
    Mismatch,
    /// A member that this type of key needs is absent.
    Missing(&'static str),
    /// It is no JSON object.
    NotAnObject,
    /// The text is not PKCS#8 in PEM (RFC 7468 §10).
    Pem,
    /// A member that is not written in its full size (RFC 7518 §6.2, RFC 8037 §2).
    Size {
        /// Which.
        member: &'static str,
        /// The octets found.
        octets: usize,
        /// The octets that the curve asks for.
        expected: usize,
    },
    /// A member has the wrong JSON type.
    Type(&'static str),
    /// A curve that is not signed with.
    UnknownCurve,
    /// A text in PEM with a key that is not signed with.
    UnknownKey,
    /// A `kty` that is not signed with.
    UnknownType,
    /// `use` or `key_ops` do not allow signing.
    Use,
}

impl core::error::Error for SigningKeyError {}

impl fmt::Display for SigningKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => formatter.write_str("its `alg` is not the algorithm of this key"),
            Self::DuplicateMember => formatter.write_str("one of its members occurs twice"),
            Self::Encrypted => formatter.write_str("it is encrypted, expected a private key without a passphrase"),
            Self::Encoding(member) => write!(formatter, "its `{member}` is not strict base64url"),
            Self::Invalid => formatter.write_str("it is not a valid private key of its curve"),
            Self::Json(error) => write!(formatter, "it is not strict JSON: {error}"),
            Self::Mismatch => formatter.write_str("its public part does not belong to its private part"),
            Self::Missing("d") => formatter.write_str("its `d` is missing, expected a private key"),
            Self::Missing(member) => write!(formatter, "its `{member}` is missing"),
            Self::NotAnObject => formatter.write_str("it is not a JSON object"),
            Self::Pem => formatter.write_str("it is not PKCS#8 in PEM, expected `-----BEGIN PRIVATE KEY-----`"),
            Self::Size { member, octets, expected } => {
                write!(formatter, "its `{member}` has {octets} octets, expected {expected}, leading zeros included")
            }
            Self::Type(member) => write!(formatter, "its `{member}` has the wrong type"),
            Self::UnknownCurve => formatter.write_str("its `crv` is not supported, expected `P-256` or `Ed25519`"),
            Self::UnknownKey => formatter.write_str("it is a key of another type, expected one of P-256 or Ed25519"),
            Self::UnknownType => formatter.write_str("its `kty` is not supported, expected `EC` or `OKP`"),
            Self::Use => formatter.write_str("its `use` or `key_ops` do not allow signing"),
        }
    }
}
