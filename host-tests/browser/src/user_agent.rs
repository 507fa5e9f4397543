//! A user agent with a browser's rules, without a screen and without scripts.
//!
//! It follows redirects, keeps cookies, sends what a browser says about the origin of a request (`Sec-Fetch-*`,
//! `Origin`), submits forms, and remembers every exchange. TLS is left out: [`UserAgent::at`] says where an origin is
//! served in plain HTTP, and its URL alone decides whether it is secure.

mod cookies;
mod exchange;
mod form;
mod url;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use real_envoy::http::{Request, Response};

pub use self::cookies::{Cookie, Jar};
pub use self::exchange::{Exchange, Page};
pub use self::form::Form;
pub use self::url::Url;

use self::exchange::{Initiator, Kind, headers};

/// Browsers give up after so many redirects.
const MAX_REDIRECTS: usize = 20;

/// A browser of one person.
#[derive(Clone, Debug, Default)]
pub struct UserAgent {
    /// Its cookies.
    pub jar: Jar,
    /// Everything that was asked for, oldest first.
    pub history: Vec<Exchange>,
    servers: BTreeMap<String, SocketAddr>,
}

impl UserAgent {
    /// Without any cookie.
    pub fn new() -> Self {
        Self::default()
    }

    /// That origin (`https://dash.example.com`) is served there. Addresses of this machine need not be named.
    #[must_use]
    pub fn at(mut self, origin: &str, address: SocketAddr) -> Self {
        self.servers.insert(origin.to_owned(), address);
        self
    }

    /// Opens a URL that somebody typed, and follows redirects.
    pub fn open(&mut self, url: &str) -> Page {
        self.navigate(Request::new("GET", url), &Initiator::User)
    }

    /// Follows a link on a page of that URL.
    pub fn follow(&mut self, from: &str, link: &str) -> Page {
        let target = Url::parse(from).join(link);
        self.navigate(Request::new("GET", target.as_str()), &Initiator::Page(Url::parse(from)))
    }

    /// Submits the first form of a page, with these values in its fields.
    pub fn submit(&mut self, page: &Page, values: &[(&str, &str)]) -> Page {
        let form = page.forms().into_iter().next();
        let form = form.unwrap_or_else(|| panic!("no form at {}: {}", page.url, page.response.text()));
        self.navigate(form.request(&page.url, values), &Initiator::Page(page.url.clone()))
    }

    /// Navigates with any request, whose target is a URL, from a page of that URL.
    pub fn send(&mut self, from: &str, request: Request) -> Page {
        self.navigate(request, &Initiator::Page(Url::parse(from)))
    }

    /// What a script on a page of that URL gets from `fetch` with `credentials: "include"`. Redirects are not followed.
    pub fn fetch(&mut self, from: &str, request: &Request) -> Response {
        self.load(from, request, Kind::Fetch)
    }

    /// What an `img` element on a page of that URL gets. Redirects are not followed.
    pub fn image(&mut self, from: &str, url: &str) -> Response {
        self.load(from, &Request::new("GET", url), Kind::Image)
    }

    /// What an `iframe` element on a page of that URL gets. Redirects are not followed.
    pub fn frame(&mut self, from: &str, url: &str) -> Response {
        self.load(from, &Request::new("GET", url), Kind::Frame)
    }

    /// The request with which a script on a page of that URL opens a `WebSocket`. Its target is a URL (of `http`).
    pub fn web_socket(&self, from: &str, request: &Request) -> Request {
        self.prepared(request, &Url::parse(request.target()), &Initiator::Page(Url::parse(from)), Kind::WebSocket, &[])
    }

    /// So much time passes, for the cookies.
    pub fn wait(&mut self, time: Duration) {
        self.jar.wait(time);
    }

    /// Where the origin of a URL is served.
    pub fn server(&self, url: &Url) -> SocketAddr {
        let known = self.servers.get(&url.origin()).copied();
        let local = || Some(SocketAddr::from(([127, 0, 0, 1], url.is_loopback().then(|| url.port())?)));
        known.or_else(local).unwrap_or_else(|| panic!("nothing serves {}", url.origin()))
    }

    fn navigate(&mut self, request: Request, initiator: &Initiator) -> Page {
        let mut request = request;
        let mut passed: Vec<Url> = Vec::new();
        loop {
            let url = Url::parse(request.target());
            let response = self.exchange(&request, &url, initiator, Kind::Navigation, &passed);
            let location =
                response.header("location").filter(|_| matches!(response.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else {
                return Page { url, response, passed };
            };
            let target = url.join(&location);
            let keeps_method = matches!(response.status, 307 | 308) || matches!(request.method(), "GET" | "HEAD");
            request = if keeps_method { request.to(target.as_str()) } else { Request::new("GET", target.as_str()) };
            passed.push(url);
            assert!(passed.len() <= MAX_REDIRECTS, "too many redirects: {:#?}", self.history);
        }
    }

    fn load(&mut self, from: &str, request: &Request, kind: Kind) -> Response {
        let url = Url::parse(request.target());
        self.exchange(request, &url, &Initiator::Page(Url::parse(from)), kind, &[])
    }

    fn exchange(
        &mut self,
        request: &Request,
        url: &Url,
        initiator: &Initiator,
        kind: Kind,
        passed: &[Url],
    ) -> Response {
        let sent = self.prepared(request, url, initiator, kind, passed);
        let response = sent.send(self.server(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
        for line in response.head.all("set-cookie") {
            self.jar.store(url, &line);
        }
        self.history.push(Exchange { url: url.clone(), request: sent, response: response.clone() });
        response
    }

    /// The request as it is sent.
    fn prepared(&self, request: &Request, url: &Url, initiator: &Initiator, kind: Kind, passed: &[Url]) -> Request {
        let sent = request.clone().to(&url.target()).header("host", url.authority());
        let relation = initiator.relation(url, passed);
        let sent = headers(kind, request.method(), initiator, relation, url)
            .into_iter()
            .fold(sent, |sent, (name, value)| sent.header(name, value));
        let is_same_site = initiator.is_same_site(url, passed);
        match self.jar.header(url, is_same_site, kind == Kind::Navigation, request.method()) {
            Some(cookies) => sent.header("cookie", cookies),
            None => sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use testbed::issuer::{Behaviour, Issuer, Options};
    use testbed::upstream::Upstream;

    use super::*;

    const APP: &str = "https://app.example.com";

    #[test]
    fn a_login_leads_over_the_providers_page_and_back() {
        let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
        issuer.set_behaviour(Behaviour { page: true, ..Behaviour::default() });
        let mut agent = UserAgent::new().at(APP, upstream.address());
        agent.jar.store(&Url::parse(APP), "a=1; SameSite=Strict; Path=/");
        agent.jar.store(&Url::parse(APP), "b=2; Path=/");
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let query = format!(
            "client_id=app&response_type=code&scope=openid&code_challenge_method=S256&state=s&code_challenge={challenge}"
        );
        let page = agent.open(&format!("{}/authorize?{query}&redirect_uri={APP}/callback", issuer.url()));
        assert!(page.status() == 200 && page.passed.is_empty());
        let page = agent.submit(&page, &[("login_hint", "bob")]);
        assert_eq!((page.url.path().as_str(), page.url.parameter("state").as_deref()), ("/callback", Some("s")));
        for (name, value) in [
            ("host", "app.example.com"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("cookie", "b=2"),
        ] {
            assert_eq!(page.response.seen(name), [value], "{name}");
        }
        assert_eq!((page.passed.len(), agent.history.len()), (1, 3));
    }

    #[test]
    fn requests_say_where_they_come_from() {
        let upstream = Upstream::start(0).unwrap();
        let mut agent = UserAgent::new();
        let own = upstream.url();
        let said = |response: &Response, names: [&str; 3]| names.map(|name| response.seen(name).concat());
        let names = ["sec-fetch-site", "sec-fetch-dest", "origin"];
        assert_eq!(said(&agent.open(&own).response, names), ["none", "document", ""]);
        assert_eq!(said(&agent.follow(&own, "/x").response, names), ["same-origin", "document", ""]);
        let post = Request::new("POST", &own);
        assert_eq!(said(&agent.fetch(&own, &post), names), ["same-origin", "empty", &own]);
        let other = "http://localhost:81";
        assert_eq!(said(&agent.fetch(other, &post), names), ["cross-site", "empty", other]);
        assert_eq!(said(&agent.image(other, &own), names), ["cross-site", "image", ""]);
        let sibling = UserAgent::new().at(APP, upstream.address()).frame("https://b.example.com/", APP);
        assert_eq!(said(&sibling, names), ["same-site", "iframe", ""]);
        let socket = agent.web_socket(other, &Request::new("GET", &own)).send(upstream.address()).unwrap();
        assert_eq!(said(&socket, names), ["", "", other]);
    }
}
