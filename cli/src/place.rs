//! Where a token stands in a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::document::{JsonText, Node};
use crate::engine::Sent;

/// A place for a token, as `credentials` has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub enum Place {
    /// The user name of `Authorization: Basic`.
    Basic,
    /// The cookie of that name.
    Cookie(String),
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// What stands in front of the token.
        scheme: Option<String>,
    },
    /// The parameter of that name in the query.
    Query(String),
    /// An offer of a subprotocol with that prefix.
    WebSocketProtocol(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Header { name: String::from("authorization"), scheme: Some(String::from("Bearer")) }
    }
}

impl TryFrom<Value> for Place {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let members: Vec<_> = value.as_object().into_iter().flatten().collect();
        let texts: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match texts.as_slice() {
            [("header", Some(name))] => Ok(Self::Header { name: (*name).to_string(), scheme: None }),
            [("header", Some(name)), ("scheme", Some(scheme))] => {
                Ok(Self::Header { name: (*name).to_string(), scheme: Some((*scheme).to_string()) })
            }
            [("cookie", Some(name))] => Ok(Self::Cookie((*name).to_string())),
            [("query", Some(name))] => Ok(Self::Query((*name).to_string())),
            [("websocketProtocol", Some(prefix))] => Ok(Self::WebSocketProtocol((*prefix).to_string())),
            [("basic", None)] if value.get("basic") == Some(&Value::Bool(true)) => Ok(Self::Basic),
            _ => {
                Err(format!("expected a place as `credentials` has it, such as `{{cookie: session}}`, found `{value}`"))
            }
        }
    }
}

impl Place {
    /// The first of a configuration's `credentials`.
    pub fn first_of(config: &Node) -> Self {
        let first = config.get("credentials").and_then(|places| places.elements().first());
        let value = first.and_then(|first| serde_json::from_str::<Value>(&JsonText::new(first).text).ok());
        value.and_then(|value| Self::try_from(value).ok()).unwrap_or_default()
    }

    /// Puts a token there.
    pub fn put(&self, token: &str, sent: &mut Sent) {
        match self {
            Self::Basic => {
                let pair = STANDARD.encode(format!("{token}:x-oauth-basic"));
                sent.add("authorization", &format!("Basic {pair}"));
            }
            Self::Cookie(name) => sent.add("cookie", &format!("{name}={token}")),
            Self::Header { name, scheme: Some(scheme) } => sent.add(name, &format!("{scheme} {token}")),
            Self::Header { name, scheme: None } => sent.add(name, token),
            Self::Query(name) => {
                if let Some(path) = sent.value_mut(":path") {
                    let separator = if path.contains('?') { '&' } else { '?' };
                    *path = format!("{path}{separator}{name}={token}");
                }
            }
            // Servers pick from what remains, so that there has to be another one.
            Self::WebSocketProtocol(prefix) => sent.add("sec-websocket-protocol", &format!("{prefix}{token}, chat")),
        }
    }
}
