//! The upstream's answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::echo;
use super::seen::Seen;
use crate::error::BadRequest;

const REQUEST: HeaderName = HeaderName::from_static("x-testbed-request");
/// What reverse proxies such as nginx look for before they buffer a stream.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// A proxy refuses response headers that are too large; the copy of the request is dropped then.
const LARGEST_COPY: usize = 16_384;

pub(super) fn router(seen: Arc<Seen>) -> Router {
    Router::new().fallback(answer).with_state(seen)
}

async fn answer(State(seen): State<Arc<Seen>>, request: Request) -> Result<Response, BadRequest> {
    let (parts, body) = request.into_parts();
    let head = echo::head(&parts);
    seen.record(head.clone());
    let Choice { answer } = query(&parts)?;
    let path = parts.uri.path().to_owned();
    let mut segments = path.rsplit('/');
    let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let last = answer.as_deref().unwrap_or(last);
    let mut response = match (before, last) {
        ("status", code) => status(code)?,
        (_, "mirror") => Response::new(body),
        (_, "ndjson") => ndjson(&query(&parts)?),
        (_, "sse") => sse(&query(&parts)?),
        (_, "ws") => websocket(parts).await,
        _ => {
            if last == "slow" {
                let Pause { ms } = query(&parts)?;
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            return Ok(Json(echo::whole(head, body).await?).into_response());
        }
    };
    add_copy(&mut response, &head);
    Ok(response)
}

fn add_copy(response: &mut Response, head: &Value) {
    let copy = head.to_string();
    if copy.len() <= LARGEST_COPY
        && let Ok(value) = HeaderValue::from_str(&copy).or_else(|_| HeaderValue::from_bytes(copy.as_bytes()))
    {
        response.headers_mut().insert(REQUEST, value);
    }
}

fn query<T: DeserializeOwned>(parts: &Parts) -> Result<T, BadRequest> {
    let query = parts.uri.query().unwrap_or_default();
    serde_urlencoded::from_str(query).map_err(|error| BadRequest::new(format!("query: {error}")))
}

fn status(code: &str) -> Result<Response, BadRequest> {
    let status = code.parse::<u16>().ok().filter(|code| (200..=599).contains(code));
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or_else(|| BadRequest::new(format!("`{code}` is not the status of an answer")))?;
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        // These have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5), and proxies refuse one.
        return Ok(status.into_response());
    }
    Ok((status, format!("the upstream says {}\n", status.as_u16())).into_response())
}

/// For paths that an application prescribes.
#[derive(Deserialize)]
struct Choice {
    #[serde(rename = "as")]
    answer: Option<String>,
}

#[derive(Deserialize)]
struct Pause {
    #[serde(default)]
    ms: u64,
}

#[derive(Deserialize)]
struct Events {
    #[serde(default = "three", alias = "lines")]
    events: u64,
    #[serde(default = "a_tenth")]
    interval_ms: u64,
}

const fn three() -> u64 {
    3
}

const fn a_tenth() -> u64 {
    100
}

fn sse(events: &Events) -> Response {
    streamed("text/event-stream", events, |number| format!("id: {number}\ndata: {{\"event\": {number}}}\n\n"))
}

fn ndjson(lines: &Events) -> Response {
    streamed("application/x-ndjson", lines, |number| format!("{{\"line\": {number}}}\n"))
}

/// The first piece at once, then one after each interval.
fn streamed(content_type: &'static str, events: &Events, piece: fn(u64) -> String) -> Response {
    let (count, interval) = (events.events, Duration::from_millis(events.interval_ms));
    let pieces = stream::unfold(1, move |number| async move {
        if number > count {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(interval).await;
        }
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(piece(number))), number + 1))
    });
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache"), (BUFFERING, "no")];
    (headers, Body::from_stream(pieces)).into_response()
}

async fn websocket(mut parts: Parts) -> Response {
    let offered = parts.headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
    let first = offered.and_then(|value| value.split(',').next()).map(|name| name.trim().to_owned());
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols(first).on_upgrade(echo_messages),
        Err(rejection) => rejection.into_response(),
    }
}

async fn echo_messages(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        // Pings are answered by the library.
        let data = matches!(message, axum::extract::ws::Message::Text(_) | axum::extract::ws::Message::Binary(_));
        if data && socket.send(message).await.is_err() {
            return;
        }
    }
}
