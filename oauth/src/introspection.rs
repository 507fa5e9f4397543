//! Tokens that only their issuer can read (RFC 7662).

use jose::json::{Document, Value};

use crate::client::{AssertionFacts, Client};
use crate::form::Form;
use crate::response::{Errors, boolean, read_object};
use crate::{Request, ResponseError, Secret};

/// The request for what a token says (RFC 7662 §2.1), by a client.
pub fn request(token: &Secret, client: &Client, assertion: &AssertionFacts<'_>) -> Request {
    client.authenticate(form(token), assertion)
}

/// The request for what a token says (RFC 7662 §2.1), by the bearer of `access_token`.
pub fn request_as_bearer(token: &Secret, access_token: &Secret) -> Request {
    let authorization = Secret::new(["Bearer ", access_token.reveal()].concat());
    Request { authorization: Some(authorization), body: form(token) }
}

fn form(token: &Secret) -> Form {
    let mut form = Form::default();
    form.push("token", token.reveal());
    form.push("token_type_hint", "access_token");
    form
}

/// What the issuer says of a token (RFC 7662 §2.2).
#[derive(Debug)]
pub enum Introspection<'b> {
    /// The token is active. Dates, audience and issuer are still to be checked, as those of a JWT are.
    Active(ActiveToken<'b>),
    /// It is unknown, expired or revoked; there is no telling which.
    Inactive,
}

/// A token that is active, and what it says.
#[derive(Debug)]
pub struct ActiveToken<'b> {
    document: Document<'b>,
}

impl ActiveToken<'_> {
    /// The members of the response, `active` among them.
    pub fn claims(&self) -> Value<'_> {
        self.document.root()
    }
}

impl<'b> Introspection<'b> {
    /// Reads the response. Only a JSON object whose `active` is the boolean `true`, with status 200, is a yes.
    pub fn read(status: u16, body: &'b [u8]) -> Result<Self, ResponseError> {
        let document = read_object(status, body, Errors::InFailures)?;
        Ok(match boolean(document.root(), "active")? {
            true => Self::Active(ActiveToken { document }),
            false => Self::Inactive,
        })
    }

    /// Reads the response to a request that had the token itself as its credential, such as one for the user that it
    /// stands for. A JSON object with status 200 is a yes, status 401 a no (RFC 6750 §3.1).
    pub fn read_of_bearer(status: u16, body: &'b [u8]) -> Result<Self, ResponseError> {
        if status == 401 {
            return Ok(Self::Inactive);
        }
        let document = read_object(status, body, Errors::InFailures)?;
        Ok(match document.root().get("active").and_then(Value::as_bool) {
            // Some say with a yes that it is a no.
            Some(false) => Self::Inactive,
            _ => Self::Active(ActiveToken { document }),
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ErrorCode;
    use crate::testing::{FACTS, body, rfc_6749_client};
    use jose::json::Kind;

    /// RFC 7662 §2.1.
    #[test]
    fn requests_are_those_of_rfc_7662() {
        let (client, header) = rfc_6749_client();
        let by_client = request(&Secret::new("mF_9.B5f-4.1JqM"), &client, &FACTS);
        assert_eq!(by_client.authorization.as_ref().map(Secret::reveal), Some(header));
        assert_eq!(body(&by_client), "token=mF_9.B5f-4.1JqM&token_type_hint=access_token");
        let by_bearer =
            request_as_bearer(&Secret::new("2YotnFZFEjr1zCsicMWpAA"), &Secret::new("23410913-abewfq.123483"));
        assert_eq!(by_bearer.authorization.as_ref().map(Secret::reveal), Some("Bearer 23410913-abewfq.123483"));
        assert_eq!(body(&by_bearer), "token=2YotnFZFEjr1zCsicMWpAA&token_type_hint=access_token");
    }

    /// RFC 7662 §2.2.
    #[test]
    fn responses_are_those_of_rfc_7662() {
        let body = br#"{"active":true,"client_id":"l238j323ds-23ij4","username":"jdoe","scope":"read write dolphin",
            "sub":"Z5O3upPC88QrAjx00dis","aud":"https://protected.example.net/resource",
            "iss":"https://server.example.com/","exp":1419356238,"iat":1419350238,"extension_field":"twenty-seven"}"#;
        let Ok(Introspection::Active(token)) = Introspection::read(200, body) else { panic!("is active") };
        assert_eq!(token.claims().get("username").and_then(Value::as_str), Some("jdoe"));
        assert!(matches!(Introspection::read(200, br#"{"active":false}"#), Ok(Introspection::Inactive)));
        let error = Introspection::read(401, br#"{"error":"invalid_client"}"#).map(drop);
        assert_eq!(error, Err(ResponseError::Refused { status: 401, code: Some(ErrorCode::InvalidClient) }));
    }

    #[test]
    fn a_token_that_is_its_own_credential_is_good_where_its_claims_are_shown() {
        let body = br#"{"login":"octocat","id":583231}"#;
        let Ok(Introspection::Active(token)) = Introspection::read_of_bearer(200, body) else { panic!("is active") };
        assert_eq!(token.claims().get("login").and_then(Value::as_str), Some("octocat"));
        for (status, body) in [(401, ""), (401, r#"{"login":"octocat"}"#), (200, r#"{"active":false,"id":1}"#)] {
            let found = Introspection::read_of_bearer(status, body.as_bytes());
            assert!(matches!(found, Ok(Introspection::Inactive)), "{status} {body}");
        }
        for (status, body) in [
            (200, ""),
            (200, "[]"),
            (200, r#"{"id":1,"id":2}"#),
            (200, r#"{"id":1}x"#),
            (201, r#"{"id":1}"#),
            (302, r#"{"id":1}"#),
            (403, r#"{"message":"rate limited"}"#),
            (404, r#"{"id":1}"#),
            (500, r#"{"id":1}"#),
        ] {
            assert!(Introspection::read_of_bearer(status, body.as_bytes()).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn nothing_but_true_is_a_yes() {
        for (status, body, error) in [
            (200, r#"{"active":"true"}"#, Some(Kind::String)),
            (200, r#"{"active":1}"#, Some(Kind::Number)),
            (200, r#"{"active":null}"#, Some(Kind::Null)),
            (200, r#"{"active":[true]}"#, Some(Kind::Array)),
            (200, r#"{"Active":true}"#, None),
            (200, r#"{"active":true,"active":true}"#, None),
            (200, r#"{"active":false,"\u0061ctive":true}"#, None),
            (200, r#"[{"active":true}]"#, None),
            (200, r#"{"active":true}x"#, None),
            (200, "", None),
            (201, r#"{"active":true}"#, None),
            (401, r#"{"active":true}"#, None),
            (503, r#"{"active":true}"#, None),
        ] {
            let found = Introspection::read(status, body.as_bytes()).map(drop).expect_err(body);
            if let Some(kind) = error {
                let expected = "a boolean";
                assert_eq!(found, ResponseError::Type { member: "active", expected, found: kind }, "{body}");
            }
        }
    }
}
