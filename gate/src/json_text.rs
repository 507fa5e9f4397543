//! Writing JSON on one line, without a character that ends a line or steers a terminal for any reader.

use std::fmt::Write as _;
use std::sync::Arc;

use jose::json::{Decimal, Kind, Value};

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> String {
    // JSON lets most characters stand for themselves.
    let mut written = String::new();
    serde_json::Value::from(text).to_string().chars().for_each(|character| push_visible(&mut written, character));
    written
}

/// `text` as it may stand between the quotes of a log field: as it is where no character of it could end the field,
/// mislead a reader or start an escape, and otherwise with these escaped as in [`string`].
pub(crate) fn field(text: Arc<str>) -> Arc<str> {
    let is_plain = |&byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.as_bytes().iter().all(is_plain) {
        return text;
    }
    let quoted = string(&text);
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().into()
}

/// `value` as JSON without blanks between its parts; numbers have the digits that they were written with.
pub(crate) fn compact(value: Value<'_>) -> String {
    match value.kind() {
        Kind::Array => format!("[{}]", value.elements().map(compact).collect::<Vec<_>>().join(",")),
        Kind::Bool | Kind::Null | Kind::Number => bare(value).unwrap_or("null").to_string(),
        Kind::Object => object(value.members()),
        Kind::String => string(value.as_str().unwrap_or_default()),
    }
}

/// An object of `members`.
pub(crate) fn object<'m>(members: impl Iterator<Item = (&'m str, Value<'m>)>) -> String {
    let members = members.map(|(name, value)| format!("{}:{}", string(name), compact(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What stands without quotes: `true`, `false`, or a number with the digits that it was written with.
pub(crate) fn bare(value: Value<'_>) -> Option<&str> {
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
    #[test]
    fn a_field_keeps_its_text_where_nothing_in_it_misleads() {
        for text in ["", "alice", "a b=c", "Jos\u{e9}", "\u{645}\u{62d}\u{645}\u{62f}"] {
            assert_eq!(&*field(text.into()), text);
        }
    }

    #[test]
    fn what_could_leave_a_quoted_field_is_escaped() {
        for (text, expected) in [
            (r#"a" rule="admin"#, r#"a\" rule=\"admin"#),
            (r"a\", r"a\\"),
            (r"a\u2028", r"a\\u2028"),
            ("a\r\nb\u{85}", r"a\r\nb\u0085"),
            ("a\u{2028}b\u{2029}c", r"a\u2028b\u2029c"),
            ("\u{202e}ecila\u{202c}\u{2066}\u{2069}", r"\u202eecila\u202c\u2066\u2069"),
            ("a\u{200b}\u{200e}\u{200f}\u{61c}\u{2060}\u{feff}\u{ad}", r"a\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad"),
            ("a\u{e0041}", r"a\udb40\udc41"),
        ] {
            assert_eq!(&*field(text.into()), expected);
        }
    }

    #[test]
    fn no_two_texts_are_one_field() {
        let texts = ["a", "a\\", "a\n", "a\\n", "a\\\\n", "a\"", "a\\\"", "a\u{2028}", "a\\u2028"];
        let fields: std::collections::BTreeSet<_> = texts.iter().map(|&text| field(text.into())).collect();
        assert_eq!(fields.len(), texts.len());
    }
}
