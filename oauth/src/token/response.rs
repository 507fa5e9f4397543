//! The token response (RFC 6749 §5, OpenID Connect Core 1.0 §3.1.3.3).

use std::time::Duration;

use jose::json::{Decimal, Value};

use crate::response::{Errors, read_object, string, token};
use crate::text::is_scope;
use crate::{ResponseError, Secret};

/// The tokens that a grant gave.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// `access_token`, a bearer token.
    pub access_token: Secret,
    /// `expires_in`: how long the access token is good for, 136 years at most.
    pub expires_in: Option<Duration>,
    /// `id_token`, unverified.
    pub id_token: Option<Secret>,
    /// `refresh_token`; a response to a refresh without one leaves the old one in use (RFC 6749 §6).
    pub refresh_token: Option<Secret>,
    /// `scope`: what was granted, where it is not what was asked for.
    pub scopes: Option<Vec<String>>,
}

impl TokenResponse {
    /// Reads the response to a code or a refresh token.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, ResponseError> {
        let document = read_object(status, body, Errors::InAnyBody)?;
        let root = document.root();
        require_bearer(root)?;
        Self::from_members(root)
    }

    /// Reads all members but `token_type`.
    pub(super) fn from_members(root: Value<'_>) -> Result<Self, ResponseError> {
        let secret = |member| Ok(token(root, member)?.map(Secret::new));
        Ok(Self {
            access_token: secret("access_token")?.ok_or(ResponseError::Missing("access_token"))?,
            expires_in: expires_in(root)?,
            id_token: secret("id_token")?,
            refresh_token: secret("refresh_token")?,
            scopes: scopes(root)?,
        })
    }
}

/// RFC 6749 §7.1: the client must not use a token whose type it does not understand. Types compare without case.
fn require_bearer(root: Value<'_>) -> Result<(), ResponseError> {
    match string(root, "token_type")? {
        Some(found) if found.eq_ignore_ascii_case("Bearer") => Ok(()),
        Some(found) => Err(ResponseError::token_type(found)),
        None => Err(ResponseError::Missing("token_type")),
    }
}

fn expires_in(root: Value<'_>) -> Result<Option<Duration>, ResponseError> {
    const MEMBER: &str = "expires_in";
    let Some(value) = root.get(MEMBER).filter(|value| !value.is_null()) else { return Ok(None) };
    let expected = "a whole number of seconds";
    let number = value.as_number().ok_or(ResponseError::Type { member: MEMBER, expected, found: value.kind() })?;
    let seconds = Decimal::to_u64(number).ok_or(ResponseError::Invalid { member: MEMBER, expected })?;
    Ok(Some(Duration::from_secs(seconds.min(u64::from(u32::MAX)))))
}

fn scopes(root: Value<'_>) -> Result<Option<Vec<String>>, ResponseError> {
    const MEMBER: &str = "scope";
    let Some(text) = string(root, MEMBER)? else { return Ok(None) };
    let scopes: Vec<_> = text.split(' ').filter(|scope| !scope.is_empty()).map(ToString::to_string).collect();
    match scopes.iter().all(|scope| is_scope(scope)) {
        true => Ok(Some(scopes)),
        false => Err(ResponseError::Invalid { member: MEMBER, expected: "scopes between blanks (RFC 6749 §3.3)" }),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ErrorCode;
    use jose::json::Kind;

    fn read(body: &str) -> Result<TokenResponse, ResponseError> {
        TokenResponse::read(200, body.as_bytes())
    }

    fn error(body: &str) -> ResponseError {
        read(body).map(drop).expect_err(body)
    }

    /// RFC 6749 §5.1, whose `token_type` is an example, and OpenID Connect Core 1.0 §3.1.3.3.
    #[test]
    fn the_examples_of_the_specifications_are_read() {
        let example = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#;
        assert_eq!(error(example), ResponseError::TokenType { found: None });
        let response = read(&example.replace("\"example\"", "\"bearer\"")).expect("is a response");
        assert_eq!(response.access_token.reveal(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(response.expires_in, Some(Duration::from_hours(1)));
        assert_eq!(response.refresh_token.as_ref().map(Secret::reveal), Some("tGzv3JOkF0XG5Qx2TlKWIA"));
        assert!(response.id_token.is_none() && response.scopes.is_none());
        assert!(!format!("{response:?}").contains("2Yotn") && !format!("{response:?}").contains("tGzv3"));

        let connect = r#"{"access_token":"SlAV32hkKG","token_type":"Bearer","refresh_token":"8xLOxBtZp8",
            "expires_in":3600,"id_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6IjFlOWdkazcifQ.e30.YQ"}"#;
        let response = read(connect).expect("is a response");
        assert!(response.id_token.is_some_and(|token| token.reveal().starts_with("eyJhbGciOiJSUzI1NiIs")));
    }

    /// RFC 6749 §5.2.
    #[test]
    fn the_error_of_rfc_6749_is_read() {
        let body = br#"{"error":"invalid_request"}"#;
        let refused = |status| ResponseError::Refused { status, code: Some(ErrorCode::InvalidRequest) };
        assert_eq!(TokenResponse::read(400, body).map(drop), Err(refused(400)));
        assert_eq!(TokenResponse::read(200, body).map(drop), Err(refused(200)), "as GitHub does");
    }

    #[test]
    fn members_have_their_types_and_one_value() {
        let with = |members: &str| format!(r#"{{"access_token":"a","token_type":"Bearer"{members}}}"#);
        let wrong = |member, expected, found| ResponseError::Type { member, expected, found };
        for (body, expected) in [
            (r#"{"token_type":"Bearer"}"#.to_string(), ResponseError::Missing("access_token")),
            (r#"{"access_token":null,"token_type":"Bearer"}"#.into(), ResponseError::Missing("access_token")),
            (r#"{"access_token":"a"}"#.into(), ResponseError::Missing("token_type")),
            (r#"{"access_token":["a"],"token_type":"Bearer"}"#.into(), wrong("access_token", "a string", Kind::Array)),
            (r#"{"access_token":"a","token_type":true}"#.into(), wrong("token_type", "a string", Kind::Bool)),
            (r#"{"access_token":"a","token_type":"DPoP"}"#.into(), ResponseError::TokenType { found: Some("DPoP") }),
            (r#"{"access_token":"a","token_type":"N_A"}"#.into(), ResponseError::TokenType { found: Some("N_A") }),
            (with(r#","id_token":{}"#), wrong("id_token", "a string", Kind::Object)),
            (with(r#","refresh_token":1"#), wrong("refresh_token", "a string", Kind::Number)),
            (with(r#","scope":["a"]"#), wrong("scope", "a string", Kind::Array)),
            (with(r#","expires_in":"3600""#), wrong("expires_in", "a whole number of seconds", Kind::String)),
        ] {
            assert_eq!(error(&body), expected, "{body}");
        }
        for (members, member) in [
            (r#","expires_in":-1"#, "expires_in"),
            (r#","expires_in":0.5"#, "expires_in"),
            (r#","expires_in":1e30"#, "expires_in"),
            (r#","scope":"a\nb""#, "scope"),
            (r#","scope":"\"""#, "scope"),
            (r#","id_token":"""#, "id_token"),
            (r#","refresh_token":"a b""#, "refresh_token"),
        ] {
            let error = error(&with(members));
            assert!(matches!(error, ResponseError::Invalid { member: found, .. } if found == member), "{error:?}");
        }
        for token in ["", "a b", "a\\r\\nx-admin: 1", "\u{e9}"] {
            let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
            assert!(matches!(error(&body), ResponseError::Invalid { member: "access_token", .. }), "{body}");
        }
        for member in ["access_token", "token_type", "x"] {
            let body = with(&format!(r#","{member}":"b","{member}":"b""#));
            assert!(matches!(error(&body), ResponseError::Json(_)), "{body}");
        }
        let scopes = |members: &str| read(&with(members)).expect(members).scopes;
        assert_eq!(scopes(r#","scope":"openid  email ""#), Some(vec!["openid".into(), "email".into()]));
        assert_eq!(scopes(r#","scope":"""#), Some(Vec::new()));
        assert_eq!(scopes(r#","scope":null"#), None);
        let expires_in = |members: &str| read(&with(members)).expect(members).expires_in.map(|time| time.as_secs());
        for (members, seconds) in [
            (r#","expires_in":0"#, Some(0)),
            (r#","expires_in":3.6e3"#, Some(3600)),
            (r#","expires_in":9223372036854775807"#, Some(u64::from(u32::MAX))),
            (r#","expires_in":null"#, None),
        ] {
            assert_eq!(expires_in(members), seconds, "{members}");
        }
    }
}
