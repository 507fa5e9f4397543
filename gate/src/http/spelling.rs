//! How servers spell the names of cookies and parameters.

use crate::distinct::set_of;
use std::collections::BTreeSet;

/// Whether some server takes `found` for `name`, `same` saying which bytes are equal to it.
///
/// Escapes are decoded by most (once); blanks and quotes around a name are dropped by many, a `?` that begins a query
/// by some. PHP reads `.`, blanks and `[` as `_`; it and others make a list of `name[]`, and C ends a name at NUL.
pub(crate) fn is_read_as(found: &[u8], name: &str, same: fn(&u8, &u8) -> bool) -> bool {
    let mut found = unescape(found).skip_while(|&byte| byte == b'?' || is_dropped(byte));
    let is_prefix = name.bytes().all(|byte| found.next().is_some_and(|found| same(&fold(found), &fold(byte))));
    is_prefix
        && match found.next() {
            None | Some(0 | b'[') => true,
            Some(byte) => is_dropped(byte) && found.all(is_dropped),
        }
}

/// The bytes of `text` with its escapes decoded once (RFC 3986 §2.1) and `+` as a blank; what is no escape stands for
/// itself.
pub(crate) fn unescape(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&byte, behind) = rest.split_first()?;
        let escaped = if byte == b'%' { escape(behind) } else { None };
        let (byte, behind) = escaped.unwrap_or((if byte == b'+' { b' ' } else { byte }, behind));
        rest = behind;
        Some(byte)
    })
}

/// The essences of all that some server takes `found` for: itself, and each element of a list.
pub(crate) fn essences(found: &[u8]) -> BTreeSet<Vec<u8>> {
    set_of(found.split(|&byte| byte == b',').chain([found]).map(essence))
}

/// What is left of a value in every spelling.
pub(crate) fn essence(value: &[u8]) -> Vec<u8> {
    let kept = value.iter().filter(|&&byte| byte != b',' && !is_dropped(byte));
    kept.map(u8::to_ascii_lowercase).collect()
}

fn fold(byte: u8) -> u8 {
    if matches!(byte, b'.' | b' ' | b'[') { b'_' } else { byte }
}

fn escape(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = digits.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    Some((byte, rest))
}

/// What some servers drop around a name or a value: blanks, controls, what is a blank outside ASCII, quotes.
pub(crate) fn is_dropped(byte: u8) -> bool {
    !byte.is_ascii_graphic() || byte == b'"'
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        for (text, decoded) in [
            ("", ""),
            ("a%62c", "abc"),
            ("%2525", "%25"),
            ("a+b%2Bc%2bd", "a b+c+d"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%+1%%41", "%zz% 1%A"),
        ] {
            assert_eq!(unescape(text.as_bytes()).collect::<Vec<_>>(), decoded.as_bytes(), "{text}");
        }
        assert_eq!(unescape(b"%ff%00").collect::<Vec<_>>(), [255, 0]);
    }

    #[test]
    fn a_name_is_known_in_the_spellings_that_servers_read() {
        for spelling in [
            "my_token",
            " my_token\t",
            "\"my_token\"",
            "my%5ftoken",
            "%6d%79_token",
            "?my_token",
            "my.token",
            "my token",
            "my+token",
            "my[token",
            "my_token[]",
            "my_token%5B0%5D",
            "my_token%00x",
            "\u{a0}my_token\u{2003}",
        ] {
            assert!(is_read_as(spelling.as_bytes(), "my_token", u8::eq), "{spelling}");
        }
        for other in
            ["", "my", "my_token2", "xmy_token", "my-token", "my_token x", "$my_token", "My_Token", "my%255ftoken"]
        {
            assert!(!is_read_as(other.as_bytes(), "my_token", u8::eq), "{other}");
        }
        assert!(is_read_as(b"My.TOKEN", "my_token", u8::eq_ignore_ascii_case));
    }
}
