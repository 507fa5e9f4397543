//! Writing JSON.

use jose::json::{Decimal, Kind, Value};

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `value` as JSON without blanks between its parts; numbers have the digits that they were written with.
///
/// It recurses no deeper than [`jose::json::MAX_DEPTH`].
pub(crate) fn compact(value: Value<'_>) -> String {
    match value.kind() {
        Kind::Array => format!("[{}]", value.elements().map(compact).collect::<Vec<_>>().join(",")),
        Kind::Bool => value.as_bool().unwrap_or_default().to_string(),
        Kind::Null => "null".to_string(),
        Kind::Number => value.as_number().map_or("null", Decimal::text).to_string(),
        Kind::Object => object(value.members()),
        Kind::String => string(value.as_str().unwrap_or_default()),
    }
}

/// An object of `members`.
pub(crate) fn object<'m>(members: impl Iterator<Item = (&'m str, Value<'m>)>) -> String {
    let members = members.map(|(name, value)| format!("{}:{}", string(name), compact(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
