#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use check_rsa::signature::Verifier as _;
use check_rsa::{BoxedUint, RsaPublicKey, pkcs1v15, pss};
use check_sha2::{Sha256, Sha384, Sha512};

use super::*;

const MESSAGE: &[u8] = b"header.claims";

#[test]
fn rsa_signatures_fit_the_published_key() {
    fn pkcs1<D: check_sha2::Digest + check_rsa::pkcs8::AssociatedOid>(alg: Algorithm) {
        let key = SigningKey::generate(alg);
        let verifier = pkcs1v15::VerifyingKey::<D>::new(rsa_public(&key.public_jwk()));
        let signature = key.sign(MESSAGE);
        verifier.verify(MESSAGE, &signature.as_slice().try_into().unwrap()).unwrap();
    }
    pkcs1::<Sha256>(Algorithm::RS256);
    pkcs1::<Sha384>(Algorithm::RS384);
    pkcs1::<Sha512>(Algorithm::RS512);
}

#[test]
fn pss_signatures_fit_the_published_key() {
    let key = SigningKey::generate(Algorithm::PS256);
    let verifier = pss::VerifyingKey::<Sha256>::new(rsa_public(&key.public_jwk()));
    let signature = key.sign(MESSAGE);
    verifier.verify(MESSAGE, &signature.as_slice().try_into().unwrap()).unwrap();
}

#[test]
fn es256_signatures_fit_the_published_key() {
    let key = SigningKey::generate(Algorithm::ES256);
    let jwk = key.public_jwk();
    let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
    let verifier = check_p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    let signature = check_p256::ecdsa::Signature::from_slice(&key.sign(MESSAGE)).unwrap();
    check_p256::ecdsa::signature::Verifier::verify(&verifier, MESSAGE, &signature).unwrap();
}

#[test]
fn eddsa_signatures_fit_the_published_key() {
    let key = SigningKey::generate(Algorithm::EdDSA);
    let public: [u8; 32] = member(&key.public_jwk(), "x").try_into().unwrap();
    let verifier = check_ed25519::VerifyingKey::from_bytes(&public).unwrap();
    let signature = check_ed25519::Signature::from_slice(&key.sign(MESSAGE)).unwrap();
    verifier.verify_strict(MESSAGE, &signature).unwrap();
}

#[test]
fn ecdsa_signatures_and_coordinates_have_the_length_of_the_field() {
    for (alg, length) in [(Algorithm::ES256, 32), (Algorithm::ES384, 48), (Algorithm::ES512, 66)] {
        let key = SigningKey::generate(alg);
        assert_eq!(key.sign(MESSAGE).len(), 2 * length, "{alg}");
        assert_eq!(member(&key.public_jwk(), "x").len(), length, "{alg}");
        assert_eq!(member(&key.public_jwk(), "y").len(), length, "{alg}");
    }
}

#[test]
fn every_public_key_has_a_name_a_use_and_a_pem() {
    for alg in Algorithm::ASYMMETRIC {
        let key = SigningKey::generate(alg);
        let jwk = key.public_jwk();
        assert_eq!((&jwk["kid"], &jwk["alg"], &jwk["use"]), (&key.kid().into(), &alg.name().into(), &"sig".into()));
        assert!(jwk.get("d").is_none(), "a private member is published");
        assert!(key.public_pem().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"), "{alg}");
        assert_eq!(alg.name().parse(), Ok(alg));
    }
}

#[test]
fn no_two_keys_are_alike() {
    let (one, other) = (SigningKey::generate(Algorithm::ES256), SigningKey::generate(Algorithm::ES256));
    assert_ne!(one.kid(), other.kid());
    assert_ne!(one.public_jwk()["x"], other.public_jwk()["x"]);
    assert_eq!(jwk_set([&one, &other])["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn debug_output_shows_no_secret() {
    let shown = format!("{:?}", SigningKey::hs256("sesame").with_kid("k"));
    assert_eq!(shown, r#"SigningKey { kid: "k", algorithm: HS256, .. }"#);
}

fn rsa_public(jwk: &Value) -> RsaPublicKey {
    let number = |name| BoxedUint::from_be_slice_vartime(&member(jwk, name));
    RsaPublicKey::new(number("n"), number("e")).unwrap()
}

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}
