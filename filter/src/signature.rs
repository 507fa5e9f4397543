//! The host's `verify_signature`, where it can be trusted to work.

use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software, ecdsa_to_der, passes_examples};
use jose::{Algorithm, Hash};
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
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_host = match self.works_for.contains(&algorithm) {
            true => verify_by_host(key, algorithm, message, signature),
            false => None,
        };
        // A host that fails later does not make the module do what is too much for it.
        by_host.unwrap_or_else(|| !key.is_for_hosts_alone() && Software.verify(key, algorithm, message, signature))
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        match self.works_for.contains(&algorithm) {
            true => CheckedBy::Host,
            false => CheckedBy::Module,
        }
    }
}

/// What the host says; `None` where it has nothing to say.
pub(crate) fn verify_by_host(
    key: &KeyMaterial,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    use Algorithm::{Es256, Es384, Es512, Rs256, Rs384, Rs512};
    let signature = match (algorithm, key) {
        (Rs256 | Rs384 | Rs512, KeyMaterial::Rsa(_)) => signature.to_vec(),
        (Es256, KeyMaterial::P256(..)) | (Es384, KeyMaterial::P384(..)) | (Es512, KeyMaterial::P521(..)) => {
            // Numbers out of range have no DER form, and make no signature.
            match ecdsa_to_der(algorithm, signature) {
                Some(signature) => signature,
                None => return Some(false),
            }
        }
        _ => return None,
    };
    let hash = match algorithm.hash() {
        Hash::Sha256 => "sha256",
        Hash::Sha384 => "sha384",
        Hash::Sha512 => "sha512",
    };
    let arguments =
        Arguments { hash: hash.into(), public_key: key.spki()?.to_vec(), signature, text: message.to_vec() };
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
