//! The plugin: the proxy-wasm ABI 0.2.1 on one side, [`gate`] on the other.
//!
//! It translates and decides nothing. Bytes come from the host as bytes; every status of every host call is looked
//! at; where the host fails, the request does.
//!
//! | module | subject |
//! | --- | --- |
//! | `abi` | the host's functions, wrapped: the only unsafe code, with `exports` |
//! | `exports` | the functions that the host calls |
//! | `pairs` | header maps as they cross the border |
//! | `plugin` | one configuration at work: requests, callouts, ticks |
//! | `shared` | the host's shared data behind the engine's seam |
//! | `signature` | the host's `verify_signature` behind `jose`'s seam |

#[cfg(target_os = "wasi")]
mod abi;
#[cfg(target_os = "wasi")]
mod exports;
#[cfg(target_os = "wasi")]
mod plugin;
#[cfg(target_os = "wasi")]
mod shared;
#[cfg(target_os = "wasi")]
mod signature;

#[cfg(any(target_os = "wasi", test))]
mod pairs;
