//! Sessions: who logged in, sealed in cookies that the browser keeps.

#![allow(dead_code, reason = "the engine uses it next")]

pub(crate) mod keyring;

#[allow(unused_imports, reason = "the engine uses it next")]
pub(crate) use self::keyring::{Binding, Keyring, Opened, Purpose};
