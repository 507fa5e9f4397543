//! A request as JSON.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Version};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::error::BadRequest;

/// The request line and the headers.
pub(super) fn head(parts: &Parts) -> Value {
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string);
    let mut head = json!({
        "method": parts.method.as_str(),
        "path": path,
        "http_version": version(parts.version),
        "headers": pairs(&parts.headers),
    });
    if let (Some(members), Some(authority)) = (head.as_object_mut(), parts.uri.authority()) {
        members.insert("authority".into(), authority.as_str().into());
    }
    head
}

/// The head with the body and the trailers, once they have arrived.
pub(super) async fn whole(mut head: Value, body: Body) -> Result<Value, BadRequest> {
    let collected = body.collect().await.map_err(|error| BadRequest::new(format!("body: {error}")))?;
    let trailers = collected.trailers().map(pairs);
    let bytes = collected.to_bytes();
    if let Some(members) = head.as_object_mut() {
        members.insert("body".into(), text(&bytes).into());
        members.insert("body_bytes".into(), bytes.len().into());
        if let Some(trailers) = trailers {
            members.insert("trailers".into(), trailers);
        }
    }
    Ok(head)
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        _ => "other",
    }
}

fn pairs(headers: &HeaderMap) -> Value {
    headers.iter().map(|(name, value)| json!([name.as_str(), text(value.as_bytes())])).collect()
}

/// The bytes as text, with `\xNN` for each that is not part of valid UTF-8.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}
