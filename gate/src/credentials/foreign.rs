//! Credentials that are not for the gate: what no reader, however lenient, takes for a JWT.

use std::borrow::Cow;

use crate::http::spelling;

/// How often readers decode escapes at most; what has some left then is not taken for a foreign one.
const MOST_DECODINGS: usize = 3;

/// Whether some reader might take `text` for a JWT: a part of it decodes to the beginning of a JSON object, and there
/// is a dot. It may be malformed, encrypted (RFC 7516), in quotes, or escaped.
pub(crate) fn is_like_jwt(text: &[u8]) -> bool {
    let mut reading = Cow::Borrowed(text);
    for _ in 0..=MOST_DECODINGS {
        if holds_jwt(&reading) {
            return true;
        }
        // Many servers decode the escapes of cookies, too.
        let decoded: Vec<u8> = spelling::unescape(&reading).collect();
        if !reading.contains(&b'%') || decoded == *reading {
            return false;
        }
        reading = Cow::Owned(decoded);
    }
    true
}

fn holds_jwt(text: &[u8]) -> bool {
    let is_foreign = |&byte: &u8| sextet(byte).is_none();
    // Some decoders skip what is no digit, wherever it stands: PHP's, Python's, Node's.
    let begins = |part: &[u8]| begins_an_object(part.iter().filter_map(|&byte| sextet(byte)));
    let is_separator = |&byte: &u8| byte.is_ascii_whitespace() || b".=:\"'".contains(&byte);
    text.contains(&b'.')
        && (text.split(is_foreign).any(begins)
            || text.split(|&byte| byte == b'.').any(begins)
            || text.split(is_separator).any(begins))
}

/// Whether base64 of either alphabet decodes to the beginning of a JSON object with a member, or to an empty one: in
/// UTF-8, UTF-16 or UTF-32 (RFC 4627 §3), and perhaps with a comment or a name without quotes, as some parsers have it.
fn begins_an_object(sextets: impl Iterator<Item = u8>) -> bool {
    let mut bytes =
        decoded(sextets).filter(|byte| !b"\0\xef\xbb\xbf\xff\xfe".contains(byte)).skip_while(u8::is_ascii_whitespace);
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    bytes.next() == Some(b'{')
        && bytes.next().is_some_and(|byte| match byte {
            b'"' | b'\'' | b'}' => true,
            b'/' | b'_' | b'$' => bytes.take(3).all(is_text),
            byte if byte.is_ascii_alphabetic() => bytes.take(3).all(is_text),
            byte => byte.is_ascii_whitespace(),
        })
}

/// The bytes that base64 digits stand for.
fn decoded(sextets: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    let (mut held, mut bits) = (0_u16, 0_u32);
    sextets.filter_map(move |sextet| {
        // INVARIANT: six bits are held at most, so that twelve fit.
        held = (held << 6) | u16::from(sextet);
        bits += 6;
        if bits < 8 {
            return None;
        }
        bits -= 8;
        let [_, byte] = (held >> bits).to_be_bytes();
        Some(byte)
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
            "%65yJhbGciOiJub25lIn0.e30.",
            "%2565yJhbGciOiJub25lIn0%252ee30.",
            "%25252565yJhbGciOiJub25lIn0.e30.",
            "e!yJhbGciOiJub25lIn0.e30.",
            "e!y!J!hbGciOiJub25lIn0.e30.",
            "Bearer%20e!yJhbGciOiJub25lIn0.e30.",
            "e%00yJhbGciOiJub25lIn0.e30.",
            // UTF-16, either way round, and with a byte order mark.
            "ewAiAGEAbABnACIAOgAiAG4AbwBuAGUAIgB9AA.ewB9AA.",
            "AHsAIgBhAGwAZwAiADoAIgBuAG8AbgBlACIAfQ.AHsAfQ.",
            "__57ACIAYQBsAGcAIgA6ACIAbgBvAG4AZQAiAH0A.e30.",
            // `{alg:"none"}`, `{/**/"alg":"none"}`
            "e2FsZzoibm9uZSJ9.e30.",
            "ey8qKi8iYWxnIjoibm9uZSJ9.e30.",
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
            "s%3Aabc.def%2Fghi",
            "100%.a",
            "e2b4c6d8.0f",
            "e2FhYbf_.x",
        ] {
            assert!(!is_like_jwt(text.as_bytes()), "{text}");
        }
    }
}
