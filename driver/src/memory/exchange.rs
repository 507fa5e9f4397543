//! A request in memory, and what became of it; an answer to a callout.

use std::collections::BTreeMap;
use std::fmt;

use gate::{HeaderEdit, HeaderLine, Reply, Request};

use crate::host::HostError;

/// Any call that does not work.
pub(super) const FAILED: HostError = HostError { status: 10 };

/// Header lines, each a name and a value.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct HeaderLines(pub Vec<(Vec<u8>, Vec<u8>)>);

impl HeaderLines {
    /// The lines as the engine wants to see them.
    pub fn lines(&self) -> Vec<HeaderLine<'_>> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }

    /// The lines of a reply.
    pub(super) fn of(reply: &Reply) -> Self {
        let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str()));
        [(":status", reply.status.to_string().as_str())].into_iter().chain(headers).collect()
    }

    /// The values of the lines called `name`.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        lines.map(|(_, value)| value.as_slice())
    }

    /// The value of the first line called `name`.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// Carries out an edit.
    pub fn edit(&mut self, edit: &HeaderEdit) {
        self.0 = HeaderEdit::apply(std::slice::from_ref(edit), &self.lines());
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderLines {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let line = |(name, value): (N, V)| (name.as_ref().to_vec(), value.as_ref().to_vec());
        Self(lines.into_iter().map(line).collect())
    }
}

impl fmt::Debug for HeaderLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        self.0.iter().try_for_each(|(name, value)| write!(formatter, "\n    {}: {}", text(name), text(value)))
    }
}

/// A request, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Its header lines, pseudo-headers among them; once it was forwarded, as the upstream gets them.
    pub headers: HeaderLines,
    /// Its trailers, likewise.
    pub trailers: HeaderLines,
    /// The header lines of the response, `:status` among them: once it is there, as the client gets them.
    pub response: HeaderLines,
    /// Whether the response is held.
    pub is_response_held: bool,
    /// The address that it comes from: host and port; empty where it is not known.
    pub peer: Vec<u8>,
    /// The SHA-256 of its client's certificate, in hexadecimal; empty if there is none.
    pub certificate: Vec<u8>,
    /// What access logs get to know.
    pub properties: BTreeMap<String, String>,
    /// The counters that went up in its calls, in their order.
    pub counters: Vec<String>,
    /// The lines that were logged in its calls.
    pub log: Vec<String>,
    /// Whether it passed.
    pub outcome: Outcome,
    /// Whether its connection was ended after that.
    pub is_closed: bool,
}

/// Whether a request passed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Outcome {
    /// It went on, with the headers that are there now.
    Forwarded,
    /// It was answered.
    Replied {
        /// With this.
        reply: Reply,
        /// The response code details.
        details: String,
    },
    /// It is held.
    #[default]
    Waiting,
}

impl Exchange {
    /// A request with these header lines.
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(lines: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { headers: lines.into_iter().collect(), ..Self::default() }
    }

    /// Whether a body follows, by its headers.
    pub(super) fn has_body(&self) -> bool {
        Request::new(&self.headers.lines()).has_body()
    }

    /// A request ends once.
    pub(super) fn end(&mut self, outcome: Outcome) -> Result<(), HostError> {
        if self.outcome != Outcome::Waiting {
            return Err(FAILED);
        }
        self.outcome = outcome;
        Ok(())
    }

    /// A response that is held goes on once.
    pub(super) fn release_response(&mut self) -> Result<(), HostError> {
        if std::mem::take(&mut self.is_response_held) { Ok(()) } else { Err(FAILED) }
    }

    /// A connection is ended once, and only if it is there.
    pub(super) fn close(&mut self) -> Result<(), HostError> {
        if self.outcome != Outcome::Forwarded || self.is_closed {
            return Err(FAILED);
        }
        self.is_closed = true;
        Ok(())
    }
}

/// An answer to a callout.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Its headers, `:status` among them.
    pub headers: HeaderLines,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with this status and body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { headers: [(":status", status.to_string())].into_iter().collect(), body: body.into() }
    }

    /// The same answer, with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.0.push((name.into(), value.into()));
        self
    }
}
