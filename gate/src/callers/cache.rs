//! Tokens that were verified, so that one that comes again need not be.
//!
//! An entry stands for one token, byte for byte. It is good for as long as the verdict could not be another: while
//! the dates of the token allow it, and while its issuer has the very keys that it was verified with.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jose::swar::is_same;

use crate::callers::Principal;
use crate::heap;
use crate::sessions::OpenedSession;
use crate::time::Timestamp;

/// What a slot in the table takes up, about: half of them are empty at times.
const SLOT: usize = 2 * (size_of::<u64>() + size_of::<usize>());

/// Verified tokens, bounded in bytes.
///
/// There are two generations, each of half the size: where the young one is full, it becomes the old one, and what was
/// old is forgotten. A token that is used again moves to the young one, so it stays, whatever floods in.
#[derive(Clone, Debug)]
pub(crate) struct TokenCache {
    young: Generation,
    old: Generation,
    /// The most bytes of one generation.
    half: usize,
}

#[derive(Clone, Debug, Default)]
struct Generation {
    entries: BTreeMap<u64, Arc<Entry>>,
    bytes: usize,
}

/// A token that was verified, or a session that was opened.
#[derive(Debug)]
pub(crate) struct Entry {
    /// As received, in the compact serialisation.
    pub(crate) token: Box<[u8]>,
    pub(crate) principal: Principal,
    pub(crate) kid: Option<Arc<str>>,
    /// Which of its issuer's key sets it was verified with.
    pub(crate) key_set: u64,
    /// While its dates allow it, by the host's clock; from then on its verdict has to be found anew.
    pub(crate) valid: Range<Duration>,
    /// What credentials for the upstream are remembered by: zeros where there are none.
    pub(crate) digest: [u8; 32],
    /// Of a token that only its issuer can read: until then its word counts, by the steady clock.
    pub(crate) until: Option<Timestamp>,
    /// The session, if it is no token.
    pub(crate) session: Option<Arc<OpenedSession>>,
}

impl TokenCache {
    /// A cache of at most `max_bytes`; of none, it remembers nothing.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { young: Generation::default(), old: Generation::default(), half: max_bytes / 2 }
    }

    /// What is known of `token`, if that is still good by both clocks: `key_set` says which key set an issuer has now.
    ///
    /// INVARIANT: what becomes of a text, a JWT or a question to one issuer, follows from the text and the policy whose
    /// cache this is. So no entry is found here that another issuer made.
    pub(crate) fn find(
        &mut self,
        token: &[u8],
        (now, steady): (Duration, Timestamp),
        key_set: impl FnOnce(usize) -> Option<u64>,
    ) -> Option<Arc<Entry>> {
        self.find_good(token, |entry| {
            let issuer = entry.principal.issuer();
            entry.session.is_none()
                && entry.valid.contains(&now)
                && entry.until.is_none_or(|until| steady < until)
                && key_set(issuer) == Some(entry.key_set)
        })
    }

    /// The session that was opened from `text`. What it is still good for is another question.
    pub(crate) fn find_session(&mut self, text: &[u8]) -> Option<Arc<Entry>> {
        self.find_good(text, |entry| entry.session.is_some())
    }

    fn find_good(&mut self, token: &[u8], is_good: impl FnOnce(&Entry) -> bool) -> Option<Arc<Entry>> {
        let slot = slot_of(token)?;
        let young = self.young.find(slot, token);
        let is_young = young.is_some();
        let entry = young.or_else(|| self.old.find(slot, token))?;
        let is_good = is_good(&entry);
        if !is_young || !is_good {
            let generation = if is_young { &mut self.young } else { &mut self.old };
            generation.remove(slot);
        }
        if !is_good {
            return None;
        }
        if !is_young {
            self.insert(Arc::clone(&entry));
        }
        Some(entry)
    }

    /// Remembers a token. One that takes more than a generation may hold is not. Says whether it is.
    pub(crate) fn insert(&mut self, entry: Arc<Entry>) -> bool {
        let Some(slot) = slot_of(&entry.token) else { return false };
        let bytes = entry.bytes();
        if bytes > self.half {
            return false;
        }
        self.young.remove(slot);
        if self.young.bytes.saturating_add(bytes) > self.half {
            // First the old ones go: there are never three generations.
            self.old = Generation::default();
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes = self.young.bytes.saturating_add(bytes);
        self.young.entries.insert(slot, entry);
        true
    }
}

impl Generation {
    fn find(&self, slot: u64, token: &[u8]) -> Option<Arc<Entry>> {
        self.entries.get(&slot).filter(|entry| is_same(&entry.token, token)).cloned()
    }

    fn remove(&mut self, slot: u64) {
        if let Some(entry) = self.entries.remove(&slot) {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
        }
    }
}

impl Entry {
    /// What it takes up in memory, about.
    fn bytes(&self) -> usize {
        let kid = self.kid.as_deref().map_or(0, heap::shared);
        let own = heap::allocation(size_of::<Self>().saturating_add(2 * size_of::<usize>()));
        let session = self.session.as_deref().map_or(0, OpenedSession::heap_bytes);
        let parts = [SLOT, own, heap::allocation(self.token.len()), kid, session, self.principal.heap_bytes()];
        let bytes = parts.into_iter().fold(0, usize::saturating_add);
        // What one entry leaves behind does not fit the next, of another size.
        bytes.saturating_add(bytes / 4)
    }
}

/// Where a token stands in the table: by the end of its signature, which differs for any two tokens, and which only
/// the issuer can choose. Two tokens of one slot are distinguished by all their bytes; the later one takes it.
fn slot_of(token: &[u8]) -> Option<u64> {
    // Of a character of base64url, the low five bits are what differs most; the last one carries fewer than others.
    let tail = token.len().checked_sub(13).and_then(|start| token.get(start..))?;
    Some(tail.iter().fold(0, |slot: u64, &byte| slot.rotate_left(5) ^ u64::from(byte)))
}
