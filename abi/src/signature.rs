//! The host's `verify_signature`, where it can be trusted to work.

use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software, ecdsa_to_der, passes_examples};
use jose::{Algorithm, Hash};
use prost::Message;

/// Calls the host's `verify_signature` with a message in protobuf; `None` where the host fails.
pub type Call = fn(&[u8]) -> Option<Vec<u8>>;

/// Calls the host that this module runs in.
#[cfg(target_os = "wasi")]
pub fn call_host(arguments: &[u8]) -> Option<Vec<u8>> {
    crate::hostcalls::call_foreign_function("verify_signature", arguments).ok()
}

/// Checks signatures through the host where that passed its own check, otherwise by itself.
#[derive(Debug)]
pub struct HostSignatures {
    call: Call,
    works_for: Vec<Algorithm>,
}

impl HostSignatures {
    /// Tries the host with good and bad signatures. Where it fails one of them it is not used.
    pub fn check(call: Call) -> Self {
        let works = |&algorithm: &Algorithm| {
            passes_examples(algorithm, |key, message, signature| {
                verify_by_host(call, key, algorithm, message, signature)
            })
        };
        let works_for = Algorithm::ALL.into_iter().filter(works).collect();
        Self { call, works_for }
    }

    /// The line for the log: what the host is used for.
    pub fn summary(&self) -> String {
        let names = self.works_for.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "nothing" } else { &names };
        format!("the host's verify_signature is used for: {names}")
    }
}

impl SignatureVerifier for HostSignatures {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_host = match self.works_for.contains(&algorithm) {
            true => verify_by_host(self.call, key, algorithm, message, signature),
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
pub fn verify_by_host(
    call: Call,
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
    let answer = call(&arguments.encode_to_vec())?;
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

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests fail by panicking")]
mod tests {
    use std::cell::Cell;

    use jose::base64url;
    use jose::jwk::{KeySet, Origin};
    use p256::ecdsa::signature::Verifier as _;
    use p256::ecdsa::{Signature, VerifyingKey};
    use p256::pkcs8::DecodePublicKey as _;

    use super::*;

    thread_local! {
        static IS_BROKEN: Cell<bool> = const { Cell::new(false) };
    }

    /// A host that knows P-256 alone, and nothing at all once it is broken.
    fn p256_host(arguments: &[u8]) -> Option<Vec<u8>> {
        let arguments = Arguments::decode(arguments).expect("is protobuf");
        let key = VerifyingKey::from_public_key_der(&arguments.public_key).ok().filter(|_| !IS_BROKEN.get())?;
        assert_eq!(arguments.hash, "sha256");
        let signature = Signature::from_der(&arguments.signature).expect("is DER");
        answer(key.verify(&arguments.text, &signature).is_ok())
    }

    #[expect(clippy::unnecessary_wraps, reason = "is what hosts give")]
    fn answer(is_valid: bool) -> Option<Vec<u8>> {
        Some(Outcome { is_valid, error: String::new() }.encode_to_vec())
    }

    /// RFC 7515 A.3.
    fn example() -> (KeySet, &'static [u8], Vec<u8>) {
        let keys = br#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = b"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let keys = KeySet::from_json(keys, 1, Origin::Configuration).expect("is a key set");
        (keys, message, base64url::decode(signature).expect("is base64url"))
    }

    fn verdicts(signatures: &HostSignatures) -> [bool; 2] {
        let (keys, message, signature) = example();
        let key = keys.keys().first().expect("is there").material();
        [message, b"another"].map(|message| signatures.verify(key, Algorithm::Es256, message, &signature))
    }

    #[test]
    fn a_host_is_used_for_the_algorithms_whose_examples_it_judges_right() {
        let signatures = HostSignatures::check(p256_host);
        assert_eq!(signatures.summary(), "the host's verify_signature is used for: ES256");
        assert_eq!(signatures.checked_by(Algorithm::Es256), CheckedBy::Host);
        assert_eq!(signatures.checked_by(Algorithm::Rs256), CheckedBy::Module);
        assert_eq!(verdicts(&signatures), [true, false]);
    }

    #[test]
    fn a_host_that_judges_an_example_wrong_is_not_used() {
        for (name, call) in [
            ("yes to everything", (|_| answer(true)) as Call),
            ("no to everything", |_| answer(false)),
            ("no such function", |_| None),
            ("not protobuf", |_| Some(vec![0xff; 3])),
        ] {
            let signatures = HostSignatures::check(call);
            assert_eq!(signatures.summary(), "the host's verify_signature is used for: nothing", "{name}");
            assert_eq!(verdicts(&signatures), [true, false], "{name}");
        }
    }

    #[test]
    fn where_a_host_fails_later_the_module_checks_by_itself() {
        let signatures = HostSignatures::check(p256_host);
        IS_BROKEN.set(true);
        assert_eq!(verdicts(&signatures), [true, false]);
        IS_BROKEN.set(false);
    }

    #[test]
    fn numbers_out_of_range_are_no_signature_and_are_not_sent_to_the_host() {
        let (keys, message, _) = example();
        let key = keys.keys().first().expect("is there").material();
        let verdict = verify_by_host(p256_host, key, Algorithm::Es256, message, &[0; 64]);
        assert_eq!(verdict, Some(false));
    }
}
