//! What parameters are made of (RFC 6749 App. A), and how untrusted text is quoted.

/// Whether `text` is made of visible ASCII characters and blanks: VSCHAR (RFC 6749 App. A). Not empty.
pub(crate) fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether `text` can be a token in an HTTP header: visible ASCII without blanks. Not empty.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `text` is one scope: a scope-token (RFC 6749 §3.3).
pub(crate) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// `text` in backticks, without a character that could end a line, and no longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 100;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn untrusted_text_is_quoted_and_cut() {
        assert_eq!(quoted("a\n\"b\u{202e}"), r#"`a\n\"b\u{202e}`"#);
        assert_eq!(quoted(&"a".repeat(100)), format!("`{}`", "a".repeat(100)));
        assert_eq!(quoted(&"é".repeat(101)), format!("`{}…`", "é".repeat(100)));
    }

    #[test]
    fn scopes_have_neither_blanks_nor_quotes() {
        for scope in ["openid", "a:b/c.d", "!", "~", "[]"] {
            assert!(is_scope(scope), "{scope}");
        }
        for refused in ["", "a b", "a\"", "a\\", "é", "a\t"] {
            assert!(!is_scope(refused), "{refused}");
        }
    }
}
