//! What was made, in the engine.

use std::path::PathBuf;

use clap::Parser as _;
use cli::arguments::Arguments;
use cli::engine::{Fate, Sent, decide};
use cli::input::Input;
use cli::load::load;
use gate::{Gate, Timestamp};
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

/// A file of manifests, which goes away with it.
pub(crate) struct Manifests(PathBuf);

impl Manifests {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("can be written");
        Self(path)
    }

    /// Runs the command: what it makes and its status, or why it makes nothing.
    pub(crate) fn translate(&self, options: &[&str]) -> Result<(String, u8), String> {
        let path = self.0.to_str().expect("is text");
        let arguments = [&["jotgate", "from-istio", path], options].concat();
        let arguments = Arguments::try_parse_from(arguments).expect("is a command line");
        match cli::run(&arguments) {
            Ok(outcome) => Ok((outcome.output, outcome.status)),
            Err(error) => Err(anstream::adapter::strip_str(&error.0).to_string().replace(path, "FILE")),
        }
    }
}

impl Drop for Manifests {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An engine for a configuration.
pub(crate) fn engine(page: &str) -> Gate {
    let file = Input { name: String::from("made"), text: page.to_string() };
    let loaded = load(&file, None).unwrap_or_else(|error| panic!("{}\n{page}", error.0));
    Gate::new(loaded.policy, Timestamp::from_secs(NOW), 1)
}

/// Whether a request passes.
pub(crate) fn passes(gate: &mut Gate, request: &Request) -> bool {
    let mut sent = Sent::new(&request.method, &request.host, &request.path);
    if let Some(value) = &request.header {
        sent.add("x-t", value);
    }
    if let Some(claims) = &request.claims {
        sent.add("authorization", &format!("Bearer {}", token(claims)));
    }
    let decided = decide(gate, &sent, Timestamp::from_secs(NOW), &Gullible);
    matches!(decided.fate, Fate::Passed(_))
}

fn token(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["exp"] = json!(NOW + 60);
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(&json!({"alg": "EdDSA", "kid": "a"})), part(&claims), base64url::encode(&[1; 64]))
}
