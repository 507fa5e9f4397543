//! What clients saw: how many answers of each kind, and those that were wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use real_envoy::http::Response;
use real_envoy::verdict::verdict;

/// The wrong answers that are kept.
const KEPT: usize = 20;

/// An answer in short: the reason of a refusal, or this.
pub(crate) const ALLOWED: &str = "allowed";

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<State>);

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By reason, those that were forwarded as [`ALLOWED`].
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) log_ins: u64,
    pub(crate) log_outs: u64,
    pub(crate) wrong: u64,
    /// The first of the wrong ones.
    pub(crate) examples: Vec<String>,
}

impl Ledger {
    /// An answer that is one of these.
    pub(crate) fn expect(&self, what: &str, response: &Response, expected: &[&str]) {
        let found = kind(response);
        if !expected.contains(&found.as_str()) {
            self.wrong(format!("{what}: {} `{found}`, expected one of {expected:?}", response.status));
        }
        self.count(&found);
    }

    /// An answer that the gate counts.
    pub(crate) fn count(&self, kind: &str) {
        *self.lock().answers.entry(kind.to_owned()).or_default() += 1;
    }

    pub(crate) fn logged_in(&self) {
        self.lock().log_ins += 1;
    }

    pub(crate) fn logged_out(&self) {
        self.lock().log_outs += 1;
    }

    /// Something that should not be.
    pub(crate) fn wrong(&self, what: String) {
        let mut state = self.lock();
        state.wrong += 1;
        if state.examples.len() < KEPT {
            state.examples.push(what);
        }
    }

    pub(crate) fn state(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn requests(&self) -> u64 {
        self.answers.values().sum()
    }

    pub(crate) fn allowed(&self) -> u64 {
        self.answers.get(ALLOWED).copied().unwrap_or_default()
    }

    /// What clients saw beside what the gate counted, by the name of the counter.
    pub(crate) fn beside(&self, counters: &BTreeMap<String, u64>) -> BTreeMap<String, [u64; 2]> {
        let is_answer = |name: &str| name.starts_with("requests_");
        let names = counters.keys().filter(|name| is_answer(name));
        let mut rows: BTreeMap<_, _> = names.map(|name| (name.clone(), [0, counters[name]])).collect();
        for (kind, seen) in &self.answers {
            let name = if kind == ALLOWED { "requests_allowed".into() } else { format!("requests_denied_{kind}") };
            rows.entry(name).or_default()[0] = *seen;
        }
        for (name, seen) in [("logins_succeeded", self.log_ins), ("sessions_ended_logout", self.log_outs)] {
            rows.insert(name.into(), [seen, counters.get(name).copied().unwrap_or_default()]);
        }
        rows.retain(|_, counts| *counts != [0, 0]);
        rows
    }
}

/// In short, what an answer is.
pub(crate) fn kind(response: &Response) -> String {
    match verdict(response) {
        (200, _) => ALLOWED.into(),
        (303, _) => "login_redirect".into(),
        (status, reason) if reason.is_empty() => format!("status {status}"),
        (_, reason) => reason,
    }
}

#[cfg(test)]
mod tests {
    use real_envoy::http::Head;

    use super::*;

    fn response(status: u16, body: &str) -> Response {
        let headers = vec![("content-type".to_owned(), b"application/problem+json".to_vec())];
        Response { status, head: Head { status, headers }, body: body.into(), trailers: Vec::new() }
    }

    #[test]
    fn an_answer_that_is_not_expected_is_wrong() {
        let ledger = Ledger::default();
        let (allowed, refused) = (response(200, ""), response(401, r#"{"reason": "expired"}"#));
        ledger.expect("good", &allowed, &[ALLOWED]);
        ledger.expect("expired", &refused, &["expired"]);
        assert_eq!(ledger.state().wrong, 0);
        ledger.expect("expired", &allowed, &["expired"]);
        ledger.expect("good", &refused, &[ALLOWED]);
        ledger.expect("good", &response(503, "no healthy upstream"), &[ALLOWED]);
        let state = ledger.state();
        assert_eq!(state.wrong, 3);
        assert_eq!(state.examples[0], "expired: 200 `allowed`, expected one of [\"expired\"]");
        assert_eq!((state.requests(), state.allowed()), (5, 2));
    }

    #[test]
    fn what_clients_saw_is_beside_what_was_counted() {
        let ledger = Ledger::default();
        for kind in [ALLOWED, ALLOWED, "expired"] {
            ledger.count(kind);
        }
        ledger.logged_in();
        let counters = [
            ("requests_allowed", 2),
            ("requests_denied_bad_signature", 1),
            ("requests_denied_no_rule", 0),
            ("keys_fetched_main", 4),
        ];
        let counters = counters.map(|(name, count)| (name.to_owned(), count)).into();
        let rows = ledger.state().beside(&counters);
        let rows: Vec<_> = rows.iter().map(|(name, counts)| (name.as_str(), *counts)).collect();
        assert_eq!(
            rows,
            [
                ("logins_succeeded", [1, 0]),
                ("requests_allowed", [2, 2]),
                ("requests_denied_bad_signature", [0, 1]),
                ("requests_denied_expired", [1, 0]),
            ]
        );
    }
}
