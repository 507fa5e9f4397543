//! A response to a request of the gate's own, as far as the host read it.

use super::request::HeaderLine;

/// The headers and the body of a response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Response<'r> {
    headers: &'r [HeaderLine<'r>],
    body: &'r [u8],
}

impl<'r> Response<'r> {
    /// A view over header lines, `:status` among them, and the body, or as much of it as the host read.
    pub fn new(headers: &'r [HeaderLine<'r>], body: &'r [u8]) -> Self {
        Self { headers, body }
    }

    /// `:status`; empty where it is missing.
    pub fn status(&self) -> &'r [u8] {
        self.lines(":status").next().unwrap_or_default()
    }

    /// The body.
    pub fn body(&self) -> &'r [u8] {
        self.body
    }

    /// The values of the lines called `name` (in lower case).
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let lines = self.headers.iter();
        lines.filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|&(_, value)| value)
    }

    /// The value of the one line called `name`; `None` where there are none or several.
    pub fn only(&self, name: &str) -> Option<&'r [u8]> {
        let mut lines = self.lines(name);
        lines.next().filter(|_| lines.next().is_none())
    }
}
