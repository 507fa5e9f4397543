//! Where a browser goes once it has logged in. What others may choose must not lead to others' servers.

use oauth::form::Parameters;

use super::origin::is_same_server;
use crate::http::{CanonicalPath, Request};
use crate::policy::{OwnPaths, PublicUrl, SessionSettings};

/// The parameter that holds where to return to.
pub(super) const RETURN_TO: &str = "returnTo";

/// The longest address, in octets. Longer ones lose their query.
const MAX_OCTETS: usize = 1024;

/// A checked address: a path with query on the public URL, or an absolute URL in one of the origins that are allowed.
///
/// It is visible ASCII without `"`, `#`, `<`, `>`, `\`. A path begins with one `/`, and has a canonical form in which
/// no segment is empty or a dot segment, so every browser resolves it to the origin that it is on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ReturnTo(String);

/// Where a login may return to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destinations<'s> {
    public_url: &'s PublicUrl,
    /// Further origins, as browsers write them.
    origins: &'s [String],
    own_paths: &'s OwnPaths,
}

impl<'s> From<&'s SessionSettings> for Destinations<'s> {
    fn from(session: &'s SessionSettings) -> Self {
        Self { public_url: &session.public_url, origins: &session.return_to, own_paths: &session.paths }
    }
}

impl Destinations<'_> {
    /// What `request` asked for, or as much of it as can be returned to.
    pub(crate) fn of_request(&self, request: &Request<'_>) -> ReturnTo {
        let is_asked = |origin: &&str| is_same_server(origin.as_bytes(), request);
        let origin = self.origins().find(is_asked).unwrap_or(self.public_url.as_str());
        let text = |octets| str::from_utf8(octets).unwrap_or_default();
        self.address(origin, text(request.path()))
            .or_else(|| self.address(origin, text(request.path_without_query())))
            .unwrap_or_default()
    }

    /// Whether `request` is for one of the origins.
    pub(crate) fn is_on_allowed(&self, request: &Request<'_>) -> bool {
        self.origins().any(|origin| is_same_server(origin.as_bytes(), request))
    }

    /// The address in a query: `returnTo`, or `rd`. What cannot be read is as good as absent.
    pub(crate) fn asked(&self, parameters: &Parameters) -> Option<ReturnTo> {
        let one = |name| parameters.one(name).ok().flatten();
        one(RETURN_TO).or_else(|| one("rd")).and_then(|text| self.read(text))
    }

    /// The address in `text`: a path with query, or an absolute URL. `None`: a login may not return to it.
    pub(crate) fn read(&self, text: &str) -> Option<ReturnTo> {
        match self.origins().find_map(|origin| Some((origin, target_behind(origin, text)?))) {
            Some((origin, target)) => self.address(origin, &target),
            None => self.address(self.public_url.as_str(), text),
        }
    }

    /// Those that are allowed, that of the public URL first.
    fn origins(&self) -> impl Iterator<Item = &str> {
        [self.public_url.as_str()].into_iter().chain(self.origins.iter().map(String::as_str))
    }

    /// The address of a `target`, path and query, on one of the origins.
    fn address(&self, origin: &str, target: &str) -> Option<ReturnTo> {
        let is_public = origin == self.public_url.as_str();
        let (path, query) = target.split_at_checked(target.find('?').unwrap_or(target.len()))?;
        let path = CanonicalPath::strict(path.as_bytes()).ok()?;
        let path = path.as_str();
        if is_public && self.sends_on(path) {
            return Some(ReturnTo::default());
        }
        if !query.bytes().all(is_query_byte) {
            return None;
        }
        let origin = if is_public { "" } else { origin };
        let candidates = [[origin, path, query].concat(), [origin, path].concat()];
        candidates.into_iter().find(|address| address.len() <= MAX_OCTETS).map(ReturnTo)
    }

    /// Whether `path` is one of the gate's own from which browsers are sent on: to return there would be a loop.
    fn sends_on(&self, path: &str) -> bool {
        let OwnPaths { callback, login, logout, check: _, session: _ } = self.own_paths;
        [callback, login, logout].into_iter().any(|own| own == path)
    }
}

impl ReturnTo {
    /// The address, for a `Location`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self(String::from("/"))
    }
}

/// What stands behind `origin` in `text`, if that ends there.
fn target_behind(origin: &str, text: &str) -> Option<String> {
    let target = text.strip_prefix(origin)?;
    match target.bytes().next() {
        Some(b'/') => Some(target.to_string()),
        None | Some(b'?') => Some(["/", target].concat()),
        Some(_) => None,
    }
}

/// What browsers leave as it is in a query, but for `\\`.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>\\".contains(&byte)
}

#[cfg(test)]
mod tests;
