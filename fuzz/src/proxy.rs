//! What stands around the engine: servers behind it, and signatures.

use gate::{Gate, Policy, Timestamp};
use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;

use crate::signed;

/// What a server that folds header names (CGI, WSGI and their like) takes a name for.
pub fn folded(name: impl AsRef<[u8]>) -> String {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(*byte).to_ascii_lowercase() } else { '-' };
    name.as_ref().iter().map(fold).collect()
}

/// An engine with this configuration, in which `KEYS` stands for those of [`signed`].
pub fn gate(configuration: &str, now: Timestamp) -> Gate {
    let configuration = configuration.replace("KEYS", signed::KEYS);
    let policy = Policy::parse(configuration.as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    Gate::new(policy, now, 1)
}

/// The answer that an input is: the status, a line end, the body. No proxy hands out a status below 200.
pub fn answer(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let is_status = |text: &&str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()) && *text >= "200";
    let status = str::from_utf8(&input[..end]).ok().filter(is_status)?;
    Some((status, input.get(end + 1..).unwrap_or_default()))
}

/// A verifier to which each signature is a good one: what then refuses a token is not its signature.
pub struct Gullible;

impl SignatureVerifier for Gullible {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        true
    }
}
