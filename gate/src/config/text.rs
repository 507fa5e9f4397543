//! The forms in which a proxy hands over the document: JSON text, or a `google.protobuf.Struct`.

use jose::json::Document;
use prost::Message as _;
use prost_types::value::Kind;

use super::ConfigErrors;

/// The document as JSON text, whatever form it came in.
pub(super) fn to_json(configuration: &[u8]) -> Result<Vec<u8>, ConfigErrors> {
    let first = configuration.iter().find(|byte| !byte.is_ascii_whitespace());
    match (first, configuration.first()) {
        (None, _) => Err(ConfigErrors::one("the configuration is empty, expected an object with `issuers`")),
        // A line feed before a brace is also how a Struct may begin: what is no JSON may be one.
        (Some(b'{'), Some(0x0a)) if Document::parse(configuration).is_err() => {
            Ok(from_struct(configuration).unwrap_or_else(|_| configuration.to_vec()))
        }
        (Some(b'{'), _) => Ok(configuration.to_vec()),
        // Field 1, length-delimited: how every Struct that is not empty begins.
        (_, Some(0x0a)) => from_struct(configuration),
        _ => Err(not_json(configuration)),
    }
}

fn not_json(text: &[u8]) -> ConfigErrors {
    ConfigErrors::one(format!(
        "expected a JSON object, found `{}`: where this is YAML in a StringValue, give the same YAML as a \
         `google.protobuf.Struct` instead",
        excerpt(text)
    ))
}

/// A text may begin with a line feed, which is how a Struct begins, too.
fn is_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .is_ok_and(|text| !text.chars().any(|character| character.is_control() && !character.is_whitespace()))
}

fn from_struct(bytes: &[u8]) -> Result<Vec<u8>, ConfigErrors> {
    let message = prost_types::Struct::decode(bytes).map_err(|error| match is_text(bytes) {
        true => not_json(bytes),
        false => ConfigErrors::one(format!("expected JSON or a google.protobuf.Struct: {error}")),
    })?;
    let value = Kind::StructValue(message);
    serde_json::to_vec(&to_value(value)).map_err(|error| ConfigErrors::one(format!("the Struct is not JSON: {error}")))
}

/// Recursion is bounded: prost decodes at most 100 levels.
fn to_value(kind: Kind) -> serde_json::Value {
    use serde_json::Value;
    match kind {
        Kind::NullValue(_) => Value::Null,
        // NaN and infinity become null, which nothing accepts.
        Kind::NumberValue(number) => Value::from(number),
        Kind::StringValue(text) => Value::String(text),
        Kind::BoolValue(value) => Value::Bool(value),
        Kind::StructValue(members) => {
            let kinds =
                members.fields.into_iter().map(|(name, value)| (name, value.kind.map_or(Value::Null, to_value)));
            // Collecting them sorts them first, as they are already, with code of its own.
            let mut object = serde_json::Map::new();
            object.extend(kinds);
            Value::Object(object)
        }
        Kind::ListValue(list) => {
            Value::Array(list.values.into_iter().map(|value| value.kind.map_or(Value::Null, to_value)).collect())
        }
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let line = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    String::from_utf8_lossy(line.unwrap_or_default()).chars().take(40).collect()
}
