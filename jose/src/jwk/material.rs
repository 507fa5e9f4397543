//! What a JWK's numbers make: a key of one type (RFC 7518 §6, RFC 8037 §2).

use alloc::vec::Vec;
use core::fmt;

use p256::pkcs8::EncodePublicKey;

use super::error::{KeyError, MIN_SECRET_OCTETS};
use super::member::{optional_string, present};
use super::origin::Origin;
use crate::json::Value;
use crate::rsa::{RsaKeyError, RsaPublicKey};
use crate::{Algorithm, base64url};

/// The key itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyMaterial {
    /// For [`Algorithm::EdDsa`].
    Ed25519(ed25519_dalek::VerifyingKey),
    /// For the HMAC algorithms whose hash values are no longer than the secret.
    Oct(SharedSecret),
    /// For [`Algorithm::Es256`], with its `SubjectPublicKeyInfo` in DER.
    P256(p256::ecdsa::VerifyingKey, Vec<u8>),
    /// For [`Algorithm::Es384`], with its `SubjectPublicKeyInfo` in DER.
    P384(p384::ecdsa::VerifyingKey, Vec<u8>),
    /// For [`Algorithm::Es512`], with its `SubjectPublicKeyInfo` in DER.
    P521(p521::ecdsa::VerifyingKey, Vec<u8>),
    /// For the RSA algorithms, of both paddings.
    Rsa(RsaPublicKey),
}

/// A secret that the issuer and the gate share.
#[derive(Clone, Eq, PartialEq)]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// The secret itself.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// Secrets are not for logs.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SharedSecret({} octets)", self.0.len())
    }
}

impl KeyMaterial {
    pub(super) fn from_jwk(jwk: Value<'_>, origin: Origin) -> Result<Self, KeyError> {
        let kty = optional_string(jwk, "kty")?.ok_or(KeyError::Missing("kty"))?;
        // A private key in public is compromised: trusting it would trust everyone that saw it.
        if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|member| present(jwk, member).is_some()) {
            return Err(KeyError::Private);
        }
        match (kty, optional_string(jwk, "crv")?) {
            ("RSA", _) => rsa_key(jwk),
            ("EC", Some("P-256")) => {
                ec_key(jwk, 32, p256::ecdsa::VerifyingKey::from_sec1_bytes).map(|(key, spki)| Self::P256(key, spki))
            }
            ("EC", Some("P-384")) => {
                ec_key(jwk, 48, p384::ecdsa::VerifyingKey::from_sec1_bytes).map(|(key, spki)| Self::P384(key, spki))
            }
            ("EC", Some("P-521")) => {
                ec_key(jwk, 66, p521::ecdsa::VerifyingKey::from_sec1_bytes).map(|(key, spki)| Self::P521(key, spki))
            }
            ("OKP", Some("Ed25519")) => ed25519_key(jwk),
            ("EC" | "OKP", Some(_)) => Err(KeyError::UnknownCurve),
            ("EC" | "OKP", None) => Err(KeyError::Missing("crv")),
            ("oct", _) if origin != Origin::Configuration => Err(KeyError::Symmetric),
            ("oct", _) => shared_secret(jwk),
            _ => Err(KeyError::UnknownType),
        }
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1), where its algorithms have a use for it.
    pub fn spki(&self) -> Option<&[u8]> {
        match self {
            Self::Ed25519(_) | Self::Oct(_) => None,
            Self::P256(_, spki) | Self::P384(_, spki) | Self::P521(_, spki) => Some(spki),
            Self::Rsa(key) => Some(key.spki()),
        }
    }

    /// Whether a key of this type and size can verify `algorithm`.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Ed25519(_) => algorithm == EdDsa,
            // RFC 7518 §3.2: as long as the hash's values, or longer.
            Self::Oct(secret) => algorithm.is_symmetric() && secret.0.len() >= algorithm.hash().octets(),
            Self::P256(..) => algorithm == Es256,
            Self::P384(..) => algorithm == Es384,
            Self::P521(..) => algorithm == Es512,
            Self::Rsa(_) => matches!(algorithm, Ps256 | Ps384 | Ps512 | Rs256 | Rs384 | Rs512),
        }
    }
}

fn rsa_key(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    let key = RsaPublicKey::new(&octets(jwk, "n")?, &octets(jwk, "e")?);
    key.map(KeyMaterial::Rsa).map_err(|error| match error {
        RsaKeyError::Even => KeyError::Invalid,
        RsaKeyError::Exponent => KeyError::RsaExponent,
        RsaKeyError::Size { bits } => KeyError::RsaSize(bits),
    })
}

/// A point of which each coordinate has `expected` octets, with its `SubjectPublicKeyInfo`.
fn ec_key<K: EncodePublicKey, E>(
    jwk: Value<'_>,
    expected: usize,
    from_point: impl FnOnce(&[u8]) -> Result<K, E>,
) -> Result<(K, Vec<u8>), KeyError> {
    const UNCOMPRESSED: u8 = 4;
    let mut point = alloc::vec![UNCOMPRESSED];
    for member in ["x", "y"] {
        let coordinate = octets(jwk, member)?;
        if coordinate.len() != expected {
            return Err(KeyError::CoordinateSize { member, octets: coordinate.len(), expected });
        }
        point.extend(coordinate);
    }
    // Points that are not on the curve are refused here.
    let key = from_point(&point).map_err(|_| KeyError::Invalid)?;
    let spki = key.to_public_key_der().map_err(|_| KeyError::Invalid)?.into_vec();
    Ok((key, spki))
}

fn ed25519_key(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    let octets: [u8; 32] = octets(jwk, "x")?.try_into().map_err(|_| KeyError::Invalid)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&octets).map_err(|_| KeyError::Invalid)?;
    let canonical = key.to_edwards().compress().to_bytes() == octets;
    if key.is_weak() || !canonical {
        return Err(KeyError::Invalid);
    }
    Ok(KeyMaterial::Ed25519(key))
}

fn shared_secret(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    let secret = octets(jwk, "k")?;
    match secret.len() {
        ..MIN_SECRET_OCTETS => Err(KeyError::SecretSize(secret.len() * 8)),
        _ => Ok(KeyMaterial::Oct(SharedSecret(secret))),
    }
}

fn octets(jwk: Value<'_>, member: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = optional_string(jwk, member)?.ok_or(KeyError::Missing(member))?;
    base64url::decode(text.as_bytes()).filter(|octets| !octets.is_empty()).ok_or(KeyError::Encoding(member))
}
