//! Where a token stands in a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::Policy;
use gate::credentials::Source;
use gate::explain::places;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::Sent;

/// A place for a token, as `credentials` has it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub struct Place(Source);

impl TryFrom<Value> for Place {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let members: Vec<_> = value.as_object().into_iter().flatten().collect();
        let texts: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(Self(match texts.as_slice() {
            [("header", Some(name))] => Source::Header { name: (*name).to_string(), scheme: None },
            [("header", Some(name)), ("scheme", Some(scheme))] => {
                Source::Header { name: (*name).to_string(), scheme: Some((*scheme).to_string()) }
            }
            [("cookie", Some(name))] => Source::Cookie((*name).to_string()),
            [("query", Some(name))] => Source::Query((*name).to_string()),
            [("websocketProtocol", Some(prefix))] => Source::WebSocketProtocol((*prefix).to_string()),
            [("basic", None)] if value.get("basic") == Some(&Value::Bool(true)) => Source::Basic,
            _ => {
                return Err(format!(
                    "expected a place as `credentials` has it, such as `{{cookie: session}}`, found `{value}`"
                ));
            }
        }))
    }
}

impl Place {
    /// The first of a configuration's `credentials`.
    pub fn first_of(policy: &Policy) -> Self {
        places(policy).first().cloned().map(Self).unwrap_or_default()
    }

    /// Puts a token there.
    pub fn put(&self, token: &str, sent: &mut Sent) {
        match &self.0 {
            Source::Basic => {
                let pair = STANDARD.encode(format!("{token}:x-oauth-basic"));
                sent.add("authorization", &format!("Basic {pair}"));
            }
            Source::Cookie(name) => sent.add("cookie", &format!("{name}={token}")),
            Source::Header { name, scheme: Some(scheme) } => sent.add(name, &format!("{scheme} {token}")),
            Source::Header { name, scheme: None } => sent.add(name, token),
            Source::Query(name) => {
                if let Some(path) = sent.value_mut(":path") {
                    let separator = if path.contains('?') { '&' } else { '?' };
                    *path = format!("{path}{separator}{name}={token}");
                }
            }
            // Servers pick from what remains, so that there has to be another one.
            Source::WebSocketProtocol(prefix) => sent.add("sec-websocket-protocol", &format!("{prefix}{token}, chat")),
        }
    }
}
