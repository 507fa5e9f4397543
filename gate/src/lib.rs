//! The decision engine of an identity gate: which requests may pass, and what is forwarded about their callers.
//!
//! # Contract
//!
//! The engine is sans-I/O: a deterministic state machine without host calls, clock, randomness or I/O. A host drives
//! it, and any schedule of requests, failures and clocks can be replayed to it.
//!
//! - **In**: [`Gate::handle_request`] takes a borrowed view of a request, [`Gate::handle_callout`] the outcome of a
//!   fetch, [`Gate::handle_timeout`] the passing of time, [`Gate::cancel`] the end of a request. Each takes the
//!   host's [`Capabilities`]: the present instant, which may even run backwards, randomness, and what checks signatures.
//! - **Out**: each request gets one [`Decision`]: forward it with these edits, reply with this, or wait. What else is
//!   to be done comes from [`Gate::poll_effect`]: **after every call the host takes effects until there are none**,
//!   and calls [`Gate::handle_timeout`] when [`Gate::next_timeout`] has come.
//! - [`Effect::Share`] asks for the data that all VMs of a proxy share ([`SharedData`]), handed to
//!   [`Gate::handle_shared`]; a request may be resumed right after it, within the call that brought it. Its last call
//!   is [`Gate::end`]: what it fetches, others may then.
//! - A request that waits is named by [`Effect::Resume`], once there is something new to decide on: the host then
//!   hands it to [`Gate::handle_request`] again. The engine keeps no copy of it. No request waits longer than
//!   `limits.waitFor`, nor more of them than `limits.waiting`. Of a crowd some are resumed at a time, the others by
//!   the next timeout, which is then due at once. After [`Gate::handle_request`] only that request is resumed:
//!   a host without timers calls [`Gate::handle_timeout`] after each.
//! - Signatures are checked behind [`jose::signature::SignatureVerifier`], which the host may implement.
//! - A request passes only through [`Decision::Forward`], whose edits leave in it no identity header that is not
//!   the engine's own. Whatever is missing, broken or late is a refusal.
//!
//! Everything a client or an issuer sent is taken as bytes, and no such bytes make the engine panic.
//!
//! ```text
//!            headers ──▶ hygiene ──▶ canonical path ──▶ rule ──▶ credential ──▶ token ──▶ access ──▶ identity
//!                                        │               │           │            │  ▲       │
//!                                        ▼               ▼           ▼            ▼  │       ▼
//!                                     400 ambiguous   403 denied   400, 401     401, 503    403
//!                                                                                 │  │
//!            time, callouts, shared data ─────────▶ keys of each issuer ──────────┘  └── wait, resume
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests fail by panicking"))]

pub mod callers;
pub mod claims;
pub mod config;
pub mod credentials;
pub mod explain;
pub mod http;
pub mod hygiene;
pub mod identity;
pub mod policy;
pub mod rules;

mod answer;
mod authorization_server;
mod binding;
mod callout;
mod canonical;
mod capabilities;
mod decision;
mod distinct;
mod engine;
mod heap;
mod introspection;
mod json_text;
mod keys;
mod known;
mod login;
mod lookup;
mod metadata;
mod octets;
mod question;
mod random;
mod report;
mod sealing;
mod sessions;
mod shared;
#[cfg(test)]
mod testing;
mod time;
mod trail;
mod upstream;
mod verdict;
mod whole_regex;

pub use self::callout::{Callout, CalloutFailure, CalloutHeader, CalloutId, CalloutOutcome};
pub use self::capabilities::Capabilities;
pub use self::config::ConfigErrors;
pub use self::engine::{Decision, Effect, Gate, Level, RequestId, ResponseDecision};
pub use self::http::{Connection, HeaderEdit, HeaderLine, Reply, Request, Response};
pub use self::policy::Policy;
pub use self::random::{NoRandomness, Randomness};
pub use self::report::{Cause, Detail, LoginFailure, Metric, MetricKind, Reason, Report, SessionEnd};
pub use self::shared::{SharedData, SharedDataError, SharedValue};
pub use self::time::Timestamp;
