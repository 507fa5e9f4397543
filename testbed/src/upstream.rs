//! An upstream that reports what reached it: it answers any request with that request as JSON, and streams where a
//! proxy must not get in the way.
//!
//! The last segment of the path (whatever stands before it) picks the answer, or else the parameter `as`
//! (`/orders/7?as=sse`):
//!
//! | path | answer |
//! | --- | --- |
//! | `…/sse?events=n&interval_ms=m` | `text/event-stream`, the first event at once |
//! | `…/ndjson?lines=n&interval_ms=m` | `application/x-ndjson`, likewise |
//! | `…/mirror` | the body of the request, as it arrives |
//! | `…/status/CODE` | that status, with a body of its own |
//! | `…/ws` | a WebSocket that echoes; the first subprotocol offered is chosen |
//! | `…/slow?ms=n` | the echo, after a while |
//! | anything else | the echo |
//!
//! The echo has the members `method`, `path` (with the query), `http_version`, `headers` (pairs, names in lower
//! case, the lines of one name together), `body`, `body_bytes` and, if there were any, `trailers`; in HTTP/2 also
//! `authority`. Bytes that are not UTF-8 are written `\xNN`. Answers other than the echo carry it (without the
//! body) in the header `x-testbed-request`.

mod echo;
mod routes;
mod seen;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

use self::seen::{Requests, Seen};
use crate::server::Background;

/// A running upstream; it stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    seen: Arc<Seen>,
    server: Background,
}

impl Upstream {
    /// Starts to listen on 127.0.0.1; port 0 takes any free one.
    pub fn start(port: u16) -> io::Result<Self> {
        let seen = Arc::new(Seen::default());
        let server = Background::start(port, |_| routes::router(Arc::clone(&seen)))?;
        Ok(Self { seen, server })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The heads of the requests that arrived (their bodies may still be on the way), oldest first: the echo
    /// without the members for body and trailers. The last 10,000 are kept.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().requests.iter().cloned().collect()
    }

    /// How many requests arrived.
    pub fn count(&self) -> u64 {
        self.seen.lock().count
    }

    /// Forgets the requests that arrived.
    pub fn forget(&self) {
        *self.seen.lock() = Requests::default();
    }
}

#[cfg(test)]
#[path = "upstream/tests.rs"]
mod tests;
