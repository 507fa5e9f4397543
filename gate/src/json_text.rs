//! JSON in log lines and headers.

use std::sync::Arc;

pub(crate) use jose::json::write::{bare, compact, object, string};

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

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

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
