//! A cookie (RFC 6265 §4.2.1, §5.4).

use std::borrow::Cow;

use super::found::{Found, check, check_owned, malformed, only};
use super::header::after_scheme;
use crate::http::{HeaderEdit, Request, is_dropped, list, spelling};
use crate::report::{Cause, Detail};

pub(super) const HEADER: &str = "cookie";

/// A cookie that may hold a token.
#[derive(Clone, Debug)]
pub(super) struct Cookie<'c, I> {
    pub(super) name: &'c str,
    /// The authentication scheme before the token.
    pub(super) scheme: Option<&'c str>,
    /// The other entries for the same cookie, by their schemes.
    pub(super) others: I,
    /// Of several cookies of that name, the first counts: browsers send the one with the longest path first (RFC 6265
    /// §5.4). Otherwise there may only be one.
    pub(super) takes_first: bool,
}

/// What a cookie holds. HTTP/2 splits cookies over several lines (RFC 9113 §8.2.3): all of them count.
pub(super) fn find<'r, 'c>(
    request: &Request<'r>,
    cookie: &Cookie<'c, impl Iterator<Item = Option<&'c str>> + Clone>,
) -> Found<Cow<'r, [u8]>> {
    let pairs = || request.lines(HEADER).flat_map(|line| line.split(|&byte| byte == b';'));
    if cookie.takes_first
        && let Some(value) = pairs().find_map(|pair| exact(pair, cookie.name))
    {
        return cookie.token_in(unquote(value));
    }
    only(pairs().filter_map(|pair| cookie.token_in(read(pair, cookie.name)?)))
}

/// Takes the cookies of these names away and leaves the others as they are; of those that are `kept` the first stays.
pub(super) fn removal(request: &Request<'_>, names: &[&str], kept: &[&str]) -> Option<HeaderEdit> {
    if names.is_empty() && kept.is_empty() {
        return None;
    }
    let (mut is_open, mut kept) = (false, kept.to_vec());
    let of_kept = kept.clone();
    list::removal(request, HEADER, b';', |pair| {
        let first = kept.iter().position(|name| exact(pair, name).is_some());
        if !is_open && let Some(first) = first {
            kept.swap_remove(first);
            return false;
        }
        let found = names.iter().chain(&of_kept).find_map(|name| read(pair, name));
        // Some parsers read on to the next quote: what follows may be the rest of the value.
        is_open |= found.as_ref().is_some_and(Result::is_err) && leaves_quote_open(pair);
        is_open || found.is_some()
    })
}

/// Whether a pair is, for some server, the cookie `name`.
pub(super) fn holds(pair: &[u8], name: &str) -> bool {
    read(pair, name).is_some()
}

impl<'c, I: Iterator<Item = Option<&'c str>> + Clone> Cookie<'c, I> {
    /// The token in a value; `None` if that is for another entry.
    fn token_in<'r>(&self, value: Result<&'r [u8], Cause>) -> Found<Cow<'r, [u8]>> {
        let value = match value {
            Ok(value) => value,
            Err(cause) => return Some(Err(cause)),
        };
        let mut others = self.others.clone();
        let Some(scheme) = self.scheme else {
            let is_other = others.flatten().any(|scheme| with_scheme(value, scheme).is_some());
            return (!is_other).then(|| check(value, None).map(Cow::Borrowed));
        };
        with_scheme(value, scheme).or_else(|| {
            let is_other = others.any(|scheme| scheme.is_none_or(|scheme| with_scheme(value, scheme).is_some()));
            let detail = Detail::of_word(value).unwrap_or(Detail::of_credential(value, Some(scheme)));
            (!is_other).then(|| Err(malformed(detail)))
        })
    }
}

/// The token behind a scheme; `None` where there is another one. The blank between them makes frameworks quote the
/// value or escape it, or both.
fn with_scheme<'r>(value: &'r [u8], scheme: &str) -> Found<Cow<'r, [u8]>> {
    if !value.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        let token = after_scheme(value, scheme)?;
        return Some(token.and_then(|token| check(token, Some(scheme))).map(Cow::Borrowed));
    }
    let decoded: Vec<u8> = spelling::unescape(value).collect();
    let inner = unquote(&decoded).unwrap_or(&decoded);
    let token = after_scheme(inner, scheme)?.and_then(|token| check(token, Some(scheme)));
    Some(token.and_then(|token| check_owned(token.to_vec())).map(Cow::Owned))
}

/// What a cookie-pair holds for `name`, without quotes; `None` if it is another cookie.
fn read<'r>(pair: &'r [u8], name: &str) -> Found<&'r [u8]> {
    match exact(pair, name) {
        Some(value) => Some(unquote(value)),
        None => is_read_as(pair, name).then_some(Err(malformed(None))),
    }
}

/// The value of the cookie `name`, as its RFC reads it.
fn exact<'r>(pair: &'r [u8], name: &str) -> Option<&'r [u8]> {
    pair.trim_ascii().strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
}

fn unquote(value: &[u8]) -> Result<&[u8], Cause> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    // Neither is a cookie-octet: where a quoted string ends is then a matter of the parser.
    match inner.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
        true => Err(malformed(None)),
        false => Ok(inner),
    }
}

/// Whether a quoted string goes on behind this pair, or some parser may think so.
fn leaves_quote_open(pair: &[u8]) -> bool {
    // Quotes in pairs cut it into an odd number of parts.
    pair.contains(&b'\\') || pair.split(|&byte| byte == b'"').count() % 2 == 0
}

/// Whether some server finds the cookie `name` in this pair: by another spelling, or behind a separator of older
/// parsers (a comma in RFC 2965, a blank in Python's `http.cookies`, the end of a quoted string).
fn is_read_as(pair: &[u8], name: &str) -> bool {
    let mut names = pair.split(|&byte| byte == b'=');
    if names.clone().next().is_some_and(|found| spelling::is_read_as(found, name, u8::eq)) {
        return true;
    }
    // What stands behind the last `=` is no name.
    names.next_back();
    let is_separator = |byte: &u8| *byte == b',' || is_dropped(*byte);
    names.any(|text| {
        let end = text.iter().rposition(|&byte| !is_dropped(byte)).map_or(0, |last| last + 1);
        let mut parts = text.get(..end).unwrap_or_default().rsplitn(2, is_separator);
        let (last, others) = (parts.next(), parts.next());
        others.is_some() && last.is_some_and(|found| spelling::is_read_as(found, name, u8::eq))
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::credentials::{CredentialLocation, tests};
    use crate::report::Reason;

    /// What is taken as `session`, and what is left.
    fn session(lines: &[&str]) -> (Result<Option<String>, Reason>, Vec<String>) {
        tests::of(CredentialLocation::cookie("session"), HEADER, lines)
    }

    #[test]
    fn the_cookie_is_taken_and_the_others_stay_as_they_are() {
        for (lines, left) in [
            (&["session=t"][..], &[][..]),
            (&["session=\"t\""], &[]),
            (&["session=t;"], &[]),
            (&["; session=t; "], &[]),
            (&["a=1; session=t; b=2"], &["a=1; b=2"]),
            (&["a=1;session=t;b=2"], &["a=1;b=2"]),
            (&["session=t;  b=\"x y\", z; ; c"], &["b=\"x y\", z; ; c"]),
            (&["a=1; session=t"], &["a=1"]),
            (&["a=session; session=t; $Path=/"], &["a=session; $Path=/"]),
            (&["a=1", "session=t", "b=2; c=3"], &["a=1; b=2; c=3"]),
            (&["a=1; session=t", "b=2"], &["a=1; b=2"]),
            (
                &["Session=u; session=t; SESSION=v; sessions=w; xsession=x"],
                &["Session=u; SESSION=v; sessions=w; xsession=x"],
            ),
            (&["next=/login?session=1; session=t; x=a=session=2"], &["next=/login?session=1; x=a=session=2"]),
        ] {
            let left = left.iter().map(ToString::to_string).collect();
            assert_eq!(session(lines), (Ok(Some("t".into())), left), "{lines:?}");
        }
    }

    #[test]
    fn other_cookies_are_no_credential_and_their_lines_stay_as_they_are() {
        for lines in [
            &[][..],
            &[""],
            &["a=1", "b=2"],
            &["Session=t", ";;"],
            &["session2=t; xsession=t; my-session=t; $session=t"],
            &["a=session; b=\"session\"; c=/session=1; d=[session]"],
            &["a=%3Bsession%3Dt; b=session%3dt"],
        ] {
            let left = lines.iter().map(ToString::to_string).collect();
            assert_eq!(session(lines), (Ok(None), left), "{lines:?}");
        }
    }

    #[test]
    fn two_cookies_of_that_name_are_ambiguous() {
        for lines in [
            &["session=t; session=t"][..],
            &["session=t", "session=t"],
            &["session=; session=t"],
            &["session=t; session =t"],
            &["session=t; x, session=u"],
        ] {
            assert_eq!(session(lines), (Err(Reason::AmbiguousCredentials), vec![]), "{lines:?}");
        }
    }

    #[test]
    fn what_only_some_servers_read_as_the_cookie_is_malformed_and_goes() {
        for line in [
            "session",
            "session=",
            "session=\"\"",
            "session= t",
            "session=t u",
            "session=t,u",
            "session=\"t",
            "session=t\"",
            "session=\"t\"\"",
            "session =t",
            "session\t=t",
            "\"session\"=t",
            "\"session=t\"",
            "\u{a0}session=t",
            "sess%69on=t",
            "session[]=t",
            "session%00=t",
            "a=1, session=t",
            "a=1,session=t",
            "a session=t",
            "a=\"1\"session=t",
            "a=1\u{b}session =t",
            "a=1,\"session\"=t",
            "a=1,sess%69on=t",
            "a=1 session[]=t",
        ] {
            let expected = |left: &[&str]| {
                (Err(Reason::MalformedCredentials), left.iter().map(ToString::to_string).collect::<Vec<_>>())
            };
            assert_eq!(session(&[line]), expected(&[]), "{line}");
            assert_eq!(session(&[&format!("z=0; {line}")]), expected(&["z=0"]), "{line}");
        }
        for line in ["my.session=t", "my session=t", "my[session=t"] {
            let location = CredentialLocation::cookie("my_session");
            assert_eq!(tests::of(location, HEADER, &[line]), (Err(Reason::MalformedCredentials), vec![]), "{line}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_what_follows_with_it() {
        for lines in [&["a=1; session=\"t; u\"; b=2"][..], &["a=1; session=\"t\\\"; u\"", "b=2"]] {
            assert_eq!(session(lines), (Err(Reason::MalformedCredentials), vec!["a=1".into()]), "{lines:?}");
        }
        let closed = session(&["a=1; \"session\"=t; b=\"2\""]);
        assert_eq!(closed, (Err(Reason::MalformedCredentials), vec!["a=1; b=\"2\"".into()]));
    }
}
