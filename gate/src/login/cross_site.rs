//! Requests that another site has a browser send. Browsers send cookies with them, so a credential from a cookie alone
//! is no sign that the person wanted what is asked for.

use super::origin::is_same_server;
use crate::http::Request;
use crate::hygiene::overrides_method;
use crate::policy::{CrossSite, PublicUrl};

/// Whether `request`, whose credential came from a cookie, is refused: it may change something, and does not come from
/// a page of its own origin, nor of one that is excepted.
pub(crate) fn is_refused(request: &Request<'_>, cross_site: &CrossSite, public_url: Option<&PublicUrl>) -> bool {
    match cross_site {
        CrossSite::Allow => false,
        CrossSite::Refuse { .. } if is_safe(request) => false,
        CrossSite::Refuse { origins } => !comes_from_own_site(request, origins, public_url),
    }
}

/// Whether nothing is changed (RFC 9110 §9.2.1). A `WebSocket` carries anything, and is a GET or, over HTTP/2, a
/// CONNECT. A script of another origin asks before it overrides a method; but not every client is a browser.
fn is_safe(request: &Request<'_>) -> bool {
    matches!(request.method(), b"GET" | b"HEAD" | b"OPTIONS") && !request.is_upgrade() && !overrides_method(request)
}

/// W3C Fetch Metadata §2.3, and RFC 6454 §7 where a browser does not send that: before 2023, over plain http, and for
/// the `WebSockets` of some. Both are set by the browser, out of the reach of scripts.
fn comes_from_own_site(request: &Request<'_>, excepted: &[String], public_url: Option<&PublicUrl>) -> bool {
    let (Ok(site), Ok(origin)) = (at_most_one(request, "sec-fetch-site"), at_most_one(request, "origin")) else {
        return false;
    };
    let is_excepted = |origin: &[u8]| excepted.iter().any(|excepted| excepted.as_bytes() == origin);
    match (site, origin) {
        (Some(b"same-origin" | b"none"), _) | (None, None) => true,
        (Some(b"cross-site" | b"same-site"), Some(origin)) => is_excepted(origin),
        (Some(_), _) => false,
        (None, Some(origin)) => is_excepted(origin) || is_own(origin, request, public_url),
    }
}

/// The value of a header that may be there once; `Err` if it is there more than once.
fn at_most_one<'r>(request: &Request<'r>, name: &str) -> Result<Option<&'r [u8]>, ()> {
    let found = request.only(name);
    if found.is_none() && request.lines(name).next().is_some() { Err(()) } else { Ok(found) }
}

/// Whether `origin` is that of the server that is asked: the one of `publicUrl`, whatever name the proxies in front
/// gave it. Other hosts behind the same gate are known by their names.
fn is_own(origin: &[u8], request: &Request<'_>, public_url: Option<&PublicUrl>) -> bool {
    match public_url {
        Some(public) if origin == public.text.as_bytes() => true,
        Some(public) if public.is_host_of(request) => false,
        _ => is_same_server(origin, request),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::{HeaderLine, HttpUri};

    const PUBLIC: &str = "https://dash.example.com";
    const EXCEPTED: &str = "https://tools.example.net";

    /// Whether a request with these lines, separated by `|`, is refused.
    fn refuses(lines: &str, public_url: Option<&str>) -> bool {
        let lines: Vec<HeaderLine<'_>> = lines
            .split('|')
            .filter_map(|line| line.split_once("= "))
            .map(|(name, value)| (name.trim().as_bytes(), value.trim().as_bytes()))
            .collect();
        let public =
            public_url.map(|text| PublicUrl { text: text.to_string(), uri: HttpUri::parse(text).expect("is a URI") });
        let cross_site = CrossSite::Refuse { origins: vec![EXCEPTED.to_string()] };
        let request = Request::new(&lines);
        assert!(!is_refused(&request, &CrossSite::Allow, public.as_ref()));
        is_refused(&request, &cross_site, public.as_ref())
    }

    #[test]
    fn what_changes_nothing_passes_from_anywhere() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let lines = format!(":method= {method} | sec-fetch-site= cross-site | origin= https://evil.example");
            assert!(!refuses(&lines, Some(PUBLIC)) && !refuses(&lines, None), "{method}");
        }
        for lines in [
            ":method= POST",
            ":method= PUT",
            ":method= DELETE",
            ":method= PATCH",
            ":method= get",
            ":method= QUERY",
            ":method= ",
            ":method= GET | x-http-method-override= POST",
            ":method= GET | X_HTTP_Method= DELETE",
            ":method= GET | upgrade= websocket | connection= Upgrade",
            ":method= GET | Upgrade= x",
            ":method= CONNECT | :protocol= websocket",
        ] {
            let lines = format!("{lines} | sec-fetch-site= cross-site | origin= https://evil.example");
            assert!(refuses(&lines, Some(PUBLIC)) && refuses(&lines, None), "{lines}");
        }
    }

    #[test]
    fn the_site_that_the_browser_names_decides() {
        for (lines, expected) in [
            ("sec-fetch-site= same-origin", false),
            ("sec-fetch-site= none", false),
            // A page without referrers sends no origin to its own, either.
            ("sec-fetch-site= same-origin | origin= null", false),
            ("sec-fetch-site= same-site", true),
            ("sec-fetch-site= cross-site", true),
            ("sec-fetch-site= same-site | origin= https://dash.example.com", true),
            ("sec-fetch-site= cross-site | origin= https://dash.example.com", true),
            ("sec-fetch-site= cross-site | origin= null", true),
            ("sec-fetch-site= cross-site | origin= https://tools.example.net", false),
            ("sec-fetch-site= same-site | origin= https://tools.example.net", false),
            ("sec-fetch-site= cross-site | origin= https://tools.example.net.evil.example", true),
            ("sec-fetch-site= ", true),
            ("sec-fetch-site= Same-Origin", true),
            ("sec-fetch-site= same-origin, none", true),
            ("sec-fetch-site= \"none\"", true),
            ("sec-fetch-site= elsewhere | origin= https://tools.example.net", true),
            ("sec-fetch-site= none | sec-fetch-site= none", true),
            ("sec-fetch-site= none | Sec-Fetch-Site= cross-site", true),
            ("sec-fetch-site= same-origin | origin= https://a | origin= https://a", true),
        ] {
            let lines = format!(":method= POST | :authority= dash.example.com | {lines}");
            assert_eq!(refuses(&lines, Some(PUBLIC)), expected, "{lines}");
            assert_eq!(refuses(&lines, None), expected, "{lines}");
        }
    }

    #[test]
    fn without_it_the_origin_is_that_of_the_public_url() {
        for (lines, expected) in [
            ("", false),
            ("origin= https://dash.example.com", false),
            ("origin= https://tools.example.net", false),
            ("origin= ", true),
            ("origin= null", true),
            ("origin= http://dash.example.com", true),
            ("origin= https://dash.example.com:443", true),
            ("origin= https://dash.example.com:8443", true),
            ("origin= https://dash.example.com/", true),
            ("origin= https://dash.example.com.evil.example", true),
            ("origin= https://dash.example.com@evil.example", true),
            ("origin= https://evil.example", true),
            ("origin= https://app.example.com", true),
            ("origin= https://dash.example.com https://evil.example", true),
            ("origin= https://dash.example.com, https://evil.example", true),
            ("origin= https://dash.example.com | origin= https://dash.example.com", true),
            ("origin= https://dash.example.com | origin= null", true),
        ] {
            // The last is what a proxy in front may make of the host.
            for host in ["dash.example.com", "DASH.example.com:443", "dash.example.com:8443", "gate.internal:8080"] {
                let lines = format!(":method= GET | upgrade= websocket | :scheme= http | :authority= {host} | {lines}");
                assert_eq!(refuses(&lines, Some(PUBLIC)), expected, "{lines}");
            }
        }
    }

    #[test]
    fn a_host_without_public_url_is_its_own_origin() {
        for (asked, origin, expected) in [
            ("http://app.example.com", "http://app.example.com", false),
            ("http://app.example.com:80", "http://app.example.com", false),
            ("http://App.example.com:8080", "http://app.example.com:8080", false),
            ("https://app.example.com", "https://app.example.com", false),
            ("https://app.example.com:443", "https://app.example.com", false),
            // TLS ended in front.
            ("http://app.example.com", "https://app.example.com", false),
            ("http://[::1]:8080", "http://[::1]:8080", false),
            ("https://app.example.com", "http://app.example.com", true),
            ("https://app.example.com:80", "http://app.example.com", true),
            ("https://app.example.com:80", "https://app.example.com", true),
            ("http://app.example.com:443", "http://app.example.com", true),
            ("http://app.example.com:8080", "http://app.example.com:8081", true),
            ("http://app.example.com:8080", "http://app.example.com", true),
            ("http://app.example.com", "http://app.example.com:8080", true),
            ("http://app.example.com", "http://app.example.com.evil.example", true),
            ("http://app.example.com", "http://evil.example", true),
            ("http://app.example.com", "app.example.com", true),
            ("http://app.example.com", "ftp://app.example.com", true),
            ("http://app.example.com", "HTTP://app.example.com", true),
            ("http://", "http://", true),
            ("http://:80", "http://", true),
            ("http://app.example.com", "null", true),
        ] {
            let (scheme, authority) = asked.split_once("://").expect("has a scheme");
            let lines = format!(":method= POST | :scheme= {scheme} | :authority= {authority} | origin= {origin}");
            assert_eq!(refuses(&lines, None), expected, "{lines}");
            assert_eq!(refuses(&lines, Some(PUBLIC)), expected, "{lines}");
        }
    }
}
