//! Browsers for tests: [`chromium`] is a real one, and [`user_agent`] keeps a browser's rules for cookies, redirects and
//! `Sec-Fetch` headers in milliseconds, without a screen or scripts.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is a library for tests, and a panic is how a test fails"
)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a panic is how a test fails"))]

pub mod chromium;
pub mod user_agent;
