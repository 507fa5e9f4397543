//! The head of a request.

/// A request: its header lines, pseudo-headers among them, and the address that it comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestHead {
    /// Names and values.
    pub lines: Vec<(String, String)>,
    /// Host and port; empty where it is not known.
    pub peer: String,
    /// The SHA-256 of the client's certificate, in hexadecimal; empty if there is none.
    pub certificate: String,
}

impl RequestHead {
    /// A request for a path on a host.
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        let lines = [(":method", method), (":path", path), (":authority", host), (":scheme", "https")];
        let lines = lines.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Self { lines, ..Self::default() }
    }

    /// Adds a line. Proxies hold names in lower case.
    pub fn add(&mut self, name: &str, value: &str) {
        self.lines.push((name.to_ascii_lowercase(), value.to_string()));
    }

    /// The value of the first line of that name, to be changed.
    pub fn value_mut(&mut self, name: &str) -> Option<&mut String> {
        self.lines.iter_mut().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}
