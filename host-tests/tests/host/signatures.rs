//! `verify_signature`: real keys, and hosts that lie.

use crate::{get, guest, results, start};
use prost::Message;
use rsa::pkcs8::EncodePublicKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::Digest;
use std::convert::Infallible;
use strict_host::{Proxy, Status, VerifySignature, VmOptions};

const TEXT: &[u8] = b"header.payload";

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

#[derive(Clone, PartialEq, Message)]
struct Verdict {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// What the guest gets for each of some arguments.
fn ask(arguments: &[Arguments]) -> Vec<String> {
    let operations: Vec<String> = arguments.iter().map(operation).collect();
    let script: Vec<_> = operations.iter().map(|operation| format!("configure {operation}")).collect();
    let (_proxy, root) = start(&script.join("\n"));
    operations.iter().flat_map(|operation| results(root.vm(), operation)).collect()
}

fn operation(arguments: &Arguments) -> String {
    format!("foreign verify_signature {}", hex(&arguments.encode_to_vec()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("hex:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn verdict(result: bool, error: &str) -> String {
    Verdict { result, error: error.to_owned() }.encode_to_vec().escape_ascii().to_string()
}

fn good() -> String {
    verdict(true, "")
}

fn bad() -> String {
    verdict(false, "Failed to verify digest. Error code: 0")
}

fn arguments(hash: &str, key: &impl EncodePublicKey, signature: &[u8]) -> Arguments {
    Arguments {
        hash: hash.to_owned(),
        public_key: key.to_public_key_der().unwrap().into_vec(),
        signature: signature.to_vec(),
        text: TEXT.to_vec(),
    }
}

#[test]
fn rsa_signatures_of_every_hash() {
    let key = RsaPrivateKey::new(&mut Noise(1), 1024).unwrap();
    let sign = |padding, digest: &[u8]| key.sign(padding, digest).unwrap();
    let public = key.to_public_key();
    let all = [
        arguments("sha1", &public, &sign(Pkcs1v15Sign::new::<sha1::Sha1>(), &sha1::Sha1::digest(TEXT))),
        arguments("sha224", &public, &sign(Pkcs1v15Sign::new::<sha2::Sha224>(), &sha2::Sha224::digest(TEXT))),
        arguments("SHA256", &public, &sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &sha2::Sha256::digest(TEXT))),
        arguments("sha384", &public, &sign(Pkcs1v15Sign::new::<sha2::Sha384>(), &sha2::Sha384::digest(TEXT))),
        arguments("sha512", &public, &sign(Pkcs1v15Sign::new::<sha2::Sha512>(), &sha2::Sha512::digest(TEXT))),
    ];
    assert_eq!(ask(&all), vec![good(); 5]);
    let wrong_text = all.clone().map(|arguments| Arguments { text: b"header.payloae".to_vec(), ..arguments });
    assert_eq!(ask(&wrong_text), vec![bad(); 5]);
    let wrong_hash = Arguments { hash: "sha512".to_owned(), ..all[2].clone() };
    assert_eq!(ask(&[wrong_hash]), [bad()]);
}

/// Checks a curve: DER signatures of some hashes pass; a changed text, a raw signature and another key do not.
macro_rules! check_curve {
    ($curve:ident, $scalar:expr) => {{
        use $curve::ecdsa::signature::hazmat::PrehashSigner;
        let key = $curve::ecdsa::SigningKey::from_slice(&$scalar).unwrap();
        let other = $curve::ecdsa::SigningKey::from_slice(&$scalar.map(|byte| byte / 2)).unwrap();
        for (hash, digest) in [
            ("sha256", sha2::Sha256::digest(TEXT).to_vec()),
            ("sha384", sha2::Sha384::digest(TEXT).to_vec()),
            ("sha512", sha2::Sha512::digest(TEXT).to_vec()),
        ] {
            let signature: $curve::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            let right = arguments(hash, key.verifying_key(), signature.to_der().as_bytes());
            let changed = Arguments { text: b"other".to_vec(), ..right.clone() };
            let raw = Arguments { signature: signature.to_bytes().to_vec(), ..right.clone() };
            let foreign = arguments(hash, other.verifying_key(), signature.to_der().as_bytes());
            assert_eq!(ask(&[right, changed, raw, foreign]), [good(), bad(), bad(), bad()]);
        }
    }};
}

#[test]
fn ecdsa_signatures_of_each_curve() {
    let mut scalar = [2_u8; 66];
    scalar[0] = 0;
    check_curve!(p256, [2_u8; 32]);
    check_curve!(p384, [2_u8; 48]);
    check_curve!(p521, scalar);
}

#[test]
fn what_is_not_supported_gets_an_error_and_status_ok() {
    let key = *p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap().verifying_key();
    let unknown_hash = arguments("md5", &key, b"");
    let no_key = Arguments { public_key: b"nonsense".to_vec(), ..arguments("sha256", &key, b"") };
    let empty = arguments("sha256", &key, b"");
    let expected =
        [verdict(false, "md5 is not supported."), verdict(false, "Failed to initialize digest verify."), bad()];
    assert_eq!(ask(&[unknown_hash, no_key, empty]), expected);
}

#[test]
fn garbage_is_a_bad_argument_and_other_functions_do_not_exist() {
    let (_proxy, root) = start("configure foreign verify_signature hex:ff\nconfigure foreign sign_document x");
    assert_eq!(results(root.vm(), "foreign verify_signature hex:ff"), ["Err(BadArgument)"]);
    assert_eq!(results(root.vm(), "foreign sign_document x"), ["Err(NotFound)"]);
    assert_eq!(ask(&[Arguments::default()]), ["Err(BadArgument)"]);
}

#[test]
fn a_host_can_lack_it_lie_or_fail() {
    let key = *p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap().verifying_key();
    let operation = operation(&arguments("sha256", &key, b"nonsense"));
    let modes = [
        (VerifySignature::Real, bad()),
        (VerifySignature::Missing, "Err(NotFound)".to_owned()),
        (VerifySignature::AlwaysTrue, good()),
        (VerifySignature::AlwaysFalse, bad()),
        (VerifySignature::Fails(Status::INTERNAL_FAILURE), "Err(InternalFailure)".to_owned()),
    ];
    let vm = Proxy::new().vm(guest(), VmOptions::new());
    let root = vm.start(format!("request_headers {operation}")).unwrap();
    for (mode, expected) in modes {
        vm.take_log();
        vm.set_verify_signature(mode);
        get(&root);
        assert_eq!(results(&vm, &operation), [expected]);
    }
}

/// Randomness that is the same in every run: fit for tests, and for nothing else.
struct Noise(u64);

impl TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0 ^ (self.0 >> 29))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.try_next_u64()?.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl TryCryptoRng for Noise {}
