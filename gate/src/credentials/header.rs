//! A header that is the credential, behind an authentication scheme or whole.

use super::found::{Found, check};
use crate::http::{Request, is_token_byte};
use crate::report::Reason;

/// What the lines of `name` hold behind `scheme`.
pub(super) fn find<'r>(request: &Request<'r>, name: &str, scheme: Option<&str>) -> Found<&'r [u8]> {
    let token = request.lines(name).find_map(|line| read(line, scheme))?;
    // A second line, whatever it holds, leaves open which of them a server behind the gate would read.
    Some(if request.lines(name).nth(1).is_some() { Err(Reason::AmbiguousCredentials) } else { token })
}

/// What a line holds; `None` if it is somebody else's.
fn read<'r>(line: &'r [u8], scheme: Option<&str>) -> Found<&'r [u8]> {
    let line = line.trim_ascii();
    let Some(scheme) = scheme.filter(|_| !line.is_empty()) else { return Some(check(line)) };
    if let Some(token) = after_scheme(line, scheme) {
        return Some(token.and_then(check));
    }
    // Lines that a proxy joined, or bytes that some parser trims, may stand in front of the scheme.
    let is_hidden = |part: &[u8]| {
        let start = part.iter().position(u8::is_ascii_graphic).unwrap_or(part.len());
        part.get(start..).is_some_and(|part| after_scheme(part, scheme).is_some())
    };
    line.split(|&byte| byte == b',').any(is_hidden).then_some(Err(Reason::MalformedCredentials))
}

/// What stands behind `scheme`, which compares without case; `None` for another scheme.
///
/// Behind it should be blanks. Whatever else cannot go on a scheme's name (RFC 9110 §5.6.2) may end it for some
/// parser, so it is the same scheme, malformed.
fn after_scheme<'r>(line: &'r [u8], scheme: &str) -> Option<Result<&'r [u8], Reason>> {
    let (found, rest) = line.split_at_checked(scheme.len())?;
    if !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest.first() {
        Some(&byte) if is_token_byte(byte) => None,
        Some(b' ' | b'\t') | None => Some(Ok(rest.trim_ascii())),
        Some(_) => Some(Err(Reason::MalformedCredentials)),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HeaderLine;

    fn bearer(values: &[&[u8]]) -> Option<Result<String, Reason>> {
        let lines: Vec<HeaderLine<'_>> = values.iter().map(|value| (&b"authorization"[..], *value)).collect();
        let token = find(&Request::new(&lines), "authorization", Some("Bearer"));
        token.map(|token| token.map(|token| String::from_utf8_lossy(token).into_owned()))
    }

    #[test]
    fn the_scheme_compares_without_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c", " Bearer a.b.c "] {
            assert_eq!(bearer(&[value.as_bytes()]), Some(Ok("a.b.c".into())), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_no_credential() {
        for value in ["Basic abc", "Bearerx abc", "a.b.c", "Token Bearer", "Digest username=\"Bearer\", realm=\"x\""] {
            assert_eq!(bearer(&[value.as_bytes()]), None, "{value}");
        }
        assert_eq!(bearer(&[]), None);
        assert_eq!(bearer(&[b"Basic a", b"Basic a"]), None);
    }

    #[test]
    fn empty_joined_and_broken_credentials_are_malformed() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a,Bearer b",
            "Bearer a, Basic b",
            "Bearer,a",
            "Basic a, Bearer b",
            "Basic a,bearer",
            "Basic a,\u{a0}bearer b",
            "\u{a0}Bearer a.b.c",
            "Bearer:a.b.c",
            "Bearer\u{a0}a.b.c",
            "Bearer=a.b.c",
            "Bearer Bearer a",
            "Bearer\ta\tb",
        ] {
            assert_eq!(bearer(&[value.as_bytes()]), Some(Err(Reason::MalformedCredentials)), "{value}");
        }
        assert_eq!(bearer(&[b"\xa0Bearer a"]), Some(Err(Reason::MalformedCredentials)));
    }

    #[test]
    fn a_credential_on_one_of_several_lines_is_ambiguous() {
        for lines in [["Bearer a", "Bearer a"], ["Basic a", "Bearer a"], ["Bearer", "x"]] {
            assert_eq!(bearer(&lines.map(str::as_bytes)), Some(Err(Reason::AmbiguousCredentials)), "{lines:?}");
        }
    }
}
