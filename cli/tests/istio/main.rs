//! What `jotgate from-istio` makes, beside what Istio does.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_in_result,
    reason = "tests fail by panicking"
)]

mod compared;
mod gate;
mod model;
mod pages;
mod policies;
