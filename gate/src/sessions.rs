//! Sessions: who logged in, sealed in cookies that the browser keeps.

mod keyring;

pub(crate) use self::keyring::Keyring;
