//! What is made of Istio's policies, beside what Istio does.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

mod compared;
mod gate;
mod model;
mod policies;
