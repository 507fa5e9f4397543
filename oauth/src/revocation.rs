//! Tokens that are given back (RFC 7009).

use crate::client::{AssertionFacts, Client};
use crate::form::Form;
use crate::response::{Errors, by_status, read_object};
use crate::{Request, ResponseError, Secret};

/// The request that revokes a refresh token, and what was issued with it (RFC 7009 §2.1).
pub fn refresh_token_request(token: &Secret, client: &Client, assertion: &AssertionFacts<'_>) -> Request {
    let mut body = Form::default();
    body.push("token", token.reveal());
    body.push("token_type_hint", "refresh_token");
    client.authenticate(body, assertion)
}

/// Reads the response: 200 whatever the body, also where the token was invalid already (RFC 7009 §2.2).
pub fn read(status: u16, body: &[u8]) -> Result<(), ResponseError> {
    match status {
        200 => Ok(()),
        _ => Err(read_object(status, body, Errors::InFailures)
            .map_or_else(|error| error, |_| by_status(status, None, ResponseError::Status(status)))),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ErrorCode;
    use crate::testing::{FACTS, body, rfc_6749_client};

    /// RFC 7009 §2.1.
    #[test]
    fn a_token_is_revoked_as_in_rfc_7009() {
        let (client, header) = rfc_6749_client();
        let request = refresh_token_request(&Secret::new("45ghiukldjahdnhzdauz"), &client, &FACTS);
        assert_eq!(request.authorization.as_ref().map(Secret::reveal), Some(header));
        assert_eq!(body(&request), "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token");
    }

    #[test]
    fn only_200_says_that_a_token_is_revoked() {
        for body in ["", "<html>", "{}", r#"{"error":"invalid_token"}"#] {
            assert_eq!(read(200, body.as_bytes()), Ok(()), "{body}");
        }
        let code = Some(ErrorCode::UnsupportedTokenType);
        let body = br#"{"error":"unsupported_token_type"}"#;
        assert_eq!(read(400, body), Err(ResponseError::Refused { status: 400, code }));
        assert_eq!(read(503, b""), Err(ResponseError::Unavailable { status: 503, code: None }));
        assert_eq!(read(204, b"{}"), Err(ResponseError::Status(204)));
    }
}
