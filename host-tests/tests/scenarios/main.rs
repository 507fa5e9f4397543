//! The systems that Jotgate takes over from: what their users rely on, against the very files of `envoy-config/`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod dpop;
mod eks_dashboard;
mod exchange;
mod gafaelfawr;
mod login;
mod nauthera;
mod stac;
mod stac_auth_proxy;
mod stig_manager;
mod streams;
mod websocket;
mod world;
