//! Who asks: a person whose browser shows the answer as a page, or anything else.

use crate::http::Request;
use crate::hygiene::overrides_method;

/// What becomes of the answer to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asker {
    /// A page that a form asked for: the request cannot be repeated.
    FormNavigation,
    /// A page that a person waits for.
    Navigation,
    /// A script, an image, a frame, a program: nothing that a person could log in with.
    Other,
}

/// What announces that nobody may ever see the answer (Fetch: `Sec-Purpose`); the others are older.
const SPECULATIVE: [&str; 4] = ["purpose", "sec-purpose", "x-moz", "x-purpose"];

impl Asker {
    /// The asker of `request`. What is odd is no browser's, and gets what programs get.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        match request.method() {
            b"" | b"CONNECT" => Self::Other,
            _ if !is_navigation(request) => Self::Other,
            b"GET" | b"HEAD" => Self::Navigation,
            _ => Self::FormNavigation,
        }
    }
}

fn is_navigation(request: &Request<'_>) -> bool {
    let is_there = |name: &str| request.lines(name).next().is_some();
    if request.is_upgrade()
        || request.is_grpc()
        || overrides_method(request)
        || SPECULATIVE.iter().any(|name| is_there(name))
    {
        return false;
    }
    match request.all_lines().any(|(name, _)| is_fetch_metadata(name)) {
        true => is_top_level(request),
        false => !is_there("x-requested-with") && request.only("accept").is_some_and(accepts_html),
    }
}

fn is_fetch_metadata(name: &[u8]) -> bool {
    name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"sec-fetch-"))
}

/// W3C Fetch Metadata §2: whether a window asks for its document, and not a frame in it.
fn is_top_level(request: &Request<'_>) -> bool {
    request.only("sec-fetch-mode") == Some(b"navigate")
        && request.only("sec-fetch-dest") == Some(b"document")
        && ["sec-fetch-site", "sec-fetch-user"].iter().all(|name| request.lines(name).count() < 2)
}

/// Whether an `Accept` lists `text/html` (RFC 9110 §12.5.1). Browsers' hold no quoted texts, so a comma is always one
/// between two media ranges.
fn accepts_html(accept: &[u8]) -> bool {
    let text = str::from_utf8(accept).ok().filter(|text| text.is_ascii() && !text.contains('"'));
    let ranges = text.unwrap_or_default().split(',').filter(|range| !range.trim_matches(BLANKS).is_empty());
    let ranges: Option<Vec<_>> = ranges.map(media_range).collect();
    let html = ranges.into_iter().flatten().filter(|(is_html, _)| *is_html);
    html.map(|(_, is_accepted)| is_accepted).min() == Some(true)
}

/// Whether a media range is `text/html`, and whether it is accepted. `None`: it is malformed.
fn media_range(range: &str) -> Option<(bool, bool)> {
    let mut parts = range.split(';').map(|part| part.trim_matches(BLANKS));
    let is_html = parts.next()?.eq_ignore_ascii_case("text/html");
    let mut weight = None;
    for part in parts {
        let (name, value) = part.split_once('=')?;
        if name.eq_ignore_ascii_case("q") && weight.replace(is_positive(value)?).is_some() {
            return None;
        }
    }
    Some((is_html, weight.unwrap_or(true)))
}

/// RFC 9110 §12.4.2: whether a weight is more than nothing. `None`: it is malformed.
fn is_positive(weight: &str) -> Option<bool> {
    let (whole, digits) = weight.split_once('.').unwrap_or((weight, ""));
    match whole {
        _ if digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) => None,
        "0" => Some(digits.bytes().any(|digit| digit != b'0')),
        "1" => digits.bytes().all(|digit| digit == b'0').then_some(true),
        _ => None,
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HeaderLine;

    const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
    const SAFARI: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    /// The asker of a request with these lines, one on each line of `lines`.
    fn asker(method: &str, lines: &str) -> Asker {
        let lines = lines.replace("CHROMIUM", CHROMIUM).replace("SAFARI", SAFARI);
        let named = lines.lines().map(str::trim).filter_map(|line| line.split_once(": "));
        let mut lines: Vec<HeaderLine<'_>> = named.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        lines.push((b":method", method.as_bytes()));
        Asker::of(&Request::new(&lines))
    }

    #[test]
    fn a_page_that_a_person_waits_for_is_a_navigation() {
        for (browser, lines) in [
            (
                "Chromium, a link",
                "accept: CHROMIUM
                upgrade-insecure-requests: 1
                sec-fetch-site: cross-site
                sec-fetch-mode: navigate
                sec-fetch-user: ?1
                sec-fetch-dest: document",
            ),
            (
                "Chromium, a page that goes on by itself",
                "accept: CHROMIUM
                sec-fetch-site: same-origin
                sec-fetch-mode: navigate
                sec-fetch-dest: document
                sec-fetch-storage-access: none",
            ),
            (
                "Firefox",
                "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
                sec-fetch-dest: document
                sec-fetch-mode: navigate
                sec-fetch-site: none
                sec-fetch-user: ?1
                priority: u=0, i",
            ),
            (
                "Safari",
                "accept: SAFARI
                sec-fetch-dest: document
                sec-fetch-mode: navigate
                sec-fetch-site: none",
            ),
            ("Safari before 16.4, and all over plain http", "accept: SAFARI"),
            ("no Accept, but metadata", "sec-fetch-mode: navigate\nsec-fetch-dest: document"),
            ("lynx", "accept: text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01"),
        ] {
            for method in ["GET", "HEAD"] {
                assert_eq!(asker(method, lines), Asker::Navigation, "{browser}, {method}");
            }
            for method in ["POST", "PUT"] {
                assert_eq!(asker(method, lines), Asker::FormNavigation, "{browser}, {method}");
            }
            assert_eq!(asker("", lines), Asker::Other, "{browser}, no method");
            assert_eq!(asker("CONNECT", lines), Asker::Other, "{browser}, CONNECT");
        }
    }

    #[test]
    fn nothing_else_is_a_navigation() {
        for (asker_name, lines) in [
            ("fetch", "accept: */*\nsec-fetch-site: same-origin\nsec-fetch-mode: cors\nsec-fetch-dest: empty"),
            ("a fetch that asks for HTML", "accept: text/html\nsec-fetch-mode: cors\nsec-fetch-dest: empty"),
            ("htmx", "accept: text/html, */*\nhx-request: true\nsec-fetch-mode: cors\nsec-fetch-dest: empty"),
            ("XHR of an old browser", "accept: SAFARI\nx-requested-with: XMLHttpRequest"),
            ("jQuery", "accept: application/json, text/javascript, */*; q=0.01"),
            ("an image", "accept: image/avif,image/webp,*/*;q=0.8\nsec-fetch-mode: no-cors\nsec-fetch-dest: image"),
            ("an image of an old browser", "accept: image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
            ("a frame", "accept: CHROMIUM\nsec-fetch-mode: navigate\nsec-fetch-dest: iframe"),
            ("an old frame", "accept: CHROMIUM\nsec-fetch-mode: navigate\nsec-fetch-dest: frame"),
            ("an embedded object", "accept: CHROMIUM\nsec-fetch-mode: navigate\nsec-fetch-dest: object"),
            ("a stylesheet", "accept: text/css,*/*;q=0.1\nsec-fetch-mode: no-cors\nsec-fetch-dest: style"),
            ("a worker", "accept: */*\nsec-fetch-mode: same-origin\nsec-fetch-dest: worker"),
            ("event-stream", "accept: text/event-stream\nsec-fetch-mode: cors\nsec-fetch-dest: empty"),
            ("a preload", "accept: */*\nsec-fetch-mode: no-cors\nsec-fetch-dest: document"),
            (
                "a prefetch",
                "accept: CHROMIUM\nsec-purpose: prefetch\nsec-fetch-mode: navigate\nsec-fetch-dest: document",
            ),
            (
                "a prerendering",
                "accept: CHROMIUM\nsec-purpose: prefetch;prerender\nsec-fetch-mode: navigate\nsec-fetch-dest: document",
            ),
            ("a prefetch of an old Chromium", "accept: CHROMIUM\npurpose: prefetch"),
            ("a prefetch of an old Firefox", "accept: SAFARI\nx-moz: prefetch"),
            ("a preview of an old Safari", "accept: SAFARI\nx-purpose: preview"),
            ("WebSocket", "upgrade: websocket\nconnection: Upgrade\nsec-fetch-mode: websocket\nsec-fetch-dest: empty"),
            ("a WebSocket with Accept", "accept: text/html\nupgrade: websocket"),
            ("gRPC", "accept: text/html\ncontent-type: application/grpc+proto"),
            ("curl", "accept: */*"),
            ("no header at all", ""),
            ("Go", "user-agent: Go-http-client/2.0\naccept-encoding: gzip"),
            ("kubectl", "accept: application/json, */*"),
            (
                "Prometheus",
                "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ),
            ("another method behind GET", "accept: SAFARI\nx-http-method-override: DELETE"),
        ] {
            for method in ["GET", "HEAD", "POST"] {
                assert_eq!(asker(method, lines), Asker::Other, "{asker_name}, {method}");
            }
        }
    }

    #[test]
    fn odd_metadata_is_no_navigation() {
        for lines in [
            "sec-fetch-mode: navigate",
            "sec-fetch-dest: document",
            "sec-fetch-site: none",
            "sec-fetch-user: ?1",
            "sec-fetch-: x",
            "Sec-Fetch-Anything: x",
            "sec-fetch-mode: navigate\nsec-fetch-mode: navigate\nsec-fetch-dest: document",
            "sec-fetch-mode: navigate\nsec-fetch-dest: document\nsec-fetch-dest: iframe",
            "sec-fetch-mode: navigate\nsec-fetch-dest: document\nsec-fetch-site: none\nsec-fetch-site: none",
            "sec-fetch-mode: navigate\nsec-fetch-dest: document\nsec-fetch-user: ?1\nsec-fetch-user: ?1",
            "sec-fetch-mode: Navigate\nsec-fetch-dest: document",
            "sec-fetch-mode: navigate\nsec-fetch-dest: document, iframe",
            "sec-fetch-mode: \"navigate\"\nsec-fetch-dest: \"document\"",
        ] {
            let lines = format!("accept: CHROMIUM\n{lines}");
            assert_eq!(asker("GET", &lines), Asker::Other, "{lines}");
        }
    }

    #[test]
    fn html_is_accepted_where_it_is_listed_and_has_weight() {
        for accept in [
            "text/html",
            "TEXT/HTML",
            " text/html\t;\tq=0.001",
            "text/html;q=1",
            "text/html;q=1.000",
            "text/html;Q=0.5",
            "text/html;q=0.5;ext=1",
            "text/html;level=1",
            "image/png;q=0,text/html",
            ",, text/html ,",
            "text/html, text/html;q=0.5",
        ] {
            assert!(accepts_html(accept.as_bytes()), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/*",
            "text/htmlx",
            "text/html+xml",
            "application/xhtml+xml",
            "x/text/html",
            "text / html",
            "text/html;q=0",
            "text/html;q=0.",
            "text/html;q=0.000",
            "text/html;q=0, */*",
            "text/html, text/html;q=0",
            "text/html;q=",
            "text/html;q=2",
            "text/html;q=-1",
            "text/html;q=+1",
            "text/html;q=1.1",
            "text/html;q=0.1234",
            "text/html;q=.5",
            "text/html;q=0.5;q=0.5",
            "text/html;q",
            "text/html;",
            "text/html, image/png;q=x",
            "a/b;c=\",text/html,\"",
            "text/html, a/b;c=\"\"",
            "text/html\u{a0}",
        ] {
            assert!(!accepts_html(accept.as_bytes()), "{accept}");
        }
        assert!(!accepts_html(b"text/html,\xff"));
        assert_eq!(asker("GET", "accept: text/html\naccept: text/html"), Asker::Other);
    }
}
