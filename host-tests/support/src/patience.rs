//! Waiting for what should happen soon.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for anything that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// Waits until something holds; it fails if that is not [`SOON`].
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what}: not within {SOON:?}");
        sleep(Duration::from_millis(20));
    }
}
