//! What is asked for and answered, and what a browser says about where a request comes from.

use real_envoy::http::{Request, Response};

use super::form::{Form, forms};
use super::url::Url;

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked for.
    pub url: Url,
    /// As it was sent.
    pub request: Request,
    /// As it came.
    pub response: Response,
}

/// Where a navigation has ended.
#[derive(Clone, Debug)]
pub struct Page {
    /// What the address bar shows.
    pub url: Url,
    /// What the page is.
    pub response: Response,
    /// The URLs that have redirected here.
    pub passed: Vec<Url>,
}

impl Page {
    /// Its forms, in their order.
    pub fn forms(&self) -> Vec<Form> {
        forms(&self.response.text())
    }

    /// The addresses of its links, in their order.
    pub fn links(&self) -> Vec<String> {
        super::form::links(&self.response.text())
    }

    /// The status.
    pub const fn status(&self) -> u16 {
        self.response.status
    }
}

/// Who caused a request.
#[derive(Clone, Debug)]
pub(super) enum Initiator {
    /// A page of that URL.
    Page(Url),
    /// Somebody who typed the URL, or opened a bookmark.
    User,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Fetch,
    Frame,
    Image,
    Navigation,
    WebSocket,
}

/// How the target of a request is related to all that was involved in it (Fetch Metadata §2.3).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Relation {
    /// There was no page.
    None,
    Origin,
    Site,
    Another,
}

impl Relation {
    const fn name(self) -> &'static str {
        match self {
            Self::Another => "cross-site",
            Self::None => "none",
            Self::Origin => "same-origin",
            Self::Site => "same-site",
        }
    }
}

impl Initiator {
    /// Whether cookies for the own site alone are sent: no other site is on the way (RFC 6265bis §5.2).
    pub(super) fn is_same_site(&self, url: &Url, passed: &[Url]) -> bool {
        let page = match self {
            Self::Page(page) => Some(page),
            Self::User => None,
        };
        page.into_iter().chain(passed).all(|other| other.site() == url.site())
    }

    /// The widest relation on the way: a redirect through another site stays one of another site.
    pub(super) fn relation(&self, url: &Url, passed: &[Url]) -> Relation {
        let Self::Page(page) = self else { return Relation::None };
        let related = |other: &Url| match () {
            () if page.origin() == other.origin() => Relation::Origin,
            () if page.site() == other.site() => Relation::Site,
            () => Relation::Another,
        };
        passed.iter().chain([url]).map(related).max().unwrap_or(Relation::None)
    }
}

/// What a browser adds. `Sec-Fetch-*` is for URLs that are potentially trustworthy, and not for
/// `WebSocket`s in plain HTTP.
pub(super) fn headers(
    kind: Kind,
    method: &str,
    initiator: &Initiator,
    relation: Relation,
    url: &Url,
) -> Vec<(&'static str, String)> {
    let (mode, destination, accept) = match kind {
        Kind::Fetch => ("cors", "empty", "*/*"),
        Kind::Frame => ("navigate", "iframe", HTML),
        Kind::Image => ("no-cors", "image", "image/avif,image/webp,image/*,*/*;q=0.8"),
        Kind::Navigation => ("navigate", "document", HTML),
        Kind::WebSocket => ("websocket", "websocket", ""),
    };
    let mut headers = vec![("user-agent", "Mozilla/5.0 (X11; Linux x86_64) test".to_owned())];
    if !accept.is_empty() {
        headers.push(("accept", accept.to_owned()));
    }
    let is_socket = kind == Kind::WebSocket;
    if url.is_trustworthy() && (!is_socket || url.is_secure()) {
        headers.push(("sec-fetch-site", relation.name().to_owned()));
        headers.push(("sec-fetch-mode", mode.to_owned()));
        headers.push(("sec-fetch-dest", destination.to_owned()));
    }
    if let Initiator::Page(page) = initiator {
        let is_simple = matches!(method, "GET" | "HEAD");
        if !is_simple || is_socket || (kind == Kind::Fetch && relation != Relation::Origin) {
            headers.push(("origin", page.origin()));
        }
    }
    headers
}

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
