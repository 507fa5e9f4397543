//! A request that passes with a session, until its response is there, or its connection is closed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cookie::SessionCookies;
use super::refreshes::{Refreshes, SessionId};
use crate::callers::Entry;
use crate::capabilities::Capabilities;
use crate::http::{HeaderEdit, HeaderLine};
use crate::policy::Browser;
use crate::time::Timestamp;

/// A request that passes with a session.
#[derive(Clone, Debug)]
pub(crate) struct SessionUse {
    /// What it passes with: perhaps a successor of what the browser has.
    pub(crate) entry: Arc<Entry>,
    /// The generation that the browser has.
    pub(crate) generation: u32,
    /// The parts of the session's cookies that it sent.
    pub(crate) present: BTreeSet<usize>,
    /// Until when the browser is to get the session sealed anew, if it is, and nothing newer.
    pub(crate) seals: Option<Timestamp>,
    /// Whether a newer one is there, or may come while the request is under way.
    pub(crate) may_renew: bool,
    /// Whether the connection is to become another protocol's.
    pub(crate) is_upgrade: bool,
}

impl SessionUse {
    /// Whether it is a request with this session.
    pub(crate) fn is_of(&self, id: &SessionId) -> bool {
        self.entry.session.as_ref().is_some_and(|open| open.session.id == *id)
    }

    /// Its response brings no cookie.
    pub(crate) fn leave_cookie(&mut self) {
        (self.generation, self.seals, self.may_renew) = (u32::MAX, None, false);
    }

    /// Whether its response should wait: a newer cookie is on its way, and may go with it.
    pub(crate) fn awaits_cookie(&self, refreshes: &Refreshes, response: &[HeaderLine<'_>]) -> bool {
        let Some(open) = &self.entry.session else { return false };
        self.may_renew
            && !self.is_upgrade
            && self.newest(refreshes).is_none()
            && refreshes.is_under_way(&open.session.id)
            && Storage::of(response) != Storage::Shared
    }

    /// The newest that is known, where it is newer than what the browser has.
    fn newest<'e>(&'e self, refreshes: &'e Refreshes) -> Option<&'e Arc<Entry>> {
        let open = self.entry.session.as_ref()?;
        let own = (open.session.generation > self.generation).then_some(&self.entry);
        refreshes.status(&open.session.id).successor(self.generation).or(own)
    }

    /// The edits that give the browser the newest cookie, where it has an older one. They come behind the application's
    /// own cookies.
    pub(crate) fn response_edits(
        &self,
        refreshes: &Refreshes,
        browser: &Browser,
        response: &[HeaderLine<'_>],
        capabilities: Capabilities<'_>,
    ) -> Vec<HeaderEdit> {
        let storage = Storage::of(response);
        if storage == Storage::Shared {
            // Others would get the cookie out of a cache: it waits for another response.
            return Vec::new();
        }
        let lines = self.cookie_lines(refreshes, browser, capabilities);
        if lines.is_empty() {
            return Vec::new();
        }
        // First what protects the cookie: where an edit fails, those behind it are not made.
        let private = (storage == Storage::Unsaid).then(|| HeaderEdit::add("cache-control", "private"));
        private.into_iter().chain(lines.iter().map(|line| HeaderEdit::add("set-cookie", line))).collect()
    }

    fn cookie_lines(&self, refreshes: &Refreshes, browser: &Browser, capabilities: Capabilities<'_>) -> Vec<String> {
        let cookies = SessionCookies::new(&browser.session);
        let Some(open) = &self.entry.session else { return Vec::new() };
        let newest = self.newest(refreshes).and_then(|entry| Some((entry, entry.session.as_ref()?)));
        if let Some((entry, open)) = newest {
            let text = str::from_utf8(&entry.token).unwrap_or_default();
            return cookies.set(text, &open.session, capabilities.now, &self.present);
        }
        if self.seals.is_none_or(|until| until <= capabilities.now) {
            return Vec::new();
        }
        let mut session = open.session.clone();
        session.last_seen = capabilities.now;
        // Without a seal the browser keeps what it has, which is good for a while.
        let sealed = cookies.seal(&session, capabilities.random);
        sealed.map_or_else(|_| Vec::new(), |text| cookies.set(&text, &session, capabilities.now, &self.present))
    }
}

/// Whether a response says that caches may store it which others share.
pub(crate) fn is_shared(response: &[HeaderLine<'_>]) -> bool {
    Storage::of(response) == Storage::Shared
}

/// Who may store a response (RFC 9111 §3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Storage {
    /// The browser at most.
    Private,
    /// Caches that others share, by its own word.
    Shared,
    /// It does not say.
    Unsaid,
}

/// Caches that others share go by these instead of `cache-control` (RFC 9213, and before it).
const TARGETED: [&[u8]; 3] = [b"cdn-cache-control", b"surrogate-control", b"x-accel-expires"];

impl Storage {
    fn of(response: &[HeaderLine<'_>]) -> Self {
        let is_targeted = |name: &[u8]| TARGETED.iter().any(|targeted| name.ends_with(targeted));
        let (mut is_shared, mut is_private) = (false, false);
        for (name, value) in response {
            let name = name.to_ascii_lowercase();
            let directives =
                value.split(|&byte| byte == b',').map(|directive| directive.trim_ascii().to_ascii_lowercase());
            if name == b"cache-control" {
                for directive in directives {
                    is_shared |= is_directive(&directive, b"public") || is_directive(&directive, b"s-maxage");
                    // With an argument, `private` is about some fields alone (RFC 9111 §5.2.2.7).
                    is_private |= matches!(directive.as_slice(), b"private" | b"no-store");
                }
            } else if is_targeted(&name) {
                is_shared |=
                    !directives.into_iter().any(|word| matches!(word.as_slice(), b"0" | b"no-store" | b"private"));
            }
        }
        match (is_shared, is_private) {
            (true, _) => Self::Shared,
            (false, true) => Self::Private,
            (false, false) => Self::Unsaid,
        }
    }
}

/// Whether a directive is called so, whatever its argument.
fn is_directive(directive: &[u8], name: &[u8]) -> bool {
    directive.split(|&byte| byte == b'=').next().is_some_and(|found| found.trim_ascii() == name)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_response_says_who_may_store_it() {
        for (lines, storage) in [
            (&[][..], Storage::Unsaid),
            (&["max-age=60"], Storage::Unsaid),
            (&["no-cache"], Storage::Unsaid),
            (&["private"], Storage::Private),
            (&["max-age=60, Private"], Storage::Private),
            (&["no-store"], Storage::Private),
            (&["public, max-age=60"], Storage::Shared),
            (&["max-age=60", "s-maxage = 5"], Storage::Shared),
            (&["private", "public"], Storage::Shared),
            (&["no-store, s-maxage=5"], Storage::Shared),
            (&["private=\"x-user\""], Storage::Unsaid),
            (&["x-public"], Storage::Unsaid),
        ] {
            let lines: Vec<HeaderLine<'_>> =
                lines.iter().map(|line| (&b"Cache-Control"[..], line.as_bytes())).collect();
            assert_eq!(Storage::of(&lines), storage, "{lines:?}");
        }
    }
}
