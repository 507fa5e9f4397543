//! The parameters of a request, each at most once (RFC 6749 §3.1, §3.2), but for what tokens are for.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// What there may be several of (RFC 8693 §2.1, RFC 8707 §2).
const TARGETS: [&str; 2] = ["audience", "resource"];

#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, Vec<String>>);

impl Parameters {
    /// Reads a query or a form. Parameters without a value are as good as absent.
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let refusal = |_| Refusal::new(400, "invalid_request");
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text).map_err(refusal)?;
        let mut found = Self::default();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            found.0.entry(name).or_default().push(value);
        }
        let is_once = |(name, values): (&String, &Vec<String>)| values.len() == 1 || TARGETS.contains(&name.as_str());
        if found.0.iter().all(is_once) { Ok(found) } else { Err(Refusal::new(400, "invalid_request")) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// Its values, in their order.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::new(400, "invalid_request"))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value.as_str())))
    }
}
