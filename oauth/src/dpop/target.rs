//! What a proof and a request are compared by: their URIs without query and fragment, normalised as RFC 3986 §6.2.2
//! and §6.2.3 have it (RFC 9449 §4.3).

/// The URI that a request was sent to, as its parts.
#[derive(Clone, Copy, Debug)]
pub struct Target<'r> {
    /// Whether its client sent it by `https` for certain.
    pub is_https: bool,
    /// Host and perhaps port, as the client sent them.
    pub authority: &'r [u8],
    /// Path, and whatever follows it.
    pub path: &'r [u8],
}

impl Target<'_> {
    /// Whether `uri` is this one. Where a proxy in front may have ended the client's `https`, it may be either.
    pub(super) fn is_that_of(&self, uri: &str) -> bool {
        let Some((scheme, rest)) = uri.split_once("://") else { return false };
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && (self.is_https || !scheme.eq_ignore_ascii_case("http")) {
            return false;
        }
        let rest = rest.as_bytes();
        let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
        let Some((authority, path)) = rest.split_at_checked(end) else { return false };
        let is_same = |one: Option<Vec<u8>>, other: Option<Vec<u8>>| one.is_some() && one == other;
        is_same(server(authority, is_https), server(self.authority, is_https))
            && is_same(path_of(path), path_of(self.path))
    }
}

/// The path in a URI as it is written, without query and fragment; an empty one is `/`.
pub(super) fn path_in(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let rest = rest.split(['?', '#']).next()?;
    Some(rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/"))
}

/// Host and port in one spelling; `None` for none, for user information, and for what no authority has.
fn server(authority: &[u8], is_https: bool) -> Option<Vec<u8>> {
    let authority = normalised(authority, |byte| b"[]:".contains(&byte))?.to_ascii_lowercase();
    let at = authority.iter().rposition(|&byte| byte == b':');
    let (host, port) = match at.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) if !port.contains(&b']') => (host, port.get(1..).unwrap_or_default()),
        _ => (authority.as_slice(), &b""[..]),
    };
    let default: &[u8] = if is_https { b"443" } else { b"80" };
    match (host, port) {
        (host, _) if host.is_empty() || (host.contains(&b':') && !host.ends_with(b"]")) => None,
        (host, port) if port.is_empty() || port == default => Some(host.to_vec()),
        (host, port) => Some([host, b":", port].concat()),
    }
}

/// The path in one spelling; `None` for what is no path of a URI with an authority.
fn path_of(path: &[u8]) -> Option<Vec<u8>> {
    let path = path.split(|byte| b"?#".contains(byte)).next().unwrap_or_default();
    if path.is_empty() {
        return Some(b"/".to_vec());
    }
    let path = normalised(path, |byte| b"/:@".contains(&byte))?;
    let mut segments = path.split(|&byte| byte == b'/');
    if segments.next() != Some(b"") {
        return None;
    }
    Some(without_dots(segments))
}

/// RFC 3986 §5.2.4.
fn without_dots<'p>(segments: impl Iterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut ends_in_dots = false;
    for segment in segments {
        ends_in_dots = matches!(segment, b"." | b"..");
        match segment {
            b"." => {}
            b".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if ends_in_dots {
        kept.push(b"");
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

/// `text` with escapes in capitals, and none for what needs none (RFC 3986 §6.2.2.1, §6.2.2.2); `None` if it has
/// something that is neither escaped, unreserved, a sub-delimiter, nor `also`.
fn normalised(text: &[u8], also: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut found = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            found.push(Some(byte).filter(|&byte| is_unreserved(byte) || b"!$&'()*+,;=".contains(&byte) || also(byte))?);
            continue;
        }
        let (digits, behind) = rest.split_first_chunk::<2>()?;
        rest = behind;
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        // INVARIANT: two digits of 16 make one octet.
        match u8::try_from(high? * 16 + low?).ok()? {
            octet if is_unreserved(octet) => found.push(octet),
            _ => found.extend([b'%', digits[0].to_ascii_uppercase(), digits[1].to_ascii_uppercase()]),
        }
    }
    Some(found)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn is(uri: &str, scheme: &str, authority: &str, path: &str) -> bool {
        Target { is_https: scheme == "https", authority: authority.as_bytes(), path: path.as_bytes() }.is_that_of(uri)
    }

    #[test]
    fn a_path_ends_where_a_query_or_a_fragment_begins() {
        for (uri, path) in [
            ("https://a/b//c/../d;e?f/g#h", "/b//c/../d;e"),
            ("https://a", "/"),
            ("https://a?b/c", "/"),
            ("https://a#b/c", "/"),
            ("https://a/#?", "/"),
        ] {
            assert_eq!(path_in(uri), Some(path), "{uri}");
        }
        assert_eq!(path_in("a"), None);
    }

    #[test]
    fn uris_are_equal_in_whatever_spelling() {
        for (uri, authority, path) in [
            ("https://api.example.com/orders", "api.example.com", "/orders"),
            ("HTTPS://API.Example.COM/orders", "api.example.com", "/orders"),
            ("https://api.example.com/orders", "API.example.com", "/orders"),
            ("https://api.example.com:443/orders", "api.example.com", "/orders"),
            ("https://api.example.com:/orders", "api.example.com", "/orders"),
            ("https://api.example.com/orders", "api.example.com:443", "/orders"),
            ("https://api.example.com:8443/orders", "api.example.com:8443", "/orders"),
            ("https://api.example.com", "api.example.com", "/"),
            ("https://api.example.com/", "api.example.com", ""),
            ("https://api.example.com/orders?a=b", "api.example.com", "/orders?c=d"),
            ("https://api.example.com/orders#x", "api.example.com", "/orders"),
            ("https://api.example.com?a", "api.example.com", "/?b"),
            ("https://api.example.com/%7Ea/%2d", "api.example.com", "/~a/-"),
            ("https://api.example.com/a%2fb", "api.example.com", "/a%2Fb"),
            ("https://api.example.com/x/../orders", "api.example.com", "/orders"),
            ("https://api.example.com/x/%2e%2E/orders/.", "api.example.com", "/orders/"),
            ("https://api.example.com/../../orders", "api.example.com", "/./orders"),
            ("https://api.example.com/a/..", "api.example.com", "/"),
            ("https://api.example.com/a//b", "api.example.com", "/a//b"),
            ("https://ex%61mple.com/", "example.com", "/"),
            ("https://[::1]:443/", "[::1]", "/"),
            ("https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443", "/"),
            ("https://a_b.example.com/@x:y;z=1,2", "a_b.example.com", "/@x:y;z=1,2"),
        ] {
            assert!(is(uri, "https", authority, path), "{uri} {authority} {path}");
            // Somebody in front may have ended TLS.
            assert!(is(uri, "http", authority, path), "{uri} {authority} {path}");
        }
        assert!(is("http://api.example.com:80/", "http", "api.example.com", "/"));
        assert!(is("http://api.example.com/", "http", "api.example.com:80", "/"));
    }

    #[test]
    fn other_uris_are_others() {
        for (uri, authority, path) in [
            ("", "api.example.com", "/"),
            ("/orders", "api.example.com", "/orders"),
            ("//api.example.com/orders", "api.example.com", "/orders"),
            ("https:api.example.com/orders", "api.example.com", "/orders"),
            ("https:/api.example.com/orders", "api.example.com", "/orders"),
            ("https:///api.example.com/orders", "api.example.com", "/orders"),
            ("https:\\\\api.example.com/orders", "api.example.com", "/orders"),
            (" https://api.example.com/orders", "api.example.com", "/orders"),
            ("https://api.example.com/orders ", "api.example.com", "/orders"),
            ("ftp://api.example.com/orders", "api.example.com", "/orders"),
            ("wss://api.example.com/orders", "api.example.com", "/orders"),
            ("http://api.example.com/orders", "api.example.com", "/orders"),
            ("https://api.example.com/order", "api.example.com", "/orders"),
            ("https://api.example.com/orders/", "api.example.com", "/orders"),
            ("https://api.example.com/Orders", "api.example.com", "/orders"),
            ("https://api.example.com/orders/1", "api.example.com", "/orders"),
            ("https://api.example.com/a/b", "api.example.com", "/a%2Fb"),
            ("https://api.example.com/a%252Fb", "api.example.com", "/a%2Fb"),
            ("https://api.example.com/a/b", "api.example.com", "/a//b"),
            ("https://api.example.com//a", "api.example.com", "/a"),
            ("https://api.example.com/a%3Fb", "api.example.com", "/a?b"),
            ("https://api.example.com/a%23b", "api.example.com", "/a"),
            ("https://api.example.com/a;b", "api.example.com", "/a"),
            ("https://api.example.com/a\\b", "api.example.com", "/a\\b"),
            ("https://api.example.com/a\0", "api.example.com", "/a"),
            ("https://api.example.com/%", "api.example.com", "/%"),
            ("https://api.example.com/%4", "api.example.com", "/%4"),
            ("https://api.example.com/%zz", "api.example.com", "/%zz"),
            ("https://api.example.com/\u{e9}", "api.example.com", "/\u{e9}"),
            ("https://api.example.com/*", "api.example.com", "*"),
            ("https://api.example.com.evil.com/", "api.example.com", "/"),
            ("https://evil.com/api.example.com/", "api.example.com", "/"),
            ("https://api.example.com@evil.com/", "api.example.com", "/"),
            ("https://evil.com@api.example.com/", "api.example.com", "/"),
            ("https://user:pw@api.example.com/", "user:pw@api.example.com", "/"),
            ("https://api.example.com#@evil.com/", "evil.com", "/"),
            ("https://api.example.com?.evil.com/", "api.example.com.evil.com", "/"),
            ("https://api.example.com./", "api.example.com", "/"),
            ("https://api.example.com:80/", "api.example.com", "/"),
            ("https://api.example.com/", "api.example.com:80", "/"),
            ("https://api.example.com:0443/", "api.example.com", "/"),
            ("https://api.example.com:8443/", "api.example.com", "/"),
            ("https://api.example.com:443:443/", "api.example.com", "/"),
            ("https://api.example.com%3A443/", "api.example.com:443", "/"),
            ("https://api.example.com%2F/", "api.example.com", "/"),
            ("https://api.example.com%00/", "api.example.com", "/"),
            ("https://api\u{3002}example.com/", "api.example.com", "/"),
            ("https:///", "", "/"),
            ("https://:443/", "", "/"),
            ("https://::/", "::", "/"),
            ("https://[::1/", "[::1]", "/"),
            ("https://[0:0:0:0:0:0:0:1]/", "[::1]", "/"),
        ] {
            assert!(!is(uri, "https", authority, path), "{uri} {authority} {path}");
        }
        assert!(!is("http://api.example.com:443/", "http", "api.example.com", "/"));
        assert!(!is("http://api.example.com/", "http", "api.example.com:443", "/"));
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::collection::vec;
        use proptest::prelude::*;

        use super::super::{is_unreserved, path_of, server};
        use super::is;

        /// Characters of a path, escapes among them, in one spelling.
        const PIECES: [&str; 14] = ["/", "a", "B", "7", "-", "~", "%2F", "%25", "%C3%A4", ";", "=", ":", "@", ".x"];

        /// Writes `path` in another way: escapes for what needs none, digits in lower case, segments that say nothing.
        fn respelled(path: &str, choices: &[u8]) -> String {
            let mut choices = choices.iter().cycle();
            let mut choose = || choices.next().copied().unwrap_or_default() % 4;
            let mut text = String::new();
            for byte in path.bytes() {
                match (byte, choose()) {
                    (b'/', 0) => text.push_str("/./"),
                    (b'/', 1) => text.push_str("/x/%2e%2E/"),
                    (b'A'..=b'F', 2) if text.ends_with('%') => text.push(char::from(byte.to_ascii_lowercase())),
                    (byte, 3) if is_unreserved(byte) && !is_in_escape(&text) => text.extend(escape(byte)),
                    (byte, _) => text.push(char::from(byte)),
                }
            }
            text
        }

        fn escape(byte: u8) -> impl Iterator<Item = char> {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
            ['%', digit(byte >> 4), digit(byte & 15)].into_iter()
        }

        /// Whether the next character is a digit of an escape.
        fn is_in_escape(text: &str) -> bool {
            text.bytes().rev().take(2).any(|byte| byte == b'%')
        }

        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn what_is_normal_stays(path in vec(prop::sample::select(&PIECES[..]), 0..12), tail in "[.%/a-f0-9]{0,6}") {
                let path = ["/", &path.concat(), &tail].concat();
                if let Some(normal) = path_of(path.as_bytes()) {
                    prop_assert_eq!(path_of(&normal), Some(normal.clone()), "{}", path);
                }
                if let Some(normal) = server(path.trim_matches('/').as_bytes(), true) {
                    prop_assert_eq!(server(&normal, true), Some(normal.clone()), "{}", path);
                }
            }

            #[test]
            fn another_spelling_is_the_same_uri(
                path in vec(prop::sample::select(&PIECES[..]), 0..12),
                choices in vec(any::<u8>(), 1..40),
                other in prop::sample::select(&PIECES[1..]),
            ) {
                let path = ["/", &path.concat()].concat();
                let spelled = respelled(&path, &choices);
                let uri = ["HTTPS://API.example.com:443", &spelled, "?q#f"].concat();
                prop_assert!(is(&uri, "https", "api.example.com", &path), "{} {}", uri, path);
                prop_assert!(is(&["https://api.example.com", &path].concat(), "https", "api.example.com", &spelled));
                // One more character is another URI.
                prop_assert!(!is(&uri, "https", "api.example.com", &[&path, other].concat()), "{} {}", uri, path);
            }
        }
    }
}
