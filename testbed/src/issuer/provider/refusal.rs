//! Error responses (RFC 6749 §5.2).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    error: &'static str,
}

impl Refusal {
    pub(super) const fn new(status: u16, error: &'static str) -> Self {
        Self { status, error }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, [(CACHE_CONTROL, "no-store")], Json(json!({"error": self.error}))).into_response()
    }
}
