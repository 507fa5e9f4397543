//! A header that is the credential, behind an authentication scheme or whole.

use jose::swar::is_same;

use super::foreign::is_like_jwt;
use super::found::{Found, check, malformed};
use crate::http::{Request, is_token_byte};
use crate::report::{Detail, Reason};

/// What the lines of `name` hold behind `scheme`. Without a scheme the whole value is the token, unless it is behind
/// one of `others`, which are listed for the same header.
pub(super) fn find<'r, 's>(
    request: &Request<'r>,
    name: &str,
    scheme: Option<&str>,
    others: &(impl Iterator<Item = &'s str> + Clone),
) -> Found<&'r [u8]> {
    let (mut token, mut count) = (None, 0_usize);
    for line in request.lines(name) {
        count = count.saturating_add(1);
        token = token.or_else(|| match scheme {
            Some(scheme) => read(line, scheme),
            None => read_bare(line, others.clone()),
        });
    }
    // A second line, whatever it holds, leaves open which of them a server behind the gate would read.
    token.map(|token| if count > 1 { Err(Reason::AmbiguousCredentials.into()) } else { token })
}

/// What the lines of `name` hold behind the first of `schemes` that there is, and which that is.
pub(super) fn find_behind<'r>(
    request: &Request<'r>,
    name: &str,
    schemes: &[&'static str],
) -> Found<(&'static str, &'r [u8])> {
    let read_behind = |line, scheme| Some(read(line, scheme)?.map(|token| (scheme, token)));
    let found = request.lines(name).find_map(|line| schemes.iter().find_map(|scheme| read_behind(line, *scheme)))?;
    // As above.
    Some(if request.lines(name).nth(1).is_some() { Err(Reason::AmbiguousCredentials.into()) } else { found })
}

/// What stands in `name` without a scheme, where one belongs before it.
pub(super) fn find_word(request: &Request<'_>, name: &str) -> Option<Detail> {
    request.lines(name).find_map(|line| Detail::of_word(line.trim_ascii()))
}

/// What a line holds behind `scheme`; `None` if it is of another scheme.
fn read<'r>(line: &'r [u8], scheme: &str) -> Found<&'r [u8]> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Some(Err(malformed(Detail::EmptyCredential)));
    }
    if let Some(token) = after_scheme(line, scheme) {
        return Some(token.and_then(|token| check(token, Some(scheme))));
    }
    // Lines that a proxy joined, or bytes that some parser trims, may stand in front of the scheme.
    let is_hidden = |part: &[u8]| {
        let start = part.iter().position(u8::is_ascii_graphic).unwrap_or(part.len());
        part.get(start..).is_some_and(|part| after_scheme(part, scheme).is_some())
    };
    line.split(|&byte| byte == b',').any(is_hidden).then_some(Err(malformed(Detail::SeveralParts)))
}

/// What a line holds that is a token as a whole; `None` if it is behind one of `others`, or, beside those, behind a
/// scheme that is not listed.
fn read_bare<'r, 's>(line: &'r [u8], mut others: impl Iterator<Item = &'s str> + Clone) -> Found<&'r [u8]> {
    let line = line.trim_ascii();
    if others.clone().next().is_none() || line.is_empty() {
        return Some(check(line, None));
    }
    if others.any(|scheme| read(line, scheme).is_some()) {
        return None;
    }
    let end = line.iter().position(u8::is_ascii_whitespace);
    let scheme = end.and_then(|end| line.get(..end));
    // No scheme has a dot, and most tokens have.
    let is_scheme = |word: &[u8]| word.iter().all(|&byte| is_token_byte(byte) && byte != b'.');
    let is_token = |part: &[u8]| is_like_jwt(part.trim_ascii());
    match scheme {
        Some(scheme) if is_scheme(scheme) && !line.split(|&byte| byte == b',').skip(1).any(is_token) => None,
        _ => Some(check(line, None)),
    }
}

/// What stands behind `scheme`, which compares without case; `None` for another scheme.
///
/// Behind it should be blanks. Whatever else cannot go on a scheme's name (RFC 9110 §5.6.2) may end it for some
/// parser, so it is the same scheme, malformed.
pub(super) fn after_scheme<'r>(line: &'r [u8], scheme: &str) -> Found<&'r [u8]> {
    let (found, rest) = line.split_at_checked(scheme.len())?;
    if !is_same(found, scheme.as_bytes()) && !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest.first() {
        Some(b' ' | b'\t') | None => Some(Ok(rest.trim_ascii())),
        Some(&byte) if is_token_byte(byte) => None,
        Some(_) => Some(Err(malformed(None))),
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
        let token = find(&Request::new(&lines), "authorization", Some("Bearer"), &std::iter::empty());
        token.map(|token| token.map(|token| String::from_utf8_lossy(token).into_owned()).map_err(|cause| cause.reason))
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

    #[test]
    fn a_token_without_a_scheme_stands_beside_listed_schemes() {
        let bare = |value: &str| {
            let lines: [HeaderLine<'_>; 1] = [(b"authorization", value.as_bytes())];
            let token = find(&Request::new(&lines), "authorization", None, &["Bearer", "Basic"].into_iter());
            token.map(|token| {
                token.map(|token| String::from_utf8_lossy(token).into_owned()).map_err(|cause| cause.reason)
            })
        };
        for value in ["a.b.c", " a.b.c ", "gt-abc", "Bearerx"] {
            assert_eq!(bare(value), Some(Ok(value.trim().into())), "{value}");
        }
        for value in
            ["Bearer a.b.c", "bearer a", "Basic abc", "Bearer", "Digest username=\"a.b\", realm=\"x\"", "Token x"]
        {
            assert_eq!(bare(value), None, "{value}");
        }
        for value in ["", "a,b", "a.b.c x", "a.b.c, d.e.f", "Digest a, eyJhbGciOiJub25lIn0.e30.", "a\u{a0} b"] {
            assert_eq!(bare(value), Some(Err(Reason::MalformedCredentials)), "{value}");
        }
    }
}
