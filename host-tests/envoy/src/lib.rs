//! A real Envoy for a test: it gets ports of its own, its log is kept, and it ends with the test.
//!
//! ```no_run
//! # use real_envoy::{Bootstrap, Envoy, http::Request};
//! # use testbed::{issuer::{Issuer, Options, TokenRequest}, upstream::Upstream};
//! let issuer = Issuer::start(Options::default()).unwrap();
//! let upstream = Upstream::start(0).unwrap();
//! let plugin_configuration = "{…}";
//! let bootstrap = Bootstrap::new(upstream.address())
//!     .cluster("issuer", issuer.address())
//!     .plugin(plugin_configuration);
//! let envoy = Envoy::start(&bootstrap.text()).unwrap();
//! let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
//! let response = Request::get("/orders").bearer(&token).send(envoy.address("gateway")).unwrap();
//! assert_eq!(response.status, 200);
//! ```
//!
//! The binary is `$JOTGATE_ENVOY` or `venv/bin/jotgate-envoy` among the tools (see [`test_support::tool`]), which
//! `make envoy` installs.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is a library for tests, and a panic is how a test fails"
)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a panic is how a test fails"))]

mod bootstrap;
mod changing;
mod config;
mod discovery;
mod envoy;
mod error;
pub mod http;
pub mod http2;
mod ports;
mod process;
mod programs;
mod shared;
pub mod verdict;

pub use bootstrap::Bootstrap;
pub use changing::ChangingEnvoy;
pub use envoy::{Builder, Envoy};
pub use error::StartError;
pub use http::raise_file_limit;
pub use ports::{NOWHERE, Port};
pub use programs::{Gate, module, plugin};
pub use shared::SharedEnvoy;
