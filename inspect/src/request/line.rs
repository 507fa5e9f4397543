//! The lines of a request, as people write them.

use serde::Deserialize;

/// `GET /path`, or `GET https://host/path`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct RequestLine {
    /// The method.
    pub method: String,
    /// The host; `example.com` where the line names none.
    pub host: String,
    /// Path and query.
    pub path: String,
}

/// The host of requests that do not name one.
const HOST: &str = "example.com";

impl TryFrom<String> for RequestLine {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("expected a method and a path or URL, such as `GET /orders/7`, found `{text}`");
        let (method, target) = text.split_once(' ').ok_or_else(wrong)?;
        let absolute = target.strip_prefix("https://").or_else(|| target.strip_prefix("http://"));
        let (host, path) = match absolute {
            Some(rest) => rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).ok_or_else(wrong)?,
            None => (HOST, target),
        };
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { method: method.to_string(), host: host.to_string(), path: path.to_string() })
    }
}

/// `Name: value`; `None` where there is no name.
pub fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty())?;
    Some((name.trim().to_string(), value.trim().to_string()))
}
