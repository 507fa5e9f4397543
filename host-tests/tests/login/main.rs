//! Browser login in a real Envoy: at providers that others wrote, at one with flaws on demand, and in a real browser.
//!
//! | module | subject |
//! | --- | --- |
//! | `world`, `shared`, `provider`, `setup`, `ledger` | an Envoy, a provider and a browser; the secrets that they used |
//! | `code_flow` | logins at certified providers: each client authentication, deep links, `iss` |
//! | `github` | logins at GitHub, which has no ID token |
//! | `refresh` | sessions that stay alive, by strict rotation, under parallel requests |
//! | `sockets` | connections that end with their session |
//! | `log_out` | logout here and at the provider; revocation |
//! | `flaws` | what no provider should say, and which page it leads to |
//! | `answers` | what requests get that are no navigation; the paths of the gate's own |
//! | `cross_site` | what other sites cannot have a browser do |
//! | `chromium` | the same with a person's browser, and what its pages look like |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod answers;
mod chromium;
mod code_flow;
mod cross_site;
mod flaws;
mod github;
mod ledger;
mod log_out;
mod provider;
mod refresh;
mod setup;
mod shared;
mod sockets;
mod world;
