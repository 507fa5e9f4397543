//! One private JWK: from JSON to a key that signs with one algorithm.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::Signer as _;
use zeroize::Zeroizing;

use super::error::SigningKeyError;
use crate::hash::Hash;
use crate::json::write;
use crate::json::{Document, Kind, Value};
use crate::{Algorithm, base64url};

/// How many octets each number of the two kinds of key has.
const OCTETS: usize = 32;

/// A private key, together with its public half and its one algorithm. Zeroised when dropped.
#[derive(Clone)]
pub struct SigningKey {
    kid: Option<String>,
    private: Private,
}

#[derive(Clone)]
pub(super) enum Private {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl SigningKey {
    pub(super) fn new(kid: Option<String>, private: Private) -> Self {
        Self { kid, private }
    }

    pub(super) const fn private(&self) -> &Private {
        &self.private
    }

    /// Reads the text of a private JWK (RFC 7518 §6.2.2, RFC 8037 §2).
    pub fn from_json(text: &[u8]) -> Result<Self, SigningKeyError> {
        let document = Document::parse(text).map_err(SigningKeyError::Json)?;
        Self::from_jwk(document.root())
    }

    /// Imports a private JWK: P-256 for ES256, Ed25519 for EdDSA. Its public members must be those of its `d`.
    pub fn from_jwk(jwk: Value<'_>) -> Result<Self, SigningKeyError> {
        if jwk.kind() != Kind::Object {
            return Err(SigningKeyError::NotAnObject);
        }
        if jwk.has_duplicates() {
            return Err(SigningKeyError::DuplicateMember);
        }
        let kid = optional_string(jwk, "kid")?.filter(|kid| !kid.is_empty()).map(ToString::to_string);
        let private = Private::from_jwk(jwk)?;
        check_use(jwk)?;
        if optional_string(jwk, "alg")?.is_some_and(|alg| alg != private.algorithm().name()) {
            return Err(SigningKeyError::Algorithm);
        }
        Ok(Self::new(kid, private))
    }

    /// The one algorithm that this key signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.private.algorithm()
    }

    /// The `kid` that the JWK came with, unless that is empty.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK thumbprint with SHA-256, in base64url (RFC 7638 §3, RFC 8037 §2).
    pub fn thumbprint(&self) -> String {
        let members = format!("{{{}}}", self.private.public_members());
        base64url::encode(&Hash::Sha256.digest(&[members.as_bytes()]))
    }

    /// The public half, as an entry of a JWK set (RFC 7517 §4).
    pub fn public_jwk(&self, kid: &str) -> String {
        let (members, alg, kid) = (self.private.public_members(), self.algorithm(), write::string(kid));
        format!(r#"{{{members},"alg":"{alg}","kid":{kid},"use":"sig"}}"#)
    }

    /// The signature of `message` as it stands in a JWS: r‖s for ES256 (RFC 7518 §3.4).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}

/// Private keys are not for logs.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, {})", self.algorithm(), self.thumbprint())
    }
}

impl Private {
    fn from_jwk(jwk: Value<'_>) -> Result<Self, SigningKeyError> {
        let kty = optional_string(jwk, "kty")?.ok_or(SigningKeyError::Missing("kty"))?;
        let (private, public) = match (kty, optional_string(jwk, "crv")?) {
            ("EC", Some("P-256")) => {
                let d = private_octets(jwk)?;
                let key = p256::ecdsa::SigningKey::from_slice(&*d).map_err(|_| SigningKeyError::Invalid)?;
                (Self::P256(key), [octets(jwk, "x")?, octets(jwk, "y")?].concat())
            }
            ("OKP", Some("Ed25519")) => {
                let d = private_octets(jwk)?;
                (Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&d)), octets(jwk, "x")?.to_vec())
            }
            ("EC" | "OKP", Some(_)) => return Err(SigningKeyError::UnknownCurve),
            ("EC" | "OKP", None) => return Err(SigningKeyError::Missing("crv")),
            _ => return Err(SigningKeyError::UnknownType),
        };
        match private.public_octets() == public {
            true => Ok(private),
            false => Err(SigningKeyError::Mismatch),
        }
    }

    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    /// The public key: x‖y, or the one number of Ed25519.
    fn public_octets(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            // The first octet says that both coordinates follow (SEC 1 §2.3.3).
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().iter().skip(1).copied().collect(),
        }
    }

    /// The members that RFC 7638 §3.2 requires of this type, in its order.
    fn public_members(&self) -> String {
        let public = self.public_octets();
        let (x, y) = public.split_at_checked(OCTETS).unwrap_or((&public, &[]));
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        match self {
            Self::Ed25519(_) => format!(r#""crv":"Ed25519","kty":"OKP","x":"{x}""#),
            Self::P256(_) => format!(r#""crv":"P-256","kty":"EC","x":"{x}","y":"{y}""#),
        }
    }
}

/// RFC 7517 §4.2 and §4.3: a key that says what it is for may be used for that alone.
fn check_use(jwk: Value<'_>) -> Result<(), SigningKeyError> {
    if optional_string(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(SigningKeyError::Use);
    }
    let Some(operations) = present(jwk, "key_ops") else { return Ok(()) };
    if operations.kind() != Kind::Array || operations.elements().any(|operation| operation.as_str().is_none()) {
        return Err(SigningKeyError::Type("key_ops"));
    }
    match operations.elements().any(|operation| operation.as_str() == Some("sign")) {
        true => Ok(()),
        false => Err(SigningKeyError::Use),
    }
}

fn private_octets(jwk: Value<'_>) -> Result<Zeroizing<[u8; OCTETS]>, SigningKeyError> {
    octets(jwk, "d").map(Zeroizing::new)
}

fn octets(jwk: Value<'_>, member: &'static str) -> Result<[u8; OCTETS], SigningKeyError> {
    let text = optional_string(jwk, member)?.ok_or(SigningKeyError::Missing(member))?;
    let octets = base64url::decode(text.as_bytes()).map(Zeroizing::new).ok_or(SigningKeyError::Encoding(member))?;
    let wrong_size = || SigningKeyError::Size { member, octets: octets.len(), expected: OCTETS };
    octets.as_slice().try_into().map_err(|_| wrong_size())
}

fn optional_string<'d>(jwk: Value<'d>, member: &'static str) -> Result<Option<&'d str>, SigningKeyError> {
    present(jwk, member).map(|value| value.as_str().ok_or(SigningKeyError::Type(member))).transpose()
}

/// A member, unless it is null: some serialisers write that for what is absent.
fn present<'d>(jwk: Value<'d>, member: &str) -> Option<Value<'d>> {
    jwk.get(member).filter(|value| !value.is_null())
}
