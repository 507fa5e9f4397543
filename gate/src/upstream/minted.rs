//! A credential that was made, why there is none, and those that are still good.

use std::collections::BTreeMap;
use std::sync::Arc;

use oauth::Secret;

use crate::heap;
use crate::question::Question;
use crate::time::Timestamp;

/// Why there is no credential.
#[derive(Debug)]
pub(crate) enum Lack {
    /// It needs this answer first.
    Needs(Box<Question>),
    /// The caller gets none.
    Denied,
    /// Its user has to choose a role first.
    NeedsRole,
    /// Its session has nothing left that one could be made of.
    SessionOver,
    /// It cannot be had at the moment.
    Unavailable {
        /// In seconds.
        retry_after: u64,
    },
}

impl Lack {
    /// It cannot be had at the moment, and failures are remembered for a second.
    pub(super) const UNAVAILABLE: Self = Self::Unavailable { retry_after: 1 };
}

/// A credential for the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    /// The whole value of its header.
    pub(crate) value: Secret,
    /// Until when others of this caller get the same, by the steady clock; `Timestamp::default()`: nobody does.
    pub(crate) ends: Timestamp,
}

/// By the index of the credential, and the digest of its caller.
type Key = (usize, [u8; 32]);

/// Credentials that are still good, bounded in bytes.
///
/// There are two generations, each of half the size: where the young one is full, it becomes the old one, and what was
/// old is forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct MintedCache {
    young: BTreeMap<Key, Arc<Minted>>,
    old: BTreeMap<Key, Arc<Minted>>,
    /// What the young ones take up.
    bytes: usize,
    /// The most bytes of one generation.
    half: usize,
}

impl MintedCache {
    /// A cache of at most `max_bytes`; of none, it remembers nothing.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { half: max_bytes / 2, ..Self::default() }
    }

    pub(crate) fn find(&self, index: usize, caller: &[u8; 32], now: Timestamp) -> Option<&Minted> {
        let key = (index, *caller);
        let found = self.young.get(&key).or_else(|| self.old.get(&key))?;
        (now < found.ends).then_some(found)
    }

    pub(crate) fn insert(&mut self, index: usize, caller: [u8; 32], minted: Minted) {
        let bytes = minted.bytes();
        if bytes > self.half {
            return;
        }
        if self.bytes.saturating_add(bytes) > self.half {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.young.insert((index, caller), Arc::new(minted));
    }
}

impl Minted {
    /// What it takes up in memory, about: half of the slots of a map are empty at times.
    fn bytes(&self) -> usize {
        let slot = 2 * (size_of::<Key>() + size_of::<usize>());
        let own = heap::allocation(size_of::<Self>().saturating_add(2 * size_of::<usize>()));
        slot.saturating_add(own).saturating_add(heap::allocation(self.value.reveal().len()))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);

    fn minted(value: &str) -> Minted {
        Minted { value: Secret::new(value), ends: Timestamp::from_secs(1001) }
    }

    fn found(cache: &MintedCache, index: usize, caller: u8, now: Timestamp) -> Option<&str> {
        cache.find(index, &[caller; 32], now).map(|minted| minted.value.reveal())
    }

    #[test]
    fn a_credential_is_found_for_its_caller_until_it_ends() {
        let mut cache = MintedCache::new(1 << 20);
        cache.insert(1, [1; 32], minted("one"));
        cache.insert(1, [2; 32], minted("two"));
        cache.insert(2, [1; 32], minted("other"));
        assert_eq!(found(&cache, 1, 1, NOW), Some("one"));
        assert_eq!(found(&cache, 1, 2, NOW), Some("two"));
        assert_eq!(found(&cache, 2, 1, NOW), Some("other"));
        assert_eq!((found(&cache, 2, 2, NOW), found(&cache, 0, 1, NOW)), (None, None));
        assert_eq!(found(&cache, 1, 1, Timestamp::from_secs(1001)), None);
        cache.insert(1, [1; 32], minted("newer"));
        assert_eq!(found(&cache, 1, 1, NOW), Some("newer"));
    }

    #[test]
    fn a_flood_of_callers_takes_no_more_than_its_room() {
        let mut cache = MintedCache::new(100_000);
        let value = "v".repeat(1000);
        for caller in 0..=255 {
            cache.insert(0, [caller; 32], minted(&value));
            let bytes: usize = cache.young.values().chain(cache.old.values()).map(|minted| minted.bytes()).sum();
            assert!(bytes <= 100_000, "{bytes}");
            assert!(found(&cache, 0, caller, NOW).is_some(), "the newest is there");
        }
        assert_eq!(found(&cache, 0, 0, NOW), None);
        cache.insert(1, [0; 32], minted(&"v".repeat(60_000)));
        assert_eq!(found(&cache, 1, 0, NOW), None, "it takes more than a generation may");
        let mut none = MintedCache::default();
        none.insert(0, [0; 32], minted("v"));
        assert_eq!(found(&none, 0, 0, NOW), None);
    }

    #[test]
    fn nothing_that_is_printed_shows_a_credential() {
        let mut cache = MintedCache::new(1 << 20);
        cache.insert(0, [0; 32], minted("hunter2"));
        assert!(!format!("{cache:?}{:?}", minted("hunter2")).contains("hunter2"));
    }
}
