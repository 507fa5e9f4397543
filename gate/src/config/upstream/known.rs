//! What credentials can refer to.

use super::super::Environment;
use super::super::reader::Node;
use crate::policy::{Issuer, Keep, KeptToken, SessionSettings};

/// What credentials can refer to, as far as it could be read.
#[derive(Clone, Copy)]
pub(in crate::config) struct Known<'k> {
    pub(in crate::config) issuers: Option<&'k [Issuer]>,
    /// Absent: there are no sessions, or they could not be read.
    pub(in crate::config) session: Option<&'k SessionSettings>,
    /// Whether there are sessions.
    pub(in crate::config) has_sessions: bool,
    pub(in crate::config) env: Environment<'k>,
}

/// Says where sessions do not keep a token.
pub(in crate::config) fn check_kept(node: &Node<'_, '_>, token: KeptToken, known: Known<'_>) -> Option<()> {
    let (name, is_kept): (_, fn(Keep) -> bool) = match token {
        KeptToken::Access => ("accessToken", |keep| keep.access_token),
        KeptToken::Id => ("idToken", |keep| keep.id_token),
    };
    match known.session {
        // No more is to be said where they could not be read.
        None if known.has_sessions => None,
        Some(session) if is_kept(session.keep) => Some(()),
        _ => node.fail(format!("expected `session.keep` with `{name}`: nothing else keeps that token")),
    }
}
