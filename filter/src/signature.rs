//! The host's `verify_signature`, where it can be trusted to work.

use jose::Algorithm;
use jose::jwk::{KeySet, PublicKey};
use jose::signature::{SignatureVerifier, Software, es256_to_der};
use prost::Message;

use crate::abi::{self, LogLevel};

/// The examples of RFC 7515 A.2 and A.3: keys whose private halves are public, good for nothing but this.
const EXAMPLE_KEYS: &str = r#"{"keys":[
{"kty":"RSA","kid":"RS256","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
{"kty":"EC","kid":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
const EXAMPLES: [(Algorithm, &str, &str); 2] = [
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
];

/// Checks signatures through the host where that passed its own check, otherwise by itself.
#[derive(Debug)]
pub(crate) struct HostSignatures {
    works_for: Vec<Algorithm>,
}

impl HostSignatures {
    /// Tries the host with good and bad signatures. Where it fails one of them it is not used.
    pub(crate) fn check() -> Self {
        let works = |&(algorithm, input, signature): &(Algorithm, &str, &str)| {
            let keys = KeySet::from_json(EXAMPLE_KEYS.as_bytes(), 2).ok()?;
            let key = keys.keys().iter().find(|key| key.kid() == Some(algorithm.name()))?.key();
            let good = jose::base64url::decode(signature.as_bytes())?;
            let mut bad = good.clone();
            *bad.last_mut()? ^= 1;
            let answers = [(input, &good), (input, &bad), ("another text", &good)]
                .map(|(text, signature)| verify_by_host(key, algorithm, text.as_bytes(), signature));
            (answers == [Some(true), Some(false), Some(false)]).then_some(algorithm)
        };
        let works_for: Vec<_> = EXAMPLES.iter().filter_map(works).collect();
        let names = works_for.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { String::from("nothing") } else { names };
        abi::log(LogLevel::Info, &format!("jotgate: the host's verify_signature is used for: {names}"));
        Self { works_for }
    }
}

impl SignatureVerifier for HostSignatures {
    fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_host = match self.works_for.contains(&algorithm) {
            true => verify_by_host(key, algorithm, message, signature),
            false => None,
        };
        by_host.unwrap_or_else(|| Software.verify(key, algorithm, message, signature))
    }
}

/// What the host says; `None` where it has nothing to say.
fn verify_by_host(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
    let signature = match (algorithm, key) {
        (Algorithm::Rs256, PublicKey::Rsa(..)) => signature.to_vec(),
        // Numbers out of range have no DER form, and make no signature.
        (Algorithm::Es256, PublicKey::P256(..)) => match es256_to_der(signature) {
            Some(signature) => signature,
            None => return Some(false),
        },
        _ => return None,
    };
    let arguments =
        Arguments { hash: String::from("sha256"), public_key: key.spki()?.to_vec(), signature, text: message.to_vec() };
    let answer = abi::call_foreign_function("verify_signature", &arguments.encode_to_vec()).ok()?;
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
