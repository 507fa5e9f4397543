//! The checks of a proof (RFC 9449 §4.3). The signature comes last: nobody has one checked but who has a token that is
//! bound to the very key.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use jose::claims::NumericDate;
use jose::json::Value;
use jose::jwk::{Origin, VerificationKey, has_private_member, thumbprint};
use jose::jws::{EncodedToken, UntrustedToken};
use jose::signature::{CheckedBy, SignatureVerifier};
use jose::{Algorithm, Hash, base64url};

use super::error::ProofError;
use super::target::{Target, path_in};

/// With an RSA key of 16,384 bits a proof has some 7,000 octets.
const MAX_OCTETS: usize = 8 << 10;
const TYPE: &str = "dpop+jwt";
/// The longest `jti`, in octets.
const MAX_IDENTIFIER: usize = 128;
/// Members by which a header asks for trust in more than its `jwk` (RFC 7515 §4.1.2, §4.1.5, §4.1.6).
const OTHER_KEYS: [&str; 3] = ["jku", "x5c", "x5u"];

/// What a proof must be about.
#[derive(Clone, Copy)]
pub struct Expected<'e> {
    /// The request's method.
    pub method: &'e [u8],
    /// Its URI.
    pub target: Target<'e>,
    /// The token that it comes with.
    pub token: &'e [u8],
    /// The thumbprint of the key that the token is bound to.
    pub key: &'e [u8; 32],
    /// The present instant, since the epoch.
    pub now: Duration,
    /// How old a proof may be.
    pub window: Duration,
    /// How far its `iat` may lie in the future.
    pub skew: Duration,
    /// Whether a `nonce` is accepted; absent: none is needed.
    pub accepts_nonce: Option<&'e dyn Fn(&str) -> bool>,
}

/// A proof that holds, unless it was used before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// What distinguishes it from others that were made with the same key.
    pub jti: String,
    /// The path of `htu` as it is written there.
    pub path: String,
    /// The nonce that was accepted, where one is needed.
    pub nonce: Option<String>,
    /// From then on it is refused as too old, in whole seconds since the epoch.
    pub ends: Duration,
}

/// Tokens are not for logs.
impl fmt::Debug for Expected<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Expected").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Checks the proof `text`.
pub fn check(text: &[u8], expected: &Expected<'_>, verifier: &dyn SignatureVerifier) -> Result<Proof, ProofError> {
    if text.len() > MAX_OCTETS {
        return Err(ProofError::TooLarge);
    }
    let encoded = EncodedToken::decode(text).map_err(|_| ProofError::Form)?;
    let proof = encoded.parse().map_err(|_| ProofError::Form)?;
    let (key, algorithm) = check_header(&proof, expected.key)?;
    let found = check_claims(&proof, expected)?;
    // Such keys take too long in Wasm.
    if key.material().is_for_hosts_alone() && verifier.checked_by(algorithm) != CheckedBy::Host {
        return Err(ProofError::Key);
    }
    proof.verify(&[&key], verifier).map_err(|_| ProofError::Signature)?;
    Ok(found)
}

/// The key that the header brings, if it is that of this thumbprint, and the algorithm that it names.
fn check_header(proof: &UntrustedToken<'_>, thumb: &[u8; 32]) -> Result<(VerificationKey, Algorithm), ProofError> {
    if proof.typ() != Some(TYPE) {
        return Err(ProofError::Type);
    }
    if proof.has_extensions() || OTHER_KEYS.iter().any(|member| proof.header_member(member).is_some()) {
        return Err(ProofError::Extension);
    }
    let algorithm = proof.algorithm().filter(|algorithm| !algorithm.is_symmetric()).ok_or(ProofError::Algorithm)?;
    let jwk = proof.header_member("jwk").filter(|jwk| !has_private_member(*jwk)).ok_or(ProofError::Key)?;
    if thumbprint(jwk).ok_or(ProofError::Key)? != *thumb {
        return Err(ProofError::OtherKey);
    }
    let key = VerificationKey::from_jwk(jwk, Origin::Issuer).map_err(|_| ProofError::Key)?;
    match key.allows(algorithm) {
        true => Ok((key, algorithm)),
        false => Err(ProofError::Algorithm),
    }
}

fn check_claims(proof: &UntrustedToken<'_>, expected: &Expected<'_>) -> Result<Proof, ProofError> {
    let text = |name| proof.claim(name).and_then(Value::as_str);
    let jti = text("jti").filter(|jti| (1..=MAX_IDENTIFIER).contains(&jti.len())).ok_or(ProofError::Identifier)?;
    if text("htm").map(str::as_bytes) != Some(expected.method) {
        return Err(ProofError::Method);
    }
    let htu = text("htu").filter(|uri| expected.target.is_that_of(uri)).ok_or(ProofError::Target)?;
    let digest = base64url::encode(&Hash::Sha256.digest(&[expected.token]));
    if text("ath") != Some(digest.as_str()) {
        return Err(ProofError::Token);
    }
    let ends = check_dates(proof, expected)?;
    let nonce = match expected.accepts_nonce {
        Some(accepts) => Some(text("nonce").filter(|nonce| accepts(nonce)).ok_or(ProofError::Nonce)?),
        None => None,
    };
    let path = path_in(htu).unwrap_or_default().to_string();
    Ok(Proof { jti: jti.to_string(), path, nonce: nonce.map(ToString::to_string), ends })
}

/// When the proof is too old. Its other dates count, too, as those of any JWT (RFC 7519 §4.1.4, §4.1.5).
fn check_dates(proof: &UntrustedToken<'_>, expected: &Expected<'_>) -> Result<Duration, ProofError> {
    let date = |name| match proof.claim(name) {
        Some(claim) => NumericDate::from_claim(claim).map(Some).ok_or(ProofError::Instant),
        None => Ok(None),
    };
    let latest = expected.now.saturating_add(expected.skew);
    let is_to_come = |date: NumericDate<'_>| date.cmp_instant(latest) == Ordering::Greater;
    let issued = date("iat")?.ok_or(ProofError::Instant)?;
    let is_old = issued.cmp_instant(expected.now.saturating_sub(expected.window)) == Ordering::Less;
    let has_ended = date("exp")?.is_some_and(|date| date.cmp_instant(expected.now) != Ordering::Greater);
    match is_old || has_ended || is_to_come(issued) || date("nbf")?.is_some_and(is_to_come) {
        true => Err(ProofError::Instant),
        false => Ok(Duration::from_secs(issued.ceiling()).saturating_add(expected.window).saturating_add(SECOND)),
    }
}

const SECOND: Duration = Duration::from_secs(1);
