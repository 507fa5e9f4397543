//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Each value behind a lock here is whole at any time, so a panic elsewhere spoils nothing.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
