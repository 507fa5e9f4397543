//! The parameters of a request, each at most once (RFC 6749 §3.1, §3.2).

use std::collections::BTreeMap;

use super::refusal::Refusal;

#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query or a form. Parameters without a value are as good as absent.
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let refusal = |_| Refusal::new(400, "invalid_request");
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text).map_err(refusal)?;
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if parameters.insert(name, value).is_some() {
                return Err(Refusal::new(400, "invalid_request"));
            }
        }
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::new(400, "invalid_request"))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
