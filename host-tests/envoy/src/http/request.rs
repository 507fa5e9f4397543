//! A request, well-formed or not.

/// A request, written exactly as it is put together here.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<Line>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<Line>,
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

    /// Its target, as in the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The same for another target.
    #[must_use]
    pub fn to(mut self, target: &str) -> Self {
        self.target = target.into();
        self
    }

    /// The value of a header's first line, `\u{FFFD}` standing for what is not UTF-8.
    pub fn value(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        lines.next().map(|(_, value)| String::from_utf8_lossy(value).into_owned())
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

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

fn write_lines(bytes: &mut Vec<u8>, lines: &[Line]) {
    for (name, value) in lines {
        bytes.extend_from_slice(&[name.as_slice(), b": ", value, b"\r\n"].concat());
    }
}
