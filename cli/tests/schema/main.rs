//! The schema and the engine's own reader say the same of a configuration, as far as a schema can see.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod generated;
mod judges;
mod published;
mod samples;
mod world;
