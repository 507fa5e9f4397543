//! A request as the proxy sees it: a borrowed view over its headers.

use std::fmt;

use jose::swar::{is_same, split_once};

/// One header line: name and value, as bytes. HTTP/2 pseudo-headers are lines too.
pub type HeaderLine<'r> = (&'r [u8], &'r [u8]);

/// The connection that a request came on. It is asked where a token is bound to a certificate, and not before.
pub trait Connection: fmt::Debug {
    /// The SHA-256 of the client's certificate in hexadecimal; empty if there is none that was verified.
    fn peer_certificate(&self) -> Vec<u8>;
}

/// The headers of a request, in the order in which the proxy holds them; names in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    lines: &'r [HeaderLine<'r>],
    method: &'r [u8],
    path: &'r [u8],
    authority: &'r [u8],
    is_upgrade: bool,
    peer: &'r [u8],
    /// Whether a body follows, as far as the proxy knows.
    body: Option<bool>,
    connection: Option<&'r dyn Connection>,
}

impl<'r> Request<'r> {
    /// A view over header lines. What a request lacks is empty.
    pub fn new(lines: &'r [HeaderLine<'r>]) -> Self {
        let mut request = Self {
            lines,
            method: b"",
            path: b"",
            authority: b"",
            is_upgrade: false,
            peer: b"",
            body: None,
            connection: None,
        };
        for &(name, value) in lines {
            match name {
                [b':', ..] => match name {
                    b":method" => request.method = value,
                    b":path" => request.path = value,
                    b":authority" => request.authority = value,
                    _ => {}
                },
                [b'U' | b'u', ..] => request.is_upgrade |= is_name(name, "upgrade"),
                _ => {}
            }
        }
        request
    }

    /// The same request, from the address `peer`: host and port, as the proxy prints them.
    #[must_use]
    pub fn with_peer(self, peer: &'r [u8]) -> Self {
        Self { peer, ..self }
    }

    /// The same request, on that connection.
    #[must_use]
    pub fn with_connection(self, connection: &'r dyn Connection) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// The same request, of which the proxy knows whether more than its headers follows.
    #[must_use]
    pub fn with_body(self, body: bool) -> Self {
        Self { body: Some(body), ..self }
    }

    /// This request, had it come with another `:path`; its lines stay.
    pub(crate) fn with_path<'p>(&self, path: &'p [u8]) -> Request<'p>
    where
        'r: 'p,
    {
        Request { path, ..*self }
    }

    /// Likewise with another `:method`.
    pub(crate) fn with_method<'m>(&self, method: &'m [u8]) -> Request<'m>
    where
        'r: 'm,
    {
        Request { method, ..*self }
    }

    /// Likewise with another `:authority`.
    pub(crate) fn with_authority<'p>(&self, authority: &'p [u8]) -> Request<'p>
    where
        'r: 'p,
    {
        Request { authority, ..*self }
    }

    /// All lines.
    pub fn all_lines(&self) -> impl Iterator<Item = HeaderLine<'r>> {
        self.lines.iter().copied()
    }

    /// The values of the lines called `name` (in lower case).
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &'r [u8]> + Clone {
        let lines = self.lines.iter();
        lines.filter(move |(found, _)| is_name(found, name)).map(|&(_, value)| value)
    }

    /// The value of the one line called `name`; `None` where there are none or several.
    pub fn only(&self, name: &str) -> Option<&'r [u8]> {
        let mut lines = self.lines(name);
        lines.next().filter(|_| lines.next().is_none())
    }

    /// `:method`.
    pub fn method(&self) -> &'r [u8] {
        self.method
    }

    /// `:path`, as received: path and query.
    pub fn path(&self) -> &'r [u8] {
        self.path
    }

    /// `:path` without its query.
    pub fn path_without_query(&self) -> &'r [u8] {
        split_once(self.path, b'?').0
    }

    /// The query of `:path`, from behind the first `?` on.
    pub fn query(&self) -> Option<&'r [u8]> {
        split_once(self.path, b'?').1
    }

    /// `:authority`: host and port.
    pub fn authority(&self) -> &'r [u8] {
        self.authority
    }

    /// The address that the request came from; empty if the proxy does not provide it.
    pub fn peer(&self) -> &'r [u8] {
        self.peer
    }

    /// The SHA-256 of the client's certificate, in hexadecimal; empty if there is none.
    pub fn peer_certificate(&self) -> Vec<u8> {
        self.connection.map(Connection::peer_certificate).unwrap_or_default()
    }

    /// Whether a body follows. If the proxy does not say, its headers announce one.
    pub fn has_body(&self) -> bool {
        self.body.unwrap_or_else(|| self.announces_body())
    }

    /// Whether this is the question of a browser whether it may send a request of another origin (Fetch §3.2.2). Such a
    /// question has no body, and is no upgrade.
    pub fn is_preflight(&self) -> bool {
        let is_there = |name| self.lines(name).count() == 1 && self.lines(name).all(|value| !value.is_empty());
        self.method == b"OPTIONS"
            && is_there("origin")
            && is_there("access-control-request-method")
            && !self.is_upgrade()
            && !self.has_body()
            && !self.announces_body()
    }

    /// Whether the headers say that a body follows (RFC 9112 §6.3).
    fn announces_body(&self) -> bool {
        self.lines("transfer-encoding").next().is_some() || self.lines("content-length").any(|length| length != b"0")
    }

    /// Whether this asks for another protocol on the connection (RFC 9110 §7.8).
    pub fn is_upgrade(&self) -> bool {
        self.is_upgrade
    }

    /// Whether this is a gRPC call, by its content type.
    pub fn is_grpc(&self) -> bool {
        self.lines("content-type").any(|value| value == b"application/grpc" || value.starts_with(b"application/grpc+"))
    }
}

/// Whether a line is called `name`, as most lines that are spell it.
#[inline]
fn is_name(found: &[u8], name: &str) -> bool {
    found.len() == name.len() && (is_same(found, name.as_bytes()) || found.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_body_is_what_the_proxy_says_and_otherwise_what_headers_announce() {
        let has_body = |lines: &[HeaderLine<'_>]| Request::new(lines).has_body();
        assert!(!has_body(&[(b":method", b"POST")]));
        assert!(!has_body(&[(b"content-length", b"0")]));
        assert!(has_body(&[(b"content-length", b"7")]));
        assert!(has_body(&[(b"content-length", b"")]));
        assert!(has_body(&[(b"content-length", b"0"), (b"Content-Length", b"7")]));
        assert!(has_body(&[(b"transfer-encoding", b"chunked")]));
        assert!(Request::new(&[]).with_body(true).has_body());
        assert!(!Request::new(&[(b"content-length", b"7")]).with_body(false).has_body());
    }
}
