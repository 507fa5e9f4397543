//! Envoy's ABI for dynamic modules, in safe types: the one crate with `unsafe` code.
//!
//! A module implements [`Module`] and exports it with [`export!`]; what it may ask of Envoy is [`Config`], [`Main`] and
//! the functions of [`stream`].
//!
//! | module | subject |
//! | --- | --- |
//! | `config` | a configuration of the filter: metrics, callouts from the main thread |
//! | `exports` | the functions that Envoy calls |
//! | `functions` | Envoy's functions, looked up when the module is loaded; which Envoys have them |
//! | `hooks` | [`Module`], what Envoy calls in safe types |
//! | `raw` | the C types |
//! | [`stream`] | what a request is asked for and told |
//! | `waker` | has Envoy call back from any thread |
//!
//! # What makes it safe
//!
//! - **Pointers to requests** stay in a table of the thread that runs the request ([`stream`]). A module holds a
//!   [`StreamId`], which finds nothing once the request is gone, or on another thread.
//! - **Borrowed headers** end with the closure that reads them. While they are lent, nothing that could change or free
//!   them is done: such calls fail.
//! - **Pointers to a configuration** are lent for a call: [`Config`] on any thread, [`Main`] on the main thread.
//! - **Wakers** are closed by this crate when what they wake is gone.
//! - **Panics** end at the border: the request is answered with 500, and the module is told.
//! - **Functions that this Envoy lacks** are noticed when the module is loaded, which is then refused.

mod config;
#[doc(hidden)]
pub mod exports;
#[cfg(test)]
mod fake;
mod functions;
mod hooks;
mod raw;
pub mod stream;
#[cfg(test)]
mod tests;
mod waker;

pub use self::config::{Config, Definition, Main, MetricId, NotSent};
pub use self::functions::{LogLevel, log};
pub use self::hooks::{Action, Answer, Module, Stream};
pub use self::stream::{Headers, StreamId};
pub use self::waker::{ConfigWaker, StreamWaker};
