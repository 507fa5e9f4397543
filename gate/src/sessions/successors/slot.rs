//! An entry of the shared data: the sessions that are refreshed, and those that came of it, as far as they count now.
//!
//! ```text
//! version (1), and of each session: id (16) ‖ which of what follows is there (1)
//!   ‖ lease: generation (4), end (8), holder (8)? ‖ successor: generation (4), made (8), text?
//! ```
//!
//! Instants are those of the host's clock, in whole seconds. Two VMs may differ by [`SKEW`]; what lies further ahead
//! was written before the clock was set back, and does not count.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::octets::{Fields, put, put_instant};
use crate::time::Timestamp;

const VERSION: u8 = 1;
const SECOND: Duration = Duration::from_secs(1);
/// How far the clock of another VM may be off: its call may have begun earlier or later than ours.
const SKEW: Duration = Duration::from_secs(5);
/// How long a lease may be.
const LONGEST_LEASE: Duration = Duration::from_mins(1);
/// How long a successor is handed out.
const KEPT: Duration = Duration::from_mins(1);
/// How many sessions one slot holds.
const MOST: usize = 16;
/// How many octets: four of the largest sessions, or all of them at the usual size.
const MOST_OCTETS: usize = 32 << 10;

/// What is shared about the sessions of one slot.
#[derive(Debug)]
pub(super) struct Slot {
    records: Vec<Record>,
    now: Timestamp,
}

/// A VM that refreshes a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// The generation that it renews.
    pub(super) generation: u32,
    pub(super) until: Timestamp,
    pub(super) holder: [u8; 8],
}

/// The session that follows another.
#[derive(Clone, Debug)]
pub(super) struct Successor {
    pub(super) generation: u32,
    pub(super) made: Timestamp,
    pub(super) text: Vec<u8>,
}

#[derive(Debug)]
struct Record {
    id: [u8; 16],
    lease: Option<Lease>,
    successor: Option<Successor>,
}

impl Slot {
    /// What counts now of a slot; octets that are none are an empty one.
    pub(super) fn new(octets: &[u8], now: Timestamp) -> Self {
        let mut slot = Self { records: decode(octets).unwrap_or_default(), now };
        for record in &mut slot.records {
            record.lease = record.lease.take().filter(|lease| lease.counts(now));
            record.successor = record.successor.take().filter(|successor| successor.counts(now));
        }
        slot.drop_empty();
        slot
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(vec![VERSION]);
        self.records.iter().for_each(|record| record.encode(&mut octets));
        octets
    }

    /// The text of the session that follows this generation or an earlier one.
    pub(super) fn successor(&self, id: &[u8; 16], generation: u32) -> Option<&[u8]> {
        let successor = self.record(id)?.successor.as_ref()?;
        (successor.generation > generation).then_some(&successor.text)
    }

    /// When the lease that a VM has for a session has certainly ended.
    pub(super) fn lease_end(&self, id: &[u8; 16]) -> Option<Timestamp> {
        self.record(id)?.lease.as_ref().map(Lease::end)
    }

    /// Grants a lease for a session that has none; `false`: there is no room.
    pub(super) fn grant(&mut self, id: [u8; 16], lease: Lease) -> bool {
        let until = lease.until.min(self.now.after(LONGEST_LEASE));
        self.record_mut(id).lease = Some(Lease { until, ..lease });
        self.make_room(&id)
    }

    /// Keeps a successor, and ends the lease that led to it. Says whether there is room.
    pub(super) fn publish(&mut self, id: [u8; 16], successor: Successor) -> bool {
        let record = self.record_mut(id);
        record.lease = record.lease.take().filter(|lease| lease.generation >= successor.generation);
        // A VM whose lease had ended may come late, when there is a newer one.
        if record.successor.as_ref().is_none_or(|found| found.generation <= successor.generation) {
            record.successor = Some(successor);
        }
        self.make_room(&id)
    }

    /// Prolongs the lease of that holder; says whether there was one.
    pub(super) fn prolong(&mut self, id: &[u8; 16], holder: [u8; 8], until: Timestamp) -> bool {
        let until = until.min(self.now.after(LONGEST_LEASE));
        let lease = self.records.iter_mut().find(|record| record.id == *id).and_then(|record| record.lease.as_mut());
        let Some(lease) = lease.filter(|lease| lease.holder == holder) else { return false };
        lease.until = lease.until.max(until);
        true
    }

    /// Ends the lease of that holder; says whether there was one.
    pub(super) fn release(&mut self, id: &[u8; 16], holder: [u8; 8]) -> bool {
        let is_own =
            |record: &&mut Record| record.id == *id && record.lease.is_some_and(|lease| lease.holder == holder);
        let Some(record) = self.records.iter_mut().find(is_own) else { return false };
        record.lease = None;
        self.drop_empty();
        true
    }

    fn record(&self, id: &[u8; 16]) -> Option<&Record> {
        self.records.iter().find(|record| record.id == *id)
    }

    fn record_mut(&mut self, id: [u8; 16]) -> &mut Record {
        let index = self.records.iter().position(|record| record.id == id).unwrap_or(self.records.len());
        if index == self.records.len() {
            self.records.push(Record { id, lease: None, successor: None });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found, or has just been added")]
        &mut self.records[index]
    }

    /// Drops the oldest successors of other sessions until the rest has room, but no lease; says whether it has.
    fn make_room(&mut self, id: &[u8; 16]) -> bool {
        while self.records.len() > MOST || self.encode().len() > MOST_OCTETS {
            let others = self.records.iter_mut().filter(|record| record.id != *id);
            let successors = others.filter_map(|record| Some((record.successor.as_ref()?.made, record)));
            let Some((_, oldest)) = successors.min_by_key(|(made, _)| *made) else { return false };
            oldest.successor = None;
            self.drop_empty();
        }
        true
    }

    fn drop_empty(&mut self) {
        self.records.retain(|record| record.lease.is_some() || record.successor.is_some());
    }
}

impl Lease {
    /// When it has ended by every VM's clock, and after what was cut off its end.
    fn end(&self) -> Timestamp {
        self.until.after(SKEW)
    }

    fn counts(&self, now: Timestamp) -> bool {
        now < self.end() && self.until <= now.after(LONGEST_LEASE).after(SKEW).after(SECOND)
    }

    fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        let generation = u32::from_be_bytes(fields.array()?);
        Some(Self { generation, until: fields.instant()?, holder: fields.array()? })
    }
}

impl Successor {
    fn counts(&self, now: Timestamp) -> bool {
        now < self.made.after(KEPT) && self.made <= now.after(SKEW)
    }

    fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        let generation = u32::from_be_bytes(fields.array()?);
        Some(Self { generation, made: fields.instant()?, text: fields.field()?.to_vec() })
    }
}

impl Record {
    fn encode(&self, octets: &mut Vec<u8>) {
        octets.extend(self.id);
        octets.push(u8::from(self.lease.is_some()) | u8::from(self.successor.is_some()) << 1);
        if let Some(Lease { generation, until, holder }) = &self.lease {
            octets.extend(generation.to_be_bytes());
            // No part of a second is cut off.
            put_instant(octets, until.after(SECOND.saturating_sub(Duration::from_nanos(1))));
            octets.extend(holder);
        }
        if let Some(Successor { generation, made, text }) = &self.successor {
            octets.extend(generation.to_be_bytes());
            put_instant(octets, *made);
            put(octets, text);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields.array()?;
        let [flags @ 0..=3] = fields.array()? else { return None };
        let lease = if flags & 1 == 0 { None } else { Some(Lease::decode(fields)?) };
        let successor = if flags & 2 == 0 { None } else { Some(Successor::decode(fields)?) };
        Some(Self { id, lease, successor })
    }
}

fn decode(octets: &[u8]) -> Option<Vec<Record>> {
    let mut fields = Fields::new(octets);
    let [VERSION] = fields.array()? else { return None };
    let mut records = Vec::new();
    while !fields.is_empty() {
        records.push(Record::decode(&mut fields)?);
    }
    Some(records)
}
