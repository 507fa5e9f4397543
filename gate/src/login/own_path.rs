//! The paths that the gate answers itself.

use oauth::form::Parameters;

use crate::http::{CanonicalPath, Request};
use crate::policy::{Browser, OwnPaths};

/// A path that the gate answers itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OwnPath {
    Callback,
    Check,
    Login,
    Logout,
    Session,
}

impl OwnPath {
    /// Which of them a request is for: only on the host of the public URL.
    pub(crate) fn of(browser: &Browser, request: &Request<'_>, path: &CanonicalPath<'_>) -> Option<Self> {
        let OwnPaths { login, callback, logout, check, session } = &browser.session.paths;
        let path = path.as_str();
        let found = match path {
            // The two may be one path: a callback has its parameters.
            _ if path == callback && (callback != login || has_answer(request)) => Self::Callback,
            _ if path == login => Self::Login,
            _ if path == logout => Self::Logout,
            _ if path == check => Self::Check,
            _ if path == session => Self::Session,
            _ => return None,
        };
        browser.session.public_url.is_host_of(request).then_some(found)
    }

    /// The methods that it has, where `method` is none of them.
    pub(crate) fn refuses(self, method: &[u8]) -> Option<&'static str> {
        let (methods, allow): (&[&[u8]], _) = match self {
            Self::Callback => (&[b"GET"], "GET"),
            Self::Check | Self::Session => (&[b"GET", b"HEAD"], "GET, HEAD"),
            // People choose a role by a POST. Without roles, that is refused later.
            Self::Login => (&[b"GET", b"HEAD", b"POST"], "GET, HEAD"),
            Self::Logout => (&[b"GET", b"HEAD", b"POST"], "GET, HEAD, POST"),
        };
        (!methods.contains(&method)).then_some(allow)
    }
}

/// The request that a check asks about: `?path=/x`, and perhaps `&method=POST`.
pub(crate) fn asked_request(query: &[u8]) -> Option<(String, String)> {
    let parameters = Parameters::parse(query).ok()?;
    let one = |name| parameters.one(name).ok().flatten().map(String::from);
    Some((one("method").unwrap_or_else(|| String::from("GET")), one("path")?))
}

/// Whether the query looks like an authorization response (RFC 6749 §4.1.2).
fn has_answer(request: &Request<'_>) -> bool {
    let query = request.query().unwrap_or_default();
    let name = |parameter: &'_ [u8]| parameter.split(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
    query
        .split(|&byte| byte == b'&')
        .any(|parameter| matches!(name(parameter).as_slice(), b"code" | b"error" | b"state"))
}
