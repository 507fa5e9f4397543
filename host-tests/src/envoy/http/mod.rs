//! An HTTP/1.1 client that sends anything, well-formed or not, and reads whole answers.

mod burst;
mod connection;
mod decoder;

use std::io;
use std::net::SocketAddr;

use serde_json::Value;

pub use self::burst::{burst, raise_file_limit};
pub use self::connection::Connection;

/// A request, written exactly as it is put together here.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<Line>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<Line>,
}

/// A header line: its name and its value.
pub type Line = (Vec<u8>, Vec<u8>);

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.into(), target.into());
        Self { method, target, headers: Vec::new(), body: Vec::new(), trailers: Vec::new() }
    }

    /// A `GET` request.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Its method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Adds a header line; neither name nor value is checked.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Sets the body; `Content-Length` is added unless a header frames it already.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Adds a trailer line after the body, which is sent in chunks then.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Sends it over a new connection and reads the whole answer.
    pub fn send(&self, address: SocketAddr) -> io::Result<Response> {
        let mut connection = Connection::open(address)?;
        connection.send(self)
    }

    /// The bytes on the wire. `Host: localhost` is added if there is no such header.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if !self.has("host") {
            bytes.extend_from_slice(b"Host: localhost\r\n");
        }
        write_lines(&mut bytes, &self.headers);
        if !self.trailers.is_empty() {
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            if !self.body.is_empty() {
                bytes.extend_from_slice(
                    &[format!("{:x}\r\n", self.body.len()).as_bytes(), &self.body, b"\r\n"].concat(),
                );
            }
            bytes.extend_from_slice(b"0\r\n");
            write_lines(&mut bytes, &self.trailers);
            bytes.extend_from_slice(b"\r\n");
            return bytes;
        }
        let framed = self.has("content-length") || self.has("transfer-encoding");
        if !framed && (!self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

fn write_lines(bytes: &mut Vec<u8>, lines: &[Line]) {
    for (name, value) in lines {
        bytes.extend_from_slice(&[name.as_slice(), b": ", value, b"\r\n"].concat());
    }
}

/// The status line and the headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Names as they were sent, values as bytes, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The values of a header's lines, `\u{FFFD}` standing for what is not UTF-8.
    pub fn all(&self, name: &str) -> Vec<String> {
        let lines = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// A header's only value; none also if there are several lines.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut all = self.all(name);
        if all.len() == 1 { all.pop() } else { None }
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The status again, with the headers.
    pub head: Head,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// The trailer lines after the body.
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl Response {
    /// A header's only value; none also if there are several lines.
    pub fn header(&self, name: &str) -> Option<String> {
        self.head.header(name)
    }

    /// The body as text, `\u{FFFD}` standing for what is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What the testbed's upstream saw: the values of a request header. Empty if it saw none.
    pub fn seen(&self, name: &str) -> Vec<String> {
        let echo = self.json();
        let headers = echo.get("headers").and_then(Value::as_array).cloned().unwrap_or_default();
        let lines = headers.iter().filter(|line| line[0] == name.to_ascii_lowercase());
        lines.filter_map(|line| line[1].as_str().map(str::to_owned)).collect()
    }
}
