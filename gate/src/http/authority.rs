//! Canonical authorities: the host that rules see is the host that routers and upstreams see (RFC 3986 §3.2, RFC 9110
//! §4.2.3).

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

/// A host, and perhaps a port, that every parser reads the same way: in lower case, without the ports of http and https.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority<'r>(Cow<'r, str>);

/// Why an authority could be read in more than one way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AmbiguousHost {
    /// Neither a name nor an IPv6 address in its one spelling.
    NotAHost,
    /// A port that rules for this host do not name.
    OtherPort,
    /// No port behind the colon, or an invalid one.
    Port,
    /// A dot at the end.
    TrailingDot,
    /// Something before an `@`.
    UserInformation,
}

impl<'r> Authority<'r> {
    /// The canonical form of an `:authority`.
    pub fn of(authority: &'r [u8]) -> Result<Self, AmbiguousHost> {
        if let Some(name) = plain(authority) {
            return Ok(Self(Cow::Borrowed(name)));
        }
        if authority.contains(&b'@') {
            return Err(AmbiguousHost::UserInformation);
        }
        let (host, port) = split(authority);
        if host.ends_with(b".") {
            return Err(AmbiguousHost::TrailingDot);
        }
        if !is_name(host) && !is_address(host) {
            return Err(AmbiguousHost::NotAHost);
        }
        let kept = match port {
            None => authority,
            Some(b"80" | b"443") => host,
            Some(port) if is_port(port) => authority,
            Some(_) => return Err(AmbiguousHost::Port),
        };
        let text = str::from_utf8(kept).map_err(|_| AmbiguousHost::NotAHost)?;
        Ok(Self(match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        }))
    }

    /// Host, and perhaps port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, by itself.
    pub(crate) fn into_text(self) -> Cow<'r, str> {
        self.0
    }

    /// Whether it has a port: one that is neither http's nor https's.
    pub fn has_port(&self) -> bool {
        split(self.0.as_bytes()).1.is_some()
    }
}

/// A name in lower case, without port: most are such, and this is one look at each byte.
fn plain(authority: &[u8]) -> Option<&str> {
    let mut before = b'.';
    let is_plain = authority.iter().all(|&byte| {
        let is_plain = match byte {
            b'.' => before != b'.',
            byte => byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
        };
        before = byte;
        is_plain
    });
    str::from_utf8(authority).ok().filter(|_| is_plain && before != b'.')
}

/// Host and port of an authority, as they stand there. `[::1]` has colons of its own.
pub(crate) fn split(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let at = authority.iter().rposition(|&byte| byte == b':');
    match at.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) if !port.contains(&b']') => (host, port.get(1..)),
        _ => (authority, None),
    }
}

/// Whether `port` is 1 to 65535, in its one spelling.
pub(crate) fn is_port(port: &[u8]) -> bool {
    let is_plain = matches!(port, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    is_plain && str::from_utf8(port).is_ok_and(|text| text.parse::<u16>().is_ok())
}

/// Whether `host` is a registered name, or an IPv4 address.
pub(crate) fn is_name(host: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.split(|&byte| byte == b'.').all(|label| !label.is_empty() && label.iter().all(is_plain))
}

/// An IPv6 address in its one canonical spelling (RFC 5952 §4): addresses are compared as texts, and in another one it
/// would be another host.
pub(crate) fn is_address(host: &[u8]) -> bool {
    let address = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let text = address.and_then(|address| str::from_utf8(address).ok()).unwrap_or_default();
    text.parse().is_ok_and(|address: Ipv6Addr| address.to_string().eq_ignore_ascii_case(text))
}

impl std::error::Error for AmbiguousHost {}

impl fmt::Display for AmbiguousHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAHost => "the host is neither a name nor an IPv6 address in its shortest form",
            Self::OtherPort => "the host has a port that no rule names for it",
            Self::Port => "the host has an empty or impossible port",
            Self::TrailingDot => "the host ends in a dot",
            Self::UserInformation => "the host has user information before an `@`",
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn canonical(authority: &str) -> Result<String, AmbiguousHost> {
        Authority::of(authority.as_bytes()).map(|authority| authority.as_str().to_string())
    }

    #[test]
    fn the_canonical_form_is_lower_case_without_the_ports_of_http_and_https() {
        for (authority, expected) in [
            ("a", "a"),
            ("api.example.com", "api.example.com"),
            ("API.Example.com:80", "api.example.com"),
            ("a-b_c.d:443", "a-b_c.d"),
            ("a:8443", "a:8443"),
            ("a:1", "a:1"),
            ("A:65535", "a:65535"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]"),
            ("[2001:DB8::A]:8080", "[2001:db8::a]:8080"),
            ("[::ffff:1.2.3.4]:443", "[::ffff:1.2.3.4]"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(canonical(authority).as_deref(), Ok(expected), "{authority}");
        }
    }

    #[test]
    fn authorities_that_parsers_read_differently_are_refused() {
        use AmbiguousHost::*;
        for (authority, problem) in [
            ("", NotAHost),
            ("u@a.b", UserInformation),
            ("u:p@a.b:80", UserInformation),
            ("@", UserInformation),
            ("a.", TrailingDot),
            ("a.:80", TrailingDot),
            ("a..", TrailingDot),
            (".", TrailingDot),
            ("a:", Port),
            ("[::1]:", Port),
            ("a:0", Port),
            ("a:080", Port),
            ("a:0443", Port),
            ("a:65536", Port),
            ("a:99999999999999999999", Port),
            ("a:+80", Port),
            ("a:8a", Port),
            ("a:-1", Port),
            ("a: 80", Port),
            ("a:80 ", Port),
            ("a:\u{ff18}", Port),
            ("a:80:80", NotAHost),
            ("a:80:", NotAHost),
            ("::1", NotAHost),
            (":80", NotAHost),
            ("a%2eb", NotAHost),
            ("a b", NotAHost),
            ("a,b", NotAHost),
            ("a/b", NotAHost),
            ("a\\b", NotAHost),
            ("a#b", NotAHost),
            ("a?b", NotAHost),
            (".a", NotAHost),
            ("a..b", NotAHost),
            ("\u{e9}.a", NotAHost),
            ("a\u{3002}b", NotAHost),
            ("a\0", NotAHost),
            ("[::1", NotAHost),
            ("[::1]x", NotAHost),
            ("[x]", NotAHost),
            ("[]", NotAHost),
            ("[0:0:0:0:0:0:0:1]", NotAHost),
            ("[::01]", NotAHost),
            ("[::ffff:102:304]", NotAHost),
            ("[::ffff:]", NotAHost),
            ("[::1%eth0]", NotAHost),
        ] {
            assert_eq!(canonical(authority), Err(problem), "{authority}");
        }
        assert_eq!(Authority::of(b"a\xff"), Err(NotAHost));
    }
}
