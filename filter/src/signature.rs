//! The host's `verify_signature`, where it can be trusted to work.

use jose::Algorithm;
use jose::jwk::PublicKey;
use jose::signature::{SignatureVerifier, Software, es256_to_der, passes_examples};
use prost::Message;

use crate::abi::{self, LogLevel};

/// Checks signatures through the host where that passed its own check, otherwise by itself.
#[derive(Debug)]
pub(crate) struct HostSignatures {
    works_for: Vec<Algorithm>,
}

impl HostSignatures {
    /// Tries the host with good and bad signatures. Where it fails one of them it is not used.
    pub(crate) fn check() -> Self {
        let works = |&algorithm: &Algorithm| {
            passes_examples(algorithm, |key, message, signature| verify_by_host(key, algorithm, message, signature))
        };
        let works_for: Vec<_> = Algorithm::ALL.into_iter().filter(works).collect();
        let names = works_for.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { String::from("nothing") } else { names };
        abi::log(LogLevel::Info, &format!("jotgate: the host's verify_signature is used for: {names}"));
        Self { works_for }
    }
}

impl SignatureVerifier for HostSignatures {
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_host = match self.works_for.contains(&algorithm) {
            true => verify_by_host(key, algorithm, message, signature),
            false => None,
        };
        by_host.unwrap_or_else(|| Software.verify(key, algorithm, message, signature))
    }
}

/// What the host says; `None` where it has nothing to say.
fn verify_by_host(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
    let signature = match (algorithm, key) {
        (Algorithm::Rs256, PublicKey::Rsa(..)) => signature.to_vec(),
        // Numbers out of range have no DER form, and make no signature.
        (Algorithm::Es256, PublicKey::P256(..)) => match es256_to_der(signature) {
            Some(signature) => signature,
            None => return Some(false),
        },
        _ => return None,
    };
    let arguments =
        Arguments { hash: String::from("sha256"), public_key: key.spki()?.to_vec(), signature, text: message.to_vec() };
    let answer = abi::call_foreign_function("verify_signature", &arguments.encode_to_vec()).ok()?;
    Some(Outcome::decode(answer.as_slice()).ok()?.is_valid)
}

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`
#[derive(Clone, PartialEq, Message)]
struct Arguments {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`
#[derive(Clone, PartialEq, Message)]
struct Outcome {
    #[prost(bool, tag = "1")]
    is_valid: bool,
    #[prost(string, tag = "2")]
    error: String,
}
