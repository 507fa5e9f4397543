//! What arrived at the upstream.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// The requests that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// The requests that arrived, shared with the handlers.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Requests>);

#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) count: u64,
    pub(super) requests: VecDeque<Value>,
}

impl Seen {
    pub(super) fn record(&self, head: Value) {
        let mut seen = self.lock();
        seen.count += 1;
        if seen.requests.len() == REMEMBERED {
            seen.requests.pop_front();
        }
        seen.requests.push_back(head);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
