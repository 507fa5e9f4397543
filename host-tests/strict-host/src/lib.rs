//! A strict proxy-wasm host; [`cases`] runs behaviours in it that are written as data.
//!
//! It stands in for Envoy before a plugin with ABI 0.2.1: same host calls, same statuses, same order of callbacks, but with a
//! virtual clock, scripted callouts and a record of everything that the plugin does wrong. What Envoy would forgive
//! (a call in the wrong phase, a second reply, a bad header name) gets Envoy's answer *and* fails the test.
//!
//! ```no_run
//! use strict_host::{CalloutAnswer, Plugin, Proxy, Response, VmOptions};
//! use std::time::Duration;
//!
//! let plugin = Plugin::load("plugin.wasm").unwrap();
//! let proxy = Proxy::new();
//! proxy.on_callout(|callout| match callout.path().as_str() {
//!     "/jwks" => CalloutAnswer::respond(Response::json(r#"{"keys": []}"#)).after(Duration::from_millis(20)),
//!     _ => CalloutAnswer::fail(),
//! });
//!
//! let vm = proxy.vm(&plugin, VmOptions::new().env("SECRET", "…").property("source.address", "192.0.2.1:1234"));
//! let root = vm.start(r#"{"some": "configuration"}"#).unwrap();
//! let request = [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "example.com")];
//! let stream = root.request(request, true);
//! assert!(stream.is_waiting());
//!
//! proxy.advance(Duration::from_millis(20));
//! assert_eq!(stream.forwarded().text("x-user").as_deref(), Some("alice"));
//! assert_eq!(stream.property_text("jotgate_subject").as_deref(), Some("alice"));
//! stream.end();
//! vm.finish();
//! ```
//!
//! Things to know:
//!
//! - All state belongs to a [`Proxy`] or a [`Vm`]; only a [`Plugin`], the compiled module, can be shared by threads.
//! - Callouts are answered when the test moves the clock ([`Proxy::advance`], [`Proxy::settle`]), never by themselves.
//! - Hosts call back the *root* context for a callout, whoever made it; SDKs find the caller by the token.
//! - Resuming and replying take effect once the plugin has returned, as in Envoy.
//! - A local reply passes the plugin's own response callbacks, as in Envoy.
//! - Lines of some names arrive joined by commas, `authorization` among them, as in Envoy; see
//!   [`VmOptions::keep_duplicate_lines`].
//! - A plugin exports what it wants to be called for; a callback that is not exported passes everything.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "this is a library for tests, and a panic is how a test fails"
)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a panic is how a test fails"))]

mod built;
mod callout;
pub mod cases;
mod clock;
mod cookies;
mod exchange;
mod flow;
mod guest;
mod headers;
mod imports;
mod instance;
mod log;
mod message;
mod metrics;
mod options;
mod plugin;
mod precompiled;
mod proxy;
mod reply;
mod shared_data;
mod signature;
mod state;
mod status;
mod stream;
mod vm;

pub use built::built;
pub use callout::{Callout, CalloutAnswer, Response};
pub use clock::Clock;
pub use exchange::{Outcome, Pause};
pub use headers::HeaderMap;
pub use log::{LogLevel, LogLine};
pub use message::Message;
pub use metrics::Metrics;
pub use options::VmOptions;
pub use plugin::{LoadError, Plugin};
pub use proxy::Proxy;
pub use reply::LocalReply;
pub use shared_data::SharedData;
pub use signature::VerifySignature;
pub use state::Violation;
pub use status::Status;
pub use stream::Stream;
pub use vm::{Refused, Root, Vm};
