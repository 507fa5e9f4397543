//! The systems that Jotgate takes over from: what their users rely on, against the very files of `envoy-config/`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod eks_dashboard;
mod nauthera;
mod stig_manager;
mod streams;
mod websocket;
mod world;
