//! What bounds memory and time.

use std::time::Duration;

/// What bounds memory and time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest token, in bytes.
    pub token_bytes: usize,
    /// The longest key set, in bytes.
    pub key_set_bytes: usize,
    /// The most entries of a key set.
    pub keys: usize,
    /// The most requests that wait for keys at a time, per worker.
    pub waiting: usize,
    /// The most of them that have a body, of which proxies hold a part.
    pub waiting_bodies: usize,
    /// How long a request waits for keys.
    pub wait_for: Duration,
    /// The most lookups of tokens, and of credentials for the upstream, that are under way at a time, per worker.
    pub lookups: usize,
    /// The longest value of an identity header, in bytes.
    pub header_bytes: usize,
    /// What verified tokens may take up in memory, in bytes, per worker.
    pub token_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: 16_384,
            key_set_bytes: 262_144,
            keys: 100,
            waiting: 1000,
            waiting_bodies: 100,
            wait_for: Duration::from_secs(5),
            lookups: 100,
            header_bytes: 8192,
            token_cache_bytes: 8_388_608,
        }
    }
}
