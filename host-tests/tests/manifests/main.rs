//! What is applied to a cluster: the API server would take it, and the plugin takes the configuration inside.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "tests fail by panicking"
)]

mod broken;
mod chart;
mod crds;
mod helm;
mod rules;
mod samples;
