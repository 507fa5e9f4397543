//! For whom a credential is made.

#![allow(dead_code, reason = "exchanges use it next")]

use crate::callers::Entry;
use crate::sessions::Session;

/// A caller who is certain, and whose access was granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'c> {
    /// Who it is.
    pub(crate) entry: &'c Entry,
    /// The token that it came with.
    pub(crate) token: Option<&'c [u8]>,
    /// The session that it came with.
    pub(crate) session: Option<&'c Session>,
    /// What stands for it: another for each token, and for each refresh of a session.
    pub(crate) digest: [u8; 32],
}

impl<'c> Caller<'c> {
    pub(crate) fn of(entry: &'c Entry) -> Self {
        let session = entry.session.as_ref().map(|opened| &opened.session);
        let token = session.is_none().then_some(&*entry.token);
        Self { entry, token, session, digest: entry.digest }
    }
}
