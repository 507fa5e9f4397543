//! The gate as a native Envoy module: Envoy's ABI on one side ([`module_abi`]), the [`driver`] of the decision engine on
//! the other.
//!
//! It translates and decides nothing. Each worker of Envoy has an engine, and so has the main thread, which fetches for
//! all of them and has no requests. What they share is in the process's memory.
//!
//! | module | subject |
//! | --- | --- |
//! | `alarm` | the thread that wakes engines when something is due |
//! | `engine` | one engine |
//! | `gateway` | one configuration: Envoy's hooks, for its engines |
//! | `host` | [`driver::Host`] over Envoy's functions |
//! | `later` | what is asked of Envoy once the engine is at rest |
//! | `mail` | callouts, on their way to the main thread, and answers on their way back |
//! | `metrics` | the metrics of a configuration |
//! | `requests` | the requests of an engine's worker that Envoy may have to be called for |
//! | `signatures` | signatures, checked by a library in machine code |
//! | `store` | the data that the engines share |
//!
//! # Threads
//!
//! - **An engine is behind a lock**, which its worker takes in each hook and nobody waits for: the main thread takes it
//!   only to hand over an answer while no request of that worker waits.
//! - **Nothing that may call back is called under the lock.** Envoy, asked to answer or continue a request, calls hooks of
//!   this and other requests within that call. So that is done when the hook has given the lock back (`later`).
//! - **Callouts are made on the main thread**, and outlive the request that needed them first.

#![forbid(unsafe_code)]

mod alarm;
mod engine;
#[cfg(feature = "faults")]
mod faults;
mod gateway;
mod host;
mod later;
mod mail;
mod metrics;
mod requests;
mod signatures;
mod store;

module_abi::export!(gateway::Gateway);
