//! Tokens for test cases.
//!
//! The tool vouches for the tokens that it mints: their signatures are valid because it says so, and their keys are
//! public keys whose private halves are not used. The engine verifies everything else of them.

use std::collections::BTreeSet;

use gate::Policy;
use gate::policy::Issuer;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};
use jose::{Algorithm, base64url};
use serde_json::{Value, json};

use super::claims::{Members, find_issuer, merge, token_claims, usual_claims};
use super::format::{Case, Signature};
use super::opaque;
use crate::stand_in_keys::stand_in_keys;

/// The `kid` of all keys.
const KID: &str = "jotgate-test";
const GOOD: &[u8] = b"vouched for";
const BAD: &[u8] = b"forged";

/// A token, and what its issuer says of it where that alone can read it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) answer: Option<String>,
}

/// Mints tokens, and vouches for them.
#[derive(Debug, Default)]
pub(super) struct Mint {
    good: BTreeSet<Vec<u8>>,
}

impl SignatureVerifier for Mint {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match signature {
            GOOD => self.good.contains(message),
            _ => Software.verify(key, algorithm, message, signature),
        }
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

impl Mint {
    /// The token that a case asks for.
    pub(super) fn token(
        &mut self,
        case: &Case,
        defaults: &Members,
        policy: &Policy,
        now: u64,
    ) -> Result<Option<Token>, String> {
        match (&case.token, &case.claims) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(Token { text: text.clone(), answer: opaque::unknown(text, policy) })),
            (Some(text), Some(_)) => {
                let issuer = opaque::issuer_of(text, policy).ok_or(
                    "expected either `token` or `claims`, found both: no entry of `introspection` has this token",
                )?;
                let answer = Some(opaque::answer(issuer, case, defaults, now)?);
                Ok(Some(Token { text: text.clone(), answer }))
            }
            (None, Some(_)) => {
                let issuer = find_issuer(policy, case.issuer.as_deref())?;
                if issuer.is_introspected() {
                    let (text, answer) = (opaque::text(issuer, policy)?, opaque::answer(issuer, case, defaults, now)?);
                    return Ok(Some(Token { text, answer: Some(answer) }));
                }
                Ok(Some(Token { text: self.sign(issuer, case, defaults, now)?, answer: None }))
            }
        }
    }

    /// A JWT.
    fn sign(&mut self, issuer: &Issuer, case: &Case, defaults: &Members, now: u64) -> Result<String, String> {
        let claims = token_claims(usual_claims(issuer, now), case, defaults, now);
        let algorithm = issuer.algorithms().iter().find(|algorithm| issuer.allows(**algorithm));
        let algorithm = algorithm
            .ok_or_else(|| format!("the issuer `{}` allows no algorithm that it has a key for", issuer.name()))?;
        let mut header = Members::from_iter([
            (String::from("alg"), json!(algorithm.name())),
            (String::from("kid"), json!(KID)),
            (
                String::from("typ"),
                json!(issuer.token_types().as_ref().and_then(|types| types.first()).map_or("JWT", String::as_str)),
            ),
        ]);
        merge(&mut header, &case.token_header);
        let part = |members: Members| base64url::encode(Value::Object(members).to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = match case.signature {
            Signature::Bad => BAD,
            Signature::Good => {
                self.good.insert(message.clone().into_bytes());
                GOOD
            }
        };
        Ok(format!("{message}.{}", base64url::encode(signature)))
    }
}

/// The policy with the keys of the mint for every issuer, so that no key is fetched, and no private one needed.
pub(super) fn with_keys(policy: Policy) -> Result<Policy, String> {
    policy.with_keys(|_, issuer| {
        if !issuer.signs() {
            return Ok(None);
        }
        // A secret would make algorithms work that do not without one.
        let has_secret =
            Algorithm::ALL.into_iter().any(|algorithm| algorithm.is_symmetric() && issuer.allows(algorithm));
        stand_in_keys(Some(KID), has_secret).map(Some)
    })
}
