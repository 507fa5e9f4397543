//! A parameter in the query of the path (RFC 6750 §2.3).

use std::borrow::Cow;

use super::found::{Found, check, check_owned, malformed, only};
use crate::http::{HeaderEdit, Request, spelling};
use crate::report::{Cause, Detail};

/// What the parameter `name` holds.
pub(super) fn find<'r>(request: &Request<'r>, name: &str) -> Found<Cow<'r, [u8]>> {
    only(parameters(request.query()?).filter_map(|parameter| read(parameter, name)))
}

/// Takes the parameters of these names away and leaves the others as they are.
pub(super) fn removal(request: &Request<'_>, names: &[&str]) -> Option<HeaderEdit> {
    if names.is_empty() {
        return None;
    }
    let query = request.query()?;
    let is_kept = |parameter: &&[u8]| !names.iter().any(|name| holds(parameter, name));
    if parameters(query).all(|parameter| is_kept(&parameter)) {
        return None;
    }
    let query = parameters(query).filter(is_kept).collect::<Vec<_>>().join(&b'&');
    let path = request.path_without_query();
    Some(HeaderEdit::Set(":path", if query.is_empty() { path.to_vec() } else { [path, b"?", &query].concat() }))
}

/// Whether a parameter is, for some server, the one called `name`.
pub(super) fn holds(parameter: &[u8], name: &str) -> bool {
    read(parameter, name).is_some()
}

fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|&byte| byte == b'&')
}

/// What a parameter holds for `name`; `None` if it is another one.
fn read<'r>(parameter: &'r [u8], name: &str) -> Found<Cow<'r, [u8]>> {
    let (found, value) = split(parameter);
    let is_list = parameter.contains(&b';');
    if !is_list && spelling::unescape(found).eq(name.bytes()) {
        return Some(value.ok_or(malformed(Detail::EmptyCredential)).and_then(decode));
    }
    // A `;` separates parameters for some servers only, and some take names without case.
    let is_spelling = |part| spelling::is_read_as(split(part).0, name, u8::eq_ignore_ascii_case);
    parameter.split(|&byte| byte == b';').any(is_spelling).then_some(Err(malformed(None)))
}

fn split(parameter: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut halves = parameter.splitn(2, |&byte| byte == b'=');
    (halves.next().unwrap_or_default(), halves.next())
}

/// The value with its escapes decoded once.
fn decode(value: &[u8]) -> Result<Cow<'_, [u8]>, Cause> {
    if !value.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return check(value, None).map(Cow::Borrowed);
    }
    check_owned(spelling::unescape(value).collect()).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use crate::credentials::{CredentialLocation, tests};
    use crate::report::Reason;

    /// What is taken as `access_token`, and what is left.
    fn access_token(path: &str) -> (Result<Option<String>, Reason>, String) {
        let (token, left) = tests::of(CredentialLocation::Query("access_token".into()), ":path", &[path]);
        (token, left.concat())
    }

    #[test]
    fn the_parameter_is_taken_and_the_others_stay_as_they_are() {
        for (path, token, left) in [
            ("/p?access_token=t", "t", "/p"),
            ("/p?a&access_token=t&b", "t", "/p?a&b"),
            ("/p?access_token=t&b=%7e+&&c", "t", "/p?b=%7e+&&c"),
            ("/p?a=1;2&access_token=t", "t", "/p?a=1;2"),
            ("/p?acce%73s%5Ftoken=t", "t", "/p"),
            ("/p?access_token=a%2eb%2Ec", "a.b.c", "/p"),
            ("/p?access_token=t=u", "t=u", "/p"),
            ("/p?access_token=t?u", "t?u", "/p"),
            ("/p?access_token=%2565", "%65", "/p"),
            ("/p?access_token=%zz", "%zz", "/p"),
            ("/p?&access_token=t", "t", "/p"),
            ("/%70?access_token=t&q=/../", "t", "/%70?q=/../"),
            ("/p?next=/q?access_token=u&access_token=t", "t", "/p?next=/q?access_token=u"),
        ] {
            assert_eq!(access_token(path), (Ok(Some(token.into())), left.into()), "{path}");
        }
    }

    #[test]
    fn other_parameters_are_no_credential_and_the_path_stays_as_it_is() {
        for path in [
            "/p",
            "/p?",
            "/p?&",
            "/access_token=t",
            "/p?a=access_token",
            "/p?access_token2=t&xaccess_token=t&access-token=t&access_token.x=t",
            "/p?a=%26access_token=t",
            "/p?access_token%3Dt",
            "/p?access%255ftoken=t",
        ] {
            assert_eq!(access_token(path), (Ok(None), path.into()), "{path}");
        }
    }

    #[test]
    fn two_parameters_of_that_name_are_ambiguous() {
        for query in [
            "access_token=t&access_token=t",
            "access_token=t&%61ccess_token=t",
            "access_token&access_token=t",
            "access_token=t&access_token[]=t",
            "access_token=t&Access_Token=t",
        ] {
            let path = format!("/p?a&{query}");
            assert_eq!(access_token(&path), (Err(Reason::AmbiguousCredentials), "/p?a".into()), "{query}");
        }
    }

    #[test]
    fn what_only_some_servers_read_as_the_parameter_is_malformed_and_goes() {
        for query in [
            "access_token",
            "access_token=",
            "access_token=+",
            "access_token=a+b",
            "access_token=a%20b",
            "access_token=a,b",
            "access_token=a%2Cb",
            "access_token=a%0ab",
            "access_token=t;b",
            "access_token=t;b=c",
            "b=c;access_token=t",
            "b=c;%20access_token=t",
            "ACCESS_TOKEN=t",
            "access.token=t",
            "access+token=t",
            "access%5btoken=t",
            "access_token[]=t",
            "access_token[0][a]=t",
            "access_token%00.x=t",
            "%20access_token+=t",
            "?access_token=t",
        ] {
            let expected = (Err(Reason::MalformedCredentials), "/p?z".into());
            assert_eq!(access_token(&format!("/p?{query}&z")), expected, "{query}");
        }
    }
}
