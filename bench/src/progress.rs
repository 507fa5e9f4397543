//! What is going on, on the standard error.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// One line, with the seconds since the first one.
pub(crate) fn step(what: impl Display) {
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("{seconds:>5} s  {what}");
}
