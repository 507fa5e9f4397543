//! A cookie (RFC 6265 §4.2.1, §5.4).

use std::borrow::Cow;

use super::found::{Found, check, check_owned, malformed, only};
use super::header::after_scheme;
use crate::http::cookie::{Unreadable, exact, pairs, read, unquote};
use crate::http::{Request, spelling};
use crate::report::Detail;

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

/// What a cookie holds.
pub(super) fn find<'r, 'c>(
    request: &Request<'r>,
    cookie: &Cookie<'c, impl Iterator<Item = Option<&'c str>> + Clone>,
) -> Found<Cow<'r, [u8]>> {
    if cookie.takes_first
        && let Some(value) = pairs(request).find_map(|pair| exact(pair, cookie.name))
    {
        return cookie.token_in(unquote(value));
    }
    only(pairs(request).filter_map(|pair| cookie.token_in(read(pair, cookie.name)?)))
}

impl<'c, I: Iterator<Item = Option<&'c str>> + Clone> Cookie<'c, I> {
    /// The token in a value; `None` if that is for another entry.
    fn token_in<'r>(&self, value: Result<&'r [u8], Unreadable>) -> Found<Cow<'r, [u8]>> {
        let Ok(value) = value else { return Some(Err(malformed(None))) };
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

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use crate::credentials::{CredentialLocation, tests};
    use crate::http::cookie::HEADER;
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
