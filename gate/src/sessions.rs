//! Sessions: who logged in, sealed in cookies that the browser keeps.
//!
//! | file | subject |
//! | --- | --- |
//! | `keyring` | the keys, one for each purpose, login and secret |
//! | `content`, `claims` | what a session holds |
//! | `cookie`, `too_large` | its cookies |
//! | `entry` | from its text to a caller |
//! | `standing` | what it is still good for |
//! | `refreshes`, `successors` | how it is renewed: once in each VM, and once in all of them |
//! | `usage` | a request with a session, until its response is there |

mod claims;
mod content;
mod cookie;
mod entry;
mod keyring;
mod refreshes;
mod standing;
mod successors;
mod too_large;
mod usage;

pub(crate) use self::claims::KeptClaims;
pub(crate) use self::content::Session;
pub(crate) use self::cookie::{OpenedSession, SealError, SessionCookies};
pub(crate) use self::entry::{Found, find, open};
pub(crate) use self::keyring::{Binding, Keyring, Purpose};
pub(crate) use self::refreshes::{Outcome, Refreshes, SessionId, Wish};
pub(crate) use self::standing::{Bounds, Standing};
pub(crate) use self::successors::{Claim, Successors};
pub(crate) use self::usage::{SessionUse, is_shared};
