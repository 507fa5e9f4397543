//! The plugin: the proxy-wasm ABI 0.2.1 on one side, the [`driver`] of the decision engine on the other.
//!
//! It translates and decides nothing. Bytes come from the host as bytes, and every status of every host call is a
//! value.
//!
//! | module | subject |
//! | --- | --- |
//! | `host` | [`driver::Host`] over the host's functions |
//! | `plugin` | the host's callbacks, for the driver |
//! | `shared` | the host's shared data behind the engine's seam |
//!
//! There is no callback for bodies, so that none ever crosses the border. The headers of a response cross it only where
//! the engine has something to add to them.

#![forbid(unsafe_code)]
#![cfg(target_os = "wasi")]

mod host;
mod plugin;
mod shared;
