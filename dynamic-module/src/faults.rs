//! Faults that tests ask for.

use module_abi::{Headers, StreamId, stream};

use crate::mail::Outcome;

const HEADER: &[u8] = b"x-jotgate-panic";

/// Panics in the engine's place, if the answer to a callout says so.
pub(crate) fn panic_if_answered(outcome: &Outcome) {
    let Outcome::Answered(response) = outcome else { return };
    assert!(response.headers.iter().all(|(name, _)| name != HEADER), "a test asked for it");
}

/// Panics in the engine's place, if the request says so: `1`.
pub(crate) fn panic_if_asked(id: StreamId) {
    assert!(!says(id, b"1"), "a test asked for it");
}

/// Panics in the engine's place, if a request that says `late` is about to be resumed.
pub(crate) fn panic_if_resumed(id: StreamId) {
    assert!(!says(id, b"late"), "a test asked for it");
}

fn says(id: StreamId, when: &[u8]) -> bool {
    let says = |lines: &[stream::Line<'_>]| lines.contains(&(HEADER, when));
    stream::read_headers(id, Headers::Request, says).unwrap_or_default()
}
