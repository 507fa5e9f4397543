//! One JWK: from JSON to a key that is bound to its algorithms.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::KeyError;
use super::material::KeyMaterial;
use super::member::{optional_string, present};
use super::origin::Origin;
use crate::Algorithm;
use crate::json::{Kind, Value};

/// A key together with what it may verify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerificationKey {
    kid: Option<String>,
    issuer: Option<String>,
    material: KeyMaterial,
    /// INVARIANT: never empty.
    algorithms: Vec<Algorithm>,
}

impl VerificationKey {
    /// Imports a JWK.
    pub fn from_jwk(jwk: Value<'_>, origin: Origin) -> Result<Self, KeyError> {
        if jwk.kind() != Kind::Object {
            return Err(KeyError::NotAnObject);
        }
        if jwk.has_duplicates() {
            return Err(KeyError::DuplicateMember);
        }
        let kid = read_kid(jwk)?;
        let issuer = optional_string(jwk, "issuer")?.map(ToString::to_string);
        let material = KeyMaterial::from_jwk(jwk, origin)?;
        check_use(jwk, origin)?;
        let alg = optional_string(jwk, "alg")?;
        let is_wanted = |algorithm: &Algorithm| alg.is_none_or(|alg| alg == algorithm.name());
        let wanted: Vec<_> = Algorithm::ALL.into_iter().filter(is_wanted).collect();
        let algorithms: Vec<_> = wanted.into_iter().filter(|&algorithm| material.fits(algorithm)).collect();
        if algorithms.is_empty() {
            return Err(KeyError::Algorithm);
        }
        Ok(Self { kid, issuer, material, algorithms })
    }

    /// The `kid` that tokens name this key by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The issuer whose tokens alone it signs, where its set names one for each key, as that of Entra ID does. It may
    /// hold a placeholder for a tenant: `https://login.microsoftonline.com/{tenantid}/v2.0`.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether this key may verify signatures of `algorithm`.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// The key itself.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }
}

/// RFC 7517 §4.2 and §4.3: a key that says what it is for may be used for that alone.
fn check_use(jwk: Value<'_>, origin: Origin) -> Result<(), KeyError> {
    match optional_string(jwk, "use")? {
        None | Some("sig") => {}
        Some("jwt-svid") if origin == Origin::TrustDomain => {}
        Some(_) => return Err(KeyError::Use),
    }
    let Some(operations) = present(jwk, "key_ops") else { return Ok(()) };
    if operations.kind() != Kind::Array || operations.elements().any(|operation| operation.as_str().is_none()) {
        return Err(KeyError::Type("key_ops"));
    }
    match operations.elements().any(|operation| operation.as_str() == Some("verify")) {
        true => Ok(()),
        false => Err(KeyError::Use),
    }
}

/// The `kid`; an empty one names no key.
fn read_kid(jwk: Value<'_>) -> Result<Option<String>, KeyError> {
    Ok(optional_string(jwk, "kid")?.filter(|kid| !kid.is_empty()).map(ToString::to_string))
}
