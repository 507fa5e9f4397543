//! URLs of `http` and `https`, as far as tests have them.

use std::fmt;

/// A URL without its fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Url {
    text: String,
    /// Where the path begins in it.
    path: usize,
}

impl Url {
    /// An absolute URL.
    pub fn parse(text: &str) -> Self {
        let text = text.split('#').next().unwrap_or_default();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.unwrap_or_else(|| panic!("`{text}` is no URL that can be opened"));
        let host = rest.find(['/', '?']).unwrap_or(rest.len());
        let path = text.len() - rest.len() + host;
        let (origin, target) = text.split_at(path);
        let slash = if target.starts_with('/') { "" } else { "/" };
        Self { text: format!("{origin}{slash}{target}"), path }
    }

    /// What a reference on a page of this URL leads to.
    #[must_use]
    pub fn join(&self, reference: &str) -> Self {
        let (scheme, _) = self.text.split_once("://").expect("was found when it was parsed");
        let target = self.target();
        let path = target.split('?').next().unwrap_or_default();
        let folder = path.rfind('/').map_or("/", |slash| path.split_at(slash + 1).0);
        Self::parse(&match reference {
            "" => self.text.clone(),
            absolute if absolute.starts_with("http://") || absolute.starts_with("https://") => absolute.to_owned(),
            network if network.starts_with("//") => format!("{scheme}:{network}"),
            rooted if rooted.starts_with('/') => format!("{}{rooted}", self.origin()),
            query if query.starts_with('?') => format!("{}{path}{query}", self.origin()),
            relative => format!("{}{folder}{relative}", self.origin()),
        })
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `https://dash.example.com:8443`.
    pub fn origin(&self) -> String {
        self.text.split_at(self.path).0.to_ascii_lowercase()
    }

    /// `dash.example.com:8443`, as `Host` names it.
    pub fn authority(&self) -> String {
        self.origin().split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default()
    }

    /// `dash.example.com`.
    pub fn host(&self) -> String {
        let authority = self.authority();
        authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host).to_owned()
    }

    /// The port, also where it goes without saying.
    pub fn port(&self) -> u16 {
        let usual = if self.is_secure() { 443 } else { 80 };
        self.authority().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(usual)
    }

    /// Path and query.
    pub fn target(&self) -> String {
        self.text.split_at(self.path).1.to_owned()
    }

    /// The path alone.
    pub fn path(&self) -> String {
        self.target().split('?').next().unwrap_or_default().to_owned()
    }

    /// The first value of a parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let target = self.target();
        let (_, query) = target.split_once('?')?;
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(own, _)| *own == name).map(|(_, value)| decoded(value)).next()
    }

    /// Scheme and registrable domain, where two labels are registrable.
    pub fn site(&self) -> String {
        let host = self.host();
        let is_address = host.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        let labels: Vec<&str> = host.split('.').collect();
        let domain = if is_address { host.clone() } else { labels[labels.len().saturating_sub(2)..].join(".") };
        format!("{}{domain}", if self.is_secure() { "https://" } else { "http://" })
    }

    /// Whether it is of `https`.
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https://")
    }

    /// Whether it leads to this machine by its name.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.")
    }

    /// Whether browsers treat it as if it came over TLS.
    pub fn is_trustworthy(&self) -> bool {
        self.is_secure() || self.is_loopback()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Decodes a value of a form or query.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escape.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes a value of a form or query.
pub(super) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => char::from(byte).to_string(),
        b' ' => "+".into(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let url = Url::parse("https://A.b.Example.com:8443/x/y?a=1%202&b=+&a=3#z");
        assert_eq!((url.origin().as_str(), url.port()), ("https://a.b.example.com:8443", 8443));
        assert_eq!((url.host().as_str(), url.site().as_str()), ("a.b.example.com", "https://example.com"));
        assert_eq!((url.target().as_str(), url.path().as_str()), ("/x/y?a=1%202&b=+&a=3", "/x/y"));
        assert_eq!(
            [url.parameter("a"), url.parameter("b"), url.parameter("c")],
            [Some("1 2".into()), Some(" ".into()), None]
        );
        let bare = Url::parse("http://127.0.0.1?q");
        assert_eq!((bare.target().as_str(), bare.port(), bare.site().as_str()), ("/?q", 80, "http://127.0.0.1"));
        assert!(bare.is_trustworthy() && !bare.is_secure() && !Url::parse("http://a.example").is_trustworthy());
    }

    #[test]
    fn references_lead_where_browsers_go() {
        let url = Url::parse("https://a.example/x/y?q");
        for (reference, expected) in [
            ("", "https://a.example/x/y?q"),
            ("z", "https://a.example/x/z"),
            ("?r", "https://a.example/x/y?r"),
            ("/z", "https://a.example/z"),
            ("//b.example/z", "https://b.example/z"),
            ("http://c.example", "http://c.example/"),
        ] {
            assert_eq!(url.join(reference).as_str(), expected, "{reference}");
        }
    }

    #[test]
    fn values_are_encoded_and_decoded() {
        for text in ["a b+c%", "\u{e9}&=/?", ""] {
            assert_eq!(decoded(&encoded(text)), text);
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
