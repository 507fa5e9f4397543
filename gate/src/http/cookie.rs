//! Cookies that a request brings (RFC 6265 §4.2.1, §5.4), as their RFC reads them and as any server might.

use std::cell::LazyCell;

use jose::swar::{contains, split};

use super::edit::HeaderEdit;
use super::request::Request;
use super::spelling::is_dropped;
use super::{list, spelling};

pub(crate) const HEADER: &str = "cookie";

/// A cookie that only some servers find, or in which they find different values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable;

/// The cookie-pairs of a request. HTTP/2 splits cookies over several lines (RFC 9113 §8.2.3): all of them count.
pub(crate) fn pairs<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    request.lines(HEADER).flat_map(|line| split(line, b';'))
}

/// What a cookie-pair holds for `name`, without quotes; `None` if it is another cookie.
pub(crate) fn read<'r>(pair: &'r [u8], name: &str) -> Option<Result<&'r [u8], Unreadable>> {
    read_spelled(pair, &LazyCell::new(|| spelled(pair)), name)
}

/// The same with what is [`spelled`] in it, which is found once for all names.
fn read_spelled<'r>(
    pair: &'r [u8],
    spelled: &LazyCell<Vec<&'r [u8]>, impl FnOnce() -> Vec<&'r [u8]>>,
    name: &str,
) -> Option<Result<&'r [u8], Unreadable>> {
    match exact(pair, name) {
        Some(value) => Some(unquote(value)),
        None => spelled.iter().any(|found| spelling::is_read_as(found, name, u8::eq)).then_some(Err(Unreadable)),
    }
}

/// The value of the cookie `name`, as its RFC reads it.
pub(crate) fn exact<'r>(pair: &'r [u8], name: &str) -> Option<&'r [u8]> {
    pair.trim_ascii().strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
}

/// A value without the quotes around it.
pub(crate) fn unquote(value: &[u8]) -> Result<&[u8], Unreadable> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    // Neither is a cookie-octet: where a quoted string ends is then a matter of the parser.
    match contains(inner, b'"') || contains(inner, b'\\') {
        true => Err(Unreadable),
        false => Ok(inner),
    }
}

/// Takes the cookies of these names away and leaves the others as they are; of those that are `kept` the first stays.
pub(crate) fn removal(request: &Request<'_>, names: &[&str], kept: &[&str]) -> Option<HeaderEdit> {
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
        let spelled = LazyCell::new(|| spelled(pair));
        let found = names.iter().chain(&of_kept).find_map(|name| read_spelled(pair, &spelled, name));
        // Some parsers read on to the next quote: what follows may be the rest of the value.
        is_open |= found.as_ref().is_some_and(Result::is_err) && leaves_quote_open(pair);
        is_open || found.is_some()
    })
}

/// Whether a pair is, for some server, the cookie `name`.
pub(crate) fn holds(pair: &[u8], name: &str) -> bool {
    read(pair, name).is_some()
}

/// Whether a quoted string goes on behind this pair, or some parser may think so.
fn leaves_quote_open(pair: &[u8]) -> bool {
    // Quotes in pairs cut it into an odd number of parts.
    pair.contains(&b'\\') || pair.split(|&byte| byte == b'"').count() % 2 == 0
}

/// Where some server finds a name in this pair: at its beginning, or behind a separator of older parsers (a comma in
/// RFC 2965, a blank in Python's `http.cookies`, the end of a quoted string).
fn spelled(pair: &[u8]) -> Vec<&[u8]> {
    let mut texts = split(pair, b'=').peekable();
    let mut found: Vec<_> = texts.peek().copied().into_iter().collect();
    let is_separator = |byte: &u8| *byte == b',' || is_dropped(*byte);
    while let Some(text) = texts.next() {
        // What stands behind the last `=` is no name.
        if texts.peek().is_none() {
            break;
        }
        let end = text.iter().rposition(|&byte| !is_dropped(byte)).map_or(0, |last| last + 1);
        let mut parts = text.get(..end).unwrap_or_default().rsplitn(2, is_separator);
        if let (Some(last), Some(_)) = (parts.next(), parts.next()) {
            found.push(last);
        }
    }
    found
}
