//! The locations of a token in a request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::Policy;
use gate::explain::credential_locations;
use jose::base64url;
use serde::Deserialize;
use serde_json::Value;

use super::head::RequestHead;
use gate::credentials::{CredentialLocation as Location, Subprotocol};

/// The location of a token, as `credentials` has it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub struct CredentialLocation(Location);

impl TryFrom<Value> for CredentialLocation {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let members: Vec<_> = value.as_object().into_iter().flatten().collect();
        let texts: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(Self(match texts.as_slice() {
            [("header", Some(name))] => Location::Header { name: (*name).to_string(), scheme: None },
            [("header", Some(name)), ("scheme", Some(scheme))] => {
                Location::Header { name: (*name).to_string(), scheme: Some((*scheme).to_string()) }
            }
            [("cookie", Some(name))] => Location::Cookie { name: (*name).to_string(), scheme: None },
            [("cookie", Some(name)), ("scheme", Some(scheme))] => {
                Location::Cookie { name: (*name).to_string(), scheme: Some((*scheme).to_string()) }
            }
            [("query", Some(name))] => Location::Query((*name).to_string()),
            [("websocketProtocol", Some(prefix))] => Location::WebSocketProtocol(Subprotocol::of(prefix, None)),
            [("encoding", Some(encoding @ ("base64url" | "plain"))), ("websocketProtocol", Some(prefix))] => {
                Location::WebSocketProtocol(Subprotocol::of(prefix, Some(*encoding == "base64url")))
            }
            [("basic", None)] if value.get("basic") == Some(&Value::Bool(true)) => Location::Basic,
            _ => {
                return Err(format!(
                    "expected a location as `credentials` has it, such as `{{cookie: session}}`, found `{value}`"
                ));
            }
        }))
    }
}

impl CredentialLocation {
    /// The first of a configuration's `credentials` that holds tokens.
    pub fn first_of(policy: &Policy) -> Self {
        Self::all_of(policy).into_iter().find(|location| location.0 != Location::Session).unwrap_or_default()
    }

    /// All of a configuration's `credentials`, in their order.
    pub fn all_of(policy: &Policy) -> Vec<Self> {
        credential_locations(policy).iter().cloned().map(Self).collect()
    }

    /// Adds a token there.
    pub fn put(&self, token: &str, head: &mut RequestHead) {
        match &self.0 {
            Location::Basic => {
                let pair = STANDARD.encode(format!("{token}:x-oauth-basic"));
                head.add("authorization", &format!("Basic {pair}"));
            }
            Location::Cookie { name, scheme: Some(scheme) } => {
                head.add("cookie", &format!("{name}=\"{scheme} {token}\""));
            }
            Location::Cookie { name, scheme: None } => head.add("cookie", &format!("{name}={token}")),
            Location::Header { name, scheme: Some(scheme) } => head.add(name, &format!("{scheme} {token}")),
            Location::Header { name, scheme: None } => head.add(name, token),
            Location::Query(name) => {
                if let Some(path) = head.value_mut(":path") {
                    let separator = if path.contains('?') { '&' } else { '?' };
                    *path = format!("{path}{separator}{name}={token}");
                }
            }
            // It holds no token.
            Location::Session => {}
            // Servers pick from what remains, so that there has to be another one.
            Location::WebSocketProtocol(protocol) => {
                let token = match protocol.is_encoded {
                    true => base64url::encode(token.as_bytes()),
                    false => token.to_string(),
                };
                head.add("sec-websocket-protocol", &format!("{}{token}, chat", protocol.prefix()));
            }
        }
    }
}

impl fmt::Display for CredentialLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::Basic => formatter.write_str("header authorization: Basic"),
            Location::Cookie { name, scheme: Some(scheme) } => write!(formatter, "cookie {name}: {scheme}"),
            Location::Cookie { name, scheme: None } => write!(formatter, "cookie {name}"),
            Location::Header { name, scheme: Some(scheme) } => write!(formatter, "header {name}: {scheme}"),
            Location::Header { name, scheme: None } => write!(formatter, "header {name}"),
            Location::Query(name) => write!(formatter, "query {name}"),
            Location::Session => formatter.write_str("session"),
            Location::WebSocketProtocol(protocol) => {
                write!(formatter, "sec-websocket-protocol {}", protocol.prefix().trim_end())
            }
        }
    }
}
