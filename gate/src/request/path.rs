//! Canonical paths: the decision must see the path that the upstream will see.

use std::borrow::Cow;
use std::fmt;

/// A path that every parser reads the same way. Escapes of unreserved characters are decoded, the other escapes
/// have upper-case digits (RFC 3986 §6.2.2); there is no query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CanonicalPath<'r>(Cow<'r, str>);

/// Why a path could be read in more than one way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AmbiguousPath {
    /// `\`.
    Backslash,
    /// A control character or a blank, plain or encoded.
    Control,
    /// A segment `.` or `..`, plain or encoded.
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
    /// `;`.
    Parameters,
}

impl<'r> CanonicalPath<'r> {
    /// The canonical form of a `:path`, query cut off; refuses what two parsers may read differently.
    pub fn strict(target: &'r [u8]) -> Result<Self, AmbiguousPath> {
        if target.first() != Some(&b'/') {
            return Err(AmbiguousPath::NotAPath);
        }
        // A fragment is no part of a request: where one parser cuts it off, another may take it for path or query.
        if target.contains(&b'#') {
            return Err(AmbiguousPath::Fragment);
        }
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        let path = decode_unreserved(check_plain(path)?)?;
        check_structure(&path)?;
        Ok(Self(path))
    }

    /// The path, from its first `/` on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_plain(path: &[u8]) -> Result<&str, AmbiguousPath> {
    for &byte in path {
        match byte {
            0..=b' ' | 0x7f => return Err(AmbiguousPath::Control),
            0x80.. => return Err(AmbiguousPath::NonAscii),
            b'\\' => return Err(AmbiguousPath::Backslash),
            b';' => return Err(AmbiguousPath::Parameters),
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
        let (digits, rest) = run.split_at_checked(2).ok_or(AmbiguousPath::InvalidEscape)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(AmbiguousPath::InvalidEscape);
        }
        match u8::from_str_radix(digits, 16).map_err(|_| AmbiguousPath::InvalidEscape)? {
            b'/' | b'\\' => return Err(AmbiguousPath::EncodedSlash),
            0..0x20 | 0x7f => return Err(AmbiguousPath::Control),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => decoded.push(char::from(byte)),
            _ => {
                decoded.push('%');
                decoded.push_str(&digits.to_ascii_uppercase());
            }
        }
        decoded.push_str(rest);
    }
    Ok(Cow::Owned(decoded))
}

fn check_structure(path: &str) -> Result<(), AmbiguousPath> {
    // What was decoded may complete a double escape: it is looked for in the result.
    let is_double = |behind: &str| behind.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if path.split("%25").skip(1).any(is_double) {
        return Err(AmbiguousPath::DoubleEscape);
    }
    if path.contains("//") {
        return Err(AmbiguousPath::EmptySegment);
    }
    match path.split('/').any(|segment| segment == "." || segment == "..") {
        true => Err(AmbiguousPath::DotSegment),
        false => Ok(()),
    }
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
            Self::Parameters => "the path holds parameters after `;`",
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn strict(path: &str) -> Result<String, AmbiguousPath> {
        CanonicalPath::strict(path.as_bytes()).map(|path| path.as_str().to_string())
    }

    #[test]
    fn plain_paths_stay_as_they_are() {
        for path in [
            "/",
            "/a/b",
            "/a/",
            "/a.b/c~d",
            "/.well-known",
            "/...",
            "/a/..b",
            "/a:b@c!$&'()*+,=",
            "/%20",
            "/%C3%A9",
            "/%3B",
            "/a%25b/c",
        ] {
            assert_eq!(strict(path).as_deref(), Ok(path));
        }
    }

    #[test]
    fn unreserved_escapes_are_decoded_once_and_others_take_capitals() {
        assert_eq!(strict("/%61%2D%7e").as_deref(), Ok("/a-~"));
        assert_eq!(strict("/%c3%a9%3a").as_deref(), Ok("/%C3%A9%3A"));
        assert_eq!(strict("/a?x=/../y").as_deref(), Ok("/a"), "the query takes no part");
    }

    #[test]
    fn what_two_parsers_may_read_differently_is_refused() {
        use AmbiguousPath::*;
        for (path, problem) in [
            ("", NotAPath),
            ("*", NotAPath),
            ("a", NotAPath),
            ("http://a/b", NotAPath),
            ("?/", NotAPath),
            ("/.", DotSegment),
            ("/a/..", DotSegment),
            ("/a/./b", DotSegment),
            ("/%2e%2E/a", DotSegment),
            ("/.%2e", DotSegment),
            ("//", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a\\b", Backslash),
            ("/a%5cb", EncodedSlash),
            ("/a%2Fb", EncodedSlash),
            ("/%2f", EncodedSlash),
            ("/%00", Control),
            ("/%0a", Control),
            ("/%7F", Control),
            ("/a\u{1}", Control),
            ("/a b", Control),
            ("/a\u{7f}", Control),
            ("/%", InvalidEscape),
            ("/%4", InvalidEscape),
            ("/%zz", InvalidEscape),
            ("/%+1", InvalidEscape),
            ("/a%/b", InvalidEscape),
            ("/a;b", Parameters),
            ("/a;", Parameters),
            ("/a#b", Fragment),
            ("/a?b#c", Fragment),
            ("/é", NonAscii),
            ("/%252e", DoubleEscape),
            ("/%2541", DoubleEscape),
            ("/%25%32%65", DoubleEscape),
            ("/a%25ff", DoubleEscape),
        ] {
            assert_eq!(strict(path), Err(problem), "{path}");
        }
    }
}
