//! Writing JSON on one line, without a character that ends a line or steers a terminal for any reader.

use jose::json::{Decimal, Kind, Value};

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> String {
    // JSON lets most characters stand for themselves.
    serde_json::Value::from(text).to_string().chars().map(visible).collect()
}

/// `value` as JSON without blanks between its parts; numbers have the digits that they were written with.
pub(crate) fn compact(value: Value<'_>) -> String {
    match value.kind() {
        Kind::Array => format!("[{}]", value.elements().map(compact).collect::<Vec<_>>().join(",")),
        Kind::Bool | Kind::Null | Kind::Number => bare(value).unwrap_or("null").to_string(),
        Kind::Object => {
            let members = value.members().map(|(name, member)| format!("{}:{}", string(name), compact(member)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Kind::String => string(value.as_str().unwrap_or_default()),
    }
}

/// What stands without quotes: `true`, `false`, or a number with the digits that it was written with.
pub(crate) fn bare(value: Value<'_>) -> Option<&str> {
    match value.as_bool() {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => value.as_number().map(Decimal::text),
    }
}

fn visible(character: char) -> String {
    match character {
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => format!("\\u{:04x}", u32::from(character)),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use jose::json::Document;

    #[test]
    fn values_keep_their_digits_and_lose_their_blanks() {
        let text = "{ \"a\\u0062\" : [ 1.50 , 9007199254740993 ,\n true , null , { } , [ ] ] , \"\\u0001\" : \"\u{7f}\u{e9}\\/\" }";
        let document = Document::parse(text.as_bytes()).expect("is JSON");
        assert_eq!(
            compact(document.root()),
            "{\"ab\":[1.50,9007199254740993,true,null,{},[]],\"\\u0001\":\"\\u007f\u{e9}/\"}"
        );
    }
}
