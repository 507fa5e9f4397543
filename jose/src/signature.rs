//! The seam behind which signatures are checked.
//!
//! Key rules come before it, at import: an implementation answers for the arithmetic alone, so that a host's own
//! cryptography can take its place.

use alloc::vec::Vec;

use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest, Sha256};

use crate::Algorithm;
use crate::jwk::PublicKey;

/// Checks signatures.
pub trait SignatureVerifier {
    /// Whether `signature` is one of `message` under `key` and `algorithm`.
    ///
    /// `signature` is as it stands in a token: for ECDSA the concatenation r‖s (RFC 7518 §3.4). A pair of key and
    /// algorithm that do not belong together is never a good signature.
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;
}

/// Checks signatures with the code in this module alone.
#[derive(Clone, Copy, Debug)]
pub struct Software;

impl SignatureVerifier for Software {
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (key, algorithm) {
            (PublicKey::Ed25519(key), Algorithm::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            (PublicKey::P256(key, _), Algorithm::Es256) => {
                use p256::ecdsa::signature::Verifier as _;
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            (PublicKey::Rsa(key, _), Algorithm::Rs256) => {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature).is_ok()
            }
            _ => false,
        }
    }
}

/// An ES256 signature in DER (`ECDSA-Sig-Value`, RFC 3279 §2.2.3), as hosts take it; `None` unless it is two
/// numbers of 32 octets in range.
pub fn es256_to_der(signature: &[u8]) -> Option<Vec<u8>> {
    p256::ecdsa::Signature::from_slice(signature).ok().map(|signature| signature.to_der().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::base64url;
    use crate::jwk::KeySet;

    const KEYS: &str = r#"{"keys":[
        {"kty":"RSA","kid":"RS256","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
        {"kty":"EC","kid":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty":"OKP","kid":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// RFC 7515 A.2 and A.3, RFC 8037 A.4: signing input and signature.
    const EXAMPLES: [(Algorithm, &str, &str); 3] = [
        (
            Algorithm::Rs256,
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            Algorithm::Es256,
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            Algorithm::EdDsa,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ];

    #[test]
    fn published_examples_verify_and_nothing_near_them_does() {
        let keys = KeySet::from_json(KEYS.as_bytes(), 3).expect("is a key set");
        for (algorithm, input, signature) in EXAMPLES {
            let signature = base64url::decode(signature.as_bytes()).expect("is base64url");
            for key in keys.keys() {
                for other in Algorithm::ALL {
                    let fits = key.kid() == Some(algorithm.name()) && other == algorithm;
                    assert_eq!(
                        Software.verify(key.key(), other, input.as_bytes(), &signature),
                        fits,
                        "{algorithm} {other}"
                    );
                }
                assert!(!Software.verify(key.key(), algorithm, &input.as_bytes()[1..], &signature));
                for bad in [&[][..], &[0; 64], &[0; 256], &signature[1..], &[&signature[..], &[0]].concat()] {
                    assert!(!Software.verify(key.key(), algorithm, input.as_bytes(), bad), "{algorithm}");
                }
                for bit in 0..8 {
                    let mut flipped = signature.clone();
                    flipped[7] ^= 1 << bit;
                    assert!(!Software.verify(key.key(), algorithm, input.as_bytes(), &flipped), "{algorithm} {bit}");
                }
            }
        }
    }

    #[test]
    fn signatures_for_hosts_are_in_der_or_none() {
        let (_, _, signature) = EXAMPLES[1];
        let der = es256_to_der(&base64url::decode(signature.as_bytes()).expect("is base64url")).expect("is in range");
        assert_eq!(der.first(), Some(&0x30));
        assert_eq!((es256_to_der(&[0; 64]), es256_to_der(&[0xff; 64]), es256_to_der(&der)), (None, None, None));
    }
}
