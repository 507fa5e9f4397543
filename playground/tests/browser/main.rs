//! The page in a browser: what it shows, and that it asks nobody.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod access;
mod browser;
mod decisions;
mod mistakes;
mod page;
mod privacy;
