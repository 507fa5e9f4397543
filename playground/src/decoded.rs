//! The header and claims of a token, which nothing has verified.

use inspect::document::{json_at, pretty_json};
use jose::base64url;
use jose::jws::{EncodedToken, ParseError};
use serde_json::{Value, json};

/// Header and claims, as JSON with the digits that the token has, each on lines of its own.
pub(crate) fn decode(token: &str) -> Result<Value, String> {
    let [header, claims] = parts(token).map_err(|error| format!("this is not a JWT: {error}"))?;
    Ok(json!({ "header": header, "claims": claims }))
}

fn parts(token: &str) -> Result<[String; 2], ParseError> {
    // Read as the engine does, so that what is shown is what it takes.
    EncodedToken::decode(token.as_bytes())?.parse()?;
    let mut parts = token.split('.');
    let mut part = |name| {
        let octets = parts.next().and_then(|part| base64url::decode(part.as_bytes()));
        let text = octets.and_then(|octets| String::from_utf8(octets).ok()).ok_or(ParseError::Base64(name))?;
        json_at(&text, &(0..0)).map(|node| pretty_json(&node)).ok_or(ParseError::Json(name))
    };
    Ok([part("header")?, part("payload")?])
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn decoded(header: &str, claims: &str) -> Result<Value, String> {
        decode(&format!("{}.{}.AAAA", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes())))
    }

    #[test]
    fn digits_stay_as_they_are() {
        let decoded = decoded(r#"{"alg":"EdDSA"}"#, r#"{"exp":1800000000.50,"id":12345678901234567890123}"#).unwrap();
        assert_eq!(decoded["claims"], "{\n  \"exp\": 1800000000.50,\n  \"id\": 12345678901234567890123\n}\n");
        assert_eq!(decoded["header"], "{\n  \"alg\": \"EdDSA\"\n}\n");
    }

    #[test]
    fn what_is_not_a_token_is_an_error() {
        let error = |decoded: Result<Value, String>| decoded.unwrap_err();
        assert_eq!(error(decode("a.b")), "this is not a JWT: there are not three parts between dots");
        assert_eq!(error(decoded("{}", "{}")), "this is not a JWT: the header member alg is missing or not a string");
        assert_eq!(
            error(decoded(r#"{"alg":"EdDSA"}"#, r#"{"sub":"a","sub":"b"}"#)),
            "this is not a JWT: the payload is not strict JSON"
        );
    }
}
