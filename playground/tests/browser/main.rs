//! The page in a browser: what it shows, and that it makes no request.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod access;
mod decisions;
mod mistakes;
mod page;
mod privacy;
