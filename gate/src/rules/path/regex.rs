//! Regular expressions over whole paths, in time that is linear in the path.

use crate::http::{CanonicalPath, decode_printable};
use crate::whole_regex::{self, MAX_COMPILED, compile_whole};

/// How finely the memory that a compiled expression takes is known, in bytes.
const STEP: usize = 256;

/// A regular expression that matches whole paths. Compares by its text.
#[derive(Clone, Debug)]
pub(super) struct Regex {
    pattern: String,
    compiled: regex_lite::Regex,
    compiled_bytes: usize,
}

impl Regex {
    /// Reads an expression; `Err` says what is wrong with it.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if let Some(odd) = pattern.chars().find(|character| !character.is_ascii()) {
            return Err(format!("has a `{odd}`, which stands in paths as an escape such as `%C3%A9`"));
        }
        check_escapes(pattern)?;
        let compiled = whole_regex::parse(pattern)?;
        if decoded(pattern).is_some_and(|decoded| compile_whole(&decoded, MAX_COMPILED).is_err()) {
            return Err("is not valid once its escapes are decoded".to_string());
        }
        Ok(Self { pattern: pattern.to_string(), compiled, compiled_bytes: compiled_bytes(pattern) })
    }

    /// What it takes in memory, in bytes, rounded up.
    pub(super) fn compiled_bytes(&self) -> usize {
        self.compiled_bytes
    }

    /// This, with the escapes of printable characters as the characters themselves; `None` where there are none.
    pub(super) fn decoded(&self) -> Option<Self> {
        let pattern = decoded(&self.pattern)?;
        // INVARIANT: it was compiled when this was parsed.
        let compiled = compile_whole(&pattern, MAX_COMPILED).ok()?;
        Some(Self { pattern, compiled, compiled_bytes: self.compiled_bytes })
    }

    /// Whether `path` as a whole is one of these.
    pub(super) fn matches(&self, path: &CanonicalPath<'_>) -> bool {
        self.compiled.is_match(path.as_str())
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Regex {}

/// `pattern` with the escapes of printable characters as the characters themselves; `None` where there are none.
fn decoded(pattern: &str) -> Option<String> {
    let mut runs = pattern.split('%');
    let mut decoded = String::from(runs.next()?);
    for run in runs {
        let character = run.get(..2).and_then(|digits| decode_printable(&format!("%{digits}")));
        // Letters and digits have no escapes in canonical paths. `\x3A` is a character in classes as well.
        if character.is_some_and(|character| !character.contains(char::is_alphanumeric)) {
            let kept = decoded.strip_suffix('\\').unwrap_or(&decoded).len();
            decoded.truncate(kept);
            decoded.extend(["\\x", run]);
        } else {
            decoded.extend(["%", run]);
        }
    }
    (decoded != pattern).then_some(decoded)
}

/// Which bytes of an expression stand in a class such as `[^/]`.
#[derive(Default)]
struct Classes {
    /// How many bytes the class that is open has so far, but for a `^`.
    open: Option<usize>,
    is_escaped: bool,
}

impl Classes {
    /// Whether a class holds the next byte.
    fn hold(&mut self, byte: u8) -> bool {
        let is_escaped = self.is_escaped;
        self.is_escaped = byte == b'\\' && !is_escaped;
        let was_open = self.open;
        self.open = match (was_open, byte) {
            (None, b'[') if !is_escaped => Some(0),
            (Some(0), b'^') => Some(0),
            // A class is not empty: one in front stands for itself.
            (Some(1..), b']') if !is_escaped => None,
            (open, _) => open.map(|bytes| bytes.saturating_add(1)),
        };
        was_open.is_some()
    }
}

/// A server that decodes escapes sees other paths, for which the expression is read anew. So escapes stand in it as they
/// stand in canonical paths, and a `%` nowhere else but in classes, such as those of all characters of a segment.
fn check_escapes(pattern: &str) -> Result<(), String> {
    let is_digit = |&byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    let is_spelled = ["\\x25", "\\x{25}", "\\u0025", "\\u{25}", "\\U00000025", "\\U{25}"];
    let bytes = pattern.as_bytes();
    let mut classes = Classes::default();
    let is_bare = |(at, &byte): (usize, &u8)| {
        let is_escape = || bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(is_digit));
        !classes.hold(byte) && byte == b'%' && !is_escape()
    };
    let is_other = bytes.iter().enumerate().any(is_bare) || is_spelled.iter().any(|spelled| pattern.contains(spelled));
    match is_other {
        true => {
            Err("has a `%` without two digits of `0` to `9` and `A` to `F` behind it: write escapes as they stand in \
                     canonical paths, such as `%3A`, one for each alternative"
                .to_string())
        }
        false => Ok(()),
    }
}

/// The library does not say how much a compiled expression takes, but whether it takes more than it may.
fn compiled_bytes(pattern: &str) -> usize {
    let fits = |bytes: usize| compile_whole(pattern, bytes).is_ok();
    let steps: Vec<_> = (1..MAX_COMPILED.div_ceil(STEP)).map(|step| step * STEP).collect();
    steps.get(steps.partition_point(|&bytes| !fits(bytes))).copied().unwrap_or(MAX_COMPILED)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let path = CanonicalPath::strict(path.as_bytes()).expect(path);
        Regex::parse(pattern).expect(pattern).matches(&path)
    }

    #[test]
    fn an_expression_matches_the_whole_path_or_not_at_all() {
        assert!(matches("/v[0-9]+/items", "/v12/items") && matches("^/a$", "/a") && matches("/a|/b", "/b"));
        assert!(matches("/a|/ab", "/ab"), "whichever alternative fits");
        assert!(matches("(/a)|(/b)", "/a") && matches("/(?:a|b)/?", "/b/") && matches("", "/") == matches("(?:)", "/"));
        for (pattern, path) in [
            ("/v[0-9]+/items", "/v1/items/"),
            ("/v[0-9]+/items", "/x/v1/items"),
            ("/a|/b", "/a/x"),
            ("/a|/b", "/x/b"),
            ("/a|", "/x/a"),
            ("/a|/b|.*c", "/a/b"),
            ("^/a|/b$", "/a/x"),
            ("(?m)^/a$", "/a/b"),
            ("a", "/a"),
            ("/a", "/A"),
            ("", "/"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn an_expression_sees_the_canonical_path() {
        assert!(matches("/[a-z]+", "/%61b") && !matches("/%61b", "/%61b"));
        assert!(matches("/%C3%A9", "/%c3%a9") && matches("/[^/]+", "/%c3%a9") && !matches("/.", "/%c3%a9"));
        assert!(matches("/.*", "/a/b") && !matches(r"/a\?.*", "/a?b"), "there is no query");
        assert!(matches("(?i)/a", "/A") && matches(r"/\w+", "/a_B9") && !matches(r"/\w+", "/-"));
    }

    #[test]
    fn a_server_that_decodes_sees_the_characters_of_an_expressions_escapes() {
        let decoded = |pattern: &str| Regex::parse(pattern).expect(pattern).decoded();
        for pattern in ["/a", "/%C3%A9", "/%20", "/a%25b", "/%41"] {
            assert_eq!(decoded(pattern), None, "{pattern}");
        }
        for (pattern, path) in [
            ("/jobs/[0-9]+%3Adelete", "/jobs/7:delete"),
            ("/a%2Bb", "/a+b"),
            ("/a%2Ab", "/a*b"),
            ("/a%5Eb", "/a^b"),
            ("/a[%3A%5D]b", "/a]b"),
            (r"/a\%3Ab", "/a:b"),
            ("(?x) /a %3A b", "/a:b"),
            ("/a%3A+", "/a:::"),
        ] {
            let regex = decoded(pattern).expect(pattern);
            assert!(regex.compiled.is_match(path), "{pattern} {path} {}", regex.pattern);
        }
    }

    #[test]
    fn an_escape_in_an_expression_is_one_of_canonical_paths() {
        for pattern in [
            "/a%",
            "/a%3",
            "/a%3a",
            "/a%zz",
            "/a%3[Aa]",
            "/a%(3A|2C)",
            "/a[b]%",
            "/a[]%]%3",
            r"/a\[%]3A",
            "/a(%)3A",
            "/a%?3A",
            "/a%[0-9A-F]{2}",
            r"/a\x253A",
            r"/a\x{25}3A",
            r"/a\u00253A",
            r"/a%3\x41",
        ] {
            assert!(Regex::parse(pattern).is_err(), "{pattern}");
        }
        for pattern in ["/[a-z0-9._~%!$&'()+,;:@=-]+/b", "/a[%]3A", "/a[^]%]b", "/a[]%]%3A", r"/a[\]%]", r"/\[%5D"] {
            assert!(Regex::parse(pattern).is_ok(), "{pattern}");
        }
        assert!(matches("/a(%3A|%2C)b", "/a%2Cb") && matches("/a[^/]+", "/a%3A"));
    }

    #[test]
    fn what_an_expression_takes_is_known_to_a_quarter_of_a_kibibyte() {
        let bytes = |pattern: &str| Regex::parse(pattern).expect(pattern).compiled_bytes();
        let (short, long) = (bytes("/a"), bytes("/v[0-9]+/(items|tags)"));
        assert!(short == STEP && (2 * STEP..=4 * STEP).contains(&long), "{short} {long}");
        assert!(bytes("/(a?){60}") > bytes("/(a?){20}") && bytes("/(a?){20}") % STEP == 0);
    }

    #[test]
    fn no_parenthesis_and_no_comment_gets_out_of_the_group() {
        for pattern in ["/a)|(/b", "/a)", "/a)(?:", "(?x)/a #", "(?x)/a # b)|.*", "/a\\"] {
            assert!(Regex::parse(pattern).is_err(), "{pattern}");
        }
        assert!(matches("(?x) /a # b)|.*\n", "/a") && !matches("(?x) /a # b)|.*\n", "/b"));
    }

    #[test]
    fn time_is_linear_in_the_path_whatever_the_expression() {
        let path = format!("/{}", "a".repeat(50_000));
        for pattern in ["/(a*)*b", "/(a|a)*b", "/(a+)+b", "/(.*a){20}b", "/(a?){30}b"] {
            assert!(!matches(pattern, &path), "{pattern}");
        }
    }

    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn errors_name_their_position() {
        let long = "/a".repeat(513);
        let deep = format!("{}/a{}", "(".repeat(40), ")".repeat(40));
        let nested = "(?:(?:(?:a{0}){1000}){1000}){1000}";
        let all: Vec<_> = [
            "/a(b",
            "(/a)((b)",
            "/a)b",
            "/[z-a]x",
            "/[a",
            "/a{3,1}/b",
            "/a{2",
            "*",
            "/\\p{L}",
            "/(?=a)",
            "/(a)\\1",
            "/a\\",
            "/(?<n>a)(?<n>b)",
            "/(?z)a",
            "/\u{e9}",
            "/a{100000}",
            "(?x)/a #",
            &long,
            &deep,
            nested,
        ]
        .into_iter()
        .map(|pattern| {
            let shown: String = pattern.chars().take(40).collect();
            format!("{shown} {}", Regex::parse(pattern).expect_err(pattern))
        })
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
