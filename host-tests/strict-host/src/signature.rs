//! Envoy's foreign function `verify_signature`.

use crate::status::Status;
use prost::Message;
use rsa::pkcs8::DecodePublicKey;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// How the host answers `verify_signature`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifySignature {
    /// As Envoy does.
    #[default]
    Real,
    /// The host does not have it.
    Missing,
    /// It says that every signature is good.
    AlwaysTrue,
    /// It says that every signature is bad.
    AlwaysFalse,
    /// The call fails.
    Fails(Status),
}

#[derive(Clone, PartialEq, Message)]
struct Arguments {
    #[prost(string, tag = "1")]
    hash: String,
    /// SPKI DER.
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Verdict {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// Answers a call: both sides are protobuf.
pub(crate) fn call(mode: VerifySignature, arguments: &[u8]) -> Result<Vec<u8>, Status> {
    let verdict = match mode {
        VerifySignature::Missing => return Err(Status::NOT_FOUND),
        VerifySignature::Fails(status) => return Err(status),
        VerifySignature::Real => {
            let arguments = Arguments::decode(arguments).map_err(|_| Status::BAD_ARGUMENT)?;
            if arguments.public_key.is_empty() {
                return Err(Status::BAD_ARGUMENT);
            }
            verify(&arguments)
        }
        VerifySignature::AlwaysTrue => Ok(()),
        VerifySignature::AlwaysFalse => Err("Failed to verify digest. Error code: 0".to_owned()),
    };
    let error = verdict.err();
    let verdict = Verdict { result: error.is_none(), error: error.unwrap_or_default() };
    Ok(verdict.encode_to_vec())
}

/// Whether a key of that curve made the DER signature. (The three crates share no trait without one more dependency.)
macro_rules! ecdsa_verifies {
    ($curve:ident, $key:expr, $digest:expr, $signature:expr) => {{
        use $curve::ecdsa::signature::hazmat::PrehashVerifier;
        $curve::ecdsa::Signature::from_der($signature)
            .is_ok_and(|signature| $key.verify_prehash($digest, &signature).is_ok())
    }};
}

fn verify(arguments: &Arguments) -> Result<(), String> {
    let (digest, padding) = match arguments.hash.to_ascii_lowercase().as_str() {
        "sha1" => (Sha1::digest(&arguments.text).to_vec(), Pkcs1v15Sign::new::<Sha1>()),
        "sha224" => (Sha224::digest(&arguments.text).to_vec(), Pkcs1v15Sign::new::<Sha224>()),
        "sha256" => (Sha256::digest(&arguments.text).to_vec(), Pkcs1v15Sign::new::<Sha256>()),
        "sha384" => (Sha384::digest(&arguments.text).to_vec(), Pkcs1v15Sign::new::<Sha384>()),
        "sha512" => (Sha512::digest(&arguments.text).to_vec(), Pkcs1v15Sign::new::<Sha512>()),
        _ => return Err(format!("{} is not supported.", arguments.hash)),
    };
    let (key, signature) = (arguments.public_key.as_slice(), arguments.signature.as_slice());
    let verdict = if let Ok(key) = RsaPublicKey::from_public_key_der(key) {
        key.verify(padding, &digest, signature).is_ok()
    } else if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(key) {
        ecdsa_verifies!(p256, key, &digest, signature)
    } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(key) {
        ecdsa_verifies!(p384, key, &digest, signature)
    } else if let Ok(key) = p521::ecdsa::VerifyingKey::from_public_key_der(key) {
        ecdsa_verifies!(p521, key, &digest, signature)
    } else {
        return Err("Failed to initialize digest verify.".to_owned());
    };
    if verdict { Ok(()) } else { Err("Failed to verify digest. Error code: 0".to_owned()) }
}
