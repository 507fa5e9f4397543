//! A cookie jar with the rules of RFC 6265bis, as browsers have them.

use std::time::{Duration, Instant};

use super::url::Url;

/// A cookie whose name and value are longer is dropped without a word (RFC 6265bis §5.7).
const MAX_PAIR: usize = 4096;
/// So is an attribute whose value is longer.
const MAX_ATTRIBUTE: usize = 1024;

/// A cookie as it was set.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the attributes of a cookie are flags")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `Domain`; the host, where there is none.
    pub domain: String,
    /// Whether it is for that host alone.
    pub is_host_only: bool,
    /// `Path`.
    pub path: String,
    /// `Secure`.
    pub is_secure: bool,
    /// `HttpOnly`.
    pub is_http_only: bool,
    /// `SameSite`, in lower case: `lax`, `none` or `strict`.
    pub same_site: String,
    /// Whether it outlives the browser (`Max-Age`, `Expires`).
    pub is_persistent: bool,
    expires: Option<Instant>,
}

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    /// Lines that no cookie was made of, with the reason.
    pub dropped: Vec<(String, &'static str)>,
    /// Every value that was set.
    pub seen: Vec<(String, String)>,
    waited: Duration,
}

impl Jar {
    /// The cookie of that name; none also if there are several.
    pub fn get(&self, name: &str) -> Option<&Cookie> {
        let mut found = self.live().filter(|cookie| cookie.name == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The names of all cookies, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.live().map(|cookie| cookie.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Changes the value of a cookie.
    pub fn change(&mut self, name: &str, value: &str) {
        self.cookies
            .iter_mut()
            .filter(|cookie| cookie.name == name)
            .for_each(|cookie| value.clone_into(&mut cookie.value));
    }

    /// Forgets a cookie.
    pub fn forget(&mut self, name: &str) {
        self.cookies.retain(|cookie| cookie.name != name);
    }

    /// The browser is closed and opened again.
    pub fn restart(&mut self) {
        self.cookies.retain(|cookie| cookie.is_persistent);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.waited += time;
    }

    /// Stores the cookie of a `Set-Cookie` line, as a response from that URL.
    pub fn store(&mut self, url: &Url, line: &str) {
        let cookie = match read(url, line, self.now()) {
            Ok(cookie) => cookie,
            Err(reason) => return self.dropped.push((line.to_owned(), reason)),
        };
        let is_same =
            |old: &Cookie| (&old.name, &old.domain, &old.path) == (&cookie.name, &cookie.domain, &cookie.path);
        if !url.is_trustworthy() && self.live().any(|old| old.is_secure && old.name == cookie.name) {
            return self.dropped.push((line.to_owned(), "would replace a secure cookie"));
        }
        self.seen.push((cookie.name.clone(), cookie.value.clone()));
        let now = self.now();
        match self.cookies.iter().position(is_same) {
            Some(index) => self.cookies[index] = cookie,
            None => self.cookies.push(cookie),
        }
        self.cookies.retain(|cookie| cookie.expires.is_none_or(|end| end > now));
    }

    /// The `Cookie` header of a request; none without cookies.
    pub(super) fn header(&self, url: &Url, is_same_site: bool, is_navigation: bool, method: &str) -> Option<String> {
        let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        let crosses = |cookie: &Cookie| match cookie.same_site.as_str() {
            "none" => true,
            "strict" => is_same_site,
            _ => is_same_site || (is_navigation && is_safe),
        };
        let mut sent: Vec<&Cookie> = self.live().filter(|cookie| cookie.fits(url) && crosses(cookie)).collect();
        // Longer paths first, then as they were made.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn live(&self) -> impl Iterator<Item = &Cookie> {
        let now = self.now();
        self.cookies.iter().filter(move |cookie| cookie.expires.is_none_or(|end| end > now))
    }

    fn now(&self) -> Instant {
        Instant::now() + self.waited
    }
}

impl Cookie {
    fn fits(&self, url: &Url) -> bool {
        let host = url.host();
        let is_host = host == self.domain || (!self.is_host_only && is_below(&host, &self.domain));
        let path = url.path();
        let below = path.strip_prefix(&self.path);
        let is_path = below.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        is_host && is_path && (!self.is_secure || url.is_trustworthy())
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn read(url: &Url, line: &str, now: Instant) -> Result<Cookie, &'static str> {
    let mut parts = line.split(';');
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).ok_or("has no `=`")?;
    let (name, value) = (name.trim(), value.trim());
    if name.len() + value.len() > MAX_PAIR {
        return Err("is too large");
    }
    let host = url.host();
    let mut cookie = Cookie {
        name: name.into(),
        value: value.into(),
        domain: host.clone(),
        is_host_only: true,
        path: default_path(&url.path()),
        is_secure: false,
        is_http_only: false,
        same_site: "lax".into(),
        is_persistent: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if value.len() > MAX_ATTRIBUTE {
            continue;
        }
        match name.as_str() {
            "domain" if !value.is_empty() => {
                cookie.domain = value.trim_start_matches('.').to_ascii_lowercase();
                cookie.is_host_only = false;
            }
            "expires" => {
                cookie.is_persistent = true;
                cookie.expires = value.contains("1970").then_some(now);
            }
            "httponly" => cookie.is_http_only = true,
            "max-age" => max_age = value.parse::<i64>().ok(),
            "path" if value.starts_with('/') => cookie.path = value.into(),
            "samesite" => cookie.same_site = value.to_ascii_lowercase(),
            "secure" => cookie.is_secure = true,
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        cookie.is_persistent = true;
        cookie.expires = Some(now + Duration::from_secs(seconds.try_into().unwrap_or_default()));
    }
    check(&cookie, url).map(|()| cookie)
}

fn check(cookie: &Cookie, url: &Url) -> Result<(), &'static str> {
    let host = url.host();
    let name = cookie.name.to_ascii_lowercase();
    let is_bound = cookie.is_secure && cookie.is_host_only && cookie.path == "/";
    match () {
        () if cookie.name.is_empty() => Err("has no name"),
        () if cookie.is_secure && !url.is_trustworthy() => Err("is secure, and the origin is not"),
        () if host != cookie.domain && !is_below(&host, &cookie.domain) => Err("is for another domain"),
        () if !cookie.is_host_only && !cookie.domain.contains('.') => Err("is for a public suffix"),
        () if name.starts_with("__secure-") && !cookie.is_secure => Err("has the prefix `__Secure-` and is not"),
        () if name.starts_with("__host-") && !is_bound => Err("has the prefix `__Host-` and is not bound to its host"),
        () if cookie.same_site == "none" && !cookie.is_secure => Err("is for all sites and not secure"),
        () => Ok(()),
    }
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".into(),
        Some(slash) => path.split_at(slash).0.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text)
    }

    fn jar(at: &str, lines: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for line in lines {
            jar.store(&url(at), line);
        }
        jar
    }

    #[test]
    fn what_browsers_drop_is_dropped() {
        let (secure, plain) = ("https://dash.example.com/", "http://dash.example.com/");
        let large = format!("a={}", "x".repeat(4095));
        let largest = format!("a={}", "x".repeat(4095 - 1));
        for (at, line, reason) in [
            (secure, large.as_str(), None),
            (secure, &format!("{large}y"), Some("is too large")),
            (secure, largest.as_str(), None),
            (plain, "a=b; Secure", Some("is secure, and the origin is not")),
            ("http://127.0.0.1:81/", "__Host-a=b; Secure; Path=/", None),
            (secure, "__Host-a=b; Secure; Path=/", None),
            (secure, "__Host-a=b; Path=/", Some("has the prefix `__Host-` and is not bound to its host")),
            (secure, "__HOST-a=b; Secure; Path=/x", Some("has the prefix `__Host-` and is not bound to its host")),
            (
                secure,
                "__Host-a=b; Secure; Path=/; Domain=dash.example.com",
                Some("has the prefix `__Host-` and is not bound to its host"),
            ),
            (secure, "__Secure-a=b", Some("has the prefix `__Secure-` and is not")),
            (secure, "a=b; Domain=other.example.com", Some("is for another domain")),
            (secure, "a=b; Domain=com", Some("is for a public suffix")),
            (secure, "a=b; Domain=example.com", None),
            (secure, "a=b; SameSite=None", Some("is for all sites and not secure")),
            (secure, "nothing", Some("has no `=`")),
        ] {
            let dropped = jar(at, &[line]).dropped;
            assert_eq!(dropped.first().map(|(_, reason)| *reason), reason, "{line}");
        }
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let at = "https://dash.example.com/x/y";
        let jar = jar(
            at,
            &["host=1", "path=2; Path=/x", "wide=3; Domain=example.com; Path=/", "strict=4; SameSite=Strict; Path=/"],
        );
        let sent =
            |to: &str, is_same_site, is_navigation, method| jar.header(&url(to), is_same_site, is_navigation, method);
        assert_eq!(sent(at, true, true, "GET").as_deref(), Some("host=1; path=2; wide=3; strict=4"));
        assert_eq!(sent("https://dash.example.com/xy", true, false, "GET").as_deref(), Some("wide=3; strict=4"));
        assert_eq!(sent("https://other.example.com/x/z", true, true, "GET").as_deref(), Some("wide=3"));
        assert_eq!(sent(at, false, true, "GET").as_deref(), Some("host=1; path=2; wide=3"));
        assert_eq!(sent(at, false, true, "POST"), None);
        assert_eq!(sent(at, false, false, "GET"), None);
    }

    #[test]
    fn cookies_end_and_are_replaced() {
        let at = "https://dash.example.com/";
        let mut jar = jar(at, &["a=1; Max-Age=60", "b=1", "c=1; Path=/"]);
        jar.store(&url(at), "c=2; Path=/; HttpOnly");
        assert_eq!((jar.names(), jar.get("c").map(|cookie| cookie.value.as_str())), (vec!["a", "b", "c"], Some("2")));
        jar.store(&url(at), "c=; Path=/; Max-Age=0");
        jar.store(&url(at), "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(jar.names(), ["a"]);
        jar.restart();
        assert_eq!(jar.names(), ["a"]);
        jar.wait(Duration::from_secs(61));
        assert_eq!(jar.names(), [""; 0]);
        assert_eq!(jar.seen.len(), 6);
    }

    #[test]
    fn plain_http_does_not_replace_a_secure_cookie() {
        let mut jar = jar("https://dash.example.com/", &["a=1; Secure; Path=/"]);
        jar.store(&url("http://dash.example.com/"), "a=2; Path=/");
        assert_eq!(jar.get("a").map(|cookie| cookie.value.as_str()), Some("1"));
    }
}
