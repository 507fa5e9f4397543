//! Credentials that are not for the gate: what no reader, however lenient, takes for a JWT.

/// Whether some reader might take `text` for a JWT: a part of it decodes to the beginning of a JSON object, and there
/// is a dot. It may be malformed, encrypted (RFC 7516), in quotes, or escaped.
pub(crate) fn is_like_jwt(text: &[u8]) -> bool {
    let has_dot = text.contains(&b'.') || text.windows(3).any(|escape| escape.eq_ignore_ascii_case(b"%2e"));
    has_dot && text.split(|&byte| sextet(byte).is_none()).any(begins_an_object)
}

/// Whether base64 of either alphabet decodes to the beginning of a JSON object with a member, or to an empty one.
fn begins_an_object(digits: &[u8]) -> bool {
    let is_ignored = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
    let mut bytes = decoded(digits).skip_while(is_ignored);
    bytes.next() == Some(b'{') && bytes.next().is_some_and(|byte| byte.is_ascii_whitespace() || b"\"'}".contains(&byte))
}

/// The bytes that base64 digits stand for, the last ones perhaps in part.
fn decoded(digits: &[u8]) -> impl Iterator<Item = u8> {
    digits.chunks(4).flat_map(|chunk| {
        let bits = |index: usize| chunk.get(index).and_then(|&digit| sextet(digit));
        let [one, two, three, four] = [0, 1, 2, 3].map(bits);
        let join = |high: Option<u8>, up: u32, low: Option<u8>, down: u32| Some((high? << up) | (low? >> down));
        [join(one, 2, two, 4), join(two, 4, three, 2), join(three, 6, four, 0)].into_iter().flatten()
    })
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => byte.checked_sub(b'A'),
        b'a'..=b'z' => byte.checked_sub(b'a' - 26),
        b'0'..=b'9' => byte.checked_add(52 - b'0'),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_may_be_read_as_a_jwt_is_like_one() {
        for text in [
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJub25lIn0=.e30=.YQ==",
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c",
            "\"eyJhbGciOiJub25lIn0.e30.\"",
            "Bearer%20eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJub25lIn0%2ee30%2E",
            "ICB7ImFsZyI6Im5vbmUifQ.e30.a",
            "ewogICJhbGciOiAibm9uZSJ9.e30.a",
            "77u_eyJhbGciOiJub25lIn0.e30.a",
            "eyJhbGci\u{0}OiJub25lIn0.e30.a",
            "e30.e30.a",
            "token=eyJhbGciOiJub25lIn0.e30.",
        ] {
            assert!(is_like_jwt(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn other_keys_are_not() {
        for text in [
            "",
            ".",
            "ragflow-abc123",
            "gt-0123456789.abcdef",
            "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",
            "ya29.a0AfH6SMBx",
            "v1.M2NmYTQ5.abc",
            "e7f3a9.0b",
            "sk-proj-eyes.only.x",
            "eyJrIjoiT0tTcG1pUlY2RnVKZTFVaDFsNFZXdE9ZWmNrMkZYbk",
            "null",
        ] {
            assert!(!is_like_jwt(text.as_bytes()), "{text}");
        }
    }
}
