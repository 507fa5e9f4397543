//! Signing keys: made at random, used to sign, shown to others as JWKs.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use jwt_compact::Algorithm as _;
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa};
use p256::pkcs8::LineEnding;
use p384::ecdsa::signature::{Signer as _, Verifier as _};
use rsa::rand_core::{OsRng, RngCore as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::encoding::base64url;
use crate::error::BadRequest;

/// The `alg` values that keys can be made for (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of RFC 7518 and RFC 8037")]
pub enum Algorithm {
    EdDSA,
    ES256,
    ES384,
    ES512,
    HS256,
    HS384,
    HS512,
    PS256,
    PS384,
    PS512,
    RS256,
    RS384,
    RS512,
}

impl Algorithm {
    /// Every algorithm with a public key, so all but those of HMAC.
    pub const ASYMMETRIC: [Self; 10] = [
        Self::EdDSA,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
    ];

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = BadRequest;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ASYMMETRIC
            .into_iter()
            .chain([Self::HS256, Self::HS384, Self::HS512])
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| BadRequest::new(format!("unknown algorithm `{name}`")))
    }
}

/// A private key for one algorithm, with the `kid` it is published under.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    Oct(Vec<u8>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(Rsa, Box<rsa::RsaPrivateKey>),
}

impl SigningKey {
    /// A new key with a random `kid` that begins with the algorithm's name. RSA keys have 2048 bits.
    ///
    /// # Panics
    ///
    /// If the operating system gives no randomness.
    pub fn generate(algorithm: Algorithm) -> Self {
        let secret = match algorithm {
            Algorithm::EdDSA => Secret::Ed25519(ed25519_dalek::SigningKey::generate(&mut OsRng)),
            Algorithm::ES256 => Secret::P256(p256::ecdsa::SigningKey::random(&mut OsRng)),
            Algorithm::ES384 => Secret::P384(p384::ecdsa::SigningKey::random(&mut OsRng)),
            Algorithm::ES512 => Secret::P521(p521::ecdsa::SigningKey::random(&mut OsRng)),
            Algorithm::HS256 => Secret::Oct(random::<32>().to_vec()),
            Algorithm::HS384 => Secret::Oct(random::<48>().to_vec()),
            Algorithm::HS512 => Secret::Oct(random::<64>().to_vec()),
            Algorithm::PS256 => rsa_secret(Rsa::ps256(), 2048),
            Algorithm::PS384 => rsa_secret(Rsa::ps384(), 2048),
            Algorithm::PS512 => rsa_secret(Rsa::ps512(), 2048),
            Algorithm::RS256 => rsa_secret(Rsa::rs256(), 2048),
            Algorithm::RS384 => rsa_secret(Rsa::rs384(), 2048),
            Algorithm::RS512 => rsa_secret(Rsa::rs512(), 2048),
        };
        Self { kid: random_kid(algorithm), algorithm, secret }
    }

    /// A new RS256 key of another size, for example one that is too weak to be accepted.
    pub fn generate_rs256(bits: usize) -> Self {
        let secret = rsa_secret(Rsa::rs256(), bits);
        Self { kid: random_kid(Algorithm::RS256), algorithm: Algorithm::RS256, secret }
    }

    /// An HS256 key made of the given bytes.
    pub fn hs256(secret: impl Into<Vec<u8>>) -> Self {
        let secret = Secret::Oct(secret.into());
        Self { kid: random_kid(Algorithm::HS256), algorithm: Algorithm::HS256, secret }
    }

    /// The same key under another `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = kid.into();
        self
    }

    /// The `kid` that the key is published under.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that the key signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The JWS signature of `message` (ECDSA as `r || s`, RFC 7518 §3.4).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(key) => Ed25519.sign(key, message).as_bytes().into_owned(),
            Secret::Oct(secret) => match self.algorithm {
                Algorithm::HS384 => Hs384.sign(&Hs384Key::new(secret), message).as_bytes().into_owned(),
                Algorithm::HS512 => Hs512.sign(&Hs512Key::new(secret), message).as_bytes().into_owned(),
                _ => Hs256.sign(&Hs256Key::new(secret), message).as_bytes().into_owned(),
            },
            Secret::P256(key) => Es256.sign(key, message).as_bytes().into_owned(),
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Secret::Rsa(algorithm, key) => algorithm.sign(key, message).as_bytes().into_owned(),
        }
    }

    /// Whether this is its signature of `message`; only for keys of ES256 and `EdDSA`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.secret {
            Secret::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Secret::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verifying_key().verify(message, &signature).is_ok()),
            Secret::Oct(_) | Secret::P384(_) | Secret::P521(_) | Secret::Rsa(..) => false,
        }
    }

    /// What is published: the public key with `kid`, `alg` and `use`. An HMAC key shows its secret, as an
    /// inline `oct` key does.
    pub fn public_jwk(&self) -> Value {
        let mut jwk = match &self.secret {
            Secret::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.verifying_key().as_bytes())})
            }
            Secret::Oct(secret) => json!({"kty": "oct", "k": base64url(secret)}),
            Secret::P256(key) => ec_jwk("P-256", key.verifying_key().to_encoded_point(false).as_bytes()),
            Secret::P384(key) => ec_jwk("P-384", key.verifying_key().to_encoded_point(false).as_bytes()),
            Secret::P521(key) => {
                let public = p521::ecdsa::VerifyingKey::from(key);
                ec_jwk("P-521", public.to_encoded_point(false).as_bytes())
            }
            Secret::Rsa(_, key) => {
                json!({"kty": "RSA", "n": base64url(key.n().to_bytes_be()), "e": base64url(key.e().to_bytes_be())})
            }
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".into(), self.kid.clone().into());
            members.insert("alg".into(), self.algorithm.name().into());
            members.insert("use".into(), "sig".into());
        }
        jwk
    }

    /// The private key with `kid` and `alg`; only for keys of ES256 and `EdDSA`.
    pub fn private_jwk(&self) -> Option<Value> {
        let private = match &self.secret {
            Secret::Ed25519(key) => base64url(key.to_bytes()),
            Secret::P256(key) => base64url(key.to_bytes()),
            Secret::Oct(_) | Secret::P384(_) | Secret::P521(_) | Secret::Rsa(..) => return None,
        };
        let mut jwk = self.public_jwk();
        jwk.as_object_mut()?.insert("d".into(), private.into());
        Some(jwk)
    }

    /// The key of ES256 or `EdDSA` in such a JWK; none if it is no such key.
    pub fn from_private_jwk(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let private = URL_SAFE_NO_PAD.decode(text("d")?).ok()?;
        let (algorithm, secret) = match text("crv")? {
            "Ed25519" => {
                let key = ed25519_dalek::SigningKey::try_from(private.as_slice()).ok()?;
                (Algorithm::EdDSA, Secret::Ed25519(key))
            }
            "P-256" => (Algorithm::ES256, Secret::P256(p256::ecdsa::SigningKey::from_slice(&private).ok()?)),
            _ => return None,
        };
        let kid = text("kid").map_or_else(|| random_kid(algorithm), str::to_owned);
        Some(Self { kid, algorithm, secret })
    }

    /// The public key as PEM (`SubjectPublicKeyInfo`): what the confusion of RS256 with HS256 uses as a secret.
    /// An HMAC key has none.
    pub fn public_pem(&self) -> Option<String> {
        match &self.secret {
            Secret::Ed25519(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Secret::Oct(_) => None,
            Secret::P256(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Secret::P384(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Secret::P521(key) => {
                let point = p521::ecdsa::VerifyingKey::from(key).to_encoded_point(false);
                let public = p521::PublicKey::from_sec1_bytes(point.as_bytes()).ok()?;
                public.to_public_key_pem(LineEnding::LF).ok()
            }
            Secret::Rsa(_, key) => key.to_public_key().to_public_key_pem(LineEnding::LF).ok(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, algorithm, .. } = self;
        formatter.debug_struct("SigningKey").field("kid", kid).field("algorithm", algorithm).finish_non_exhaustive()
    }
}

/// A JWK set (RFC 7517 §5) of the public keys.
pub fn jwk_set<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    let keys: Vec<Value> = keys.into_iter().map(SigningKey::public_jwk).collect();
    json!({ "keys": keys })
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

fn rsa_secret(algorithm: Rsa, bits: usize) -> Secret {
    #[expect(clippy::expect_used, reason = "fails only without randomness, or for a size that no caller means")]
    let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).expect("an RSA key is generated");
    Secret::Rsa(algorithm, Box::new(key))
}

fn random_kid(algorithm: Algorithm) -> String {
    format!("{}-{:08x}", algorithm.name().to_ascii_lowercase(), u32::from_be_bytes(random()))
}

/// `point` is uncompressed (SEC 1 §2.3.3): a tag, then both coordinates, each as long as the field.
fn ec_jwk(curve: &str, point: &[u8]) -> Value {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
