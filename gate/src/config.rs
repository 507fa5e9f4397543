//! The configuration: from one JSON document to a policy in which invalid states cannot be written.
//!
//! Reading goes on after an error, so that all of them are reported at once, each with its path.

mod access;
mod access_log;
mod browser;
mod claim_test;
mod client;
mod client_ip;
mod credentials;
mod cross_site;
mod document;
mod duration;
mod error;
mod grants;
mod headers;
mod instant;
mod introspection;
mod issuer;
mod issuer_identity;
mod key_headers;
mod login;
mod metadata;
mod origin;
mod own_paths;
mod provider;
mod reader;
mod reference;
mod relation;
mod required_binding;
mod rule;
mod secret;
mod sender_constraint;
mod session;
mod session_cookie;
mod text;
mod upstream;
mod variable;

pub use self::error::{ConfigError, ConfigErrors, Problem};

/// The environment of the VM, by variable name.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;
