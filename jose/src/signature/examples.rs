//! Published examples, by which an implementation shows that it can be trusted to work.
//!
//! The private halves of these keys are published, too: they are good for nothing else.

use crate::jwk::{KeySet, PublicKey};
use crate::{Algorithm, base64url};

pub(super) const KEYS: &str = r#"{"keys":[
    {"kty":"RSA","kid":"RS256","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
    {"kty":"EC","kid":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"OKP","kid":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// RFC 7515 A.2 and A.3, RFC 8037 A.4: signing input and signature.
pub(super) const EXAMPLES: [(Algorithm, &str, &str); 3] = [
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

/// Whether `verify` judges the published example of `algorithm` right, the good signature as well as bad ones.
///
/// `verify` takes a key, a message and a signature, and answers `None` where it can do nothing.
pub fn passes_examples(algorithm: Algorithm, verify: impl Fn(&PublicKey, &[u8], &[u8]) -> Option<bool>) -> bool {
    judge(algorithm, verify).unwrap_or(false)
}

fn judge(algorithm: Algorithm, verify: impl Fn(&PublicKey, &[u8], &[u8]) -> Option<bool>) -> Option<bool> {
    let keys = KeySet::from_json(KEYS.as_bytes(), EXAMPLES.len()).ok()?;
    let key = keys.keys().iter().find(|key| key.allows(algorithm))?.key();
    let (_, message, signature) = EXAMPLES.into_iter().find(|(of, ..)| *of == algorithm)?;
    let good = base64url::decode(signature.as_bytes())?;
    let mut bad = good.clone();
    *bad.last_mut()? ^= 1;
    let message = message.as_bytes();
    let is_right = verify(key, message, &good)? && !verify(key, message, &bad)? && !verify(key, b"another", &good)?;
    Some(is_right)
}
