//! Entries of shared data, sealed as the gate seals them: so that what is inside of them can be anything.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const FORMAT: &[u8] = b"jotgate.keys.2.";

/// The name of an issuer's entry, and its bytes with this body. `keys` are the members of its `keys` by name, in one
/// spelling: `"cluster":"idp",`.
pub fn entry(issuer: &str, keys: &str, body: &[u8]) -> (String, Vec<u8>) {
    let identity = format!("\"{issuer}\"{{{keys}}}");
    let root = code(b"", &[FORMAT, identity.as_bytes()].concat());
    let hash = code(&root, b"name");
    let name = u128::from_be_bytes(*hash.first_chunk().expect("is long enough"));
    let sealed = [&code(&code(&root, b"authentication"), body)[..], body].concat();
    (format!("{}{name:032x}", String::from_utf8_lossy(FORMAT)), sealed)
}

fn code(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("takes any key");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}
