//! Hosts of rules: without case, and without port unless they name one (RFC 9110 §4.2.3).

use crate::http::authority::{is_address, is_name, is_port, split};

/// `api.example.com`, or `*.example.org` for one or more labels in front; with `:8443` for that port, with `:*` for any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    /// In lower case. For a wildcard: with its leading dot.
    name: String,
    is_wildcard: bool,
    port: Port,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Port {
    /// Any, and none.
    Any,
    /// None: that of http or https.
    Default,
    /// This one, as it is written.
    This(String),
}

impl HostPattern {
    /// Reads a pattern; `Err` says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let (host, port) = split(pattern.as_bytes());
        let port = port.map_or(Ok(Port::Default), Port::parse)?;
        let host = pattern.get(..host.len()).unwrap_or_default();
        let (name, is_wildcard) = match host.strip_prefix("*.") {
            Some(apex) => (apex, true),
            None => (host, false),
        };
        let is_address = is_address(name.as_bytes()) && !is_wildcard;
        if !is_address && !is_name(name.as_bytes()) {
            return Err("is not a host: expected a name such as `api.example.com` or `*.example.com`, or an address \
                        such as `[2001:db8::1]` in its shortest form, perhaps with a port such as `:8443` or `:*`, \
                        without path and trailing dot"
                .to_string());
        }
        let dot = if is_wildcard { "." } else { "" };
        Ok(Self { name: format!("{dot}{}", name.to_ascii_lowercase()), is_wildcard, port })
    }

    /// Whether `authority`, in its canonical form, is one of these hosts.
    pub fn matches(&self, authority: &[u8]) -> bool {
        let (host, port) = split(authority);
        self.port.matches(port) && self.is(host)
    }

    /// Likewise, whatever its port, and in another form, too.
    pub fn names(&self, authority: &[u8]) -> bool {
        self.is(name_of(authority))
    }

    fn is(&self, host: &[u8]) -> bool {
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
    /// The one name that this is, in lower case; none for a wildcard.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.is_wildcard).then_some(self.name.as_str())
    }

    /// A name that this matches, in lower case and without a port.
    pub(super) fn example(&self) -> String {
        let label = if self.is_wildcard { "x" } else { "" };
        format!("{label}{}", self.name)
    }

    /// Whether this matches every host that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        let covers_name = match (self.is_wildcard, other.is_wildcard) {
            (true, true) => other.name.ends_with(&self.name),
            (true, false) => self.names(other.name.as_bytes()),
            (false, true) => false,
            (false, false) => self.name == other.name,
        };
        covers_name && (self.port == Port::Any || self.port == other.port)
    }
}

impl Port {
    fn parse(port: &[u8]) -> Result<Self, String> {
        match port {
            b"*" => Ok(Self::Any),
            b"80" | b"443" => Err("names a port that hosts are compared without: write the host alone".to_string()),
            port if is_port(port) => Ok(Self::This(String::from_utf8_lossy(port).into_owned())),
            _ => Err("has an invalid port: expected 1 to 65535, or `*`".to_string()),
        }
    }

    fn matches(&self, port: Option<&[u8]>) -> bool {
        match self {
            Self::Any => true,
            Self::Default => port.is_none(),
            Self::This(this) => port == Some(this.as_bytes()),
        }
    }
}

/// Whether `authority` names a host, whatever its port is and whether it ends in a dot.
pub(crate) fn is_plain(authority: &[u8]) -> bool {
    let host = name_of(authority);
    is_name(host) || is_address(host)
}

/// The host in `authority`, without port and trailing dot.
pub(super) fn name_of(authority: &[u8]) -> &[u8] {
    let (host, _) = split(authority);
    host.strip_suffix(b".").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn matches(pattern: &str, authority: &str) -> bool {
        HostPattern::parse(pattern).expect(pattern).matches(authority.as_bytes())
    }

    #[test]
    fn hosts_match_without_case_and_with_the_port_that_they_name() {
        for authority in ["api.example.com", "API.Example.COM"] {
            assert!(matches("Api.example.com", authority), "{authority}");
            assert!(matches("Api.example.com:*", authority), "{authority}");
            assert!(!matches("Api.example.com:8443", authority), "{authority}");
        }
        for authority in ["example.com", "xapi.example.com", "api.example.com.evil", "api.example.com:8443", ""] {
            assert!(!matches("api.example.com", authority), "{authority}");
        }
        assert!(
            matches("api.example.com:8443", "API.example.com:8443") && matches("a:*", "a:1") && matches("a:*", "a")
        );
        assert!(!matches("api.example.com:8443", "api.example.com:844") && !matches("a:*", "b:1"));
        assert!(matches("[::1]", "[::1]") && !matches("[::1]", "[::1]:8080") && matches("[::1]:8080", "[::1]:8080"));
        assert!(matches("*.a:8443", "b.a:8443") && !matches("*.a:8443", "b.a") && !matches("*.a", "b.a:8443"));
    }

    #[test]
    fn a_wildcard_is_one_or_more_labels_and_not_the_apex() {
        let matches = |authority: &str| matches("*.example.org", authority);
        assert!(matches("a.example.org") && matches("a.B.example.org") && matches("a.EXAMPLE.org"));
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
        assert!(covers("a:*", "a") && covers("a:*", "a:1") && covers("*.a:*", "b.a:1") && covers("a:1", "a:1"));
        assert!(!covers("a", "a:*") && !covers("a", "a:1") && !covers("a:1", "a") && !covers("a:1", "a:2"));
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
            "example.com:443",
            "example.com:",
            "example.com:0",
            "example.com:08443",
            "example.com:65536",
            "example.com:*1",
            "*:8443",
            "example.com.:8443",
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
