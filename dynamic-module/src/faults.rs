//! Faults that tests ask for.

use module_abi::{Headers, StreamId, stream};

/// Panics in the engine's place, if the request says so.
pub(crate) fn panic_if_asked(id: StreamId) {
    let asked = |lines: &[stream::Line<'_>]| lines.iter().any(|(name, _)| *name == b"x-jotgate-panic");
    assert!(!stream::read_headers(id, Headers::Request, asked).unwrap_or_default(), "a test asked for it");
}
