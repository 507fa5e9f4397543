//! The form of a file of cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::instant::Instant;
use crate::request::{CredentialLocation, RequestLine};

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The time of all cases.
    #[serde(default)]
    pub(super) now: Instant,
    /// The claims of every token; those of a case override them.
    #[serde(default)]
    pub(super) claims: Map<String, Value>,
    pub(super) cases: Vec<Case>,
}

/// A request, and what is expected of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) request: RequestLine,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Values>,
    /// The address that the request comes from.
    #[serde(default)]
    pub(super) peer: String,
    /// A token as it is.
    pub(super) token: Option<String>,
    /// The claims of a token that is minted: these, beside the usual ones. Of an opaque one: what its issuer says.
    pub(super) claims: Option<Map<String, Value>>,
    /// The claims of a session that the browser has.
    pub(super) session: Option<Map<String, Value>>,
    /// The issuer of the token or session, by its `name`; default: the first one, or that of the first login.
    pub(super) issuer: Option<String>,
    /// The header of the token: these members, beside the usual ones.
    #[serde(default)]
    pub(super) token_header: Map<String, Value>,
    #[serde(default)]
    pub(super) signature: Signature,
    /// The location of the token, as in `credentials`; default: the first of these.
    pub(super) credential: Option<CredentialLocation>,
    pub(super) expect: Expect,
}

/// Whether the signature of a token is valid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Signature {
    Bad,
    #[default]
    Good,
}

/// One value, or several.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub(super) struct Values(pub(super) Vec<String>);

impl TryFrom<Value> for Values {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let wrong = || format!("expected a string, a list of them, or null, found `{value}`");
        match &value {
            Value::Null => Ok(Self(Vec::new())),
            Value::String(text) => Ok(Self(vec![text.clone()])),
            Value::Array(values) => values
                .iter()
                .map(|value| value.as_str().map(String::from).ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Self),
            _ => Err(wrong()),
        }
    }
}

/// What is expected of a request: `pass`, a status, a status and a reason, or more.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Expect {
    /// The status of the answer; none if the request passes.
    pub(super) status: Option<u16>,
    pub(super) details: Details,
}

/// What else is expected of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Details {
    pub(super) status: Option<u16>,
    pub(super) pass: Option<bool>,
    pub(super) reason: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) decision: Option<String>,
    /// Of the answer.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Values>,
    /// Of the request, as the upstream gets it.
    #[serde(default)]
    pub(super) upstream: BTreeMap<String, Values>,
}

impl TryFrom<Value> for Expect {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected `pass`, a status such as `403`, a status and a reason such as `401 expired`, or an object with `pass: true` or a `status`, found `{value}`"
            )
        };
        let details = match &value {
            Value::Object(_) => serde_json::from_value(value.clone()).map_err(|error| error.to_string())?,
            Value::String(text) if text == "pass" => Details { pass: Some(true), ..Details::default() },
            Value::Number(status) => {
                Details { status: status.as_u64().and_then(|status| status.try_into().ok()), ..Details::default() }
            }
            Value::String(text) => {
                let (status, reason) = text.split_once(' ').ok_or_else(wrong)?;
                Details { status: status.parse().ok(), reason: Some(reason.to_string()), ..Details::default() }
            }
            _ => return Err(wrong()),
        };
        match (details.pass, details.status) {
            (Some(true), None) | (None | Some(false), Some(100..=599)) => Ok(Self { status: details.status, details }),
            _ => Err(wrong()),
        }
    }
}
