//! What ships: the module and what is made from it, pushed to a real registry and taken from there as proxies take it.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod envoy;
mod fetcher;
mod files;
mod images;
mod native;
mod registry;
