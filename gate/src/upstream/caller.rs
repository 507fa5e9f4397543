//! For whom a credential is made.

use oauth::Secret;

use crate::callers::Entry;
use crate::policy::KeptToken;
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
    /// What stands for it: another for each token, for each answer about one, and for each refresh of a
    /// session.
    pub(crate) digest: [u8; 32],
}

impl<'c> Caller<'c> {
    pub(crate) fn of(entry: &'c Entry) -> Self {
        let session = entry.session.as_ref().map(|opened| &opened.session);
        let token = session.is_none().then_some(&*entry.token);
        Self { entry, token, session, digest: entry.digest }
    }

    /// A token that its session keeps.
    pub(crate) fn kept(&self, token: KeptToken) -> Option<&'c Secret> {
        let session = self.session?;
        match token {
            KeptToken::Access => session.access_token.as_ref(),
            KeptToken::Id => session.id_token.as_ref(),
        }
    }
}
