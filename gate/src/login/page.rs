//! The pages that the gate shows to people: plain HTML, without scripts, and with nothing from elsewhere.

#![allow(unused_imports, reason = "the engine uses them next")]

mod choose;
mod continuation;
mod document;
mod failed;
mod html;
mod log_out;
mod roles;
mod session_over;

pub(crate) use self::choose::{Choice, choose};
pub(crate) use self::continuation::continuation;
pub(crate) use self::failed::{Failure, failed};
pub(crate) use self::log_out::log_out;
pub(crate) use self::roles::choose_role;
pub(crate) use self::session_over::session_over;
