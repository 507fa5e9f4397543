//! Canonical paths: the decision must see the path that the upstream will see.

use std::borrow::Cow;
use std::fmt;

use super::request::Request;

/// A path that every parser reads the same way. Escapes of unreserved characters are decoded, the other escapes
/// have upper-case digits (RFC 3986 §6.2.2); there is no query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CanonicalPath<'r>(Cow<'r, str>);

/// The segments of a path, from behind its first `/` on.
#[derive(Clone, Debug)]
pub(crate) struct PathSegments<'p>(Option<&'p str>);

/// The longest path that is compared with regular expressions, in bytes.
pub(crate) const LONGEST_FOR_REGEX: usize = 8192;
/// Likewise of a path that servers may decode in several ways.
pub(crate) const LONGEST_ESCAPED_FOR_REGEX: usize = 2048;

/// Whether a path may hold a byte without any check looking for it, but for a second `/` or a `.` behind a `/`.
#[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        plain[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b':' | b'@' | b'_' | b'~');
        byte += 1;
    }
    plain
};

/// What becomes of paths that two parsers may read differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathMode {
    /// Parameters, empty segments and dot segments are taken out, and what is left is forwarded; the rest is refused.
    Lenient,
    /// All of them are refused.
    Strict,
}

/// Why a path could be read in more than one way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AmbiguousPath {
    /// `\`.
    Backslash,
    /// A control character or a blank, plain or encoded.
    Control,
    /// A segment `.` or `..`, plain or encoded, or one that some servers cut down to that.
    DotSegment,
    /// `%25` before two hex digits.
    DoubleEscape,
    /// `//`.
    EmptySegment,
    /// `%2F` or `%5C`.
    EncodedSlash,
    /// `#`.
    Fragment,
    /// `%` without two hex digits.
    InvalidEscape,
    /// A byte outside ASCII.
    NonAscii,
    /// No `/` at the start: `*`, a CONNECT target, an absolute URI, nothing.
    NotAPath,
    /// Escapes that are no well-formed UTF-8 once decoded (RFC 3629 §3): bad decoders read ASCII in some of them.
    NotUtf8,
    /// `;`.
    Parameters,
    /// A character that no URI holds as it is (RFC 3986 §3.3), and that some clients and servers escape and others do not.
    Raw,
    /// More than 8,192 bytes, or 2,048 with escapes, where a rule has a regular expression.
    TooLong,
}

impl<'r> CanonicalPath<'r> {
    /// The canonical form of a `:path`, query cut off.
    pub fn of(target: &'r [u8], mode: PathMode) -> Result<Self, AmbiguousPath> {
        if target.first() != Some(&b'/') {
            return Err(AmbiguousPath::NotAPath);
        }
        if let Some(path) = plain(target) {
            return Ok(Self(Cow::Borrowed(path)));
        }
        // A fragment is no part of a request: where one parser cuts it off, another may take it for path or query.
        if target.contains(&b'#') {
            return Err(AmbiguousPath::Fragment);
        }
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        let path = decode_unreserved(check_plain(path)?)?;
        check_escapes(&path)?;
        match (check_segments(&path), mode) {
            (Ok(()), _) => Ok(Self(path)),
            (Err(_), PathMode::Lenient) => Ok(Self(Cow::Owned(simplify(&path)))),
            (Err(problem), PathMode::Strict) => Err(problem),
        }
    }

    /// The canonical form of a `:path` that no two parsers read differently.
    pub fn strict(target: &'r [u8]) -> Result<Self, AmbiguousPath> {
        Self::of(target, PathMode::Strict)
    }

    /// What goes to the upstream as `:path`, where that is not what was received: this path, and the query as it came.
    pub(crate) fn forwarded(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let is_same = matches!(self.0, Cow::Borrowed(_)) || request.path_without_query() == self.0.as_bytes();
        let query = request.query().map(|query| [b"?", query].concat());
        (!is_same).then(|| [self.0.as_bytes(), &query.unwrap_or_default()].concat())
    }

    /// The same path, by itself.
    pub(crate) fn into_owned(self) -> CanonicalPath<'static> {
        CanonicalPath(Cow::Owned(self.0.into_owned()))
    }

    /// The path, from its first `/` on.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What servers see that decode the escapes of other printable characters, too: RFC 3986 §2.2 has both differ, but
    /// not every server does. Some decode before they take the path apart, and cut parameters, or query and fragment, or
    /// both off then; others find those characters in the path. None where there are no such escapes.
    pub fn decoded(&self) -> Vec<CanonicalPath<'static>> {
        let Some(decoded) = decode_printable(&self.0) else { return Vec::new() };
        let before_query = |path: &str| path.split(['?', '#']).next().unwrap_or_default().to_string();
        let readings =
            [simplify(&before_query(&decoded)), before_query(&decoded), simplify(&decoded), decoded].into_iter();
        let mut seen = Vec::new();
        readings.for_each(|path| {
            if !seen.contains(&path) {
                seen.push(path);
            }
        });
        seen.into_iter().map(|path| CanonicalPath(Cow::Owned(path))).collect()
    }
}

impl<'p> PathSegments<'p> {
    pub(crate) fn of(path: &'p str) -> Self {
        Self(Some(behind_slash(path).unwrap_or_default()))
    }
}

impl<'p> Iterator for PathSegments<'p> {
    type Item = &'p str;

    fn next(&mut self) -> Option<&'p str> {
        let path = self.0?;
        // Segments are short: looking for a byte is cheaper than what the standard library does for any character.
        let end = path.bytes().position(|byte| byte == b'/').unwrap_or(path.len());
        self.0 = path.get(end..).and_then(behind_slash);
        path.get(..end)
    }
}

/// As `strip_prefix` does it for any text, in fewer steps.
fn behind_slash(path: &str) -> Option<&str> {
    if path.as_bytes().first() == Some(&b'/') { path.get(1..) } else { None }
}

/// `text` with the escapes of printable ASCII decoded, but for `%25`: what is left of them would be no escape. `None`
/// where there are none.
pub(crate) fn decode_printable(text: &str) -> Option<String> {
    let mut runs = text.split('%');
    let mut decoded = String::from(runs.next().filter(|run| run.len() < text.len())?);
    for run in runs {
        match split_escape(run) {
            Ok((_, byte @ (b'!'..=b'$' | b'&'..=b'~'), rest)) => {
                decoded.push(char::from(byte));
                decoded.push_str(rest);
            }
            _ => decoded.extend(["%", run]),
        }
    }
    (decoded != text).then_some(decoded)
}

/// A segment of a path with all of its escapes decoded, once; `None` where that is no text.
pub(crate) fn decode_segment(segment: &str) -> Option<Cow<'_, str>> {
    let mut runs = segment.split('%');
    let first = runs.next()?;
    if first.len() == segment.len() {
        return Some(Cow::Borrowed(segment));
    }
    let mut decoded = first.as_bytes().to_vec();
    for run in runs {
        let (_, byte, rest) = split_escape(run).ok()?;
        decoded.push(byte);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The path of a target with nothing in it that any of the checks looks for: most are such, and this is one look at
/// each byte. Dots at the start of a segment are for the others.
fn plain(target: &[u8]) -> Option<&str> {
    let mut before = 0;
    let odd = target.iter().position(|&byte| {
        let is_plain = is_plain_byte(byte) && (before != b'/' || !matches!(byte, b'.' | b'/'));
        before = byte;
        !is_plain
    });
    let (path, rest) = target.split_at_checked(odd.unwrap_or(target.len()))?;
    let is_query = rest.is_empty() || (rest.starts_with(b"?") && !rest.contains(&b'#'));
    str::from_utf8(path).ok().filter(|_| is_query)
}

#[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
const fn is_plain_byte(byte: u8) -> bool {
    PLAIN[byte as usize]
}

fn check_plain(path: &[u8]) -> Result<&str, AmbiguousPath> {
    for &byte in path {
        match byte {
            0..=b' ' | 0x7f => return Err(AmbiguousPath::Control),
            0x80.. => return Err(AmbiguousPath::NonAscii),
            b'\\' => return Err(AmbiguousPath::Backslash),
            b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => return Err(AmbiguousPath::Raw),
            _ => {}
        }
    }
    str::from_utf8(path).map_err(|_| AmbiguousPath::NonAscii)
}

fn decode_unreserved(path: &str) -> Result<Cow<'_, str>, AmbiguousPath> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let mut runs = path.split('%');
    let mut decoded = String::with_capacity(path.len());
    decoded.push_str(runs.next().unwrap_or_default());
    for run in runs {
        let (digits, byte, rest) = split_escape(run)?;
        match byte {
            b'/' | b'\\' => return Err(AmbiguousPath::EncodedSlash),
            0..0x20 | 0x7f => return Err(AmbiguousPath::Control),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => decoded.push(char::from(byte)),
            _ => decoded.extend(["%", &digits.to_ascii_uppercase()]),
        }
        decoded.push_str(rest);
    }
    Ok(Cow::Owned(decoded))
}

/// What stands behind a `%`: the two digits, the byte that they mean, and the rest.
fn split_escape(run: &str) -> Result<(&str, u8, &str), AmbiguousPath> {
    let (digits, rest) = run.split_at_checked(2).ok_or(AmbiguousPath::InvalidEscape)?;
    // A sign is a digit for the parser.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(AmbiguousPath::InvalidEscape)?;
    Ok((digits, byte, rest))
}

/// Refuses escapes of which servers make more if they decode twice or badly. They are looked for in the result, since
/// what was decoded may complete them.
fn check_escapes(path: &str) -> Result<(), AmbiguousPath> {
    let mut behind_percent = path.match_indices('%').filter_map(|(at, _)| path.as_bytes().get(at + 1..));
    // `%u002e` is an escape to some.
    let is_double = |behind: &[u8]| match behind {
        [b'2', b'5', b'u' | b'U', ..] => true,
        [b'2', b'5', high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    };
    if behind_percent.any(is_double) {
        return Err(AmbiguousPath::DoubleEscape);
    }
    check_text(path)?;
    // Once they are decoded, some servers cut a segment off at a blank, `#`, `;` or `?`.
    let is_cut = |escape: &str| ["20", "23", "3B", "3F"].iter().any(|end| escape.starts_with(end));
    let mut names = path.split('/').filter_map(|segment| segment.split_once('%'));
    match names.any(|(name, escape)| is_dots(name) && is_cut(escape)) {
        true => Err(AmbiguousPath::DotSegment),
        false => Ok(()),
    }
}

/// Whether the escapes of `path` are those of a text, without control characters.
fn check_text(path: &str) -> Result<(), AmbiguousPath> {
    let mut runs = path.split('%');
    let Some(first) = runs.next().filter(|run| run.len() < path.len()) else { return Ok(()) };
    let mut decoded = first.as_bytes().to_vec();
    for run in runs {
        let (_, byte, rest) = split_escape(run)?;
        decoded.push(byte);
        decoded.extend_from_slice(rest.as_bytes());
    }
    match str::from_utf8(&decoded) {
        Ok(text) if text.contains(char::is_control) => Err(AmbiguousPath::Control),
        Ok(_) => Ok(()),
        Err(_) => Err(AmbiguousPath::NotUtf8),
    }
}

fn check_segments(path: &str) -> Result<(), AmbiguousPath> {
    if path.contains(';') {
        return Err(AmbiguousPath::Parameters);
    }
    if path.contains("//") {
        return Err(AmbiguousPath::EmptySegment);
    }
    match path.split('/').any(is_dots) {
        true => Err(AmbiguousPath::DotSegment),
        false => Ok(()),
    }
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

/// Cuts parameters off, collapses `//` and removes dot segments (RFC 3986 §5.2.4: nothing is above the root, and what
/// ends in one ends in `/`), in that order.
fn simplify(path: &str) -> String {
    let names = path.split('/').skip(1).map(|segment| segment.split(';').next().unwrap_or_default());
    let mut names = names.peekable();
    let mut kept = Vec::new();
    while let Some(name) = names.next() {
        if name == ".." {
            kept.pop();
        }
        match (name, names.peek()) {
            ("" | "." | "..", Some(_)) => {}
            ("" | "." | "..", None) => kept.push(""),
            _ => kept.push(name),
        }
    }
    kept.iter().flat_map(|name| ["/", *name]).collect()
}

impl std::error::Error for AmbiguousPath {}

impl fmt::Display for AmbiguousPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Backslash => "the path holds a backslash",
            Self::Control => "the path holds a control character or a blank",
            Self::DotSegment => "the path holds a segment `.` or `..`",
            Self::DoubleEscape => "the path holds an escape of an escape",
            Self::EmptySegment => "the path holds an empty segment",
            Self::EncodedSlash => "the path holds an encoded slash or backslash",
            Self::Fragment => "the path holds a fragment",
            Self::InvalidEscape => "the path holds a `%` without two hex digits",
            Self::NonAscii => "the path holds bytes outside ASCII",
            Self::NotAPath => "the path does not start with `/`",
            Self::NotUtf8 => "the path holds escapes that are no well-formed UTF-8",
            Self::Parameters => "the path holds parameters after `;`",
            Self::Raw => "the path holds one of `{ } | ^ \" < >` or a back-tick that is not escaped",
            Self::TooLong => {
                "the path is longer than 8192 bytes, or 2048 with escapes, and a rule has a regular expression"
            }
        })
    }
}

#[cfg(test)]
mod tests;
