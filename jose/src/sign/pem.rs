//! Private keys in PEM: PKCS#8 (RFC 5958, RFC 7468 §10, RFC 8410 §7).

use alloc::vec::Vec;

use p256::pkcs8::spki::AlgorithmIdentifierRef;
use p256::pkcs8::{AssociatedOid, EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::error::SigningKeyError;
use super::key::{Private, SigningKey};

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// `id-Ed25519` (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl SigningKey {
    /// Reads the text of a private key: P-256 for ES256, Ed25519 for EdDSA. A public key in it must be that of the
    /// private one. It has no `kid`.
    pub fn from_pem(text: &str) -> Result<Self, SigningKeyError> {
        if text.contains("ENCRYPTED") {
            return Err(SigningKeyError::Encrypted);
        }
        let (label, der) = SecretDocument::from_pem(text).map_err(|_| SigningKeyError::Pem)?;
        if label != "PRIVATE KEY" {
            return Err(SigningKeyError::Pem);
        }
        let info = PrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| SigningKeyError::Pem)?;
        let private = match info.algorithm {
            AlgorithmIdentifierRef { oid: ED25519, parameters: None } => ed25519(&info)?,
            algorithm if algorithm.assert_oids(EC, p256::NistP256::OID).is_ok() => {
                Private::P256(info.try_into().map_err(|_| SigningKeyError::Invalid)?)
            }
            _ => return Err(SigningKeyError::UnknownKey),
        };
        Ok(Self::new(None, private))
    }
}

impl SigningKey {
    /// The private key in DER (RFC 5958), as hosts take it, where hosts sign with such keys: P-256.
    pub fn pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        match self.private() {
            Private::Ed25519(_) => None,
            Private::P256(key) => key.to_pkcs8_der().ok().map(|der| der.to_bytes()),
        }
    }
}

/// An OCTET STRING of 32 octets in another one, and perhaps the public key (RFC 8410 §7).
fn ed25519(info: &PrivateKeyInfoRef<'_>) -> Result<Private, SigningKeyError> {
    let octets = info.private_key.as_bytes().strip_prefix(&[0x04, 0x20]).ok_or(SigningKeyError::Invalid)?;
    let octets = Zeroizing::new(<[u8; 32]>::try_from(octets).map_err(|_| SigningKeyError::Invalid)?);
    let key = ed25519_dalek::SigningKey::from_bytes(&octets);
    match &info.public_key {
        Some(public) if public.as_bytes() != Some(key.verifying_key().as_bytes()) => Err(SigningKeyError::Mismatch),
        _ => Ok(Private::Ed25519(key)),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use alloc::format;
    use alloc::string::{String, ToString as _};

    use base64::Engine as _;

    use super::*;
    use crate::sign::tests::P256;

    fn pem(label: &str, body: &str) -> String {
        let lines = body.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).expect("is ASCII"));
        let body: String = lines.map(|line| [line, "\n"].concat()).collect();
        format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
    }

    fn key(body: &str) -> Result<SigningKey, SigningKeyError> {
        SigningKey::from_pem(&pem("PRIVATE KEY", body))
    }

    /// The key of RFC 7515 A.3.
    const P256_BODY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";

    /// RFC 8410 §10.3, without the public key and with it.
    const ED25519_BODIES: [&str; 2] = [
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
        "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    ];

    #[test]
    fn pem_and_jwk_are_the_same_key() {
        let from_jwk = SigningKey::from_json(P256.as_bytes()).expect("is a key");
        let from_pem = key(P256_BODY).expect("is a key");
        assert_eq!(from_pem.public_jwk("k"), from_jwk.public_jwk("k"));
        assert_eq!(from_pem.sign(b"a"), from_jwk.sign(b"a"));
        let with_crlf = pem("PRIVATE KEY", P256_BODY).replace('\n', "\r\n");
        assert!(SigningKey::from_pem(&with_crlf).is_ok());
    }

    #[test]
    fn a_host_gets_the_key_that_was_read() {
        let key = |body| key(body).expect("is a key");
        let der = key(P256_BODY).pkcs8().expect("hosts sign with it");
        let text = base64::engine::general_purpose::STANDARD.encode(&*der);
        let again = key(&text);
        assert_eq!(again.public_jwk("k"), key(P256_BODY).public_jwk("k"));
        assert!(key(ED25519_BODIES[0]).pkcs8().is_none());
    }

    #[test]
    fn the_examples_of_rfc_8410_are_read() {
        for body in ED25519_BODIES {
            let jwk = key(body).expect("is a key").public_jwk("k");
            assert!(jwk.contains(r#""x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE""#), "{jwk}");
        }
    }

    #[test]
    fn a_public_key_that_is_another_one_is_rejected() {
        let other = ED25519_BODIES[1].replace("ZuE=", "ZuA=");
        assert_eq!(key(&other).map(drop), Err(SigningKeyError::Mismatch));
        // The point of RFC 6979 A.2.5.
        let other = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ";
        assert_eq!(key(other).map(drop), Err(SigningKeyError::Invalid));
    }

    #[test]
    fn other_keys_and_texts_are_rejected() {
        const X25519: &str = "MC4CAQAwBQYDK2VuBCIEIDiABPIB3Dp0Zwcdp0d2gcb6UnSaroR7705zMOjm50lK";
        const P384: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDDQ88kYSAttsTKDi/wsQM90ybpuW1Q7hKCdSVqswRpkIRXpv3U2sNWN/BMoRu5L1ChZANiAAQkkLP8e/7xRGtRJI+78SfCf+cgNP4v72+9bfC474o6ByIFKJhfQ1TqaHgBiit/X9+fhn+g6qAsWDd5GMmcVTRaWj7S4TbGcwt+gzZ2mYCZAz6Bdu+xZxXjNUFe9wX2yZs=";
        const SEC1: &str = "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";
        let [ed25519, _] = ED25519_BODIES;
        for (text, error) in [
            (pem("PRIVATE KEY", X25519), SigningKeyError::UnknownKey),
            (pem("PRIVATE KEY", P384), SigningKeyError::UnknownKey),
            (pem("EC PRIVATE KEY", SEC1), SigningKeyError::Pem),
            (pem("PRIVATE KEY", SEC1), SigningKeyError::Pem),
            (pem("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="), SigningKeyError::Pem),
            (pem("ENCRYPTED PRIVATE KEY", ed25519), SigningKeyError::Encrypted),
            (pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA"), SigningKeyError::Encrypted),
            (pem("PRIVATE KEY", &ed25519[4..]), SigningKeyError::Pem),
            (pem("PRIVATE KEY", ""), SigningKeyError::Pem),
            (ed25519.to_string(), SigningKeyError::Pem),
            (String::new(), SigningKeyError::Pem),
            // 31 octets.
            (
                pem("PRIVATE KEY", "MC0CAQAwBQYDK2VwBCEEHwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4="),
                SigningKeyError::Invalid,
            ),
        ] {
            assert_eq!(SigningKey::from_pem(&text).map(drop), Err(error), "{text}");
        }
    }

    #[test]
    fn damaged_keys_are_errors() {
        let text = pem("PRIVATE KEY", P256_BODY);
        let key = SigningKey::from_pem(&text).expect("is a key").public_jwk("k");
        for at in 0..text.len() {
            for octet in [b'\n', b'-', b'A', b'/', 0x7f] {
                let mut damaged = text.clone().into_bytes();
                damaged[at] = octet;
                let damaged = String::from_utf8(damaged).expect("is ASCII");
                let _ = SigningKey::from_pem(&text[..at]);
                // Bits that DER does not look at may change, but never the key.
                if let Ok(found) = SigningKey::from_pem(&damaged) {
                    assert_eq!(found.public_jwk("k"), key, "{at}");
                }
            }
        }
    }
}
