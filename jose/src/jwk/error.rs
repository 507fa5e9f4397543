//! Why a JWK is no key to verify with.

use core::fmt;

use crate::hash::Hash;
use crate::rsa::{MAX_BITS, MAX_EXPONENT, MIN_BITS, MIN_EXPONENT};

/// No HMAC of RFC 7518 takes a shorter secret.
pub(super) const MIN_SECRET_OCTETS: usize = Hash::Sha256.octets();

/// Why a JWK is no key to verify with. Carries no key material.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyError {
    /// `alg` names an algorithm that this key does not have, or that is not supported.
    Algorithm,
    /// A coordinate that is not written in its full size (RFC 7518 §6.2.1.2).
    CoordinateSize {
        /// Which.
        member: &'static str,
        /// The octets found.
        octets: usize,
        /// The octets that the curve asks for.
        expected: usize,
    },
    /// A member occurs twice.
    DuplicateMember,
    /// A member is not strict base64url.
    Encoding(&'static str),
    /// The numbers make no usable key: a point off its curve or of small order, an even modulus.
    Invalid,
    /// A member that this type of key needs is absent.
    Missing(&'static str),
    /// The entry is no JSON object.
    NotAnObject,
    /// Private members are published with the key.
    Private,
    /// A public exponent that is even, below 65537 or above 2^17.
    RsaExponent,
    /// A modulus outside 2048 to 8192 bits.
    RsaSize(usize),
    /// A secret that is shorter than the hash function's values (RFC 7518 §3.2), in bits.
    SecretSize(usize),
    /// A symmetric key in a set that its issuer publishes.
    Symmetric,
    /// A member has the wrong JSON type.
    Type(&'static str),
    /// A curve that is not supported.
    UnknownCurve,
    /// A `kty` that is not supported.
    UnknownType,
    /// `use` or `key_ops` do not allow verification.
    Use,
}

impl core::error::Error for KeyError {}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => formatter.write_str("its `alg` is not supported for this key"),
            Self::CoordinateSize { member, octets, expected } => {
                write!(formatter, "its `{member}` has {octets} octets, expected {expected}, leading zeros included")
            }
            Self::DuplicateMember => formatter.write_str("one of its members occurs twice"),
            Self::Encoding(member) => write!(formatter, "its `{member}` is not strict base64url"),
            Self::Invalid => formatter.write_str("its numbers make no valid key"),
            Self::Missing(member) => write!(formatter, "its `{member}` is missing"),
            Self::NotAnObject => formatter.write_str("it is not a JSON object"),
            Self::Private => formatter.write_str("it is a private key: it is compromised and has to be replaced"),
            Self::RsaExponent => {
                write!(formatter, "its exponent is not an odd number from {MIN_EXPONENT} to {MAX_EXPONENT}")
            }
            Self::RsaSize(bits) => write!(formatter, "its modulus has {bits} bits, expected {MIN_BITS} to {MAX_BITS}"),
            Self::SecretSize(bits) => {
                write!(formatter, "its secret has {bits} bits, expected {} or more", MIN_SECRET_OCTETS * 8)?;
                formatter.write_str(", and no fewer than its `alg` names")
            }
            Self::Symmetric => formatter
                .write_str("it is a symmetric key: published, it is compromised, and only inline keys may be one"),
            Self::Type(member) => write!(formatter, "its `{member}` has the wrong type"),
            Self::UnknownCurve => formatter.write_str("its `crv` is not supported"),
            Self::UnknownType => formatter.write_str("its `kty` is not supported"),
            Self::Use => formatter.write_str("its `use` or `key_ops` do not allow verification"),
        }
    }
}
