//! What `cnf` says: the key or the certificate that the sender of a token has (RFC 7800 §3.1).

use jose::base64url;
use jose::json::{Kind, Value};

/// The claim `cnf` of a token, read once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Confirmation {
    /// The token is bound to the key of this thumbprint (`jkt`, RFC 9449 §6.1), to the certificate of this digest
    /// (`x5t#S256`, RFC 8705 §3.1), or to both. INVARIANT: one of them is there.
    Bound { key: Option<[u8; 32]>, certificate: Option<[u8; 32]> },
    /// It is bound in another way, or in one that cannot be read.
    Unsupported,
}

impl Confirmation {
    /// What claims say; `None` for those without `cnf`. It is in a box: few tokens have one.
    pub(crate) fn in_claims(claims: Value<'_>) -> Option<Box<Self>> {
        claims.get("cnf").map(|cnf| Box::new(Self::read(cnf).unwrap_or(Self::Unsupported)))
    }

    fn read(cnf: Value<'_>) -> Option<Self> {
        if cnf.kind() != Kind::Object {
            return None;
        }
        let member = |name| cnf.get(name).map_or(Some(None), |member| digest(member).map(Some));
        let (key, certificate) = (member("jkt")?, member("x5t#S256")?);
        (key.is_some() || certificate.is_some()).then_some(Self::Bound { key, certificate })
    }
}

/// A SHA-256 in base64url.
fn digest(member: Value<'_>) -> Option<[u8; 32]> {
    base64url::decode(member.as_str()?.as_bytes())?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use jose::json::Document;

    use super::*;

    const DIGEST: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn of(claims: &str) -> Option<Confirmation> {
        let claims = claims.replace("DIGEST", DIGEST);
        Confirmation::in_claims(Document::parse(claims.as_bytes()).expect("is JSON").root()).map(|found| *found)
    }

    #[test]
    fn a_token_is_bound_to_what_it_names() {
        let digest: Option<[u8; 32]> = base64url::decode(DIGEST.as_bytes()).and_then(|digest| digest.try_into().ok());
        assert!(digest.is_some());
        for (claims, key, certificate) in [
            (r#"{"cnf":{"jkt":"DIGEST"}}"#, digest, None),
            (r#"{"cnf":{"x5t#S256":"DIGEST"}}"#, None, digest),
            (r#"{"cnf":{"jkt":"DIGEST","x5t#S256":"DIGEST"}}"#, digest, digest),
            (r#"{"cnf":{"jkt":"DIGEST","kid":"a"}}"#, digest, None),
        ] {
            assert_eq!(of(claims), Some(Confirmation::Bound { key, certificate }), "{claims}");
        }
        for claims in ["{}", r#"{"x":{"cnf":{"jkt":"DIGEST"}}}"#, r#"{"CNF":1}"#] {
            assert_eq!(of(claims), None, "{claims}");
        }
    }

    #[test]
    fn what_is_not_understood_is_never_taken_for_unbound() {
        for claims in [
            r#"{"cnf":null}"#,
            r#"{"cnf":{}}"#,
            r#"{"cnf":[]}"#,
            r#"{"cnf":"DIGEST"}"#,
            r#"{"cnf":{"kid":"a"}}"#,
            r#"{"cnf":{"jwk":{"kty":"EC"}}}"#,
            r#"{"cnf":{"x5t":"DIGEST"}}"#,
            r#"{"cnf":{"JKT":"DIGEST"}}"#,
            r#"{"cnf":{"jkt":null}}"#,
            r#"{"cnf":{"jkt":["DIGEST"]}}"#,
            r#"{"cnf":{"jkt":""}}"#,
            r#"{"cnf":{"jkt":"DIGEST="}}"#,
            r#"{"cnf":{"jkt":"DIGESTAA"}}"#,
            r#"{"cnf":{"jkt":"DIGEST","x5t#S256":1}}"#,
            r#"{"cnf":{"x5t#S256":"d1970e08e459358cbe0d6a6aab7d236722461d33747761e0941577ba282e0382"}}"#,
        ] {
            assert_eq!(of(claims), Some(Confirmation::Unsupported), "{claims}");
        }
    }
}
