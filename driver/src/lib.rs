//! The loop that carries out what the decision engine wants, over any host.
//!
//! [`gate`] decides and does nothing; a host (a proxy-wasm VM, a native module, the command line, a test) does things
//! and decides nothing. This crate is what stands between, once for all of them:
//!
//! - A host calls a [`Driver`] with what happened: [`Driver::request_headers`], [`Driver::request_trailers`],
//!   [`Driver::response_headers`], [`Driver::callout_answered`], [`Driver::tick`], [`Driver::cancel`], [`Driver::end`].
//!   The driver hands it to the engine, and carries out what the engine wants, through [`Host`], until there is nothing
//!   more to do.
//! - **Where the host fails, the request does**: if its headers cannot be read or edited, or it cannot be continued,
//!   it is answered with 500. A request never passes half-edited. A response does: it is the upstream's, and what the
//!   gate adds to it can come with the next one.
//! - A request that can be decided within the call that brought it is: the [`Action`] of that call says so, and the
//!   host is not told to continue what it has not paused yet.
//! - A host without a timer, callouts or shared data still works: what is due is done with the next request, a callout
//!   that was not sent is a failed fetch, and each VM fetches for itself.
//!
//! | module | subject |
//! | --- | --- |
//! | `driver` | one configuration at work: events in, effects out |
//! | `host` | [`Host`], what a driver needs of its host |
//! | [`memory`] | a host without a proxy, for the command line, fuzzing and tests |
//! | `metrics` | metrics by the host's numbers |
//! | `vm` | the configurations of a VM, and whose requests are whose |

#![forbid(unsafe_code)]

mod driver;
mod host;
pub mod memory;
mod metrics;
mod vm;

#[cfg(test)]
mod tests;

pub use self::driver::{Action, Driver};
pub use self::host::{CalloutToken, Headers, Host, HostError, LogLevel};
pub use self::vm::{Vm, refusals, seed};
