//! The same requests over HTTP/1.1 and HTTP/2.

use std::net::SocketAddr;

use host_tests::envoy::http::{Request, Response};
use host_tests::envoy::http2::Connection;

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
