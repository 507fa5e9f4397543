//! One JWK: from JSON to a key that is bound to its algorithms.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use p256::pkcs8::EncodePublicKey;
use rsa::{BoxedUint, RsaPublicKey};

use crate::json::{Kind, Value};
use crate::{Algorithm, base64url};

/// The shortest RSA modulus that is accepted, in bits (RFC 7518 §3.3).
const MIN_RSA_BITS: u32 = 2048;
/// The longest one: what is longer costs too much to check.
const MAX_RSA_BITS: u32 = 8192;
/// Smaller public exponents make forgeries cheaper wherever a padding check has a flaw.
const MIN_RSA_EXPONENT: u64 = 65537;

/// A public key together with what it may verify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerificationKey {
    kid: Option<String>,
    key: PublicKey,
    algorithms: Vec<Algorithm>,
}

/// The key itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PublicKey {
    /// For [`Algorithm::EdDsa`].
    Ed25519(ed25519_dalek::VerifyingKey),
    /// For [`Algorithm::Es256`], with its `SubjectPublicKeyInfo` in DER.
    P256(p256::ecdsa::VerifyingKey, Vec<u8>),
    /// For the RSA algorithms, with its `SubjectPublicKeyInfo` in DER.
    Rsa(RsaPublicKey, Vec<u8>),
}

impl VerificationKey {
    /// Imports a JWK.
    pub fn from_jwk(jwk: Value<'_>) -> Result<Self, KeyError> {
        if jwk.kind() != Kind::Object {
            return Err(KeyError::NotAnObject);
        }
        let kid = optional_string(jwk, "kid")?.map(ToString::to_string);
        let key = PublicKey::from_jwk(jwk)?;
        check_use(jwk)?;
        let mut algorithms = key.algorithms().to_vec();
        if let Some(alg) = optional_string(jwk, "alg")? {
            algorithms.retain(|algorithm| algorithm.name() == alg);
        }
        if algorithms.is_empty() {
            return Err(KeyError::Algorithm);
        }
        Ok(Self { kid, key, algorithms })
    }

    /// The `kid` that tokens name this key by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether this key may verify signatures of `algorithm`.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl PublicKey {
    fn from_jwk(jwk: Value<'_>) -> Result<Self, KeyError> {
        let kty = optional_string(jwk, "kty")?.ok_or(KeyError::Missing("kty"))?;
        // A private key in public is compromised: trusting it would trust everyone who saw it.
        if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|member| jwk.get(member).is_some()) {
            return Err(KeyError::Private);
        }
        match (kty, optional_string(jwk, "crv")?) {
            ("RSA", _) => rsa_key(jwk),
            ("EC", Some("P-256")) => p256_key(jwk),
            ("OKP", Some("Ed25519")) => ed25519_key(jwk),
            ("EC" | "OKP", Some(_)) => Err(KeyError::UnknownCurve),
            ("EC" | "OKP", None) => Err(KeyError::Missing("crv")),
            _ => Err(KeyError::UnknownType),
        }
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1), where its algorithms have a use for it.
    pub fn spki(&self) -> Option<&[u8]> {
        match self {
            Self::Ed25519(_) => None,
            Self::P256(_, spki) | Self::Rsa(_, spki) => Some(spki),
        }
    }

    /// What a key of this type can verify.
    fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Ed25519(_) => &[Algorithm::EdDsa],
            Self::P256(..) => &[Algorithm::Es256],
            Self::Rsa(..) => &[Algorithm::Rs256],
        }
    }
}

fn rsa_key(jwk: Value<'_>) -> Result<PublicKey, KeyError> {
    let (modulus, exponent) = (octets(jwk, "n")?, octets(jwk, "e")?);
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    let (modulus, exponent) = (number(&modulus)?, number(&exponent)?);
    let bits = modulus.bits_vartime();
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(KeyError::RsaSize(bits));
    }
    if !is_odd || exponent.bits_vartime() > 32 || exponent < BoxedUint::from(MIN_RSA_EXPONENT) {
        return Err(KeyError::RsaExponent);
    }
    // Even moduli are refused here.
    let key = RsaPublicKey::new(modulus, exponent).map_err(|_| KeyError::Invalid)?;
    let spki = key.to_public_key_der().map_err(|_| KeyError::Invalid)?.into_vec();
    Ok(PublicKey::Rsa(key, spki))
}

/// A number, as precise as it needs to be: zeros in front would make all arithmetic with it as wide as they are.
fn number(octets: &[u8]) -> Result<BoxedUint, KeyError> {
    const MAX_OCTETS: usize = MAX_RSA_BITS as usize / 8;
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    match octets.get(zeros..).unwrap_or_default() {
        octets if octets.len() > MAX_OCTETS => {
            Err(KeyError::RsaSize(u32::try_from(octets.len()).unwrap_or(u32::MAX).saturating_mul(8)))
        }
        octets => Ok(BoxedUint::from_be_slice_vartime(octets)),
    }
}

fn p256_key(jwk: Value<'_>) -> Result<PublicKey, KeyError> {
    const UNCOMPRESSED: u8 = 4;
    let mut point = alloc::vec![UNCOMPRESSED];
    for coordinate in ["x", "y"] {
        // RFC 7518 §6.2.1.2: the full size of a coordinate, leading zeros included.
        let octets = octets(jwk, coordinate)?;
        if octets.len() != 32 {
            return Err(KeyError::Invalid);
        }
        point.extend(octets);
    }
    // Points that are not on the curve are refused here.
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|_| KeyError::Invalid)?;
    let spki = key.to_public_key_der().map_err(|_| KeyError::Invalid)?.into_vec();
    Ok(PublicKey::P256(key, spki))
}

fn ed25519_key(jwk: Value<'_>) -> Result<PublicKey, KeyError> {
    let octets: [u8; 32] = octets(jwk, "x")?.try_into().map_err(|_| KeyError::Invalid)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&octets).map_err(|_| KeyError::Invalid)?;
    let canonical = key.to_edwards().compress().to_bytes() == octets;
    if key.is_weak() || !canonical {
        return Err(KeyError::Invalid);
    }
    Ok(PublicKey::Ed25519(key))
}

/// RFC 7517 §4.2 and §4.3: a key that says what it is for may be used for that alone.
fn check_use(jwk: Value<'_>) -> Result<(), KeyError> {
    if optional_string(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::Use);
    }
    let Some(operations) = jwk.get("key_ops") else { return Ok(()) };
    if operations.kind() != Kind::Array || operations.elements().any(|operation| operation.as_str().is_none()) {
        return Err(KeyError::Type("key_ops"));
    }
    match operations.elements().any(|operation| operation.as_str() == Some("verify")) {
        true => Ok(()),
        false => Err(KeyError::Use),
    }
}

fn octets(jwk: Value<'_>, member: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = optional_string(jwk, member)?.ok_or(KeyError::Missing(member))?;
    base64url::decode(text.as_bytes()).filter(|octets| !octets.is_empty()).ok_or(KeyError::Encoding(member))
}

fn optional_string<'d>(jwk: Value<'d>, member: &'static str) -> Result<Option<&'d str>, KeyError> {
    jwk.get(member).map(|value| value.as_str().ok_or(KeyError::Type(member))).transpose()
}

/// Why a JWK is no key to verify with. Carries no key material.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyError {
    /// `alg` names an algorithm that this type of key does not have, or that is not supported.
    Algorithm,
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
    /// A public exponent that is even, below 65537 or over 32 bits.
    RsaExponent,
    /// A modulus outside 2048 to 8192 bits.
    RsaSize(u32),
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
            Self::Algorithm => formatter.write_str("its `alg` is not supported for this type of key"),
            Self::Encoding(member) => write!(formatter, "its `{member}` is not strict base64url"),
            Self::Invalid => formatter.write_str("its numbers make no valid key"),
            Self::Missing(member) => write!(formatter, "its `{member}` is missing"),
            Self::NotAnObject => formatter.write_str("it is not a JSON object"),
            Self::Private => formatter.write_str("it is a private key: it is compromised and has to be replaced"),
            Self::RsaExponent => formatter.write_str("its exponent is not an odd number of 65537 or more in 32 bits"),
            Self::RsaSize(bits) => {
                write!(formatter, "its modulus has {bits} bits, expected {MIN_RSA_BITS} to {MAX_RSA_BITS}")
            }
            Self::Type(member) => write!(formatter, "its `{member}` has the wrong type"),
            Self::UnknownCurve => formatter.write_str("its `crv` is not supported"),
            Self::UnknownType => formatter.write_str("its `kty` is not supported"),
            Self::Use => formatter.write_str("its `use` or `key_ops` do not allow verification"),
        }
    }
}
