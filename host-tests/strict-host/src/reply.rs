//! Local replies.

use crate::headers::HeaderMap;
use crate::message::Message;

/// A reply that the plugin gave in the upstream's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u32,
    /// The headers that the plugin gave.
    pub headers: HeaderMap,
    /// The body. Envoy sends it as `grpc-message` when the request is gRPC.
    pub body: Vec<u8>,
    /// The gRPC status; `None` where the plugin leaves it to Envoy (-1).
    pub grpc_status: Option<i32>,
    /// The response code details, which access logs show.
    pub details: String,
}

impl LocalReply {
    /// The response that Envoy makes of it, before the plugin's own response callbacks see it.
    pub(crate) fn response(&self, request: &HeaderMap) -> Message {
        let grpc = request.get("content-type").is_some_and(is_grpc);
        let (mut headers, body) = if grpc { self.grpc() } else { self.plain() };
        for (name, value) in self.headers.iter() {
            // Except for these, the plugin's lines join the others.
            if name == b"content-type" || name == b"content-length" {
                headers.remove(name);
            }
            headers.add(name, value);
        }
        Message { headers: Some(headers), body, trailers: None }
    }

    fn plain(&self) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::from([(":status", self.status.to_string())]);
        if !self.body.is_empty() {
            headers.add("content-length", self.body.len().to_string());
            headers.add("content-type", "text/plain");
        }
        (headers, self.body.clone())
    }

    fn grpc(&self) -> (HeaderMap, Vec<u8>) {
        let status = self.grpc_status.unwrap_or_else(|| grpc_status_of(self.status));
        let mut headers = HeaderMap::from([(":status", "200"), ("content-type", "application/grpc")]);
        headers.add("grpc-status", status.to_string());
        if !self.body.is_empty() {
            headers.add("grpc-message", &self.body);
        }
        (headers, Vec::new())
    }
}

fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// The gRPC status that Envoy gives for an HTTP status.
fn grpc_status_of(status: u32) -> i32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}
