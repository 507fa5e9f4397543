//! The ways in which a document fails.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{Response as Builder, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::BadRequest;
use crate::server::DropConnection;

/// A mode, and for how many requests it lasts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub mode: Mode,
    /// The number of requests until all is well again; forever if none.
    pub times: Option<u32>,
}

impl Fault {
    /// A fault that stays.
    pub const fn lasting(mode: Mode) -> Self {
        Self { mode, times: None }
    }

    /// A fault for the next so many requests.
    pub const fn times(mode: Mode, times: u32) -> Self {
        Self { mode, times: Some(times) }
    }

    /// The fault in a control request: the mode's members, and `times`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        let mut members: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| BadRequest::new(format!("body: {error}")))?;
        let times = members.remove("times").unwrap_or_default();
        let refuse = |error: serde_json::Error| BadRequest::new(error.to_string());
        Ok(Self {
            times: serde_json::from_value(times).map_err(refuse)?,
            mode: serde_json::from_value(Value::Object(members)).map_err(refuse)?,
        })
    }
}

/// What goes wrong; in control requests `{"mode": "status", "status": 500}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Any text, with status 200.
    Body {
        /// The text.
        body: String,
        /// Its `Content-Type`, by default `application/json`.
        #[serde(default = "json_type")]
        content_type: String,
    },
    /// The connection is dropped without an answer.
    Close,
    /// The connection is dropped in the middle of the body.
    CutOff,
    /// A member of the document stands there twice.
    DuplicateMember {
        /// Its name.
        member: String,
    },
    /// Key set: without keys.
    EmptySet,
    /// The document, and white space without an end.
    Endless,
    /// An error response (RFC 6749 §5.2).
    Error {
        /// The error.
        error: String,
        /// The status, by default 400.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// Discovery: the `jwks_uri` is this one.
    ForeignJwksUri {
        /// The address to name.
        uri: String,
    },
    /// Random bytes that are not even UTF-8.
    Garbage,
    /// A login page with status 200.
    Html,
    /// Discovery: no `jwks_uri`.
    NoJwksUri,
    /// Key set: only keys that must not be used.
    NoUsableKey,
    /// Key set: odd entries before and after the good keys.
    OddKeys,
    /// Nothing goes wrong.
    #[default]
    Ok,
    /// The document with white space up to this size.
    Oversize {
        /// The size of the body.
        bytes: usize,
    },
    /// 302 to a path that has nothing.
    Redirect,
    /// The document, after a while.
    Slow {
        /// How long that is.
        millis: u64,
    },
    /// The request is accepted and never answered.
    Stall,
    /// That status with a text body.
    Status {
        /// The status, by default 500.
        #[serde(default = "server_error")]
        status: u16,
    },
    /// Half of the document, as a whole body.
    Truncated,
    /// Discovery: the `issuer` is another one.
    WrongIssuer,
}

impl Mode {
    fn is_for_discovery_only(&self) -> bool {
        matches!(self, Self::ForeignJwksUri { .. } | Self::NoJwksUri | Self::WrongIssuer)
    }

    /// What fails before anything was done. Otherwise it was done, and the answer is lost or bad.
    pub(crate) const fn comes_first(&self) -> bool {
        matches!(self, Self::Error { .. } | Self::Html | Self::Redirect | Self::Status { .. })
    }

    fn is_for_jwks_only(&self) -> bool {
        matches!(self, Self::EmptySet | Self::NoUsableKey | Self::OddKeys)
    }
}

/// The fault that a document has now.
#[derive(Debug, Default)]
pub(crate) struct Slot(Fault);

impl Slot {
    pub(crate) fn for_jwks(fault: Fault) -> Result<Self, BadRequest> {
        if fault.mode.is_for_discovery_only() {
            return Err(BadRequest::new("this mode is for the discovery document"));
        }
        Self::checked(fault)
    }

    pub(crate) fn for_discovery(fault: Fault) -> Result<Self, BadRequest> {
        if fault.mode.is_for_jwks_only() {
            return Err(BadRequest::new("this mode is for the key set"));
        }
        Self::checked(fault)
    }

    pub(crate) fn for_endpoint(fault: Fault) -> Result<Self, BadRequest> {
        if fault.mode.is_for_discovery_only() || fault.mode.is_for_jwks_only() {
            return Err(BadRequest::new("this mode is for another document"));
        }
        Self::checked(fault)
    }

    fn checked(fault: Fault) -> Result<Self, BadRequest> {
        if let Mode::Error { status, .. } | Mode::Status { status } = fault.mode
            && !(200..=599).contains(&status)
        {
            return Err(BadRequest::new(format!("`{status}` is not the status of an answer")));
        }
        Ok(Self(fault))
    }

    /// The mode for the next request.
    pub(crate) fn take(&mut self) -> Mode {
        let mode = self.0.mode.clone();
        if let Some(times) = &mut self.0.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0 = Fault::default();
            }
        }
        mode
    }
}

/// The answer for the document in that mode.
pub(crate) async fn answer(mode: Mode, document: Value, cache_control: Option<&str>) -> Response {
    let text = document.to_string();
    let good = |body: Vec<u8>| json_response(body, cache_control);
    match mode {
        Mode::Body { body, content_type } => ([(CONTENT_TYPE, content_type)], body).into_response(),
        Mode::Close => drop_connection(),
        Mode::CutOff => cut_off(text),
        Mode::DuplicateMember { member } => good(doubled(&document, &member).into()),
        Mode::EmptySet => good(json!({"keys": []}).to_string().into()),
        Mode::Endless => endless(text),
        Mode::Error { error, status } => (status_of(status), Json(json!({"error": error}))).into_response(),
        Mode::ForeignJwksUri { uri } => good(with_member(document, "jwks_uri", Some(uri)).into()),
        Mode::Garbage => good(vec![0xFF, 0xFE, b'{', 0x00, 0x9F, 0x92, 0x96]),
        Mode::Html => ([(CONTENT_TYPE, "text/html")], "<!doctype html><title>Log in</title>\n").into_response(),
        Mode::NoJwksUri => good(with_member(document, "jwks_uri", None).into()),
        Mode::NoUsableKey => good(json!({"keys": odd_keys()}).to_string().into()),
        Mode::OddKeys => good(between_odd_keys(&document).to_string().into()),
        Mode::Ok => good(text.into()),
        Mode::Oversize { bytes } => good(padded(text, bytes)),
        Mode::Redirect => (StatusCode::FOUND, [(LOCATION, "/nowhere")]).into_response(),
        Mode::Slow { millis } => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            good(text.into())
        }
        Mode::Stall => std::future::pending().await,
        Mode::Status { status } => (status_of(status), "out of order\n").into_response(),
        Mode::Truncated => good(text.as_bytes().iter().copied().take(text.len() / 2).collect()),
        Mode::WrongIssuer => good(with_member(document, "issuer", Some("https://other.example".into())).into()),
    }
}

/// The answer for a document of another kind: what is only wrong with JSON is not wrong with it.
pub(crate) async fn answer_text(mode: Mode, text: String, kind: &'static str) -> Response {
    let good = |text: String| ([(CONTENT_TYPE, kind)], text).into_response();
    match mode {
        Mode::CutOff => cut_off(text),
        Mode::Endless => endless(text),
        Mode::Oversize { bytes } => ([(CONTENT_TYPE, kind)], padded(text, bytes)).into_response(),
        Mode::Slow { millis } => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            good(text)
        }
        Mode::Truncated => good(text.chars().take(text.len() / 2).collect()),
        Mode::Body { .. } | Mode::Close | Mode::Garbage | Mode::Stall => answer(mode, Value::Null, None).await,
        _ => good(text),
    }
}

fn status_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json_response(body: Vec<u8>, cache_control: Option<&str>) -> Response {
    let response = ([(CONTENT_TYPE, "application/json")], body);
    match cache_control {
        Some(value) => ([(CACHE_CONTROL, value)], response).into_response(),
        None => response.into_response(),
    }
}

fn drop_connection() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(DropConnection);
    response
}

fn cut_off(text: String) -> Response {
    let promised = text.len() * 2;
    let pieces = [Ok(Bytes::from(text)), Err("the connection is dropped on purpose")];
    Builder::builder()
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, promised)
        .body(Body::from_stream(stream::iter(pieces)))
        .unwrap_or_default()
}

/// As much as a client takes, and not so fast that it fills the memory before it notices.
fn endless(text: String) -> Response {
    let blanks = Bytes::from_static(&[b' '; 16_384]);
    let more = stream::unfold(blanks, |blanks| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok::<_, Infallible>(blanks.clone()), blanks))
    });
    let pieces = stream::once(async { Ok(Bytes::from(text)) }).chain(more);
    ([(CONTENT_TYPE, "application/json")], Body::from_stream(pieces)).into_response()
}

/// The object with a member twice, first with another value.
fn doubled(document: &Value, member: &str) -> String {
    let text = document.to_string();
    let rest = text.strip_prefix('{').unwrap_or_default();
    format!("{{{}:\"another\",{rest}", json!(member))
}

fn with_member(mut document: Value, name: &str, value: Option<String>) -> String {
    if let Some(members) = document.as_object_mut() {
        match value {
            Some(value) => drop(members.insert(name.into(), value.into())),
            None => drop(members.remove(name)),
        }
    }
    document.to_string()
}

fn between_odd_keys(set: &Value) -> Value {
    let good = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let keys: Vec<Value> = odd_keys().into_iter().chain(good).chain(odd_keys()).collect();
    json!({ "keys": keys })
}

/// Entries that are no keys, keys of other kinds, and keys that are too weak or broken.
fn odd_keys() -> Vec<Value> {
    vec![
        json!({"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "odd-oct"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "odd-short-point"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ", "kid": "odd-curve"}),
        json!({"kty": "RSA", "n": "w".repeat(171), "e": "AQAB", "kid": "odd-rsa-1024", "alg": "RS256"}),
        json!({"kty": "RSA", "kid": "odd-empty"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AQ", "kid": "odd-agreement"}),
        json!({"kty": "new", "kid": "odd-type"}),
        json!({"kid": 1}),
        json!({}),
    ]
}

fn padded(text: String, bytes: usize) -> Vec<u8> {
    let mut body = text.into_bytes();
    if body.len() < bytes {
        body.resize(bytes, b' ');
    }
    body
}

fn json_type() -> String {
    "application/json".into()
}

const fn bad_request() -> u16 {
    400
}

const fn server_error() -> u16 {
    500
}
