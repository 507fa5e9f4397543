//! Taking the credential from a request, and from what is forwarded (RFC 6750 §2, RFC 9110 §11.6.2).
//!
//! Servers read cookies, queries and lists in ways of their own. What only some of them take for a credential counts
//! as a malformed one: it is never used, and never forwarded.

mod basic;
mod cookie;
mod foreign;
mod found;
mod header;
mod query;
mod subprotocol;
mod token_form;

use std::borrow::Cow;
use std::collections::BTreeSet;

use self::cookie::Cookie;
use self::foreign::is_like_jwt;
use self::found::Found;
pub use self::subprotocol::Subprotocol;
pub use self::token_form::{TokenForm, TokenPattern};
use crate::distinct::set_of;
use crate::http::{self, HeaderEdit, Request};
use crate::report::{Cause, Detail, Reason};

/// Where a token may stand, in the order of the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialLocations {
    locations: Vec<CredentialLocation>,
    conflict: Conflict,
    /// Whether tokens that come with a proof are taken behind `DPoP`.
    takes_proofs: bool,
    /// The index of `Authorization: Bearer`, if that is so there: no location is for `DPoP` alone.
    implies_dpop: Option<usize>,
    /// The names of the gate's own cookies: whatever becomes of a request, nobody else gets them.
    session_cookies: Vec<String>,
    /// The headers among those of `locations` that credentials for the upstream stand in: whatever becomes of a
    /// request, nothing else reaches the upstream in them than such a one, or a token that was verified.
    upstream: Vec<String>,
    /// What tokens look like that are no JWTs, and the gate's business all the same; absent: like anything but a JWT.
    own_tokens: Vec<Option<TokenForm>>,
}

/// What becomes of a request with credentials in several locations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Conflict {
    /// The first location that holds one is used; of several cookies of its name, the first.
    First,
    /// It is refused.
    Refuse,
}

/// One location where a token may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CredentialLocation {
    /// `Authorization: Basic` (RFC 7617).
    Basic,
    /// A cookie.
    Cookie {
        /// Its name.
        name: String,
        /// The authentication scheme in front of the token; without one, the whole value is the token.
        scheme: Option<String>,
    },
    /// A header.
    Header {
        /// Its name, in lower case.
        name: String,
        /// The authentication scheme in front of the token; without one, a value that is behind none of the schemes
        /// that are listed for the same header.
        scheme: Option<String>,
    },
    /// The parameter of that name in the query.
    Query(String),
    /// A session: in the cookies of its own.
    Session,
    /// An offer of `Sec-WebSocket-Protocol`.
    WebSocketProtocol(Subprotocol),
}

/// What stands where a token should. It has no `Debug`: nothing of it gets into a log.
pub(crate) struct Credential<'r> {
    pub(crate) token: Cow<'r, [u8]>,
    /// The index of the location that holds it, in [`CredentialLocations`].
    pub(crate) index: usize,
    /// Whether it stands behind `DPoP` (RFC 9449 §7.1): it comes with a proof.
    pub(crate) is_dpop: bool,
}

/// The header that proofs stand in.
pub(crate) const PROOF_HEADER: &str = "dpop";
const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";
const AUTHORIZATION: &str = "authorization";

impl Default for CredentialLocation {
    fn default() -> Self {
        Self::Header { name: String::from(AUTHORIZATION), scheme: Some(String::from(BEARER)) }
    }
}

impl CredentialLocations {
    pub(crate) fn new(locations: Vec<CredentialLocation>, conflict: Conflict) -> Self {
        Self {
            locations,
            conflict,
            takes_proofs: false,
            implies_dpop: None,
            session_cookies: Vec::new(),
            upstream: Vec::new(),
            own_tokens: Vec::new(),
        }
    }

    /// The same, where tokens that come with a proof are taken: behind `DPoP` wherever `Bearer` may stand in
    /// `Authorization`, unless there is a location for them.
    #[must_use]
    pub(crate) fn with_proofs(self) -> Self {
        let index_of = |scheme| self.locations.iter().position(|location| location.is_authorization(scheme));
        let implies_dpop = if index_of(DPOP).is_none() { index_of(BEARER) } else { None };
        Self { takes_proofs: true, implies_dpop, ..self }
    }

    /// The same, with cookies of the gate's own.
    #[must_use]
    pub(crate) fn with_session_cookies(self, session_cookies: Vec<String>) -> Self {
        Self { session_cookies, ..self }
    }

    /// The same, where credentials for the upstream stand in these headers.
    #[must_use]
    pub(crate) fn with_upstream<'h>(self, headers: impl Iterator<Item = &'h str>) -> Self {
        let own = self.headers();
        let upstream = headers.filter(|header| own.contains(header)).map(str::to_string).collect();
        Self { upstream, ..self }
    }

    /// The same, where tokens that look like this are the gate's business.
    #[must_use]
    pub(crate) fn with_own_tokens(self, own_tokens: Vec<Option<TokenForm>>) -> Self {
        Self { own_tokens, ..self }
    }

    /// The headers that may hold a token, in lower case.
    pub(crate) fn headers(&self) -> BTreeSet<&str> {
        set_of(self.locations.iter().filter_map(CredentialLocation::header))
    }

    /// The locations, in the order of the configuration.
    pub(crate) fn locations(&self) -> &[CredentialLocation] {
        &self.locations
    }

    /// Whether a session is one of them.
    pub(crate) fn has_session(&self) -> bool {
        self.locations.contains(&CredentialLocation::Session)
    }

    /// What each location holds.
    pub(crate) fn found(&self, request: &Request<'_>) -> Vec<Option<Result<(), Cause>>> {
        (0..self.locations.len()).map(|index| self.find(index, request).map(|found| found.map(|_| ()))).collect()
    }

    /// The one credential that the request carries.
    pub(crate) fn take<'r>(&self, request: &Request<'r>) -> Result<Option<Credential<'r>>, Cause> {
        let mut found = None;
        for (index, location) in self.locations.iter().enumerate() {
            let Some(token) = self.find_either(index, location, request) else { continue };
            match &found {
                None => found = Some((index, token)),
                // Two schemes find something in one header only where its lines were joined: each says so.
                Some((earlier, Err(_))) if self.share_lines(*earlier, location) => {}
                Some(_) => return Err(Reason::AmbiguousCredentials.into()),
            }
            if self.conflict == Conflict::First {
                break;
            }
        }
        let Some((index, token)) = found else { return Ok(None) };
        token.map(|(token, is_dpop)| Some(Credential { token, index, is_dpop }))
    }

    /// Whether a token of the request, be it malformed, is to come with a proof.
    pub(crate) fn presents_proof(&self, request: &Request<'_>) -> bool {
        let is_dpop = |line: &[u8]| header::after_scheme(line.trim_ascii(), DPOP).is_some();
        self.takes_proofs && request.lines(AUTHORIZATION).any(is_dpop)
    }

    /// What a header has that should have a credential, and has none.
    pub(crate) fn missing(&self, request: &Request<'_>) -> Option<Detail> {
        let is_behind_scheme =
            |location: &&CredentialLocation| matches!(location, CredentialLocation::Header { scheme: Some(_), .. });
        let mut names = self.locations.iter().filter(is_behind_scheme).filter_map(CredentialLocation::header);
        names.find_map(|name| header::find_word(request, name))
    }

    /// Whether what the location at `index` holds is not for the gate: no reader takes it for a JWT, and it is not looked
    /// up either.
    pub(crate) fn is_foreign(&self, index: usize, request: &Request<'_>) -> bool {
        self.locations.get(index).is_some_and(|location| match location {
            // Some read the password as the token, whatever the user name.
            CredentialLocation::Basic => {
                let is_foreign = |pair: Vec<u8>| !pair.split(|&byte| byte == b':').any(|part| self.is_own(part));
                self.find(index, request).is_some_and(|token| token.is_ok())
                    && basic::pair(request).is_some_and(|pair| pair.is_ok_and(is_foreign))
            }
            _ => self.find(index, request).is_some_and(|token| token.is_ok_and(|token| !self.is_own(&token))),
        })
    }

    fn is_own(&self, text: &[u8]) -> bool {
        let is_meant = |form: &Option<TokenForm>| TokenForm::is_met(form.as_ref(), text);
        is_like_jwt(text) || self.own_tokens.iter().any(is_meant)
    }

    /// Whether the credential of a request is in a cookie.
    pub(crate) fn is_in_cookie(&self, request: &Request<'_>) -> bool {
        self.take(request).ok().flatten().is_some_and(|found| self.is_cookie(found.index))
    }

    /// Whether the location at `index` is a cookie, which browsers send by themselves.
    pub(crate) fn is_cookie(&self, index: usize) -> bool {
        matches!(self.locations.get(index), Some(CredentialLocation::Cookie { .. }))
    }

    /// Adds the removal of the gate's own cookies alone.
    pub(crate) fn remove_session_from(&self, request: &Request<'_>, edits: &mut Vec<HeaderEdit>) {
        let names: Vec<_> = self.session_cookies.iter().map(String::as_str).collect();
        edits.extend(http::cookie::removal(request, &names, &[]));
    }

    /// Adds the removal of all that stands in headers for the upstream alone, but for what `is_kept` says.
    pub(crate) fn remove_upstream_from(
        &self,
        request: &Request<'_>,
        is_kept: impl Fn(usize) -> bool,
        edits: &mut Vec<HeaderEdit>,
    ) {
        for header in &self.upstream {
            let has_header = |(_, location): &(usize, &CredentialLocation)| location.header() == Some(header);
            let mut locations = self.locations.iter().enumerate().filter(has_header);
            if !locations.any(|(index, _)| is_kept(index)) && request.lines(header).next().is_some() {
                HeaderEdit::remove_once(edits, header.as_bytes());
            }
        }
    }

    /// Adds the removal of every credential; of the one that was `used`, unless it `is_kept`.
    pub(crate) fn remove_from(
        &self,
        request: &Request<'_>,
        used: Option<(&Credential<'_>, bool)>,
        edits: &mut Vec<HeaderEdit>,
    ) {
        let used = |index: usize| used.filter(|(credential, _)| credential.index == index);
        self.remove(request, |index| used(index).is_some(), |index| used(index).is_some_and(|(_, kept)| kept), edits);
    }

    /// Adds the removal of every credential but those that are foreign.
    pub(crate) fn remove_own_from(&self, request: &Request<'_>, edits: &mut Vec<HeaderEdit>) {
        self.remove(request, |_| false, |index| self.is_foreign(index, request), edits);
    }

    /// Adds the removal of what every location holds that is not kept. What is certainly there need not be looked for.
    fn remove(
        &self,
        request: &Request<'_>,
        is_there: impl Fn(usize) -> bool,
        is_kept: impl Fn(usize) -> bool,
        edits: &mut Vec<HeaderEdit>,
    ) {
        let mut cookies: Vec<_> = self.session_cookies.iter().map(String::as_str).collect();
        let mut kept_cookies = Vec::new();
        let (mut parameters, mut protocols) = (Vec::new(), Vec::new());
        for (index, location) in self.locations.iter().enumerate() {
            match (location, is_kept(index)) {
                (CredentialLocation::Cookie { name, .. }, true) => kept_cookies.push(name.as_str()),
                (CredentialLocation::Session, _) | (_, true) => {}
                (CredentialLocation::Cookie { name, .. }, false) => cookies.push(name.as_str()),
                (CredentialLocation::Query(name), false) => parameters.push(name.as_str()),
                (CredentialLocation::WebSocketProtocol(protocol), false) => protocols.push(protocol),
                (CredentialLocation::Basic | CredentialLocation::Header { .. }, false) => {
                    let is_there = is_there(index) || self.find(index, request).is_some();
                    if let Some(name) = location.header().filter(|_| is_there) {
                        HeaderEdit::remove_once(edits, name.as_bytes());
                    }
                }
            }
        }
        if !self.upstream.is_empty() {
            self.remove_upstream_from(request, &is_kept, edits);
        }
        edits.extend(http::cookie::removal(request, &cookies, &kept_cookies));
        edits.extend(query::removal(request, &parameters));
        if !protocols.is_empty() {
            edits.extend(subprotocol::removal(request, &protocols, &self.protocols()));
        }
    }

    fn find<'r>(&self, index: usize, request: &Request<'r>) -> Found<Cow<'r, [u8]>> {
        self.find_either(index, self.locations.get(index)?, request).map(|found| found.map(|(token, _)| token))
    }

    /// What the location at `index` holds, and whether it is to come with a proof.
    fn find_either<'r>(
        &self,
        index: usize,
        location: &CredentialLocation,
        request: &Request<'r>,
    ) -> Found<(Cow<'r, [u8]>, bool)> {
        if self.implies_dpop == Some(index) {
            let found = header::find_behind(request, AUTHORIZATION, &[BEARER, DPOP])?;
            return Some(found.map(|(scheme, token)| (Cow::Borrowed(token), scheme == DPOP)));
        }
        let is_dpop = self.takes_proofs && location.is_authorization(DPOP);
        self.find_plain(location, request).map(|found| found.map(|token| (token, is_dpop)))
    }

    fn find_plain<'r>(&self, location: &CredentialLocation, request: &Request<'r>) -> Found<Cow<'r, [u8]>> {
        match location {
            CredentialLocation::Basic => basic::find(request).map(|token| token.map(Cow::Owned)),
            CredentialLocation::Cookie { name, scheme } => {
                let same = self.locations.iter().filter_map(move |other| match other {
                    CredentialLocation::Cookie { name: other, scheme } if other == name => Some(scheme.as_deref()),
                    _ => None,
                });
                let (scheme, takes_first) = (scheme.as_deref(), self.conflict == Conflict::First);
                let others = same.filter(move |other| *other != scheme);
                cookie::find(request, &Cookie { name, scheme, others, takes_first })
            }
            CredentialLocation::Header { name, scheme } => {
                let same = self.locations.iter().filter(|other| other.header() == Some(name));
                let found =
                    header::find(request, name, scheme.as_deref(), &same.filter_map(CredentialLocation::scheme));
                found.map(|token| token.map(Cow::Borrowed))
            }
            CredentialLocation::Query(name) => query::find(request, name),
            // It is opened only where no other location has a credential.
            CredentialLocation::Session => None,
            CredentialLocation::WebSocketProtocol(protocol) => subprotocol::find(request, protocol, &self.protocols()),
        }
    }

    fn protocols(&self) -> Vec<&Subprotocol> {
        let protocols = self.locations.iter().filter_map(|location| match location {
            CredentialLocation::WebSocketProtocol(protocol) => Some(protocol),
            _ => None,
        });
        protocols.collect()
    }

    fn share_lines(&self, earlier: usize, location: &CredentialLocation) -> bool {
        let earlier = self.locations.get(earlier);
        earlier.is_some_and(|earlier| match (earlier, location) {
            (CredentialLocation::Cookie { name, .. }, CredentialLocation::Cookie { name: other, .. }) => name == other,
            _ => earlier.takes_whole_lines() && earlier.header() == location.header(),
        })
    }
}

impl CredentialLocation {
    /// The header that it stands in; none for the query.
    pub(crate) fn header(&self) -> Option<&str> {
        match self {
            Self::Basic => Some(basic::HEADER),
            Self::Cookie { .. } | Self::Session => Some(http::cookie::HEADER),
            Self::Header { name, .. } => Some(name),
            Self::Query(_) => None,
            Self::WebSocketProtocol(_) => Some(subprotocol::HEADER),
        }
    }

    /// Whether a credential could stand in both locations at once. A scheme sets it apart from other schemes, and from
    /// a token without one.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cookie { name: one, .. }, Self::Cookie { name: other, .. }) if one != other => {
                either(one, other, http::cookie::holds)
            }
            (Self::Query(one), Self::Query(other)) => either(one, other, query::holds),
            (Self::WebSocketProtocol(one), Self::WebSocketProtocol(other)) => subprotocol::overlap(one, other),
            // It has cookies of its own.
            (Self::Session, other) | (other, Self::Session) => *other == Self::Session,
            (one, other) if one.header().is_none() || one.header() != other.header() => false,
            (one, other) => match (one.scheme(), other.scheme()) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                (None, None) => true,
                _ => !one.may_have_scheme() || !other.may_have_scheme(),
            },
        }
    }

    /// Whether the cookie `name` is, for some server, the one that it looks for.
    pub(crate) fn reads_cookie(&self, name: &str) -> bool {
        matches!(self, Self::Cookie { name: own, .. } if own == name || either(own, name, http::cookie::holds))
    }

    /// Whether it is `Authorization` with that scheme.
    fn is_authorization(&self, wanted: &str) -> bool {
        matches!(self, Self::Header { name, scheme: Some(scheme) }
            if name == AUTHORIZATION && scheme.eq_ignore_ascii_case(wanted))
    }

    fn scheme(&self) -> Option<&str> {
        match self {
            Self::Basic => Some(basic::SCHEME),
            Self::Cookie { scheme, .. } | Self::Header { scheme, .. } => scheme.as_deref(),
            Self::Query(_) | Self::Session | Self::WebSocketProtocol(_) => None,
        }
    }

    fn may_have_scheme(&self) -> bool {
        matches!(self, Self::Basic | Self::Cookie { .. } | Self::Header { .. })
    }

    fn takes_whole_lines(&self) -> bool {
        matches!(self, Self::Basic | Self::Header { .. })
    }
}

fn either(one: &str, other: &str, holds: impl Fn(&[u8], &str) -> bool) -> bool {
    holds(one.as_bytes(), other) || holds(other.as_bytes(), one)
}

#[cfg(test)]
mod extraction;
#[cfg(test)]
mod tests;
