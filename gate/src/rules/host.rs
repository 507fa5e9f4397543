//! Hosts: without case, port and trailing dot (RFC 9110 §4.2.3).

use std::net::Ipv6Addr;

/// `api.example.com`, or `*.example.org` for one or more labels in front.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    /// In lower case. For a wildcard: with its leading dot.
    name: String,
    is_wildcard: bool,
}

impl HostPattern {
    /// Reads a pattern; `Err` says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let (name, is_wildcard) = match pattern.strip_prefix("*.") {
            Some(apex) => (apex, true),
            None => (pattern, false),
        };
        let is_address = is_address(name.as_bytes()) && !is_wildcard;
        if !is_address && !is_name(name.as_bytes()) {
            return Err("is not a host: expected a name such as `api.example.com` or `*.example.com`, or an address \
                        such as `[2001:db8::1]` in its shortest form, without port, path and trailing dot"
                .to_string());
        }
        let dot = if is_wildcard { "." } else { "" };
        Ok(Self { name: format!("{dot}{}", name.to_ascii_lowercase()), is_wildcard })
    }

    /// Whether `authority` (host, perhaps with a port) is one of these hosts.
    pub fn matches(&self, authority: &[u8]) -> bool {
        let host = name_of(authority);
        if !self.is_wildcard {
            return host.eq_ignore_ascii_case(self.name.as_bytes());
        }
        // Something stands before the dot, and it is no empty label.
        let Some(labels) = host.len().checked_sub(self.name.len()).filter(|&length| length > 0) else { return false };
        host.split_at_checked(labels).is_some_and(|(labels, apex)| {
            apex.eq_ignore_ascii_case(self.name.as_bytes())
                && labels.split(|&byte| byte == b'.').all(|label| !label.is_empty())
        })
    }
}

impl HostPattern {
    /// The one host that this is, in lower case; none for a wildcard.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.is_wildcard).then_some(self.name.as_str())
    }

    /// Whether this matches every host that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.is_wildcard, other.is_wildcard) {
            (true, true) => other.name.ends_with(&self.name),
            (true, false) => self.matches(other.name.as_bytes()),
            (false, true) => false,
            (false, false) => self.name == other.name,
        }
    }
}

/// Whether `authority` is a host that every parser reads the same way: a name or an IPv6 address, and perhaps a port.
///
/// Some drop what stands before an `@`, some what is no port behind a colon; rules on hosts cannot serve both.
pub(crate) fn is_plain(authority: &[u8]) -> bool {
    let host = name_of(authority);
    is_name(host) || is_address(host)
}

fn is_name(host: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.split(|&byte| byte == b'.').all(|label| !label.is_empty() && label.iter().all(is_plain))
}

/// An IPv6 address in its one canonical spelling (RFC 5952 §4): addresses are compared as texts, and in another one it
/// would be another host.
fn is_address(host: &[u8]) -> bool {
    let address = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let text = address.and_then(|address| str::from_utf8(address).ok()).unwrap_or_default();
    text.parse().is_ok_and(|address: Ipv6Addr| address.to_string().eq_ignore_ascii_case(text))
}

/// The host in `authority`, without port and trailing dot.
pub(super) fn name_of(authority: &[u8]) -> &[u8] {
    let port = authority.iter().rposition(|&byte| byte == b':');
    let host = match port.and_then(|at| authority.split_at_checked(at)) {
        // `[::1]` has colons of its own; a port has digits only.
        Some((host, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => host,
        _ => authority,
    };
    host.strip_suffix(b".").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn hosts_match_without_case_port_and_trailing_dot() {
        let matches =
            |pattern: &str, authority: &str| HostPattern::parse(pattern).expect(pattern).matches(authority.as_bytes());
        for authority in ["api.example.com", "API.Example.COM:8443", "api.example.com.", "api.example.com.:80"] {
            assert!(matches("Api.example.com", authority), "{authority}");
        }
        for authority in
            ["example.com", "xapi.example.com", "api.example.com.evil", "api.example.com:8a", "", "api.example.com.."]
        {
            assert!(!matches("api.example.com", authority), "{authority}");
        }
        assert!(matches("[::1]", "[::1]:80") && matches("[::1]", "[::1]"));
    }

    #[test]
    fn authorities_that_parsers_read_differently_are_not_plain() {
        for plain in [
            "a",
            "a.b.c",
            "A-b_c.d:80",
            "a.:80",
            "a.",
            "[::1]",
            "[::ffff:1.2.3.4]:443",
            "[2001:DB8::a]",
            "127.0.0.1",
            "a:",
        ] {
            assert!(is_plain(plain.as_bytes()), "{plain}");
        }
        for odd in [
            "",
            "u@a.b",
            "a..",
            "a:8a",
            "a:80:80",
            "a%2eb",
            "a b",
            "[::1",
            "[x]",
            "a/b",
            "a\\b",
            ".a",
            "\u{e9}.a",
            ":80",
            "[]",
            "[0:0:0:0:0:0:0:1]",
            "[::01]",
            "[::ffff:102:304]",
            "[::ffff:]",
            "[::1%eth0]",
        ] {
            assert!(!is_plain(odd.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn a_wildcard_is_one_or_more_labels_and_not_the_apex() {
        let matches =
            |authority: &str| HostPattern::parse("*.example.org").expect("is a host").matches(authority.as_bytes());
        assert!(matches("a.example.org") && matches("a.B.example.org:1") && matches("a.EXAMPLE.org."));
        assert!(
            !matches("example.org")
                && !matches(".example.org")
                && !matches("aexample.org")
                && !matches("a..example.org")
        );
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        let covers = |wide: &str, narrow: &str| {
            let parse = |pattern| HostPattern::parse(pattern).expect("is a host");
            parse(wide).covers(&parse(narrow))
        };
        assert!(covers("a.example.org", "A.example.org") && covers("*.example.org", "a.b.example.org"));
        assert!(covers("*.example.org", "*.example.org") && covers("*.example.org", "*.a.example.org"));
        assert!(!covers("*.example.org", "example.org") && !covers("*.a.example.org", "*.example.org"));
        assert!(!covers("a.example.org", "*.example.org") && !covers("*.example.org", "*.badexample.org"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for pattern in [
            "",
            "*",
            "*.",
            "a*.example.com",
            "*.*.example.com",
            "example.com:80",
            "example.com.",
            "exa mple",
            "example.com/",
            "https://example.com",
            "[0:0::1]",
        ] {
            assert!(HostPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
