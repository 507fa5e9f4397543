//! The secrets that a test has used, none of which may be written anywhere.

use std::collections::BTreeSet;

use browsers::user_agent::UserAgent;

/// Shorter values are no secrets, and stand in logs by chance.
const LEAST: usize = 8;

/// Secrets: names and values.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeSet<(String, String)>);

impl Ledger {
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if value.len() >= LEAST {
            self.0.insert((name.to_owned(), value.to_owned()));
        }
    }

    pub(crate) fn add_all(&mut self, secrets: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in secrets {
            self.add(&name, &value);
        }
    }

    /// The cookies of a browser, and what was in the URLs that it went to.
    pub(crate) fn add_browser(&mut self, agent: &UserAgent) {
        self.add_all(agent.jar.seen.clone());
        for exchange in &agent.history {
            let url = &exchange.url;
            // After a logout, `state` comes back and guards nothing.
            let is_login = url.parameter("code").is_some() || url.parameter("code_challenge").is_some();
            for name in ["code", "nonce", "id_token_hint", "state"] {
                if let Some(value) = url.parameter(name).filter(|_| is_login || name != "state") {
                    self.add(name, &value);
                }
            }
        }
    }

    /// None of them is in what was written. Long ones may not be there in parts either.
    pub(crate) fn assert_absent(&self, place: &str, written: &str) {
        for (name, value) in &self.0 {
            let part = value.get(..value.len().min(40)).unwrap_or(value);
            assert!(!written.contains(part), "{place} has the {name} `{value}`");
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn what_is_looked_for_can_be_found() {
    let mut ledger = Ledger::default();
    ledger.add("code", "0123456789");
    ledger.add("short", "0123");
    ledger.assert_absent("the log", "012345678");
    assert_eq!(ledger.len(), 1);
    let found = std::panic::catch_unwind(|| ledger.assert_absent("the log", "code=0123456789 "));
    assert!(found.is_err());
}
