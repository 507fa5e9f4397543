//! The built plugin in the strict host.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod cases;
mod cost;
mod cost_of_keys;
mod cost_of_rules;
mod counts;
mod hostile;
mod hosts;
mod instructions;
mod memory;
mod responses;
mod samples;
mod sessions;
mod sharing;
mod waiting;
mod world;
