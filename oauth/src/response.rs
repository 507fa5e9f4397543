//! What all endpoints have in common when they answer.

use std::fmt;

use jose::json::{self, Document, Kind, Value};

use crate::ErrorCode;
use crate::text::is_token;

/// How many octets of a body are read.
pub const MAX_BODY: usize = 64 * 1024;

/// Where an endpoint may report an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Errors {
    /// In a body of any status: GitHub's token endpoint answers 200.
    InAnyBody,
    /// Only where the status says so: in other bodies `error` would be a claim.
    InFailures,
}

/// The JSON object of a response with status 200 (RFC 6749 §5.1, §5.2).
pub(crate) fn read_object(status: u16, body: &[u8], errors: Errors) -> Result<Document<'_>, ResponseError> {
    let document = read(status, body, errors, MAX_BODY)?;
    match document.root().kind() {
        Kind::Object => Ok(document),
        found => Err(ResponseError::NotAnObject { found }),
    }
}

/// The JSON list of a response with status 200, of at most `most` octets.
pub(crate) fn read_list(status: u16, body: &[u8], most: usize) -> Result<Document<'_>, ResponseError> {
    let document = read(status, body, Errors::InAnyBody, most)?;
    match document.root().kind() {
        Kind::Array => Ok(document),
        found => Err(ResponseError::NotAList { found }),
    }
}

/// The JSON of a response with status 200.
fn read(status: u16, body: &[u8], errors: Errors, most: usize) -> Result<Document<'_>, ResponseError> {
    if body.len() > most {
        return Err(by_status(status, None, ResponseError::TooLarge { octets: body.len(), most }));
    }
    let document = match Document::parse(body) {
        Ok(document) => document,
        Err(error) => return Err(by_status(status, None, ResponseError::Json(error))),
    };
    let looks_for_errors = status != 200 || errors == Errors::InAnyBody;
    if let Some(error) = document.root().get("error").filter(|error| looks_for_errors && !error.is_null()) {
        let code = error.as_str().map_or(ErrorCode::Other, ErrorCode::from_name);
        return Err(by_status(status, Some(code), ResponseError::Refused { status, code: Some(code) }));
    }
    match status {
        200 => Ok(document),
        _ => Err(by_status(status, None, ResponseError::Status(status))),
    }
}

/// The error that a status and an error code stand for; `otherwise` where the status is 200 and there is no code, or
/// a final one.
pub(crate) fn by_status(status: u16, code: Option<ErrorCode>, otherwise: ResponseError) -> ResponseError {
    let is_temporary = matches!(status, 408 | 425 | 429 | 500..=599) || code.is_some_and(ErrorCode::is_temporary);
    match status {
        _ if is_temporary => ResponseError::Unavailable { status, code },
        400..=499 => ResponseError::Refused { status, code },
        200 => otherwise,
        _ => ResponseError::Status(status),
    }
}

/// A member that is a string; `null` is as good as absent.
pub(crate) fn string<'d>(object: Value<'d>, member: &'static str) -> Result<Option<&'d str>, ResponseError> {
    let Some(value) = object.get(member).filter(|value| !value.is_null()) else { return Ok(None) };
    let wrong_type = || ResponseError::Type { member, expected: "a string", found: value.kind() };
    value.as_str().map(Some).ok_or_else(wrong_type)
}

/// A member that is a boolean.
pub(crate) fn boolean(object: Value<'_>, member: &'static str) -> Result<bool, ResponseError> {
    let value = object.get(member).ok_or(ResponseError::Missing(member))?;
    value.as_bool().ok_or(ResponseError::Type { member, expected: "a boolean", found: value.kind() })
}

/// A member that is a token: something that can be sent in a header.
pub(crate) fn token<'d>(object: Value<'d>, member: &'static str) -> Result<Option<&'d str>, ResponseError> {
    match string(object, member)? {
        Some(text) if !is_token(text) => {
            Err(ResponseError::Invalid { member, expected: "visible ASCII characters without blanks" })
        }
        text => Ok(text),
    }
}

/// Why a response gives nothing that can be used. Carries no token and no text of the body.
///
/// The message goes behind the name of the endpoint: `the token endpoint answered 401 invalid_client`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseError {
    /// A member has the right type and no possible value.
    Invalid {
        /// Which.
        member: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// It is not acceptable JSON.
    Json(json::Error),
    /// A member is absent.
    Missing(&'static str),
    /// It is JSON, but no list.
    NotAList {
        /// What was found.
        found: Kind,
    },
    /// It is JSON, but no object.
    NotAnObject {
        /// What was found.
        found: Kind,
    },
    /// The request was refused, for good.
    Refused {
        /// The status.
        status: u16,
        /// The `error`, where there is one.
        code: Option<ErrorCode>,
    },
    /// A status that no such endpoint answers with.
    Status(u16),
    /// The subject is another one (OpenID Connect Core 1.0 §5.3.2).
    Subject,
    /// More than is read: [`MAX_BODY`], where it is no list.
    TooLarge {
        /// The octets found.
        octets: usize,
        /// The octets expected, at most.
        most: usize,
    },
    /// More pages of a list than are read.
    TooManyPages {
        /// The pages expected, at most.
        most: usize,
    },
    /// `token_type` is not supported.
    TokenType {
        /// What was found, where it is a known name.
        found: Option<&'static str>,
    },
    /// A member has the wrong type.
    Type {
        /// Which.
        member: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: Kind,
    },
    /// The endpoint cannot answer now.
    Unavailable {
        /// The status.
        status: u16,
        /// The `error`, where there is one.
        code: Option<ErrorCode>,
    },
}

impl ResponseError {
    /// That `found` is a `token_type` which is not supported. Unknown text is not kept.
    pub(crate) fn token_type(found: &str) -> Self {
        let known = ["DPoP", "N_A", "PoP", "mac"].into_iter().find(|name| name.eq_ignore_ascii_case(found));
        Self::TokenType { found: known }
    }

    /// Whether the same request may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The error code, where the endpoint sent one.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { code, .. } | Self::Unavailable { code, .. } => *code,
            _ => None,
        }
    }
}

impl std::error::Error for ResponseError {}

impl fmt::Display for ResponseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { member, expected } => {
                write!(formatter, "answered with an unusable `{member}`, expected {expected}")
            }
            Self::Json(error) => write!(formatter, "answered with what is not strict JSON: {error}"),
            Self::Missing(member) => write!(formatter, "answered without `{member}`"),
            Self::NotAList { found } => write!(formatter, "answered with {found}, expected a JSON list"),
            Self::NotAnObject { found } => write!(formatter, "answered with {found}, expected a JSON object"),
            Self::Refused { status, code: Some(code) } | Self::Unavailable { status, code: Some(code) } => {
                write!(formatter, "answered {status} {code}")
            }
            Self::Refused { status, code: None } | Self::Unavailable { status, code: None } => {
                write!(formatter, "answered {status}")
            }
            Self::Status(status) => write!(formatter, "answered {status}, expected 200"),
            Self::Subject => formatter.write_str("answered with another `sub` than the ID token's"),
            Self::TooLarge { octets, most } => {
                write!(formatter, "answered with {octets} octets, expected at most {most}")
            }
            Self::TooManyPages { most } => write!(formatter, "answered with more than {most} pages"),
            Self::TokenType { found: Some(found) } => {
                write!(formatter, "answered with `token_type` `{found}`, expected `Bearer`")
            }
            Self::TokenType { found: None } => {
                formatter.write_str("answered with an unknown `token_type`, expected `Bearer`")
            }
            Self::Type { member, expected, found } => {
                write!(formatter, "answered with {found} as `{member}`, expected {expected}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn status_and_error_code_decide_together() {
        use ErrorCode::{InvalidClient, InvalidGrant, Other, ServerError, TemporarilyUnavailable};
        let refused = |status, code| ResponseError::Refused { status, code };
        let unavailable = |status, code| ResponseError::Unavailable { status, code };
        for (status, body, error) in [
            (200, r#"{"error":"invalid_grant"}"#, refused(200, Some(InvalidGrant))),
            (200, r#"{"error":"temporarily_unavailable"}"#, unavailable(200, Some(TemporarilyUnavailable))),
            (200, r#"{"error":["invalid_grant"]}"#, refused(200, Some(Other))),
            (400, r#"{"error":"invalid_grant"}"#, refused(400, Some(InvalidGrant))),
            (400, r#"{"error":"a\nb"}"#, refused(400, Some(Other))),
            (400, "{}", refused(400, None)),
            (400, "", refused(400, None)),
            (400, "<html>", refused(400, None)),
            (401, r#"{"error":"invalid_client"}"#, refused(401, Some(InvalidClient))),
            (401, r#"{"error":"server_error"}"#, unavailable(401, Some(ServerError))),
            (404, "no healthy upstream", refused(404, None)),
            (408, "", unavailable(408, None)),
            (429, r#"{"error":"invalid_client"}"#, unavailable(429, Some(InvalidClient))),
            (500, "", unavailable(500, None)),
            (503, r#"{"access_token":"a"}"#, unavailable(503, None)),
            (504, r#"{"error":"invalid_grant"}"#, unavailable(504, Some(InvalidGrant))),
            (201, "{}", ResponseError::Status(201)),
            (204, "", ResponseError::Status(204)),
            (302, "", ResponseError::Status(302)),
            (0, "", ResponseError::Status(0)),
            (200, "[]", ResponseError::NotAnObject { found: Kind::Array }),
        ] {
            assert_eq!(
                read_object(status, body.as_bytes(), Errors::InAnyBody).map(drop),
                Err(error),
                "{status} {body}"
            );
        }
        for body in ["{}", r#"{"error":null}"#] {
            assert!(read_object(200, body.as_bytes(), Errors::InAnyBody).is_ok(), "{body}");
        }
        assert!(read_object(200, br#"{"error":"a claim"}"#, Errors::InFailures).is_ok());
        assert_eq!(
            read_object(403, br#"{"error":"insufficient_scope"}"#, Errors::InFailures).map(drop),
            Err(refused(403, Some(ErrorCode::InsufficientScope)))
        );
    }

    #[test]
    fn bodies_are_bounded() {
        let body = |octets: usize| format!("{{{}}}", " ".repeat(octets - 2));
        assert!(read_object(200, body(MAX_BODY).as_bytes(), Errors::InAnyBody).is_ok());
        let large = body(MAX_BODY + 1);
        let read = |status| read_object(status, large.as_bytes(), Errors::InAnyBody).map(drop);
        assert_eq!(read(200), Err(ResponseError::TooLarge { octets: MAX_BODY + 1, most: MAX_BODY }));
        assert_eq!(read(503), Err(ResponseError::Unavailable { status: 503, code: None }));
    }
}
