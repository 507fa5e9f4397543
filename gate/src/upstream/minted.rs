//! A credential that was made, why there is none, and those that are still good.

#![allow(dead_code, reason = "exchanges use it next")]

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
    /// It cannot be had at the moment.
    Unavailable {
        /// In seconds.
        retry_after: u64,
    },
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
