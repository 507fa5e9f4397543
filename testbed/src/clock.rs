//! The time since 1970.

use std::time::{Duration, SystemTime};

pub(crate) fn elapsed() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The same in whole seconds, as tokens count them.
pub(crate) fn now() -> i64 {
    i64::try_from(elapsed().as_secs()).unwrap_or(i64::MAX)
}
