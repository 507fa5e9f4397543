//! The same requests over HTTP/1.1 and HTTP/2, and what the upstream was told.

use std::net::SocketAddr;

use real_envoy::http::{Request, Response};
use real_envoy::http2::Connection;
use serde_json::Value;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

pub(crate) const BOTH: [Version; 2] = [Version::Http1, Version::Http2];

impl Version {
    pub(crate) fn send(self, request: &Request, address: SocketAddr) -> Response {
        match self {
            Self::Http1 => request.send(address),
            Self::Http2 => Connection::open(address).and_then(|connection| connection.send(request)),
        }
        .unwrap_or_else(|error| panic!("{self:?} {request:?}: {error}"))
    }
}

/// The identity headers in an echo, sorted: all whose names some server could take for `X-Auth-Request-…`.
pub(crate) fn identity(echo: &Value) -> Vec<(String, String)> {
    let lines = echo["headers"].as_array().unwrap().iter();
    let lines = lines.map(|line| (line[0].as_str().unwrap().to_string(), line[1].as_str().unwrap().to_string()));
    let fold = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "-").to_ascii_lowercase();
    let mut identity: Vec<_> = lines.filter(|(name, _)| fold(name).starts_with("x-auth-request-")).collect();
    identity.sort();
    identity
}
