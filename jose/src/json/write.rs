//! Writing JSON on one line, without a character that ends a line or steers a terminal for any reader.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Decimal, Kind, Value};

/// `text` as a JSON string.
pub fn string(text: &str) -> String {
    // JSON lets most characters stand for themselves.
    let mut written = String::new();
    serde_json::Value::from(text).to_string().chars().for_each(|character| push_visible(&mut written, character));
    written
}

/// `value` as JSON without blanks between its parts; numbers have the digits that they were written with.
///
/// It recurses no deeper than [`super::MAX_DEPTH`].
pub fn compact(value: Value<'_>) -> String {
    match value.kind() {
        Kind::Array => format!("[{}]", value.elements().map(compact).collect::<Vec<_>>().join(",")),
        Kind::Bool | Kind::Null | Kind::Number => bare(value).unwrap_or("null").to_string(),
        Kind::Object => object(value.members()),
        Kind::String => string(value.as_str().unwrap_or_default()),
    }
}

/// An object of `members`.
pub fn object<'m>(members: impl Iterator<Item = (&'m str, Value<'m>)>) -> String {
    let members = members.map(|(name, value)| format!("{}:{}", string(name), compact(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What stands without quotes: `true`, `false`, or a number with the digits that it was written with.
pub fn bare(value: Value<'_>) -> Option<&str> {
    match value.as_bool() {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => value.as_number().map(Decimal::text),
    }
}

fn push_visible(text: &mut String, character: char) {
    if !is_invisible(character) {
        return text.push(character);
    }
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// Whether a character ends lines, turns the direction of text, or shows as nothing at all (Unicode's `Cc`, `Cf`, `Zl`
/// and `Zp`, but for marks of single scripts that are seen).
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json::Document;

    #[test]
    fn values_keep_their_digits_and_lose_their_blanks() {
        let text = "{ \"a\\u0062\" : [ 1.50 , 9007199254740993 ,\n true , null , { } , [ ] ] , \"\\u0001\" : \"\u{7f}\u{e9}\\/\" }";
        let document = Document::parse(text.as_bytes()).expect("is JSON");
        assert_eq!(
            compact(document.root()),
            "{\"ab\":[1.50,9007199254740993,true,null,{},[]],\"\\u0001\":\"\\u007f\u{e9}/\"}"
        );
    }

    #[test]
    fn no_character_ends_a_line_or_steers_a_terminal() {
        for (text, expected) in [
            ("a\r\nb\u{85}", r#""a\r\nb\u0085""#),
            ("a\"\\\u{7f}\u{9b}", r#""a\"\\\u007f\u009b""#),
            ("\u{2028}\u{202e}\u{feff}\u{e0041}", r#""\u2028\u202e\ufeff\udb40\udc41""#),
            ("Jos\u{e9} \u{645}", "\"Jos\u{e9} \u{645}\""),
        ] {
            let written = string(text);
            assert_eq!(written, expected);
            let document = Document::parse(written.as_bytes()).expect("is JSON");
            assert_eq!(document.root().as_str(), Some(text));
        }
    }
}
