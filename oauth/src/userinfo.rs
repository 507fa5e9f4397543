//! Claims of the userinfo endpoint (OpenID Connect Core 1.0 §5.3).

use jose::json::{Document, Value, write};
use jose::sorting::sort_texts;

use crate::ResponseError;
use crate::response::{Errors, read_object, string};

/// The claims that a response of the userinfo endpoint never replaces nor adds: they are the ID token's alone.
pub const PROTECTED: [&str; 9] = ["aud", "azp", "exp", "iat", "iss", "jti", "nbf", "nonce", "sub"];

/// Further claims about a user.
#[derive(Debug)]
pub struct UserInfo<'b> {
    document: Document<'b>,
}

impl<'b> UserInfo<'b> {
    /// Reads the response to a GET with the access token. `sub` has to be the ID token's (§5.3.2).
    pub fn read(status: u16, body: &'b [u8], subject: &str) -> Result<Self, ResponseError> {
        let document = read_object(status, body, Errors::InFailures)?;
        match string(document.root(), "sub")? {
            Some(found) if found == subject => Ok(Self { document }),
            Some(_) => Err(ResponseError::Subject),
            None => Err(ResponseError::Missing("sub")),
        }
    }

    /// The claims that may be merged, in written order. Null is absent.
    pub fn claims(&self) -> impl Iterator<Item = (&str, Value<'_>)> + Clone {
        self.document.root().members().filter(|(name, value)| !PROTECTED.contains(name) && !value.is_null())
    }

    /// The claims of a token and these, as one JSON object. Where both have a claim that is not protected, this one
    /// counts: it is the newer one.
    pub fn merge_into(&self, token: Value<'_>) -> String {
        // Both may have thousands of members.
        let mut own: Vec<_> = self.claims().map(|(name, _)| name).collect();
        sort_texts(&mut own);
        let kept = token.members().filter(|(name, _)| own.binary_search(name).is_err());
        write::object(kept.chain(self.claims()))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ErrorCode;

    fn merge(token: &str, userinfo: &str) -> String {
        let token = Document::parse(token.as_bytes()).expect("is JSON");
        UserInfo::read(200, userinfo.as_bytes(), "248289761001").expect("is a response").merge_into(token.root())
    }

    /// OpenID Connect Core 1.0 §5.3.2 and §5.3.3.
    #[test]
    fn the_examples_of_openid_connect_are_read() {
        let body = br#"{"sub":"248289761001","name":"Jane Doe","given_name":"Jane","family_name":"Doe",
            "preferred_username":"j.doe","email":"janedoe@example.com","picture":"http://example.com/janedoe/me.jpg"}"#;
        let userinfo = UserInfo::read(200, body, "248289761001").expect("is a response");
        let names: Vec<_> = userinfo.claims().map(|(name, _)| name).collect();
        assert_eq!(names, ["name", "given_name", "family_name", "preferred_username", "email", "picture"]);
        assert_eq!(UserInfo::read(200, body, "248289761002").map(drop), Err(ResponseError::Subject));
        let code = Some(ErrorCode::InvalidToken);
        assert_eq!(
            UserInfo::read(401, br#"{"error":"invalid_token"}"#, "248289761001").map(drop),
            Err(ResponseError::Refused { status: 401, code })
        );
    }

    #[test]
    fn the_subject_is_there_and_a_string() {
        for body in ["{}", r#"{"sub":null}"#, r#"{"name":"248289761001"}"#] {
            let error = UserInfo::read(200, body.as_bytes(), "248289761001").map(drop);
            assert_eq!(error, Err(ResponseError::Missing("sub")), "{body}");
        }
        for body in [r#"{"sub":248289761001}"#, r#"{"sub":["248289761001"]}"#] {
            let error = UserInfo::read(200, body.as_bytes(), "248289761001").map(drop);
            assert!(matches!(error, Err(ResponseError::Type { member: "sub", .. })), "{body}");
        }
        for body in ["eyJhbGciOiJSUzI1NiJ9.e30.YQ", r#"{"sub":"248289761001","sub":"248289761001"}"#] {
            let error = UserInfo::read(200, body.as_bytes(), "248289761001").map(drop);
            assert!(matches!(error, Err(ResponseError::Json(_))), "{body}");
        }
    }

    #[test]
    fn protected_claims_stay_those_of_the_token() {
        let members = |value: &str| PROTECTED.map(|name| format!(r#""{name}":"{value}""#)).join(",");
        let token = format!(r#"{{{},"email":"old@example.com","groups":["a"]}}"#, members("token"));
        let userinfo = members("userinfo").replace(r#""sub":"userinfo""#, r#""sub":"248289761001""#);
        let userinfo = format!(r#"{{{userinfo},"email":"new@example.com","roles":{{"a":[1.50,null]}}}}"#);
        assert_eq!(
            merge(&token, &userinfo),
            format!(r#"{{{},"groups":["a"],"email":"new@example.com","roles":{{"a":[1.50,null]}}}}"#, members("token"))
        );
        // Null is absent, and nothing that is protected is added.
        assert_eq!(merge(r#"{"email":"a@b"}"#, r#"{"sub":"248289761001","email":null}"#), r#"{"email":"a@b"}"#);
        assert_eq!(merge("{}", &userinfo), r#"{"email":"new@example.com","roles":{"a":[1.50,null]}}"#);
    }

    #[test]
    fn names_are_written_as_json() {
        let merged = merge(r#"{"\u0022a\n":1}"#, r#"{"sub":"248289761001","\u0022b":"\u2028\\"}"#);
        assert_eq!(merged, "{\"\\\"a\\n\":1,\"\\\"b\":\"\\u2028\\\\\"}");
        assert!(Document::parse(merged.as_bytes()).is_ok());
    }
}
