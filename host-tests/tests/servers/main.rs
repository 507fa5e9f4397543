//! Real servers and frameworks behind the plugin in a real Envoy: what the gate decided on is what they see.
//!
//! Their applications are in `host-tests/servers/`; `make servers` installs them. Each answers which of its handlers
//! ran. The policy has, in every dimension, a rule that protects and a weaker one that follows (`policy`); a handler
//! that ran is one that the rule was meant for.
//!
//! | module | subject |
//! | --- | --- |
//! | `methods`, `hosts`, `headers`, `paths`, `overrides`, `preflights` | each dimension, by tables |
//! | `differential` | requests from a seed, with oddities in several dimensions |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod check;
mod differential;
mod headers;
mod hosts;
mod methods;
mod overrides;
mod paths;
mod policy;
mod preflights;
mod requests;
mod server;
mod world;
