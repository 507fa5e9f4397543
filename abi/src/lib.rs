//! The proxy-wasm ABI 0.2.1 in safe types, for modules that are built for `wasm32-wasip1`.
//!
//! The SDK's wrappers panic where a status is not among those they expect, and some turn bytes into strings on the
//! way; here every status is a value, and bytes stay bytes.
//!
//! | module | subject |
//! | --- | --- |
//! | `exports` | [`export!`]: the functions that the host calls, for an implementation of [`Plugin`] |
//! | `hostcalls` | the host's functions; only in modules |
//! | [`pairs`] | header maps as they cross the border |
//! | [`signature`] | the host's `verify_signature` behind `jose`'s seam |
//! | [`signing`] | the host's `sign`, likewise |
//! | `types` | the ABI's numbers |
//!
//! All unsafe code of a module is in `exports` and `hostcalls`.

mod exports;
#[cfg(target_os = "wasi")]
pub mod hostcalls;
pub mod pairs;
pub mod signature;
pub mod signing;
mod types;

pub use self::exports::Plugin;
#[cfg(target_os = "wasi")]
#[doc(hidden)]
pub use self::exports::allocate;
pub use self::types::{Action, Buffer, LogLevel, Map, MetricKind, Status};
