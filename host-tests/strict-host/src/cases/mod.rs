//! Cases: one file per behaviour, run against a plugin.
//!
//! A case is YAML (JSON is YAML, too); unknown members are errors:
//!
//! ```yaml
//! name: a caller with a token is named to the upstream   # a sentence
//! now: 1767225600                 # Unix seconds; default: 2026-01-01T00:00:00Z
//! env: {JOTGATE_SHARED_SECRET: s} # the VM's environment
//! keep_duplicate_lines: true      # a host that does not join lines as Envoy does
//! config: {issuers: […]}          # given to the plugin as JSON; a string is given as it is
//! clusters:                       # who answers callouts, by path; `*` is any other path
//!   idp:
//!     /jwks: {json: {keys: []}}   # or body: text; status: 200; headers: [[name, value]]; after: 20ms
//!     /down: {fail: true}         # or hang: true
//! requests:
//! - advance: 30s                  # moves the clock first
//!   send:                         # all members have defaults
//!     method: GET
//!     path: /
//!     host: example.com
//!     headers: [[authorization, "Bearer {{token: {sub: alice}}}"], [x-odd, {bytes: ff00}]]
//!   expect:
//!     forward: {headers: {x-user: alice}, absent: [authorization]}
//!     properties: {jotgate_subject: alice}
//! - expect:
//!     reply: {status: 401, headers: {cache-control: no-store}, absent: [location], reason: missing_token}
//!     # further members of a reply: body_contains, details, grpc_status
//! - expect: {waiting: true}
//! counters: {jotgate_requests_allowed: 1}  # at the end
//! ```
//!
//! or, instead of `requests`, `config_errors: [exact lines]`: the plugin must refuse the configuration and log just
//! these at error or above.
//!
//! A header is expected to stand on exactly one line. `{{…}}` in any string is a placeholder: its content, read as a
//! YAML mapping, goes to the test's [`Mint`], and is replaced by what that answers; an answer that is no string must
//! be the whole value. A cluster that is not listed does not exist. Requests come from 192.0.2.1.

mod format;
mod placeholders;
mod runner;

pub use placeholders::Mint;
pub use runner::{run_all, run_file};
