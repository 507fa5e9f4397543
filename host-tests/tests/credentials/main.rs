//! Credentials beyond the caller's JWT in a real Envoy, with partners that others wrote.
//!
//! | module | subject |
//! | --- | --- |
//! | `world`, `shared`, `ledger` | an Envoy with an upstream, and the secrets that were used |
//! | `client` | a client of oidc-provider |
//! | `introspection` | tokens that only their issuer can read |
//! | `dpop`, `mtls` | tokens that are bound to a key, or to a certificate |
//! | `signed` | tokens that the gate signs, as three libraries verify them |
//! | `exchange` | tokens that are exchanged |
//! | `eks` | tokens for a cluster, beside those that AWS's command line makes |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod client;
mod dpop;
mod eks;
mod exchange;
mod introspection;
#[path = "../login/ledger.rs"]
mod ledger;
mod mtls;
#[path = "../login/shared.rs"]
mod shared;
mod signed;
mod world;
