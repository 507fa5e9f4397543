//! What `jotgate from-istio` makes, beside what Istio does.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_in_result, reason = "tests fail by panicking")]

mod manifests;
mod pages;
