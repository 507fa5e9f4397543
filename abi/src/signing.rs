//! The host's `sign`, where it can be trusted to work.

use std::sync::atomic::{AtomicU8, Ordering};

use jose::Algorithm;
use jose::json::Document;
use jose::jwk::{Origin, VerificationKey};
use jose::sign::{Signer, SigningKey};
use jose::signature::{SignatureVerifier as _, Software, ecdsa_from_der};
use prost::Message;
use zeroize::{Zeroize as _, Zeroizing};

/// Calls the host's `sign` with a message in protobuf; `None` where the host fails.
pub type Call = fn(&[u8]) -> Option<Vec<u8>>;

/// Calls the host that this module runs in.
#[cfg(target_os = "wasi")]
pub fn call_host(arguments: &[u8]) -> Option<Vec<u8>> {
    crate::hostcalls::call_foreign_function("sign", arguments).ok()
}

/// The key of RFC 7515 A.3, which anybody may have: no other is shown to a host that was not tried.
const EXAMPLE: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// Whether a host works: it is tried before the first signature that is needed, and never again.
#[derive(Debug, Default)]
pub struct Trial(AtomicU8);

impl Trial {
    /// Of a host that was not tried.
    pub const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    fn passes(&self, call: Call) -> bool {
        const PASSED: u8 = 1;
        const FAILED: u8 = 2;
        match self.0.load(Ordering::Relaxed) {
            0 => {
                let passes = signs_right(call);
                self.0.store(if passes { PASSED } else { FAILED }, Ordering::Relaxed);
                passes
            }
            found => found == PASSED,
        }
    }
}

/// Signs with ES256 through the host where that works, and otherwise by itself.
#[derive(Clone, Copy, Debug)]
pub struct HostSigner {
    /// The host.
    pub call: Call,
    /// Whether it works.
    pub trial: &'static Trial,
}

impl Signer for HostSigner {
    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8> {
        let is_for_host = key.algorithm() == Algorithm::Es256 && self.trial.passes(self.call);
        let by_host = if is_for_host { sign_by_host(self.call, key, message) } else { None };
        by_host.unwrap_or_else(|| key.sign(message))
    }
}

/// Whether a host makes a signature that verifies.
fn signs_right(call: Call) -> bool {
    let message = b"jotgate";
    let signed = || {
        let key = SigningKey::from_json(EXAMPLE.as_bytes()).ok()?;
        let signature = sign_by_host(call, &key, message)?;
        let jwk = key.public_jwk("");
        let document = Document::parse(jwk.as_bytes()).ok()?;
        let public = VerificationKey::from_jwk(document.root(), Origin::Configuration).ok()?;
        Some(Software.verify(public.material(), Algorithm::Es256, message, &signature))
    };
    signed() == Some(true)
}

/// What the host signs, r‖s; `None` where it signs nothing.
fn sign_by_host(call: Call, key: &SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    let mut arguments = Arguments { hash: "sha256".into(), private_key: key.pkcs8()?.to_vec(), text: message.to_vec() };
    let encoded = Zeroizing::new(arguments.encode_to_vec());
    arguments.private_key.zeroize();
    let answer = Outcome::decode(call(&encoded)?.as_slice()).ok()?;
    if !answer.is_good {
        return None;
    }
    ecdsa_from_der(Algorithm::Es256, &answer.signature)
}

/// `envoy.source.extensions.common.wasm.SignArguments`
#[derive(Clone, PartialEq, Message)]
struct Arguments {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bytes = "vec", tag = "2")]
    private_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.SignResult`
#[derive(Clone, PartialEq, Message)]
struct Outcome {
    #[prost(bool, tag = "1")]
    is_good: bool,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests fail by panicking")]
mod tests {
    use std::cell::{Cell, RefCell};

    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{Signature, SigningKey as Key};
    use p256::pkcs8::DecodePrivateKey as _;

    use super::*;

    thread_local! {
        static KEYS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
        static IS_BROKEN: Cell<bool> = const { Cell::new(false) };
    }

    /// A host that notes which keys it sees.
    fn host(arguments: &[u8]) -> Option<Vec<u8>> {
        let arguments = Arguments::decode(arguments).expect("is protobuf");
        KEYS.with_borrow_mut(|keys| keys.push(arguments.private_key.clone()));
        if IS_BROKEN.get() {
            return None;
        }
        assert_eq!(arguments.hash, "sha256");
        let key = Key::from_pkcs8_der(&arguments.private_key).expect("is a key");
        let signature: Signature = key.sign(&[b"by the host: ", &arguments.text[..]].concat());
        let honest: Signature = key.sign(&arguments.text);
        // It shows who signed, once it has passed.
        let is_trial = arguments.text == b"jotgate";
        answer(if is_trial { &honest } else { &signature })
    }

    #[expect(clippy::unnecessary_wraps, reason = "is what hosts give")]
    fn answer(signature: &Signature) -> Option<Vec<u8>> {
        Some(Outcome { is_good: true, signature: signature.to_der().as_bytes().to_vec() }.encode_to_vec())
    }

    fn example() -> SigningKey {
        SigningKey::from_json(EXAMPLE.as_bytes()).expect("is a key")
    }

    fn ed25519() -> SigningKey {
        let jwk = br#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        SigningKey::from_json(jwk).expect("is a key")
    }

    fn signer(call: Call) -> HostSigner {
        HostSigner { call, trial: Box::leak(Box::default()) }
    }

    #[test]
    fn a_host_that_signs_right_is_used_for_es256_alone() {
        let (signer, key) = (signer(host), example());
        assert_ne!(signer.sign(&key, b"text"), key.sign(b"text"), "the host signed");
        assert_eq!(signer.sign(&ed25519(), b"text"), ed25519().sign(b"text"));
    }

    #[test]
    fn a_host_that_was_not_tried_sees_no_key_and_is_tried_once() {
        let signer = signer(host);
        KEYS.take();
        signer.sign(&ed25519(), b"text");
        assert_eq!(KEYS.take().len(), 0, "nothing is tried before it is needed");
        signer.sign(&example(), b"one");
        signer.sign(&example(), b"two");
        assert_eq!(KEYS.take().len(), 3);
    }

    #[test]
    fn a_host_that_signs_wrong_or_not_is_not_used() {
        for (name, call) in [
            ("no such function", (|_| None) as Call),
            ("not protobuf", |_| Some(vec![0xff; 3])),
            ("nothing", |_| Some(Vec::new())),
            ("says no", |arguments| {
                let signature = Outcome::decode(host(arguments)?.as_slice()).expect("is protobuf").signature;
                Some(Outcome { is_good: false, signature }.encode_to_vec())
            }),
            ("not DER", |_| Some(Outcome { is_good: true, signature: vec![1; 64] }.encode_to_vec())),
            ("another message", |arguments| {
                let mut arguments = Arguments::decode(arguments).expect("is protobuf");
                arguments.text.push(b'!');
                host(&arguments.encode_to_vec())
            }),
        ] {
            let key = example();
            assert_eq!(signer(call).sign(&key, b"text"), key.sign(b"text"), "{name}");
        }
    }

    #[test]
    fn where_a_host_fails_later_the_module_signs_by_itself() {
        let (signer, key) = (signer(host), example());
        assert_ne!(signer.sign(&key, b"text"), key.sign(b"text"));
        IS_BROKEN.set(true);
        assert_eq!(signer.sign(&key, b"text"), key.sign(b"text"));
        IS_BROKEN.set(false);
    }
}
