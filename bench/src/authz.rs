//! A service for `ext_authz` that does nothing: it lets every request pass, over HTTP and over gRPC, except one that
//! asks to be refused, so that a test can see that it is asked at all.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Collected, Full};
use testbed::server::Background;

/// A request with this header is refused.
pub(crate) const DENY: &str = "x-bench-deny";

/// `CheckResponse {status: {code: 7}}`: permission denied. One without members lets the request pass.
const DENIED: &[u8] = &[0x0a, 2, 8, 7];

/// A running service; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Authz(Background);

impl Authz {
    pub(crate) fn start() -> io::Result<Self> {
        Background::start(0, |_| Router::new().fallback(answer)).map(Self)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

async fn answer(request: Request) -> Response {
    let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_grpc) {
        let denied = request.headers().contains_key(DENY);
        return if denied { StatusCode::FORBIDDEN } else { StatusCode::OK }.into_response();
    }
    // A `CheckRequest` has the names of headers as they are.
    match request.into_body().collect().await.map(Collected::to_bytes) {
        Ok(body) if contains(&body, DENY.as_bytes()) => grpc(DENIED),
        Ok(_) => grpc(&[]),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A message with its frame: not compressed, its length in four bytes.
fn grpc(message: &'static [u8]) -> Response {
    let length = u8::try_from(message.len()).unwrap_or_default();
    let body = Full::new(Bytes::from([&[0, 0, 0, 0, length], message].concat()));
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let body = Body::new(body.with_trailers(async { Some(Ok(trailers)) }));
    ([(CONTENT_TYPE, "application/grpc")], body).into_response()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
