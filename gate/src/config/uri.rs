//! The URIs of issuers.

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
        let (is_https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("a URI that starts with `https://` or `http://`"),
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a URI without blanks, control characters or characters outside ASCII");
        }
        if text.contains(['#', '\\']) {
            return Err("a URI without a fragment or backslash");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.is_empty() || authority.contains('@') {
            return Err("a URI with a host and without user information");
        }
        let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
        Ok(Self { is_https, authority: authority.to_string(), path })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

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
        ] {
            assert!(HttpUri::parse(refused).is_err(), "{refused}");
        }
    }
}
