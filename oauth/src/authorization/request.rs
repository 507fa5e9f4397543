//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1).

use std::fmt;
use std::time::Duration;

use crate::endpoint::{Endpoint, EndpointError};
use crate::form::Form;
use crate::pkce;
use crate::text::quoted;

/// What the gate sets itself, or what would change what the rest of a request means: the response mode, and requests
/// that are passed by value or reference (OpenID Connect Core 1.0 §6, RFC 9101).
const RESERVED: [&str; 15] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "max_age",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// May occur several times (RFC 8707 §2).
const REPEATABLE: &str = "resource";

/// An authorization request for a code, with PKCE (RFC 7636 §4.3).
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `redirect_uri`.
    pub redirect_uri: &'a str,
    /// `scope`.
    pub scopes: &'a [&'a str],
    /// `state`.
    pub state: &'a str,
    /// `nonce`, for OpenID Connect.
    pub nonce: Option<&'a str>,
    /// `code_challenge`: that of a [`pkce::Verifier`].
    pub code_challenge: &'a str,
    /// `max_age`, for OpenID Connect.
    pub max_age: Option<Duration>,
    /// Further parameters.
    pub parameters: &'a ExtraParameters,
}

impl AuthorizationRequest<'_> {
    /// The URI to which the browser goes.
    pub fn uri(&self, endpoint: &Endpoint) -> Result<String, EndpointError> {
        let is_taken = |name: &str| RESERVED.contains(&name) || self.parameters.has(name);
        if endpoint.query_has(is_taken) {
            return Err(EndpointError::Parameter);
        }
        let mut form = Form::default();
        form.push("response_type", "code");
        form.push("client_id", self.client_id);
        form.push("redirect_uri", self.redirect_uri);
        form.push_if("scope", (!self.scopes.is_empty()).then(|| self.scopes.join(" ")).as_deref());
        form.push("state", self.state);
        form.push_if("nonce", self.nonce);
        form.push("code_challenge", self.code_challenge);
        form.push("code_challenge_method", pkce::METHOD);
        form.push_if("max_age", self.max_age.map(|age| age.as_secs().to_string()).as_deref());
        for (name, value) in &self.parameters.0 {
            form.push(name, value);
        }
        Ok(endpoint.with_query(&form))
    }
}

/// Parameters of an authorization request that are configured, such as `prompt`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExtraParameters(Vec<(String, String)>);

impl ExtraParameters {
    /// Checks that none of `parameters` is set by others, or twice.
    pub fn new(parameters: Vec<(String, String)>) -> Result<Self, ParameterError> {
        for (index, (name, _)) in parameters.iter().enumerate() {
            if name.is_empty() {
                return Err(ParameterError::Empty);
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(ParameterError::Reserved(name.clone()));
            }
            let is_repeated = parameters.iter().take(index).any(|(other, _)| other == name);
            if is_repeated && name != REPEATABLE {
                return Err(ParameterError::Duplicate(name.clone()));
            }
        }
        Ok(Self(parameters))
    }

    /// These, and one more: in place of one of its name.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(found, _)| found != name).cloned();
        Self(others.chain([(name.to_string(), value.to_string())]).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }
}

/// Why a parameter cannot be configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ParameterError {
    /// It occurs twice (RFC 6749 §3.1).
    Duplicate(String),
    /// It has no name.
    Empty,
    /// The gate sets it itself, or it would change what the others mean.
    Reserved(String),
}

impl std::error::Error for ParameterError {}

impl fmt::Display for ParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(name) => write!(formatter, "the parameter {} occurs more than once", quoted(name)),
            Self::Empty => formatter.write_str("expected a parameter with a name"),
            Self::Reserved(name) => {
                write!(formatter, "expected a parameter that the gate does not set itself, found {}", quoted(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::form::Parameters;

    const REQUEST: AuthorizationRequest<'static> = AuthorizationRequest {
        client_id: "s6BhdRkqt3",
        redirect_uri: "https://client.example.com/cb",
        scopes: &["openid", "email"],
        state: "xyz",
        nonce: Some("n-0S6_WzA2Mj"),
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        max_age: Some(Duration::from_hours(12)),
        parameters: &ExtraParameters(Vec::new()),
    };

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).expect("is an endpoint")
    }

    fn extra(parameters: &[(&str, &str)]) -> Result<ExtraParameters, ParameterError> {
        ExtraParameters::new(parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1.
    #[test]
    fn a_request_has_the_parameters_of_the_rfcs() {
        let uri = REQUEST.uri(&endpoint("https://server.example.com/authorize")).expect("is a URI");
        assert_eq!(
            uri,
            "https://server.example.com/authorize?response_type=code&client_id=s6BhdRkqt3\
            &redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb&scope=openid+email&state=xyz&nonce=n-0S6_WzA2Mj\
            &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&max_age=43200"
        );
        let oauth = AuthorizationRequest { scopes: &[], nonce: None, max_age: None, ..REQUEST };
        let uri = oauth.uri(&endpoint("https://server.example.com/authorize")).expect("is a URI");
        assert!(!["scope", "nonce", "max_age"].iter().any(|name| uri.contains(name)), "{uri}");
    }

    #[test]
    fn values_stay_inside_their_parameter() {
        let parameters = extra(&[("prompt", "a&state=b#c"), ("resource", "https://a"), ("resource", "https://b")]);
        let parameters = parameters.expect("are parameters");
        let request = AuthorizationRequest { state: "1&2=3 #\u{e9}", parameters: &parameters, ..REQUEST };
        let uri = request.uri(&endpoint("https://a/?tenant=b")).expect("is a URI");
        let (_, query) = uri.split_once('?').expect("has a query");
        let read = Parameters::parse(query.as_bytes()).expect("is a form");
        assert_eq!(read.one("state"), Ok(Some("1&2=3 #\u{e9}")));
        assert_eq!(read.one("prompt"), Ok(Some("a&state=b#c")));
        assert_eq!(read.one("tenant"), Ok(Some("b")));
        assert_eq!(read.names().filter(|&name| name == "resource").count(), 2);
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{uri}");
    }

    #[test]
    fn further_parameters_are_neither_set_by_the_gate_nor_repeated() {
        for name in RESERVED {
            assert_eq!(extra(&[(name, "a")]), Err(ParameterError::Reserved(name.into())));
        }
        assert_eq!(extra(&[("a", "1"), ("a", "1")]), Err(ParameterError::Duplicate("a".into())));
        assert_eq!(extra(&[("", "1")]), Err(ParameterError::Empty));
        assert!(extra(&[("prompt", "login"), ("access_type", "offline"), ("audience", "")]).is_ok());
    }

    #[test]
    fn an_endpoint_does_not_set_what_the_request_sets() {
        let parameters = extra(&[("prompt", "login")]).expect("are parameters");
        let request = AuthorizationRequest { parameters: &parameters, ..REQUEST };
        for query in ["state=a", "client_id", "%73tate=a", "response_mode=fragment", "prompt=none", "a=%"] {
            assert_eq!(
                request.uri(&endpoint(&format!("https://a/?{query}"))),
                Err(EndpointError::Parameter),
                "{query}"
            );
        }
        assert!(request.uri(&endpoint("https://a/?tenant=state&p=b2c_1")).is_ok());
    }
}
