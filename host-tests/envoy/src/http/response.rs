//! A whole answer.

use serde_json::Value;

/// The status line and the headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Names as they were sent, values as bytes, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The values of a header's lines, `\u{FFFD}` standing for what is not UTF-8.
    pub fn all(&self, name: &str) -> Vec<String> {
        let lines = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// A header's only value; none also if there are several lines.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut all = self.all(name);
        if all.len() == 1 { all.pop() } else { None }
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The status again, with the headers.
    pub head: Head,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// The trailer lines after the body.
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl Response {
    /// A header's only value; none also if there are several lines.
    pub fn header(&self, name: &str) -> Option<String> {
        self.head.header(name)
    }

    /// The body as text, `\u{FFFD}` standing for what is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What the testbed's upstream saw: the values of a request header. Empty if it saw none.
    pub fn seen(&self, name: &str) -> Vec<String> {
        let echo = self.json();
        let headers = echo.get("headers").and_then(Value::as_array).cloned().unwrap_or_default();
        let lines = headers.iter().filter(|line| line[0] == name.to_ascii_lowercase());
        lines.filter_map(|line| line[1].as_str().map(str::to_owned)).collect()
    }
}
