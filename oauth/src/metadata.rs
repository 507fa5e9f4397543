//! What an authorization server says of itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).

use std::fmt;

use jose::json::{self, Document, Kind, Value};

use crate::endpoint::{Endpoint, EndpointError};
use crate::response::MAX_BODY;
use crate::text::quoted;

/// The members of a metadata document that a client acts on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// `authorization_endpoint`.
    pub authorization: Option<Endpoint>,
    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout 1.0 §2.1).
    pub end_session: Option<Endpoint>,
    /// `introspection_endpoint`.
    pub introspection: Option<Endpoint>,
    /// `revocation_endpoint`.
    pub revocation: Option<Endpoint>,
    /// `token_endpoint`.
    pub token: Option<Endpoint>,
    /// `userinfo_endpoint`.
    pub userinfo: Option<Endpoint>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3): each callback has `iss`.
    pub sends_issuer: bool,
    /// `token_endpoint_auth_methods_supported`.
    pub authentication_methods: Option<Vec<String>>,
    /// `code_challenge_methods_supported` (RFC 8414 §2): absent, it says nothing.
    pub code_challenge_methods: Option<Vec<String>>,
    /// The endpoints that cannot be used, each with what is wrong with it: as good as absent.
    pub skipped: Vec<(&'static str, EndpointError)>,
}

impl Metadata {
    /// Reads the document of `issuer`, which has to name it (RFC 8414 §3.3).
    ///
    /// No endpoint is less protected than the issuer: `http` is for an issuer whose own URI is `http`.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        if body.len() > MAX_BODY {
            return Err(MetadataError::TooLarge { octets: body.len() });
        }
        let document = Document::parse(body).map_err(MetadataError::Json)?;
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(MetadataError::NotAnObject { found: root.kind() });
        }
        let found = root.get("issuer").and_then(Value::as_str);
        if found != Some(issuer) {
            let (expected, found) = (issuer.to_string(), found.map(ToString::to_string));
            return Err(MetadataError::Issuer { expected, found });
        }
        let mut skipped = Vec::new();
        let needs_https = !issuer.starts_with("http:");
        let mut endpoint = |member| match read_endpoint(root, member, needs_https)? {
            Some(Ok(endpoint)) => Ok(Some(endpoint)),
            Some(Err(error)) => {
                skipped.push((member, error));
                Ok(None)
            }
            None => Ok(None),
        };
        Ok(Self {
            authorization: endpoint("authorization_endpoint")?,
            end_session: endpoint("end_session_endpoint")?,
            introspection: endpoint("introspection_endpoint")?,
            revocation: endpoint("revocation_endpoint")?,
            token: endpoint("token_endpoint")?,
            userinfo: endpoint("userinfo_endpoint")?,
            sends_issuer: boolean(root, "authorization_response_iss_parameter_supported")?,
            authentication_methods: strings(root, "token_endpoint_auth_methods_supported")?,
            code_challenge_methods: strings(root, "code_challenge_methods_supported")?,
            skipped,
        })
    }

    /// Whether the token endpoint says that it has this method of client authentication. A document without a list
    /// means `client_secret_basic` (RFC 8414 §2); none excludes a public client.
    pub fn has_authentication_method(&self, method: &str) -> bool {
        match &self.authentication_methods {
            Some(methods) => methods.iter().any(|found| found == method) || method == "none",
            None => matches!(method, "client_secret_basic" | "none"),
        }
    }
}

type Found = Option<Result<Endpoint, EndpointError>>;

fn read_endpoint(root: Value<'_>, member: &'static str, needs_https: bool) -> Result<Found, MetadataError> {
    let Some(value) = present(root, member) else { return Ok(None) };
    let text = value.as_str().ok_or(MetadataError::Type { member, expected: "a string", found: value.kind() })?;
    Ok(Some(match Endpoint::parse(text) {
        Ok(endpoint) if needs_https && !endpoint.is_https() => Err(EndpointError::Insecure),
        endpoint => endpoint,
    }))
}

fn boolean(root: Value<'_>, member: &'static str) -> Result<bool, MetadataError> {
    let Some(value) = present(root, member) else { return Ok(false) };
    value.as_bool().ok_or(MetadataError::Type { member, expected: "a boolean", found: value.kind() })
}

fn strings(root: Value<'_>, member: &'static str) -> Result<Option<Vec<String>>, MetadataError> {
    let Some(value) = present(root, member) else { return Ok(None) };
    let wrong_type = |found| MetadataError::Type { member, expected: "a list of strings", found };
    if value.kind() != Kind::Array {
        return Err(wrong_type(value.kind()));
    }
    let string = |element: Value<'_>| element.as_str().map(ToString::to_string).ok_or(wrong_type(element.kind()));
    value.elements().map(string).collect::<Result<_, _>>().map(Some)
}

fn present<'d>(root: Value<'d>, member: &str) -> Option<Value<'d>> {
    root.get(member).filter(|value| !value.is_null())
}

/// Why a metadata document cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MetadataError {
    /// `issuer` is another one, or missing (RFC 8414 §3.3).
    Issuer {
        /// The one that is configured.
        expected: String,
        /// The one found, if it is there and a string.
        found: Option<String>,
    },
    /// It is not acceptable JSON.
    Json(json::Error),
    /// It is no object.
    NotAnObject {
        /// What was found.
        found: Kind,
    },
    /// More than [`MAX_BODY`].
    TooLarge {
        /// The octets found.
        octets: usize,
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
}

impl std::error::Error for MetadataError {}

impl fmt::Display for MetadataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer { expected, found: Some(found) } => {
                write!(formatter, "expected `issuer` to be {}, found {}", quoted(expected), quoted(found))
            }
            Self::Issuer { expected, found: None } => {
                write!(formatter, "expected `issuer` to be {}, found none", quoted(expected))
            }
            Self::Json(error) => write!(formatter, "it is not strict JSON: {error}"),
            Self::NotAnObject { found } => write!(formatter, "expected a JSON object, found {found}"),
            Self::TooLarge { octets } => write!(formatter, "expected at most {MAX_BODY} octets, found {octets}"),
            Self::Type { member, expected, found } => {
                write!(formatter, "expected `{member}` to be {expected}, found {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const ISSUER: &str = "https://server.example.com";

    fn read(members: &str) -> Result<Metadata, MetadataError> {
        Metadata::read(format!(r#"{{"issuer":"{ISSUER}"{members}}}"#).as_bytes(), ISSUER)
    }

    /// RFC 8414 §3.2.
    #[test]
    fn the_example_of_rfc_8414_is_read() {
        let body = br#"{"issuer":"https://server.example.com",
            "authorization_endpoint":"https://server.example.com/authorize",
            "token_endpoint":"https://server.example.com/token",
            "token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported":["RS256","ES256"],
            "userinfo_endpoint":"https://server.example.com/userinfo","jwks_uri":"https://server.example.com/jwks.json",
            "registration_endpoint":"https://server.example.com/register",
            "scopes_supported":["openid","profile","email","address","phone","offline_access"],
            "response_types_supported":["code","code token"],
            "service_documentation":"http://server.example.com/service_documentation.html",
            "ui_locales_supported":["en-US","en-GB","en-CA","fr-FR","fr-CA"]}"#;
        let metadata = Metadata::read(body, ISSUER).expect("is metadata");
        let uri = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(|endpoint| endpoint.as_str().to_string());
        assert_eq!(uri(&metadata.authorization).as_deref(), Some("https://server.example.com/authorize"));
        assert_eq!(uri(&metadata.token).as_deref(), Some("https://server.example.com/token"));
        assert_eq!(uri(&metadata.userinfo).as_deref(), Some("https://server.example.com/userinfo"));
        assert!(metadata.end_session.is_none() && metadata.revocation.is_none() && metadata.introspection.is_none());
        assert!(!metadata.sends_issuer && metadata.skipped.is_empty() && metadata.code_challenge_methods.is_none());
        for (method, is_there) in
            [("client_secret_basic", true), ("private_key_jwt", true), ("client_secret_post", false), ("none", true)]
        {
            assert_eq!(metadata.has_authentication_method(method), is_there, "{method}");
        }
    }

    #[test]
    fn a_document_without_methods_means_basic() {
        let metadata = read("").expect("is metadata");
        assert!(metadata.has_authentication_method("client_secret_basic"));
        assert!(!metadata.has_authentication_method("client_secret_post"));
    }

    #[test]
    fn the_document_names_its_issuer_exactly() {
        for found in ["https://server.example.com/", "https://SERVER.example.com", "http://server.example.com", ""] {
            let body = format!(r#"{{"issuer":"{found}"}}"#);
            let error = MetadataError::Issuer { expected: ISSUER.into(), found: Some(found.into()) };
            assert_eq!(Metadata::read(body.as_bytes(), ISSUER), Err(error));
        }
        for body in ["{}", r#"{"issuer":null}"#, r#"{"issuer":["https://server.example.com"]}"#] {
            let error = MetadataError::Issuer { expected: ISSUER.into(), found: None };
            assert_eq!(Metadata::read(body.as_bytes(), ISSUER), Err(error), "{body}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_used_does_not_spoil_the_others() {
        let metadata = read(
            r#","token_endpoint":"https://a/token","end_session_endpoint":"","revocation_endpoint":"http://a/revoke",
            "userinfo_endpoint":"javascript:alert(1)","authorization_endpoint":"https://a/#b","introspection_endpoint":null"#,
        )
        .expect("is metadata");
        assert!(metadata.token.is_some());
        assert_eq!(
            metadata.skipped,
            [
                ("authorization_endpoint", EndpointError::Fragment),
                ("end_session_endpoint", EndpointError::Scheme),
                ("revocation_endpoint", EndpointError::Insecure),
                ("userinfo_endpoint", EndpointError::Scheme),
            ]
        );
        for endpoint in [metadata.authorization, metadata.end_session, metadata.revocation, metadata.userinfo] {
            assert_eq!(endpoint, None);
        }
    }

    #[test]
    fn http_is_for_issuers_that_are_http_themselves() {
        let issuer = "http://127.0.0.1:8080";
        let body = format!(r#"{{"issuer":"{issuer}","token_endpoint":"http://127.0.0.1:8080/token"}}"#);
        assert!(Metadata::read(body.as_bytes(), issuer).expect("is metadata").token.is_some());
    }

    #[test]
    fn members_have_their_types() {
        for (members, member) in [
            (r#","token_endpoint":1"#, "token_endpoint"),
            (
                r#","authorization_response_iss_parameter_supported":"true""#,
                "authorization_response_iss_parameter_supported",
            ),
            (r#","token_endpoint_auth_methods_supported":"none""#, "token_endpoint_auth_methods_supported"),
            (r#","token_endpoint_auth_methods_supported":[1]"#, "token_endpoint_auth_methods_supported"),
            (r#","code_challenge_methods_supported":{}"#, "code_challenge_methods_supported"),
        ] {
            let error = read(members).expect_err(members);
            assert!(matches!(error, MetadataError::Type { member: found, .. } if found == member), "{error:?}");
        }
        assert!(matches!(read(r#","issuer":"https://evil""#), Err(MetadataError::Json(_))), "a member occurs once");
        let large = format!(r#"{{"issuer":"{ISSUER}"{}}}"#, " ".repeat(MAX_BODY));
        assert!(matches!(Metadata::read(large.as_bytes(), ISSUER), Err(MetadataError::TooLarge { .. })));
        let metadata = read(
            r#","authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"]"#,
        );
        let metadata = metadata.expect("is metadata");
        assert!(metadata.sends_issuer && metadata.code_challenge_methods == Some(vec!["S256".into()]));
    }
}
