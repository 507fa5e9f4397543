//! The time that people name.

use gate::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A time: `2027-01-15T08:00:00Z`, or seconds since 1970.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub struct Instant(pub u64);

impl Default for Instant {
    /// The same in every run: 2027-01-15T08:00:00Z.
    fn default() -> Self {
        Self(1_800_000_000)
    }
}

impl Instant {
    /// As the engine has it.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_secs(self.0)
    }
}

impl std::str::FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok();
        let date = || text.parse::<jiff::Timestamp>().ok().and_then(|date| u64::try_from(date.as_second()).ok());
        let found = seconds.or_else(date).map(Self);
        found.ok_or_else(|| {
            format!("expected a time such as `2027-01-15T08:00:00Z`, or seconds since 1970, found `{text}`")
        })
    }
}

impl TryFrom<Value> for Instant {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => text.parse(),
            other => other.to_string().parse(),
        }
    }
}
