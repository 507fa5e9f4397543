//! Every message, as operators read it.

use std::time::Duration;

use jose::json::{Document, Kind};

use crate::authorization::{CallbackError, ParameterError};
use crate::client::ClientError;
use crate::endpoint::EndpointError;
use crate::form::FormError;
use crate::id_token::IdTokenError;
use crate::metadata::MetadataError;
use crate::{ErrorCode, ResponseError};

fn lines(errors: &[&dyn std::error::Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn json_error() -> jose::json::Error {
    Document::parse(br#"{"a":1,"a":1}"#).expect_err("a member occurs twice")
}

#[test]
fn of_the_authorization_endpoint() {
    let issuer = || "https://idp.example.com".to_string();
    insta::assert_snapshot!(lines(&[
        &ParameterError::Duplicate("prompt".into()),
        &ParameterError::Empty,
        &ParameterError::Reserved("state".into()),
        &CallbackError::Code,
        &CallbackError::CodeAndError,
        &CallbackError::Form(FormError::Duplicate("state")),
        &CallbackError::Form(FormError::Escape),
        &CallbackError::Form(FormError::NotUtf8),
        &CallbackError::Form(FormError::TooLarge { octets: 20_000 }),
        &CallbackError::Form(FormError::TooMany),
        &CallbackError::Form(FormError::Unescaped),
        &CallbackError::Neither,
        &CallbackError::NoIssuer { expected: issuer() },
        &CallbackError::OtherIssuer { expected: issuer() },
        &CallbackError::Refused(ErrorCode::AccessDenied),
        &CallbackError::Refused(ErrorCode::Other),
        &CallbackError::State,
    ]));
}

#[test]
fn of_clients_and_metadata() {
    insta::assert_snapshot!(lines(&[
        &ClientError::Id("a\n".into()),
        &ClientError::Secret,
        &EndpointError::Authority,
        &EndpointError::Character,
        &EndpointError::Fragment,
        &EndpointError::Insecure,
        &EndpointError::Parameter,
        &EndpointError::Scheme,
        &MetadataError::Issuer { expected: "https://idp".into(), found: Some("https://idp/\n".into()) },
        &MetadataError::Issuer { expected: "https://idp".into(), found: None },
        &MetadataError::Json(json_error()),
        &MetadataError::NotAnObject { found: Kind::Array },
        &MetadataError::TooLarge { octets: 70_000 },
        &MetadataError::Type { member: "token_endpoint", expected: "a string", found: Kind::Number },
    ]));
}

#[test]
fn of_endpoints() {
    let (refused, unavailable) = (Some(ErrorCode::InvalidClient), Some(ErrorCode::TemporarilyUnavailable));
    insta::assert_snapshot!(
        lines(&[
            &ResponseError::Invalid { member: "scope", expected: "scopes between blanks (RFC 6749 §3.3)" },
            &ResponseError::Json(json_error()),
            &ResponseError::Missing("access_token"),
            &ResponseError::NotAList { found: Kind::Object },
            &ResponseError::NotAnObject { found: Kind::String },
            &ResponseError::Refused { status: 401, code: refused },
            &ResponseError::Refused { status: 400, code: Some(ErrorCode::Other) },
            &ResponseError::Refused { status: 404, code: None },
            &ResponseError::Status(302),
            &ResponseError::Subject,
            &ResponseError::TooLarge { octets: 70_000, most: 65_536 },
            &ResponseError::TooManyPages { most: 10 },
            &ResponseError::TokenType { found: Some("mac") },
            &ResponseError::TokenType { found: None },
            &ResponseError::Type { member: "active", expected: "a boolean", found: Kind::String },
            &ResponseError::Unavailable { status: 400, code: unavailable },
            &ResponseError::Unavailable { status: 503, code: None },
        ])
        .lines()
        .map(|line| format!("the token endpoint {line}"))
        .collect::<Vec<_>>()
        .join("\n")
    );
}

#[test]
fn of_id_tokens() {
    let client = || "dashboard".to_string();
    insta::assert_snapshot!(lines(&[
        &IdTokenError::AccessTokenHash,
        &IdTokenError::Audience { expected: client() },
        &IdTokenError::AuthenticationTime { max_age: Duration::from_hours(12) },
        &IdTokenError::AuthorizedParty { expected: client(), found: Some("other".into()) },
        &IdTokenError::AuthorizedParty { expected: client(), found: None },
        &IdTokenError::Future("iat"),
        &IdTokenError::Issuer { expected: "https://idp".into(), found: "https://other".into() },
        &IdTokenError::Missing("sub"),
        &IdTokenError::Nonce,
        &IdTokenError::Old,
        &IdTokenError::Subject,
        &IdTokenError::Type { claim: "aud", expected: "a string or a list of strings", found: Kind::Object },
    ]));
}
