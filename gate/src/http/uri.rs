//! The URIs of issuers.

use oauth::endpoint::{Endpoint, EndpointError};

/// An absolute `http` or `https` URI, taken apart as a callout needs it (RFC 9110 §4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpUri {
    /// Whether the scheme is `https`.
    pub is_https: bool,
    /// Host and port: the callout's `:authority`.
    pub authority: String,
    /// Path and query: the callout's `:path`.
    pub path: String,
}

impl HttpUri {
    /// Takes `text` apart; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        Endpoint::parse(text).map(|endpoint| Self::from(&endpoint)).map_err(EndpointError::expected)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        split_port(&self.authority).map_or(&self.authority, |(host, _)| host)
    }

    /// The origin, as browsers write it (RFC 6454 §6.2): in lower case, without the port that its scheme implies.
    pub fn origin(&self) -> String {
        let server = self.server();
        let port = if self.is_https { ":443" } else { ":80" };
        format!("{}://{}", self.scheme(), server.strip_suffix(port).unwrap_or(&server))
    }

    /// Whether browsers take it for one of the machine that they run on (Secure Contexts §3.1).
    pub fn is_loopback(&self) -> bool {
        matches!(self.host().to_ascii_lowercase().as_str(), "127.0.0.1" | "[::1]" | "localhost")
    }

    /// Host and port in one spelling, so that URIs of one server compare as equal.
    pub fn server(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let port = if self.is_https { "443" } else { "80" };
        match split_port(&authority) {
            Some((host, "")) => format!("{host}:{port}"),
            Some(_) => authority,
            None => format!("{authority}:{port}"),
        }
    }
}

impl From<&Endpoint> for HttpUri {
    fn from(endpoint: &Endpoint) -> Self {
        let (authority, path) = (endpoint.authority().to_string(), endpoint.path().into_owned());
        Self { is_https: endpoint.is_https(), authority, path }
    }
}

/// Host and port. The colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn servers_differ_by_host_and_port() {
        let server = |text| HttpUri::parse(text).expect("is a URI").server();
        for same in ["https://idp.example.com/", "https://IDP.example.com:443/a", "https://idp.example.com:"] {
            assert_eq!(server(same), "idp.example.com:443");
        }
        assert_eq!(server("http://idp.example.com"), "idp.example.com:80");
        assert_eq!(server("https://[::1]/"), "[::1]:443");
        assert_eq!(server("https://[::1]:8443/"), "[::1]:8443");
    }

    #[test]
    fn origins_have_the_spelling_of_browsers() {
        for (uri, origin) in [
            ("https://Dash.example.com/a?b", "https://dash.example.com"),
            ("https://dash.example.com:443", "https://dash.example.com"),
            ("https://dash.example.com:", "https://dash.example.com"),
            ("https://dash.example.com:80", "https://dash.example.com:80"),
            ("https://dash.example.com:8443/", "https://dash.example.com:8443"),
            ("http://dash.example.com:80", "http://dash.example.com"),
            ("http://[::1]:443/", "http://[::1]:443"),
        ] {
            assert_eq!(HttpUri::parse(uri).expect("is a URI").origin(), origin);
        }
    }

    #[test]
    fn uris_are_taken_apart() {
        let uri = HttpUri::parse("https://idp.example.com:8443/jwks?v=1").expect("is a URI");
        assert_eq!(
            (uri.is_https, uri.authority.as_str(), uri.path.as_str()),
            (true, "idp.example.com:8443", "/jwks?v=1")
        );
        assert_eq!(HttpUri::parse("http://[::1]").expect("is a URI").path, "/");
        assert_eq!(HttpUri::parse("http://host?x").expect("is a URI").path, "/?x");
        for refused in [
            "",
            "idp.example.com/jwks",
            "ftp://x/",
            "https://",
            "https:///jwks",
            "https://u:p@x/",
            "https://x/ y",
            "https://x/#f",
            "https://x\\y",
            "https://é/",
            "https://*.example.com/",
            "https://x:port/",
            "https://x:65536/",
            "https://x:+80/",
            "https://x\"y/",
            "https://x/\"",
            "https://x/{tenant}/",
            "https://::1/",
        ] {
            assert!(HttpUri::parse(refused).is_err(), "{refused}");
        }
    }
}
