//! One refresh for all VMs of a proxy: who fetches a session's claims, and for a minute the session that came of it.
//!
//! Parallel requests, late ones with the old cookie, and those whose response was lost all find the same successor.
//! Each entry of the shared data is a [`Slot`] for all sessions whose ids fall on it, so that there are never more of
//! them, and is sealed under its name: other plugins that write there read nothing, and what they write is dropped.

mod ended;
mod slot;

use std::time::Duration;

use zeroize::Zeroizing;

use self::ended::Ended;
use self::slot::{Lease, Slot, Successor};
use super::content::Session;
use super::keyring::{Keyring, Purpose};
use crate::capabilities::Capabilities;
use crate::random::draw;
use crate::shared::{SharedData, SharedDataError};
use crate::time::Timestamp;
use jose::hex;

/// Stands in names: an entry of another format is one of another name.
const FORMAT: &str = "jotgate.sessions.1";
/// How many entries there are of one login.
const SLOTS: u16 = 512;
/// How often a write is tried that others get in the way of.
const TRIES: usize = 3;
/// When to look again after that.
const PAUSE: Duration = Duration::from_millis(50);

/// What the VMs of a proxy share about the sessions of one login.
pub(crate) struct Successors<'x> {
    keyring: &'x Keyring,
    login: usize,
    shared: &'x mut dyn SharedData,
    capabilities: Capabilities<'x>,
}

/// What a VM has to do that wants to refresh a session.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Claim {
    /// Another VM refreshes it: look again, until its lease ends at the latest.
    Follow { until: Timestamp },
    /// So many sessions are refreshed that this one has to wait.
    Full,
    /// This VM refreshes it.
    Lease(Holder),
    /// It was refreshed: the text of the session that follows.
    Successor(Vec<u8>),
    /// Nothing is shared. This VM refreshes it, and others may, too.
    Unavailable,
}

/// Another one for each lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Holder([u8; 8]);

impl<'x> Successors<'x> {
    /// What is shared about the sessions of the login of that index.
    pub(crate) fn new(
        keyring: &'x Keyring,
        login: usize,
        shared: &'x mut dyn SharedData,
        capabilities: Capabilities<'x>,
    ) -> Self {
        Self { keyring, login, shared, capabilities }
    }

    /// Asks for the refresh of a session. A lease that is granted ends by itself after that time, by this VM's clock: it
    /// must have stopped by then.
    pub(crate) fn claim(&mut self, session: &Session, lease: Duration) -> Claim {
        let Ok(holder) = draw(self.capabilities.random) else { return Claim::Unavailable };
        let now = self.capabilities.now;
        let claimed = self.change(session, |slot| {
            if let Some(text) = slot.successor(&session.id, session.generation) {
                return (Claim::Successor(text.to_vec()), false);
            }
            if let Some(until) = slot.lease_end(&session.id) {
                return (Claim::Follow { until }, false);
            }
            let lease = Lease { generation: session.generation, until: now.after(lease), holder };
            match slot.grant(session.id, lease) {
                true => (Claim::Lease(Holder(holder)), true),
                false => (Claim::Full, false),
            }
        });
        match claimed {
            Ok(claim) => claim,
            Err(SharedDataError::Changed) => Claim::Follow { until: now.after(PAUSE) },
            Err(SharedDataError::Unavailable) => Claim::Unavailable,
        }
    }

    /// Lets a lease last for that time from now on; says whether it does. If not, it ends when it would have.
    pub(crate) fn prolong(&mut self, session: &Session, holder: Holder, lease: Duration) -> bool {
        let until = self.capabilities.now.after(lease);
        let prolong = |slot: &mut Slot| {
            let is_prolonged = slot.prolong(&session.id, holder.0, until);
            (is_prolonged, is_prolonged)
        };
        self.change(session, prolong).unwrap_or(false)
    }

    /// The session that follows this one, if another VM has refreshed it.
    pub(crate) fn find(&mut self, session: &Session) -> Option<Vec<u8>> {
        let find = |slot: &mut Slot| (slot.successor(&session.id, session.generation).map(<[u8]>::to_vec), false);
        self.change(session, find).ok().flatten()
    }

    /// Publishes what a refresh came to: `session`, of which this is the text.
    pub(crate) fn publish(&mut self, session: &Session, text: &[u8]) {
        let successor = Successor { generation: session.generation, made: self.capabilities.now, text: text.to_vec() };
        // Where nothing is shared, other VMs refresh for themselves.
        let _ = self.change(session, |slot| ((), slot.publish(session.id, successor.clone())));
    }

    /// Gives up a lease, so that another VM may try at once.
    pub(crate) fn release(&mut self, session: &Session, holder: Holder) {
        // Where that fails, it ends by itself.
        let _ = self.change(session, |slot| ((), slot.release(&session.id, holder.0)));
    }

    /// Says to the other VMs that a session is over.
    pub(crate) fn end(&mut self, id: [u8; 16]) {
        let Some(name) = self.entry("ended") else { return };
        // Where nothing is shared, connections in other VMs last as long as their sessions would have.
        let _ = self.change_entry(&name, |octets| {
            let mut ended = Ended::new(octets);
            ended.add(id);
            ((), Some(ended.encode()))
        });
    }

    /// The sessions that are over, as far as some VM has said so lately.
    pub(crate) fn ended(&mut self) -> Vec<[u8; 16]> {
        let Some(name) = self.entry("ended") else { return Vec::new() };
        self.change_entry(&name, |octets| (Ended::new(octets).into_ids(), None)).unwrap_or_default()
    }

    /// Reads the slot of a session, and writes it where `change` says so, unless another VM wrote in between: then it
    /// starts anew.
    fn change<T>(
        &mut self,
        session: &Session,
        mut change: impl FnMut(&mut Slot) -> (T, bool),
    ) -> Result<T, SharedDataError> {
        let name = self.entry(&slot_of(session).to_string()).ok_or(SharedDataError::Unavailable)?;
        let now = self.capabilities.now;
        self.change_entry(&name, |octets| {
            let mut slot = Slot::new(octets, now);
            let (outcome, is_changed) = change(&mut slot);
            (outcome, is_changed.then(|| slot.encode()))
        })
    }

    /// Reads an entry, and writes what `change` makes of it, if anything, unless another VM wrote in between.
    fn change_entry<T>(
        &mut self,
        name: &str,
        mut change: impl FnMut(&[u8]) -> (T, Option<Zeroizing<Vec<u8>>>),
    ) -> Result<T, SharedDataError> {
        for _ in 0..TRIES {
            let found = self.shared.read(name)?;
            let version = found.as_ref().map(|found| found.version);
            let text = found.and_then(|found| self.keyring.open(Purpose::Shared, name.as_bytes(), &found.bytes));
            let (outcome, changed) = change(text.as_ref().map_or(&[], |opened| &opened.text));
            let Some(changed) = changed else { return Ok(outcome) };
            let random = self.capabilities.random;
            let sealed = self.keyring.seal(Purpose::Shared, self.login, name.as_bytes(), &changed, random);
            match self.shared.write(name, &sealed.map_err(|_| SharedDataError::Unavailable)?, version) {
                Ok(()) => return Ok(outcome),
                Err(SharedDataError::Changed) => {}
                Err(SharedDataError::Unavailable) => return Err(SharedDataError::Unavailable),
            }
        }
        Err(SharedDataError::Changed)
    }

    /// The name of an entry; `None` for a login that is not there.
    fn entry(&self, name: &str) -> Option<String> {
        // The same for every secret: one that is replaced must not hide what VMs with the old one do.
        let login = self.keyring.binding(self.login)?;
        Some(format!("{FORMAT}.{}.{name}", hex::encode(&login)))
    }
}

fn slot_of(session: &Session) -> u16 {
    u16::from_be_bytes(session.id.first_chunk().copied().unwrap_or_default()) % SLOTS
}

#[cfg(test)]
mod tests;
