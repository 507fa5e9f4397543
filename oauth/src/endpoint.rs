//! The URIs of endpoints (RFC 6749 §3).

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use crate::form::{Form, Parameters};

/// A checked absolute URI: `https` or `http`, a host, perhaps a port, path and query; no user information and no
/// fragment (RFC 6749 §3.1, §3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    text: String,
}

impl Endpoint {
    /// Checks `text`.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (authority, _) = split(text).ok_or(EndpointError::Scheme)?;
        // A quote would end the text in a challenge, a brace is a template's.
        if !text.bytes().all(|byte| byte.is_ascii_graphic())
            || text.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}'])
        {
            return Err(EndpointError::Character);
        }
        if text.contains('#') {
            return Err(EndpointError::Fragment);
        }
        match is_authority(authority) {
            true => Ok(Self { text: text.to_string() }),
            false => Err(EndpointError::Authority),
        }
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Host and perhaps port.
    pub fn authority(&self) -> &str {
        split(&self.text).map_or("", |(authority, _)| authority)
    }

    /// Path and query, from the first `/` on.
    pub fn path(&self) -> Cow<'_, str> {
        let (_, path) = split(&self.text).unwrap_or_default();
        if path.starts_with('/') { path.into() } else { ["/", path].concat().into() }
    }

    /// Whether the query of the URI has one of `names` (an endpoint's own query stays, and no parameter may occur
    /// twice: RFC 6749 §3.1).
    pub(crate) fn query_has(&self, is_taken: impl Fn(&str) -> bool) -> bool {
        let Some((_, query)) = self.text.split_once('?') else { return false };
        // A query that cannot be read could have any name.
        Parameters::parse(query.as_bytes()).map_or(true, |parameters| parameters.names().any(is_taken))
    }

    /// The URI with `form` behind its own query.
    pub(crate) fn with_query(&self, form: &Form) -> String {
        let separator = match self.text.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        [&self.text, separator, form.as_str()].concat()
    }
}

/// Authority, and what stands behind it.
fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))
}

/// A host and perhaps a port: a name, an IPv4 address, or in brackets an IPv6 address in its one canonical spelling
/// (RFC 3986 §3.2, RFC 5952 §4).
fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let is_port = port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse().is_ok_and(|found: Ipv6Addr| found.to_string().eq_ignore_ascii_case(address)),
        None => host.strip_suffix('.').unwrap_or(host).split('.').all(is_label),
    };
    is_host && is_port
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointError {
    /// No host, a malformed one, a malformed port, or user information.
    Authority,
    /// Characters that no URI has (RFC 3986 §2).
    Character,
    /// A fragment.
    Fragment,
    /// `http`, where the issuer's URI is `https`.
    Insecure,
    /// A parameter in its query that the request has as well.
    Parameter,
    /// Another scheme, or none.
    Scheme,
}

impl std::error::Error for EndpointError {}

impl fmt::Display for EndpointError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected {}", self.expected())
    }
}

impl EndpointError {
    /// What was expected.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Authority => "a URI with a host, perhaps with a port, and without user information",
            Self::Character => "a URI of the characters that URIs have (RFC 3986 §2)",
            Self::Fragment => "a URI without a fragment",
            Self::Insecure => "an `https` URI, as the issuer's is",
            Self::Parameter => "a URI whose query has no parameter of the request",
            Self::Scheme => "a URI that starts with `https://` or `http://`",
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn endpoints_are_absolute_and_have_no_fragment() {
        for accepted in [
            "https://idp.example.com/token",
            "http://127.0.0.1:8080/token?tenant=a",
            "https://[::1]:8443/",
            "https://idp.example.com",
            "https://idp_1.svc:443?x",
            "https://idp.example.com.:/",
        ] {
            assert_eq!(Endpoint::parse(accepted).map(|endpoint| endpoint.text), Ok(accepted.to_string()));
        }
        for (text, error) in [
            ("", EndpointError::Scheme),
            ("/token", EndpointError::Scheme),
            ("HTTPS://x/", EndpointError::Scheme),
            ("javascript://x/", EndpointError::Scheme),
            ("https://", EndpointError::Authority),
            ("https:///x", EndpointError::Authority),
            ("https://a@b/", EndpointError::Authority),
            ("https://a:b@c/", EndpointError::Authority),
            ("https://a:port/", EndpointError::Authority),
            ("https://a..b/", EndpointError::Authority),
            ("https://./", EndpointError::Authority),
            ("https://*.example.com/", EndpointError::Authority),
            ("https://[0:0::1]/", EndpointError::Authority),
            ("https://a:+1/", EndpointError::Authority),
            ("https://a:65536/", EndpointError::Authority),
            ("https://::1/", EndpointError::Authority),
            ("https://[::1/", EndpointError::Authority),
            ("https://[a]/", EndpointError::Authority),
            ("https://a%2eb/", EndpointError::Authority),
            ("https://a/ b", EndpointError::Character),
            ("https://a/\r\nx", EndpointError::Character),
            ("https://a\\b", EndpointError::Character),
            ("https://\u{e9}/", EndpointError::Character),
            ("https://a/{tenant}", EndpointError::Character),
            ("https://a/#", EndpointError::Fragment),
            ("https://a#b", EndpointError::Fragment),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn endpoints_are_taken_apart() {
        for (text, authority, path) in [
            ("https://idp.example.com:8443/jwks?v=1", "idp.example.com:8443", "/jwks?v=1"),
            ("http://[::1]", "[::1]", "/"),
            ("http://host?x=/", "host", "/?x=/"),
        ] {
            let endpoint = Endpoint::parse(text).expect("is an endpoint");
            assert_eq!((endpoint.authority(), &*endpoint.path()), (authority, path), "{text}");
        }
    }

    #[test]
    fn the_query_of_an_endpoint_stays() {
        let mut form = Form::default();
        form.push("a", "b c");
        for (endpoint, uri) in [
            ("https://x/a", "https://x/a?a=b+c"),
            ("https://x", "https://x?a=b+c"),
            ("https://x/a?", "https://x/a?a=b+c"),
            ("https://x/a?p=1", "https://x/a?p=1&a=b+c"),
            ("https://x/a?p=1&", "https://x/a?p=1&a=b+c"),
        ] {
            assert_eq!(Endpoint::parse(endpoint).expect("is an endpoint").with_query(&form), uri);
        }
        let has = |endpoint: &str| Endpoint::parse(endpoint).expect("is an endpoint").query_has(|name| name == "state");
        assert!(has("https://x/?state=1") && has("https://x/?a&%73tate") && has("https://x/?%"));
        assert!(!has("https://x/?a=state") && !has("https://x/state"));
    }
}
