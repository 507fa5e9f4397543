//! A request, and what came of it: the same for every host.

use std::fmt;

use serde_json::Value;

/// A request as a client sends it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a client got, and what the upstream saw.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Why it was refused; none if it was not, or not by the gate, or where the host does not show it.
    pub(crate) reason: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The headers that reached the upstream; none if the request did not.
    pub(crate) upstream: Option<Vec<(String, String)>>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The header lines as a proxy hands them to a plugin: names in lower case, no blanks around values.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let host = self.headers.iter().find(|(name, _)| name == "host").map_or("localhost", |(_, host)| host);
        let pseudo = [(":method", &*self.method), (":path", &*self.path), (":scheme", "http"), (":authority", host)];
        let own = self
            .headers
            .iter()
            .filter(|(name, _)| name != "host")
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).chain(own).collect()
    }

    pub(crate) fn is_grpc(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("application/grpc"))
    }

    /// The text that has three parts, wherever it stands.
    pub(crate) fn token(&self) -> Option<&str> {
        let places = self.headers.iter().map(|(_, value)| value.as_str()).chain([self.path.as_str()]);
        places
            .flat_map(|place| place.split([' ', '\t', '=', ',']))
            .find(|text| text.starts_with("ey") && text.matches('.').count() == 2)
    }
}

impl Answer {
    /// `ok` if the request reached the upstream, else the reason.
    pub(crate) fn verdict(&self) -> &str {
        match (&self.upstream, &self.reason) {
            (Some(_), _) => "ok",
            (None, Some(reason)) => reason,
            (None, None) => "?",
        }
    }

    /// The values of a header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The identity headers that the upstream saw, sorted.
    pub(crate) fn identity(&self) -> Vec<(&str, &str)> {
        let seen = self.upstream.as_deref().unwrap_or_default();
        let is_identity = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-").starts_with("x-auth-");
        let mut identity: Vec<_> = seen
            .iter()
            .filter(|(name, _)| is_identity(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        identity.sort_unstable();
        identity
    }

    /// Whether something in the answer or to the upstream is a credential.
    pub(crate) fn upstream_saw(&self, text: &str) -> bool {
        self.upstream.iter().flatten().any(|(_, value)| value.contains(text))
    }
}

/// In one line, for failures.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.status, self.verdict())?;
        match &self.upstream {
            Some(_) => write!(formatter, ", upstream saw {:?}", self.identity()),
            None => write!(formatter, ", {:?}, {:?}", self.headers, self.body),
        }
    }
}

/// The claims of a token, whatever its signature is worth.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(|part| jose::base64url::decode(part.as_bytes()));
    serde_json::from_slice(&payload.unwrap_or_default()).unwrap_or_default()
}
