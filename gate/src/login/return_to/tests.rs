//! What leads elsewhere is refused, and what is kept leads nowhere else, as browsers resolve it.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::http::{HeaderLine, HttpUri};

/// Texts by the trick in them; none is an address that a login may return to.
const ATTACKS: &str = include_str!("attacks.json");

const PUBLIC: &str = "https://dash.example.com";
const OTHERS: [&str; 3] = ["https://app.example.com", "http://127.0.0.1:8080", "https://[2001:db8::1]:8443"];

fn with_destinations<R>(check: impl FnOnce(Destinations<'_>) -> R) -> R {
    let public_url = PublicUrl { text: PUBLIC.to_string(), uri: HttpUri::parse(PUBLIC).expect("is a URI") };
    let (origins, own_paths) = (OTHERS.map(String::from), OwnPaths::default());
    check(Destinations { public_url: &public_url, origins: &origins, own_paths: &own_paths })
}

fn read(text: &str) -> Option<String> {
    with_destinations(|destinations| destinations.read(text)).map(|address| address.as_str().to_string())
}

/// Where a request to `authority` for `path` returns to.
fn of_request(authority: &str, path: &str) -> String {
    let lines: [HeaderLine<'_>; 2] = [(b":authority", authority.as_bytes()), (b":path", path.as_bytes())];
    with_destinations(|destinations| destinations.of_request(&Request::new(&lines))).as_str().to_string()
}

fn attacks() -> Vec<String> {
    let classes: serde_json::Value = serde_json::from_str(ATTACKS).expect("is JSON");
    let classes = classes.as_object().expect("is an object").values();
    let texts = classes.flat_map(|class| class.as_array().expect("is a list"));
    texts.map(|text| text.as_str().expect("is a string").to_string()).collect()
}

#[test]
fn what_could_lead_elsewhere_is_refused() {
    let attacks = attacks();
    assert!(attacks.len() > 200);
    for attack in &attacks {
        assert_eq!(read(attack), None, "{attack:?}");
        let behind_origin = format!("{PUBLIC}{attack}");
        assert!(read(&behind_origin).is_none_or(|address| stays(&address)), "{behind_origin:?}");
        let address = of_request("dash.example.com", attack);
        assert!(stays(&address), "{attack:?} returns to {address}");
    }
    let elsewhere = attacks.iter().filter(|attack| !stays(attack)).count();
    assert!(elsewhere > 120, "a browser follows only {elsewhere} of them elsewhere");
}

#[test]
fn paths_with_a_query_are_kept() {
    for text in [
        "/",
        "/app/x.html?a=b&c=%2F%2Fd",
        "/app/",
        "/a:b/c@d/~e/-_.!$&'()*+,=",
        "/%C3%A9/%20?%C3%A9+%20",
        "/x?next=https://evil.example//y",
        "/x?//evil.example",
        "/x?a?b?c",
        "/?",
        "/d/1?left={%22a%22:[1|2]}^`",
        "/.well-known/x",
        "/..x/...",
        "/.jotgate/check",
        "/.jotgate/loginx",
        "/.jotgate/login/",
        "/.Jotgate/login",
        "https://app.example.com/",
        "https://app.example.com/x?y",
        "https://app.example.com/.jotgate/login",
        "http://127.0.0.1:8080/x",
        "https://[2001:db8::1]:8443/x",
    ] {
        assert_eq!(read(text).as_deref(), Some(text));
        assert!(stays(text), "{text}");
    }
}

#[test]
fn an_address_has_one_spelling() {
    for (text, address) in [
        ("https://dash.example.com", "/"),
        ("https://dash.example.com/", "/"),
        ("https://dash.example.com?x", "/?x"),
        ("https://dash.example.com/x?y", "/x?y"),
        ("https://app.example.com", "https://app.example.com/"),
        ("https://app.example.com?x", "https://app.example.com/?x"),
        ("/%7eu/%c3%a9?%7e", "/~u/%C3%A9?%7e"),
    ] {
        assert_eq!(read(text).as_deref(), Some(address), "{text}");
        assert_eq!(read(address).as_deref(), Some(address), "{text}, written and read");
    }
}

#[test]
fn a_login_does_not_return_to_where_it_would_be_sent_on() {
    for path in ["/.jotgate/login", "/.jotgate/callback", "/.jotgate/logout", "/.jotgate/%6cogout"] {
        for text in [path.to_string(), format!("{path}?returnTo=/x"), format!("{PUBLIC}{path}")] {
            assert_eq!(read(&text).as_deref(), Some("/"), "{text}");
        }
        assert_eq!(of_request("dash.example.com", path), "/");
    }
}

#[test]
fn long_addresses_lose_their_query_and_longer_ones_their_path() {
    let path = |octets: usize| format!("/{}", "a".repeat(octets - 1));
    let longest = path(MAX_OCTETS);
    assert_eq!(read(&longest), Some(longest.clone()));
    assert_eq!(read(&format!("{longest}?x")), Some(longest.clone()));
    assert_eq!(read(&format!("/a?{}", "b".repeat(MAX_OCTETS - 3))).map(|address| address.len()), Some(MAX_OCTETS));
    assert_eq!(read(&format!("/a?{}", "b".repeat(MAX_OCTETS - 2))).as_deref(), Some("/a"));
    assert_eq!(read(&path(MAX_OCTETS + 1)), None);
    assert_eq!(of_request("dash.example.com", &path(MAX_OCTETS + 1)), "/");
    let absolute = format!("{}{}", OTHERS[0], path(MAX_OCTETS - OTHERS[0].len()));
    assert_eq!(read(&absolute), Some(absolute.clone()));
    assert_eq!(read(&format!("{absolute}a")), None);
}

#[test]
fn a_request_returns_to_what_it_asked_for() {
    for (authority, path, address) in [
        ("dash.example.com", "/app?x=1", "/app?x=1"),
        ("DASH.example.com:443", "/app", "/app"),
        ("gate.internal:8080", "/app", "/app"),
        ("dash.example.com", "/app?x=\"", "/app"),
        ("dash.example.com", "/app?x=\\", "/app"),
        ("dash.example.com", "/app?x#y", "/app"),
        ("dash.example.com", "/app?\u{e9}", "/app"),
        ("dash.example.com", "//evil.example", "/"),
        ("dash.example.com", "*", "/"),
        ("dash.example.com", "", "/"),
        ("app.example.com", "/app?x=1", "https://app.example.com/app?x=1"),
        ("app.example.com:443", "/app", "https://app.example.com/app"),
        ("127.0.0.1:8080", "/", "http://127.0.0.1:8080/"),
        ("app.example.com:8443", "/app", "/app"),
        ("evil.example", "/app", "/app"),
        ("", "/app", "/app"),
    ] {
        assert_eq!(of_request(authority, path), address, "{authority}{path}");
    }
    let lines: [HeaderLine<'_>; 2] = [(b":path", b"/\xff?x"), (b":authority", b"dash.example.com")];
    assert_eq!(with_destinations(|destinations| destinations.of_request(&Request::new(&lines))), ReturnTo::default());
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn every_address_stays_and_is_read_again(
        text in "(https?://)?(dash\\.example\\.com|app\\.example\\.com|127\\.0\\.0\\.1:8080)?[/\\\\.:@%a-f0-9?#\t;\u{ff0f}]{0,12}",
    ) {
        for address in [read(&text), Some(of_request("app.example.com", &text))].into_iter().flatten() {
            proptest::prop_assert!(stays(&address), "{}", address);
            proptest::prop_assert_eq!(read(&address), Some(address.clone()));
        }
    }
}

/// Whether a browser at the public URL follows `location` to one of the origins that are allowed.
fn stays(location: &str) -> bool {
    resolve(location).is_some_and(|origin| origin == PUBLIC || OTHERS.contains(&origin.as_str()))
}

/// The origin of `location`, as browsers resolve it on the public URL (WHATWG URL §4.4); `None` for what has none. Names
/// outside ASCII are left as they are: none of them becomes one that is allowed.
fn resolve(location: &str) -> Option<String> {
    let text = location.trim_matches(|character| character <= ' ').replace(['\t', '\n', '\r'], "");
    let is_slash = |character: char| matches!(character, '/' | '\\');
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        let rest = text.strip_prefix(is_slash).and_then(|rest| rest.strip_prefix(is_slash));
        return rest.map_or(Some(PUBLIC.to_string()), |rest| origin("https", rest.trim_start_matches(is_slash)));
    };
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        // Special relative or authority state: on the scheme of the base, a URL may be relative all the same.
        "https" if !rest.starts_with("//") => {
            let rest = rest.strip_prefix(is_slash).and_then(|rest| rest.strip_prefix(is_slash));
            rest.map_or(Some(PUBLIC.to_string()), |rest| origin("https", rest.trim_start_matches(is_slash)))
        }
        "ftp" | "http" | "https" | "ws" | "wss" => origin(&scheme, rest.trim_start_matches(is_slash)),
        _ => None,
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

fn origin(scheme: &str, rest: &str) -> Option<String> {
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let server = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (server, ""),
    };
    let decoded: Vec<u8> = crate::http::spelling::unescape(host.replace('+', "%2B").as_bytes()).collect();
    let host = String::from_utf8(decoded).ok()?.to_lowercase().replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let port = match port {
        "" => None,
        digits => Some(digits.parse::<u16>().ok()?),
    };
    let default = if matches!(scheme, "http" | "ws") { 80 } else { 443 };
    let port = port.filter(|port| *port != default).map(|port| format!(":{port}")).unwrap_or_default();
    (!host.is_empty()).then(|| format!("{scheme}://{host}{port}"))
}
