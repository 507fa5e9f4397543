//! The authorization response: what a browser brings back (RFC 6749 §4.1.2, RFC 9207).

use std::fmt;

use crate::form::{FormError, Parameters};
use crate::text::is_visible;
use crate::{ErrorCode, Secret};

/// A well-formed callback, and nothing more: anybody can make a browser send one.
///
/// The order of checks is the order of types: [`Callback::state`] has to be found good before [`Callback::code`] is
/// asked for, which consumes this.
#[derive(Debug)]
pub struct Callback {
    state: Secret,
    issuer: Option<Secret>,
    answer: Result<Secret, ErrorCode>,
}

impl Callback {
    /// Reads the query. `code`, `state`, `error` and `iss` may occur once; others are ignored (RFC 6749 §4.1.2).
    pub fn read(query: &[u8]) -> Result<Self, CallbackError> {
        let parameters = Parameters::parse(query).map_err(CallbackError::Form)?;
        let one = |name| parameters.one(name).map_err(CallbackError::Form);
        let (code, error) = (one("code")?, one("error")?);
        let (state, issuer) = (one("state")?, one("iss")?);
        let answer = match (code, error) {
            (Some(_), Some(_)) => return Err(CallbackError::CodeAndError),
            (None, None) => return Err(CallbackError::Neither),
            // RFC 6749 App. A.11.
            (Some(code), None) if !is_visible(code) => return Err(CallbackError::Code),
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(error)) => Err(ErrorCode::from_name(error)),
        };
        let state = Secret::new(state.ok_or(CallbackError::State)?);
        Ok(Self { state, issuer: issuer.map(Secret::new), answer })
    }

    /// The `state`, to be opened first.
    pub fn state(&self) -> &str {
        self.state.reveal()
    }

    /// `iss`, as it came: it is the answer of [`Self::code`] that says whether it is right.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(Secret::reveal)
    }

    /// The code, if it comes from `issuer` (RFC 9207 §2.4), and no error instead of it.
    ///
    /// `is_required` is what metadata says of `authorization_response_iss_parameter_supported`.
    pub fn code(self, issuer: &str, is_required: bool) -> Result<Secret, CallbackError> {
        match self.issuer {
            // RFC 9207 §2.4: simple string comparison.
            Some(found) if found.reveal() != issuer => {
                return Err(CallbackError::OtherIssuer { expected: issuer.to_string() });
            }
            None if is_required => return Err(CallbackError::NoIssuer { expected: issuer.to_string() }),
            _ => {}
        }
        self.answer.map_err(CallbackError::Refused)
    }
}

/// Why a callback gives no code. Carries nothing of the query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CallbackError {
    /// `code` has characters that no code has.
    Code,
    /// Both `code` and `error`.
    CodeAndError,
    /// The query cannot be read, or a parameter occurs twice.
    Form(FormError),
    /// Neither `code` nor `error`.
    Neither,
    /// No `iss`, though the issuer says that it sends one.
    NoIssuer {
        /// The issuer's identifier.
        expected: String,
    },
    /// `iss` is another issuer: a mix-up (RFC 9207 §1).
    OtherIssuer {
        /// The issuer's identifier.
        expected: String,
    },
    /// The authorization server answered with an error.
    Refused(ErrorCode),
    /// No `state`.
    State,
}

impl CallbackError {
    /// The error code, where the authorization server sent one.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(code) => Some(*code),
            _ => None,
        }
    }
}

impl std::error::Error for CallbackError {}

impl fmt::Display for CallbackError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => formatter.write_str("expected `code` of visible ASCII characters, found others"),
            Self::CodeAndError => formatter.write_str("expected `code` or `error`, found both"),
            Self::Form(error) => write!(formatter, "the query is malformed: {error}"),
            Self::Neither => formatter.write_str("expected `code` or `error`, found neither"),
            Self::NoIssuer { expected } => write!(formatter, "expected `iss` to be `{expected}`, found none"),
            Self::OtherIssuer { expected } => write!(formatter, "expected `iss` to be `{expected}`, found another"),
            Self::Refused(code) => write!(formatter, "the authorization server answered {code}"),
            Self::State => formatter.write_str("expected `state`, found none"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn code(query: &str, issuer: &str, is_required: bool) -> Result<String, CallbackError> {
        let code = Callback::read(query.as_bytes())?.code(issuer, is_required)?;
        Ok(code.reveal().to_string())
    }

    /// RFC 6749 §4.1.2 and §4.1.2.1.
    #[test]
    fn the_examples_of_rfc_6749_are_read() {
        assert_eq!(code("code=SplxlOBeZQQYbYS6WxSbIA&state=xyz", "a", false), Ok("SplxlOBeZQQYbYS6WxSbIA".into()));
        let error = CallbackError::Refused(ErrorCode::AccessDenied);
        assert_eq!(code("error=access_denied&state=xyz", "a", false), Err(error));
        let callback = Callback::read(b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz").expect("is a callback");
        assert_eq!(callback.state(), "xyz");
    }

    /// RFC 9207 §2.1 and §2.2.
    #[test]
    fn the_examples_of_rfc_9207_are_read() {
        const ISSUER: &str = "https://honest.as.example";
        let success = "code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example";
        let failure =
            "error=access_denied&state=N2JjNGJhY2JiZjRhYzA3MGJkMzNmMDRjZmQ0MWVhY2Q&iss=https%3A%2F%2Fhonest.as.example";
        let expected = || ISSUER.to_string();
        for is_required in [true, false] {
            assert!(code(success, ISSUER, is_required).is_ok());
            assert_eq!(code(failure, ISSUER, is_required), Err(CallbackError::Refused(ErrorCode::AccessDenied)));
            for query in [success, failure] {
                for other in
                    ["https%3A%2F%2Fevil.as.example", "https%3A%2F%2Fhonest.as.example%2F", "HTTPS://honest.as.example"]
                {
                    let query = query.replace("https%3A%2F%2Fhonest.as.example", other);
                    let error = CallbackError::OtherIssuer { expected: expected() };
                    assert_eq!(code(&query, ISSUER, is_required), Err(error), "{query}");
                }
            }
        }
        for query in [success, failure] {
            let without = query.split("&iss").next().expect("has a start");
            assert_eq!(code(without, ISSUER, true), Err(CallbackError::NoIssuer { expected: expected() }));
            let empty = format!("{without}&iss=");
            assert_eq!(code(&empty, ISSUER, true), Err(CallbackError::NoIssuer { expected: expected() }));
        }
    }

    #[test]
    fn each_parameter_occurs_once_and_others_are_ignored() {
        for name in ["code", "state", "error", "iss"] {
            let start = if name == "error" { "error=a&state=b" } else { "code=a&state=b&iss=i" };
            for again in
                [format!("{name}=a"), format!("{name}="), format!("%{:02x}{}=a", name.as_bytes()[0], &name[1..])]
            {
                let query = format!("{start}&{again}");
                assert_eq!(
                    Callback::read(query.as_bytes()).map(drop),
                    Err(CallbackError::Form(FormError::Duplicate(name))),
                    "{query}"
                );
            }
        }
        let query = "code=a&state=b&session_state=c&session_state=d&CODE=e&scope=openid+email&error_description=";
        assert_eq!(code(query, "a", false), Ok("a".into()));
    }

    #[test]
    fn a_callback_has_a_state_and_either_a_code_or_an_error() {
        for (query, error) in [
            ("", CallbackError::Neither),
            ("state=a", CallbackError::Neither),
            ("code=&state=a", CallbackError::Neither),
            ("code=a", CallbackError::State),
            ("code=a&state=", CallbackError::State),
            ("error=access_denied", CallbackError::State),
            ("code=a&state=b&error=c", CallbackError::CodeAndError),
            ("code=%0d%0a&state=b", CallbackError::Code),
            ("code=%c3%a9&state=b", CallbackError::Code),
            ("code=%&state=b", CallbackError::Form(FormError::Escape)),
            ("code=a&state=b&x=%ff", CallbackError::Form(FormError::NotUtf8)),
        ] {
            assert_eq!(Callback::read(query.as_bytes()).map(drop), Err(error), "{query}");
        }
    }

    #[test]
    fn nothing_of_the_query_is_shown() {
        for query in ["code=hunter2&state=hunter2&iss=hunter2", "error=hunter2&state=hunter2"] {
            let callback = Callback::read(query.as_bytes()).expect("is a callback");
            let shown = format!("{callback:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            let error = code(query, "https://idp", true).expect_err("is another issuer");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
