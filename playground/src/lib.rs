//! The engine on one page in a browser: how a configuration decides a request, without a network.
//!
//! The page asks in JSON ([`answer`]) over a border of three functions. Everything it shows is from the library that the
//! command line uses, and every decision from the engine. `src/bin/page.rs` makes one file of `page/` and this module.

mod answer;
mod border;
mod decoded;
mod entered;

pub use self::answer::answer;
