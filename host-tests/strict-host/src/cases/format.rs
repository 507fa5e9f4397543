//! The form of a case.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) now: Option<u64>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) keep_duplicate_lines: bool,
    pub(super) config: Value,
    #[serde(default)]
    pub(super) clusters: BTreeMap<String, BTreeMap<String, Answer>>,
    #[serde(default)]
    pub(super) requests: Vec<Request>,
    #[serde(default)]
    pub(super) counters: BTreeMap<String, u64>,
    pub(super) config_errors: Option<Vec<String>>,
}

/// What a cluster answers on a path.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: Vec<(String, Text)>,
    pub(super) body: Option<Text>,
    pub(super) json: Option<Value>,
    #[serde(default)]
    pub(super) after: Span,
    #[serde(default)]
    pub(super) fail: bool,
    #[serde(default)]
    pub(super) hang: bool,
}

/// A request and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) advance: Span,
    #[serde(default)]
    pub(super) send: Send,
    pub(super) expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Send {
    pub(super) method: Text,
    pub(super) path: Text,
    pub(super) host: Text,
    pub(super) headers: Vec<(String, Text)>,
}

impl Default for Send {
    fn default() -> Self {
        let text = |text: &str| Text(text.as_bytes().to_vec());
        Self { method: text("GET"), path: text("/"), host: text("example.com"), headers: Vec::new() }
    }
}

/// Exactly one of `forward`, `reply` and `waiting`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) forward: Option<Forward>,
    pub(super) reply: Option<Reply>,
    #[serde(default)]
    pub(super) waiting: bool,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forward {
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Text>,
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) status: u32,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Text>,
    #[serde(default)]
    pub(super) absent: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) body_contains: Option<String>,
    pub(super) details: Option<String>,
    pub(super) grpc_status: Option<i32>,
}

fn ok() -> u16 {
    200
}

/// A value: text, or `{bytes: <hex>}` for what is no text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Value")]
pub(super) struct Text(pub(super) Vec<u8>);

impl TryFrom<Value> for Text {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let hex = match &value {
            Value::String(text) => return Ok(Self(text.clone().into_bytes())),
            Value::Object(members) if members.len() == 1 => members.get("bytes").and_then(Value::as_str),
            _ => None,
        };
        let bytes = hex.and_then(decode_hex).map(Self);
        bytes.ok_or_else(|| format!("expected text or `{{bytes: <hex digits>}}`, found `{value}`"))
    }
}

/// A duration such as `20ms`, `30s`, `5m` or `24h`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
        let millis =
            units.iter().find_map(|(unit, millis)| Some(text.strip_suffix(unit)?.parse::<u64>().ok()? * millis));
        let span = millis.map(|millis| Self(Duration::from_millis(millis)));
        span.ok_or_else(|| format!("expected a duration such as `30s`, found `{text}`"))
    }
}

fn decode_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}
