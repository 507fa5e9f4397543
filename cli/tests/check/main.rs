//! What `jotgate check` says, of configurations that are broken in all ways.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

mod answers;
mod messages;
mod samples;
