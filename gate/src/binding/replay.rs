//! The proofs that were used, once for all VMs of a proxy (RFC 9449 §11.1).
//!
//! Each entry of the shared data is a slot for all proofs that fall on it, so that there are never more of them:
//!
//! ```text
//! code (32) ‖ slot (2), and of each proof: tag (16) ‖ end (8)
//! ```
//!
//! Tags are codes under a key that only VMs of this proxy have: nobody chooses on which slot a proof falls. An entry
//! that was not sealed as this slot counts as empty. Where nothing is shared, each VM remembers its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::proof::{FreshProof, ProofUse};
use crate::octets::{Fields, put_instant};
use crate::sealing::SharedName;
use crate::shared::{SharedData, SharedDataError};
use crate::time::Timestamp;

/// How many entries there are.
const SLOTS: u16 = 1024;
/// How many proofs one holds.
const MOST: usize = 128;
const RECORD: usize = size_of::<Tag>() + size_of::<u64>();
const MOST_OCTETS: usize = size_of::<u16>() + MOST * RECORD;
/// How many a VM remembers by itself.
const MOST_OWN: usize = 16_384;
/// How often a write is tried that others get in the way of.
const TRIES: usize = 16;

type Tag = [u8; 16];

/// Those that this VM remembers by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnProofs(BTreeMap<Tag, Duration>);

/// Remembers a proof, and says whether it was used before. Where others write in between again and again, there is no
/// room: better refused than used twice.
pub(crate) fn record(
    name: &SharedName,
    shared: &mut dyn SharedData,
    own: &mut OwnProofs,
    proof: &FreshProof,
    now: Duration,
) -> ProofUse {
    let code = name.code(&proof.id);
    let (slot, tag) = place(&code);
    let entry = [name.as_str(), ".", &slot.to_string()].concat();
    for _ in 0..TRIES {
        let Ok(found) = shared.read(&entry) else { return own.record(tag, proof.ends, now) };
        let version = found.as_ref().map(|found| found.version);
        let sealed = found.as_ref().and_then(|found| name.open(&found.bytes, MOST_OCTETS));
        let mut records = sealed.map(|body| decode(body, slot, now)).unwrap_or_default();
        if records.iter().any(|(known, _)| *known == tag) {
            return ProofUse::Again;
        }
        if records.len() >= MOST {
            return ProofUse::NoRoom;
        }
        records.push((tag, proof.ends));
        match shared.write(&entry, &name.seal(&encode(&records, slot)), version) {
            Ok(()) => return ProofUse::First,
            Err(SharedDataError::Changed) => {}
            Err(SharedDataError::Unavailable) => return own.record(tag, proof.ends, now),
        }
    }
    ProofUse::NoRoom
}

impl OwnProofs {
    fn record(&mut self, tag: Tag, ends: Duration, now: Duration) -> ProofUse {
        if self.0.get(&tag).is_some_and(|ends| *ends > now) {
            return ProofUse::Again;
        }
        if self.0.len() >= MOST_OWN {
            self.0.retain(|_, ends| *ends > now);
        }
        if self.0.len() >= MOST_OWN {
            return ProofUse::NoRoom;
        }
        self.0.insert(tag, ends);
        ProofUse::First
    }
}

/// The slot on which a proof falls, and its tag there.
fn place(code: &[u8; 32]) -> (u16, Tag) {
    let (slot, rest) = code.split_first_chunk().unwrap_or((&[0; 2], &[]));
    (u16::from_be_bytes(*slot) % SLOTS, rest.first_chunk().copied().unwrap_or_default())
}

/// The proofs that could still be used now.
fn decode(body: &[u8], slot: u16, now: Duration) -> Vec<(Tag, Duration)> {
    let mut fields = Fields::new(body);
    if fields.array() != Some(slot.to_be_bytes()) {
        return Vec::new();
    }
    let records = std::iter::from_fn(|| Some((fields.array()?, fields.instant()?.since_epoch())));
    records.filter(|(_, ends)| *ends > now).collect()
}

fn encode(records: &[(Tag, Duration)], slot: u16) -> Vec<u8> {
    let mut body = slot.to_be_bytes().to_vec();
    for (tag, ends) in records {
        body.extend(tag);
        put_instant(&mut body, Timestamp::from_secs(ends.as_secs()));
    }
    body
}

#[cfg(test)]
mod tests;
