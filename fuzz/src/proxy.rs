//! What stands around the engine: servers behind it, and signatures.

use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;

/// What a server that folds header names (CGI, WSGI and their like) takes a name for.
pub fn folded(name: impl AsRef<[u8]>) -> String {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(*byte).to_ascii_lowercase() } else { '-' };
    name.as_ref().iter().map(fold).collect()
}

/// A verifier to which each signature is a good one: what then refuses a token is not its signature.
pub struct Gullible;

impl SignatureVerifier for Gullible {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        true
    }
}
