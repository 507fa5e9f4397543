//! A session's cookies: `NAME`, and `NAME.1` for what does not fit, with one seal over both.
//!
//! A browser may send several cookies of a name (RFC 6265 §5.4), and parts of two sessions: what does not open in one
//! piece is no session.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jose::base64url;

use super::content::Session;
use super::keyring::{Keyring, Purpose};
use super::too_large::TooLarge;
use crate::distinct::set_of;
use crate::heap;
use crate::http::Request;
use crate::http::cookie::{pairs, unquote};
use crate::http::set_cookie::{self, Attributes};
use crate::policy::{CookieSettings, SessionSettings};
use crate::random::{NoRandomness, Randomness};
use crate::time::Timestamp;

/// How long one part gets.
const LONGEST_PART: usize = 3_900;
/// How long name and value may be together: browsers drop a longer cookie without a word (RFC 6265bis §5.6).
const LONGEST_COOKIE: usize = 4_096;
/// How many cookies of one name are tried.
const CANDIDATES: usize = 4;
/// What the name of the second part has behind that of the first.
const SECOND: &str = ".1";

/// Reads and writes the cookies of sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionCookies<'s> {
    cookie: &'s CookieSettings,
    keyring: &'s Keyring,
    lifetime: Duration,
}

/// A session from its cookies.
#[derive(Debug)]
pub(crate) struct OpenedSession {
    pub(crate) session: Session,
    /// Whether it was sealed with a secret that is on its way out.
    pub(crate) has_old_seal: bool,
    /// What logs call it.
    pub(crate) log_id: Arc<str>,
}

impl OpenedSession {
    /// What it takes up in memory, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let parts = [heap::allocation(size_of::<Self>()), self.session.heap_bytes(), heap::shared(&self.log_id)];
        parts.into_iter().fold(0, usize::saturating_add)
    }
}

/// Why a session is not sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SealError {
    NoRandomness(NoRandomness),
    TooLarge(TooLarge),
}

impl<'s> SessionCookies<'s> {
    pub(crate) fn new(settings: &'s SessionSettings) -> Self {
        Self { cookie: &settings.cookie, keyring: &settings.keyring, lifetime: settings.lifetime }
    }

    /// What may be a session, as received: a cache can find it by that. No more than a few, whatever was sent.
    pub(crate) fn texts<'r>(&self, request: &Request<'r>) -> impl Iterator<Item = Cow<'r, [u8]>> + use<'r> {
        let [firsts, seconds] = self.candidates(request);
        let longest = self.longest_part();
        firsts.into_iter().flat_map(move |first| {
            let seconds = if first.len() == longest { seconds.clone() } else { Vec::new() };
            let joined = seconds.into_iter().map(move |second| Cow::Owned([first, second].concat()));
            joined.chain([Cow::Borrowed(first)])
        })
    }

    /// The session that a text is; `None` whatever else it is.
    pub(crate) fn open(&self, text: &[u8]) -> Option<OpenedSession> {
        let opened = self.keyring.open(Purpose::Session, b"", &base64url::decode(text)?)?;
        let session = Session::decode(&opened.text, opened.login)?;
        let log_id = session.log_id().into();
        Some(OpenedSession { session, has_old_seal: opened.secret > 0, log_id })
    }

    /// The text of a session.
    pub(crate) fn seal(&self, session: &Session, random: &dyn Randomness) -> Result<String, SealError> {
        let sealed = self.keyring.seal(Purpose::Session, session.login, b"", &session.encode(), random);
        let text = base64url::encode(&sealed.map_err(SealError::NoRandomness)?);
        let limit = self.longest_part() * 2;
        match text.len() > limit {
            true => Err(SealError::TooLarge(TooLarge::new(session, text.len(), limit))),
            false => Ok(text),
        }
    }

    /// The `Set-Cookie` lines that store `session`, of which this is the text, in a browser that has
    /// these parts of one ([`Self::parts_in`]).
    pub(crate) fn set(&self, text: &str, session: &Session, now: Timestamp, present: &BTreeSet<usize>) -> Vec<String> {
        let attributes = Attributes {
            max_age: self.cookie.is_persistent.then(|| session.created.after(self.lifetime).since(now)),
            ..self.attributes()
        };
        let (first, second) = text.split_at_checked(self.longest_part()).unwrap_or((text, ""));
        let parts = [first, second].into_iter().enumerate().filter(|(_, part)| !part.is_empty());
        let mut lines: Vec<_> =
            parts.map(|(index, part)| set_cookie::set(&self.name(index), part, &attributes)).collect();
        let leftovers = present.iter().copied().filter(|&index| index >= lines.len());
        let deletions: Vec<_> = leftovers.map(|index| set_cookie::delete(&self.name(index), &attributes)).collect();
        lines.extend(deletions);
        lines
    }

    /// The `Set-Cookie` lines that delete every session in the browser that sent `request`.
    pub(crate) fn delete(&self, request: &Request<'_>) -> Vec<String> {
        let with_domain = self.attributes();
        let without = Attributes { domain: None, ..with_domain };
        // One for the host alone is from before there was a domain, and would be found again.
        let kinds = if with_domain.domain.is_some() { &[with_domain, without][..] } else { &[with_domain] };
        let of_part = |index| kinds.iter().map(move |attributes| set_cookie::delete(&self.name(index), attributes));
        self.own_parts(request).into_iter().flat_map(of_part).collect()
    }

    /// The indexes of the parts that are written, and of those that a request brings.
    fn own_parts(&self, request: &Request<'_>) -> BTreeSet<usize> {
        let mut parts = self.parts_in(request);
        parts.extend([0, 1]);
        parts
    }

    /// The different values of the two parts, in the order in which they came.
    fn candidates<'r>(&self, request: &Request<'r>) -> [Vec<&'r [u8]>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        for (index, value) in pairs(request).filter_map(|pair| self.part(pair)) {
            let (Some(found), Ok(value)) = (found.get_mut(index), unquote(value)) else { continue };
            let may_be_one = !value.is_empty() && value.len() <= self.longest_part();
            if may_be_one && found.len() < CANDIDATES && !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }

    /// The indexes of the parts that a request brings, in order.
    pub(crate) fn parts_in(&self, request: &Request<'_>) -> BTreeSet<usize> {
        set_of(pairs(request).filter_map(|pair| self.part(pair)).map(|(index, _)| index))
    }

    /// Which part of a session a cookie-pair is, and its value; as [`Self::name`] names them, whose names are not made
    /// for each request.
    fn part<'r>(&self, pair: &'r [u8]) -> Option<(usize, &'r [u8])> {
        match pair.trim_ascii().strip_prefix(self.cookie.name.as_bytes())? {
            [b'=', value @ ..] => Some((0, value)),
            [b'.', digit @ b'1'..=b'9', b'=', value @ ..] => Some((usize::from(digit.wrapping_sub(b'0')), value)),
            _ => None,
        }
    }

    fn name(&self, index: usize) -> String {
        match index {
            0 => self.cookie.name.clone(),
            _ => format!("{}.{index}", self.cookie.name),
        }
    }

    fn longest_part(&self) -> usize {
        LONGEST_PART.min(LONGEST_COOKIE.saturating_sub(self.cookie.name.len().saturating_add(SECOND.len())))
    }

    fn attributes(&self) -> Attributes<'s> {
        let CookieSettings { same_site, domain, is_secure, .. } = self.cookie;
        Attributes { domain: domain.as_deref(), is_secure: *is_secure, max_age: None, same_site: *same_site }
    }
}

#[cfg(test)]
mod tests;
