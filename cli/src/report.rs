//! What is printed, for people and for programs.

pub(crate) mod cases;
pub(crate) mod check;
pub(crate) mod explanation;

mod finding;
mod json;

pub(crate) use self::finding::{render, render_rejection};
pub(crate) use self::json::pretty;
