//! Token exchange (RFC 8693).

use super::TokenResponse;
use crate::client::{AssertionFacts, Client};
use crate::form::Form;
use crate::response::{Errors, read_object, string};
use crate::{Request, ResponseError, Secret};

/// What kind of token one is (RFC 8693 §3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenTypeUri {
    /// An OAuth 2.0 access token.
    AccessToken,
    /// An ID token.
    IdToken,
    /// A JWT.
    Jwt,
    /// An OAuth 2.0 refresh token.
    RefreshToken,
}

impl TokenTypeUri {
    /// Every type that is supported.
    pub const ALL: [Self; 4] = [Self::AccessToken, Self::IdToken, Self::Jwt, Self::RefreshToken];

    /// The URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
        }
    }

    /// The type that `uri` stands for.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == uri)
    }
}

/// A token that is exchanged for another one (RFC 8693 §2.1).
#[derive(Clone, Copy, Debug)]
pub struct ExchangeGrant<'a> {
    /// `subject_token`.
    pub subject_token: &'a Secret,
    /// `subject_token_type`.
    pub subject_token_type: TokenTypeUri,
    /// `audience`, once for each.
    pub audiences: &'a [&'a str],
    /// `resource`, once for each.
    pub resources: &'a [&'a str],
    /// `scope`.
    pub scopes: &'a [&'a str],
    /// `requested_token_type`.
    pub requested_token_type: Option<TokenTypeUri>,
}

impl ExchangeGrant<'_> {
    /// The request for the other token.
    pub fn request(&self, client: &Client, assertion: &AssertionFacts<'_>) -> Request {
        let mut body = Form::default();
        body.push("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        self.resources.iter().for_each(|resource| body.push("resource", resource));
        self.audiences.iter().for_each(|audience| body.push("audience", audience));
        body.push_if("scope", (!self.scopes.is_empty()).then(|| self.scopes.join(" ")).as_deref());
        body.push_if("requested_token_type", self.requested_token_type.map(TokenTypeUri::as_str));
        body.push("subject_token", self.subject_token.reveal());
        body.push("subject_token_type", self.subject_token_type.as_str());
        client.authenticate(body, assertion)
    }
}

/// The response to an [`ExchangeGrant`] (RFC 8693 §2.2.1).
#[derive(Clone, Debug)]
pub struct ExchangeResponse {
    /// The token, under `access_token` whatever its type, and what belongs to it.
    pub token: TokenResponse,
    /// `issued_token_type`.
    pub issued_token_type: TokenTypeUri,
}

impl ExchangeResponse {
    /// Reads the response. `requested` is the type that was asked for: another one is an error.
    pub fn read(status: u16, body: &[u8], requested: Option<TokenTypeUri>) -> Result<Self, ResponseError> {
        const ISSUED: &str = "issued_token_type";
        let document = read_object(status, body, Errors::InAnyBody)?;
        let root = document.root();
        let issued = string(root, ISSUED)?.ok_or(ResponseError::Missing(ISSUED))?;
        let invalid = |expected| ResponseError::Invalid { member: ISSUED, expected };
        let issued = TokenTypeUri::from_uri(issued).ok_or_else(|| invalid("a type of RFC 8693 §3"))?;
        if requested.is_some_and(|requested| requested != issued) {
            return Err(invalid("the type that was requested"));
        }
        let token_type = string(root, "token_type")?.ok_or(ResponseError::Missing("token_type"))?;
        let is_bearer = token_type.eq_ignore_ascii_case("Bearer");
        // What is no access token has no type of use (RFC 8693 §2.2.1).
        let is_not_applicable = token_type.eq_ignore_ascii_case("N_A") && issued != TokenTypeUri::AccessToken;
        if !is_bearer && !is_not_applicable {
            return Err(ResponseError::token_type(token_type));
        }
        Ok(Self { token: TokenResponse::from_members(root)?, issued_token_type: issued })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use std::time::Duration;

    use super::*;
    use crate::ErrorCode;
    use crate::client::Authentication;
    use crate::testing::{FACTS, body};

    const GRANT_TYPE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";

    /// RFC 8693 §2.3, the request.
    #[test]
    fn a_token_is_exchanged_as_in_rfc_8693() {
        let secret = Secret::new("long-secure-random-secret");
        let client = Client::new("rs08", Authentication::Basic(secret)).expect("is a client");
        let subject_token = Secret::new("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC");
        let grant = ExchangeGrant {
            subject_token: &subject_token,
            subject_token_type: TokenTypeUri::AccessToken,
            audiences: &[],
            resources: &["https://backend.example.com/api"],
            scopes: &[],
            requested_token_type: None,
        };
        let request = grant.request(&client, &FACTS);
        let header = request.authorization.as_ref().map(Secret::reveal);
        assert_eq!(header, Some("Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0"));
        assert_eq!(
            body(&request),
            format!(
                "{GRANT_TYPE}&resource=https%3A%2F%2Fbackend.example.com%2Fapi\
                &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC\
                &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
            )
        );
        let all = ExchangeGrant {
            audiences: &["orders", "stock"],
            resources: &["https://a", "https://b"],
            scopes: &["read", "write"],
            requested_token_type: Some(TokenTypeUri::Jwt),
            ..grant
        };
        assert_eq!(
            body(&all.request(&client, &FACTS)),
            format!(
                "{GRANT_TYPE}&resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb&audience=orders&audience=stock\
                &scope=read+write&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
                &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC\
                &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
            )
        );
    }

    /// RFC 8693 §2.3, the response, and A.1.2.
    #[test]
    fn the_responses_of_rfc_8693_are_read() {
        let example = br#"{"access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjllciJ9.eyJhdWQiOiJo.40Y3ZgQedw6rx",
            "issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":60}"#;
        for requested in [None, Some(TokenTypeUri::AccessToken)] {
            let response = ExchangeResponse::read(200, example, requested).expect("is a response");
            assert_eq!(response.issued_token_type, TokenTypeUri::AccessToken);
            assert_eq!(response.token.expires_in, Some(Duration::from_mins(1)));
            assert!(response.token.access_token.reveal().starts_with("eyJhbGciOiJFUzI1NiIs"));
        }
        let example = br#"{"issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"N_A",
            "access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.e30.YQ","expires_in":3600}"#;
        assert!(ExchangeResponse::read(200, example, Some(TokenTypeUri::Jwt)).is_ok());
        let error = br#"{"error":"invalid_target"}"#;
        assert_eq!(
            ExchangeResponse::read(400, error, None).map(drop),
            Err(ResponseError::Refused { status: 400, code: Some(ErrorCode::InvalidTarget) })
        );
    }

    #[test]
    fn the_type_of_the_token_is_checked() {
        let read = |issued: &str, token_type: &str, requested| {
            let body = format!(r#"{{"access_token":"a","issued_token_type":{issued},"token_type":{token_type}}}"#);
            ExchangeResponse::read(200, body.as_bytes(), requested).map(drop)
        };
        let access_token = r#""urn:ietf:params:oauth:token-type:access_token""#;
        let jwt = r#""urn:ietf:params:oauth:token-type:jwt""#;
        let invalid = |expected| Err(ResponseError::Invalid { member: "issued_token_type", expected });
        assert_eq!(read(jwt, "\"n_a\"", None), Ok(()));
        assert_eq!(read(access_token, "\"N_A\"", None), Err(ResponseError::TokenType { found: Some("N_A") }));
        assert_eq!(read(access_token, "\"mac\"", None), Err(ResponseError::TokenType { found: Some("mac") }));
        assert_eq!(read(jwt, "null", None), Err(ResponseError::Missing("token_type")));
        assert_eq!(read("null", "\"Bearer\"", None), Err(ResponseError::Missing("issued_token_type")));
        assert_eq!(read("\"jwt\"", "\"Bearer\"", None), invalid("a type of RFC 8693 §3"));
        assert_eq!(read(jwt, "\"Bearer\"", Some(TokenTypeUri::AccessToken)), invalid("the type that was requested"));
    }
}
