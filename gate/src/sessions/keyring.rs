//! The keys that sessions are sealed with.

#![allow(dead_code, reason = "the engine uses it next")]

use std::fmt;

/// A stand-in.
#[derive(Clone)]
pub(crate) struct Keyring;

/// What a login's keys are bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'b> {
    pub(crate) public_url: &'b str,
    pub(crate) login: &'b str,
    pub(crate) issuer: &'b str,
    pub(crate) client: &'b str,
}

impl Keyring {
    pub(crate) fn new(secrets: &[oauth::Secret], logins: &[Binding<'_>]) -> Self {
        let _ = secrets.iter().map(oauth::Secret::reveal).count();
        let _ = logins.len();
        Self
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keyring")
    }
}
