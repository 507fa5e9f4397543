//! What was made, in the engine.

use gate::{Gate, Timestamp};
use inspect::configuration::load;
use inspect::engine::{Outcome, decide};
use inspect::istio::{Error, Resources, Workload, translate};
use inspect::request::RequestHead;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;
use jose::{Algorithm, base64url};
use serde_json::{Value, json};

use crate::model::Request;

const NOW: u64 = 1_800_000_000;

/// A usable key, to which every signature is a good one.
pub(crate) const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"}]}"#;

struct Gullible;

impl SignatureVerifier for Gullible {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// The configuration that is made of manifests, and whether it says all that they say; or why none is made.
pub(crate) fn translated(manifests: &str) -> Result<(String, bool), String> {
    let mut resources = Resources::default();
    resources.read(manifests).map_err(|finding| finding.message)?;
    match translate(&resources, &Workload::default()) {
        Ok(made) => Ok((made.page, made.inexact == 0)),
        Err(Error::Policies(message)) => Err(message),
        Err(Error::Page { page, finding }) => panic!("the engine rejects what was made: {}\n{page}", finding.message),
    }
}

/// An engine for a configuration.
pub(crate) fn engine(page: &str) -> Gate {
    let loaded = load(page, None, &|_| None).unwrap_or_else(|rejection| panic!("{rejection:?}\n{page}"));
    Gate::new(loaded.policy, Timestamp::from_secs(NOW), 1)
}

/// Whether a request passes.
pub(crate) fn passes(gate: &Gate, request: &Request) -> bool {
    let mut head = RequestHead::new(&request.method, &request.host, &request.path);
    if let Some(value) = &request.header {
        head.add("x-t", value);
    }
    if let Some(claims) = &request.claims {
        head.add("authorization", &format!("Bearer {}", token(claims)));
    }
    let decided = decide(gate.clone(), &head, Timestamp::from_secs(NOW), &Gullible, None);
    matches!(decided.outcome, Outcome::Forwarded(_))
}

fn token(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["exp"] = json!(NOW + 60);
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(&json!({"alg": "EdDSA", "kid": "a"})), part(&claims), base64url::encode(&[1; 64]))
}
