//! Taking the credential from a request, and from what is forwarded (RFC 6750 §2, RFC 9110 §11.6.2).
//!
//! Servers read cookies, queries and lists in ways of their own. What only some of them take for a credential counts
//! as a malformed one: it is never used, and never forwarded.

mod basic;
mod cookie;
#[cfg(test)]
mod extraction;
mod found;
mod header;
mod query;
mod subprotocol;

use std::borrow::Cow;
use std::collections::BTreeSet;

use self::found::Found;
use crate::http::{HeaderEdit, Request};
use crate::report::Reason;

/// The places where a token may stand, in the order of the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    places: Vec<Source>,
    conflict: Conflict,
}

/// What becomes of a request with credentials in several places.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Conflict {
    /// The first place that holds one is used.
    First,
    /// It is refused.
    Refuse,
}

/// A place where a token may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// `Authorization: Basic` (RFC 7617).
    Basic,
    /// The cookie of that name.
    Cookie(String),
    /// A header.
    Header {
        /// Its name, in lower case.
        name: String,
        /// The authentication scheme in front of the token; without one, the whole value is the token.
        scheme: Option<String>,
    },
    /// The parameter of that name in the query.
    Query(String),
    /// What stands behind this prefix in an offer of `Sec-WebSocket-Protocol`.
    WebSocketProtocol(String),
}

/// What stands where a token should. It has no `Debug`: nothing of it gets into a log.
pub(crate) struct Credential<'r> {
    pub(crate) token: Cow<'r, [u8]>,
    /// The place in [`Sources`] that holds it.
    pub(crate) place: usize,
}

impl Default for Source {
    fn default() -> Self {
        Self::Header { name: String::from("authorization"), scheme: Some(String::from("Bearer")) }
    }
}

impl Sources {
    pub(crate) fn new(places: Vec<Source>, conflict: Conflict) -> Self {
        Self { places, conflict }
    }

    /// The headers that may hold a token, in lower case.
    pub(crate) fn headers(&self) -> BTreeSet<&str> {
        self.places.iter().filter_map(Source::header).collect()
    }

    /// The places, in the order of the configuration.
    pub(crate) fn places(&self) -> &[Source] {
        &self.places
    }

    /// What each place holds.
    pub(crate) fn found(&self, request: &Request<'_>) -> Vec<Option<Result<(), Reason>>> {
        self.places.iter().map(|source| self.find(source, request).map(|found| found.map(|_| ()))).collect()
    }

    /// The one credential that the request carries.
    pub(crate) fn take<'r>(&self, request: &Request<'r>) -> Result<Option<Credential<'r>>, Reason> {
        let mut found = None;
        for (place, source) in self.places.iter().enumerate() {
            let Some(token) = self.find(source, request) else { continue };
            match &found {
                None => found = Some((place, token)),
                // Two schemes find something in one header only where its lines were joined: each says so.
                Some((earlier, Err(_))) if self.share_lines(*earlier, source) => {}
                Some(_) => return Err(Reason::AmbiguousCredentials),
            }
            if self.conflict == Conflict::First {
                break;
            }
        }
        found.map(|(place, token)| Ok(Credential { token: token?, place })).transpose()
    }

    /// Adds the removal of every credential; of the one that was `used`, unless it `is_kept`.
    pub(crate) fn remove_from(
        &self,
        request: &Request<'_>,
        used: Option<(&Credential<'_>, bool)>,
        edits: &mut Vec<HeaderEdit>,
    ) {
        let (mut cookies, mut parameters, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for (place, source) in self.places.iter().enumerate() {
            let used = used.filter(|(credential, _)| credential.place == place);
            if used.is_some_and(|(_, is_kept)| is_kept) {
                continue;
            }
            match source {
                Source::Cookie(name) => cookies.push(name.as_str()),
                Source::Query(name) => parameters.push(name.as_str()),
                Source::WebSocketProtocol(prefix) => prefixes.push(prefix.as_str()),
                Source::Basic | Source::Header { .. } => {
                    let is_there = used.is_some() || self.find(source, request).is_some();
                    if let Some(name) = source.header().filter(|_| is_there) {
                        HeaderEdit::remove_once(edits, name.as_bytes());
                    }
                }
            }
        }
        edits.extend(cookie::removal(request, &cookies));
        edits.extend(query::removal(request, &parameters));
        edits.extend(subprotocol::removal(request, &prefixes));
    }

    fn find<'r>(&self, source: &Source, request: &Request<'r>) -> Found<Cow<'r, [u8]>> {
        let borrowed = |found: Found<&'r [u8]>| found.map(|token| token.map(Cow::Borrowed));
        match source {
            Source::Basic => basic::find(request).map(|token| token.map(Cow::Owned)),
            Source::Cookie(name) => borrowed(cookie::find(request, name)),
            Source::Header { name, scheme } => borrowed(header::find(request, name, scheme.as_deref())),
            Source::Query(name) => query::find(request, name),
            Source::WebSocketProtocol(prefix) => borrowed(subprotocol::find(request, prefix, &self.prefixes())),
        }
    }

    fn prefixes(&self) -> Vec<&str> {
        let prefixes = self.places.iter().filter_map(|source| match source {
            Source::WebSocketProtocol(prefix) => Some(prefix.as_str()),
            _ => None,
        });
        prefixes.collect()
    }

    fn share_lines(&self, earlier: usize, source: &Source) -> bool {
        let earlier = self.places.get(earlier);
        earlier.is_some_and(|earlier| earlier.takes_whole_lines() && earlier.header() == source.header())
    }
}

impl Source {
    /// The header that it stands in; none for the query.
    pub(crate) fn header(&self) -> Option<&str> {
        match self {
            Self::Basic => Some(basic::HEADER),
            Self::Cookie(_) => Some(cookie::HEADER),
            Self::Header { name, .. } => Some(name),
            Self::Query(_) => None,
            Self::WebSocketProtocol(_) => Some(subprotocol::HEADER),
        }
    }

    /// Whether a credential could stand in both places at once.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cookie(one), Self::Cookie(other)) => either(one, other, cookie::holds),
            (Self::Query(one), Self::Query(other)) => either(one, other, query::holds),
            (Self::WebSocketProtocol(one), Self::WebSocketProtocol(other)) => either(one, other, subprotocol::holds),
            (one, other) if one.header().is_none() || one.header() != other.header() => false,
            (one, other) => match (one.scheme(), other.scheme()) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => true,
            },
        }
    }

    fn scheme(&self) -> Option<&str> {
        match self {
            Self::Basic => Some(basic::SCHEME),
            Self::Header { scheme, .. } => scheme.as_deref(),
            Self::Cookie(_) | Self::Query(_) | Self::WebSocketProtocol(_) => None,
        }
    }

    fn takes_whole_lines(&self) -> bool {
        matches!(self, Self::Basic | Self::Header { .. })
    }
}

fn either(one: &str, other: &str, holds: impl Fn(&[u8], &str) -> bool) -> bool {
    holds(one.as_bytes(), other) || holds(other.as_bytes(), one)
}

#[cfg(test)]
mod tests;
