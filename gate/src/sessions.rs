//! Sessions: who logged in, sealed in cookies that the browser keeps.

#![allow(dead_code, unused_imports, reason = "the engine uses it next")]

mod claims;
mod content;
mod cookie;
mod keyring;
mod too_large;

pub(crate) use self::claims::KeptClaims;
pub(crate) use self::content::Session;
pub(crate) use self::cookie::{OpenedSession, SealError, SessionCookies};
pub(crate) use self::keyring::{Binding, Keyring, Opened, Purpose};
pub(crate) use self::too_large::TooLarge;
