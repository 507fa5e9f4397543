//! What was used and must stay secret, and how often grants were answered.

use std::collections::BTreeMap;

use super::parameters::Parameters;

/// The names of what must stay secret.
const SECRET: [&str; 12] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "id_token_hint",
    "nonce",
    "refresh_token",
    "state",
    "subject_token",
    "token",
];

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    exchanges: Vec<BTreeMap<String, String>>,
    secrets: Vec<(String, String)>,
    granted: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
}

impl Ledger {
    /// Notes the secrets among the parameters of a request.
    pub(super) fn note(&mut self, parameters: &Parameters) {
        let secrets = parameters.iter().filter(|(name, _)| SECRET.contains(name));
        self.secrets.extend(secrets.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    pub(crate) fn note_secret(&mut self, name: &str, value: &str) {
        self.secrets.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn note_exchange(&mut self, parameters: &Parameters) {
        let joined = |(name, _): (&str, &str)| (name.to_owned(), parameters.all(name).join(" "));
        self.exchanges.push(parameters.iter().map(joined).collect());
    }

    pub(super) fn count_granted(&mut self, grant: &str) {
        *self.granted.entry(grant.to_owned()).or_default() += 1;
    }

    pub(super) fn count_refused(&mut self, grant: &str) {
        *self.refused.entry(grant.to_owned()).or_default() += 1;
    }

    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        self.secrets.clone()
    }

    pub(crate) fn exchanges(&self) -> Vec<BTreeMap<String, String>> {
        self.exchanges.clone()
    }

    pub(crate) fn granted(&self, grant: &str) -> u64 {
        self.granted.get(grant).copied().unwrap_or_default()
    }

    pub(crate) fn refused(&self, grant: &str) -> u64 {
        self.refused.get(grant).copied().unwrap_or_default()
    }

    /// Counts from zero; secrets stay.
    pub(crate) fn reset(&mut self) {
        self.granted.clear();
        self.refused.clear();
    }
}
