//! What only the native module can do wrong, in a real Envoy. `make test-module` runs these, and what the plugin is
//! tested with, against the module.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod panics;
mod updates;
mod versions;
mod world;
