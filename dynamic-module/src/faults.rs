//! Faults that tests ask for.

use module_abi::{Headers, StreamId, stream};

use crate::mail::Outcome;

const HEADER: &[u8] = b"x-jotgate-panic";

/// Panics in the engine's place, if the answer to a callout says so.
pub(crate) fn panic_if_answered(outcome: &Outcome) {
    let Outcome::Answered(response) = outcome else { return };
    assert!(response.headers.iter().all(|(name, _)| name != HEADER), "a test asked for it");
}

/// Panics in the engine's place, if the request says so.
pub(crate) fn panic_if_asked(id: StreamId) {
    let asked = |lines: &[stream::Line<'_>]| lines.iter().any(|(name, _)| *name == HEADER);
    assert!(!stream::read_headers(id, Headers::Request, asked).unwrap_or_default(), "a test asked for it");
}
