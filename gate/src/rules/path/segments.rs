//! Patterns that are matched segment by segment.

use crate::http::{CanonicalPath, PathSegments, decode_printable};
use crate::rules::Wildcard;

/// `/a/b` exactly; `*` is one or more characters inside a segment, `{name}` one whole segment; `/**` at the end is
/// that path and everything below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Segments {
    segments: Vec<Segment>,
    with_descendants: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// Exactly this.
    Literal(String),
    /// One with a `*` in it.
    Runs(Wildcard),
    /// Any segment that is not empty, by this name.
    Whole(String),
}

impl Segments {
    /// Reads a pattern; `Err` says what is wrong with it.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let Some(path) = pattern.strip_prefix('/') else {
            return Err("does not start with `/`".to_string());
        };
        let (path, with_descendants) = match (path, pattern.strip_suffix("/**")) {
            ("**", _) => (None, true),
            (_, Some(parent)) => (parent.strip_prefix('/'), true),
            _ => (Some(path), false),
        };
        let segments = path.map_or(Ok(Vec::new()), |path| path.split('/').map(Segment::parse).collect())?;
        let parsed = Self { segments, with_descendants };
        parsed.check_reachable()?;
        Ok(parsed)
    }

    /// Whether `path` is one of these.
    pub(super) fn matches(&self, path: &CanonicalPath<'_>) -> bool {
        let mut found = PathSegments::of(path.as_str());
        for segment in &self.segments {
            match found.next() {
                Some(text) if segment.matches(text) => {}
                _ => return false,
            }
        }
        self.with_descendants || found.next().is_none()
    }

    /// The segment of `path` that this names so.
    pub(super) fn variable<'p>(&self, name: &str, path: &'p CanonicalPath<'_>) -> Option<&'p str> {
        let at = self.segments.iter().position(|segment| segment.is_named(name))?;
        path.as_str().split('/').nth(at + 1)
    }

    /// How many segments have this name.
    pub(super) fn count_of(&self, name: &str) -> usize {
        self.segments.iter().filter(|segment| segment.is_named(name)).count()
    }

    /// These, with the escapes of printable characters decoded; `None` where there are none.
    pub(super) fn decoded(&self) -> Option<Self> {
        let decoded: Vec<_> = self.segments.iter().map(Segment::decoded).collect();
        let is_other = decoded.iter().any(Option::is_some);
        let segments = decoded.into_iter().zip(&self.segments);
        let segments = segments.map(|(other, segment)| other.unwrap_or_else(|| segment.clone())).collect();
        is_other.then_some(Self { segments, ..*self })
    }

    /// How every path of these begins: segment by segment, its text or `None` for any; and whether it ends there.
    pub(super) fn beginning(&self) -> (Vec<Option<&str>>, bool) {
        let steps = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => Some(literal.as_str()),
            Segment::Runs(_) | Segment::Whole(_) => None,
        });
        (steps.collect(), !self.with_descendants)
    }

    /// Whether this matches every path that `other` matches, as far as the patterns show.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let is_long_enough = match self.with_descendants {
            true => self.segments.len() <= other.segments.len(),
            false => self.segments.len() == other.segments.len() && !other.with_descendants,
        };
        is_long_enough && self.segments.iter().zip(&other.segments).all(|(wide, narrow)| wide.covers(narrow))
    }

    /// Whether this matches every path.
    pub(super) fn is_everything(&self) -> bool {
        self.segments.is_empty() && self.with_descendants
    }

    /// A path that this matches.
    pub(super) fn example(&self) -> String {
        let segments = self.segments.iter().map(Segment::example);
        let below = self.with_descendants.then(|| "x".to_string());
        segments.chain(below).flat_map(|segment| ["/".to_string(), segment]).collect()
    }

    /// A pattern that no canonical path can equal is a mistake that would open or close nothing.
    fn check_reachable(&self) -> Result<(), String> {
        let example = self.example();
        match CanonicalPath::strict(example.as_bytes()) {
            Err(problem) => Err(format!("can never match: {problem}")),
            Ok(canonical) if canonical.as_str() != example => Err(format!(
                "can never match: paths are compared in their canonical form, here `{}`",
                canonical.as_str()
            )),
            Ok(_) if example.contains('?') => Err("can never match: the query takes no part".to_string()),
            Ok(_) => Ok(()),
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let is_name = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            return match is_name {
                true => Ok(Self::Whole(name.to_string())),
                false => Err("has a `{name}` whose name is not plain".to_string()),
            };
        }
        if text.contains(['{', '}']) {
            return Err("has a `{name}` that is not a whole segment".to_string());
        }
        if text.contains("**") {
            return Err("has a `**` that is not its last segment".to_string());
        }
        if text.contains('*') {
            return Ok(Self::Runs(Wildcard::of_at_least(1, text)));
        }
        Ok(Self::Literal(text.to_string()))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Runs(wildcard) => wildcard.matches(text),
            Self::Whole(_) => !text.is_empty(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Whole(own) if own == name)
    }

    fn decoded(&self) -> Option<Self> {
        match self {
            Self::Literal(literal) => decode_printable(literal).map(Self::Literal),
            Self::Runs(wildcard) => wildcard.map(decode_printable).map(Self::Runs),
            Self::Whole(_) => None,
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Literal(literal)) => self.matches(literal),
            (Self::Whole(_), Self::Runs(_) | Self::Whole(_)) => true,
            _ => self == other,
        }
    }

    fn example(&self) -> String {
        match self {
            Self::Literal(literal) => literal.clone(),
            Self::Runs(wildcard) => wildcard.example(),
            Self::Whole(_) => "x".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let path = CanonicalPath::strict(path.as_bytes()).expect(path);
        Segments::parse(pattern).expect(pattern).matches(&path)
    }

    #[test]
    fn a_plain_pattern_is_exact() {
        assert!(matches("/a/b", "/a/b") && matches("/", "/") && matches("/a/", "/a/") && matches("/~x", "/%7Ex"));
        for other in ["/a/b/", "/a", "/a/b/c", "/A/b", "/"] {
            assert!(!matches("/a/b", other), "{other}");
        }
        assert!(!matches("/v1.0", "/v1x0"), "a dot is a dot");
    }

    #[test]
    fn descendants_include_the_path_itself_and_never_a_longer_name() {
        for path in ["/api", "/api/", "/api/x", "/api/x/y"] {
            assert!(matches("/api/**", path), "{path}");
        }
        assert!(!matches("/api/**", "/apix") && !matches("/api/**", "/") && !matches("/api/**", "/x/api/y"));
        assert!(
            matches("/**", "/") && matches("/**", "/a/b") && matches("/{x}/**", "/a/b") && !matches("/{x}/**", "/")
        );
    }

    #[test]
    fn a_star_is_one_or_more_characters_of_a_segment() {
        assert!(
            matches("/v*/x", "/v1/x")
                && matches("/*", "/a")
                && matches("/a*c", "/abc")
                && matches("/*.txt", "/a.b.txt")
        );
        assert!(matches("/a*b*c", "/aXbYc") && matches("/a*b*c", "/abbbc") && matches("/*/*", "/a/b"));
        for (pattern, path) in [
            ("/v*", "/v"),
            ("/*", "/"),
            ("/*", "/a/b"),
            ("/a*c", "/ac"),
            ("/*.txt", "/.txt"),
            ("/a*b*c", "/abc"),
            ("/a*b*c", "/aXbc"),
            ("/aa*aa", "/aaa"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_name_is_one_whole_segment() {
        assert!(matches("/collections/{id}/items", "/collections/c-1/items"));
        assert!(!matches("/collections/{id}", "/collections/") && !matches("/collections/{id}", "/collections/a/b"));
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        let covers = |wide: &str, narrow: &str| {
            let parse = |pattern| Segments::parse(pattern).expect("is a pattern");
            parse(wide).covers(&parse(narrow))
        };
        for (wide, narrow) in [
            ("/a", "/a"),
            ("/**", "/"),
            ("/**", "/a/**"),
            ("/a/**", "/a"),
            ("/a/**", "/a/b"),
            ("/a/**", "/a/**"),
            ("/{x}", "/a"),
            ("/*", "/a"),
            ("/{x}", "/a*"),
            ("/{x}/b", "/{y}/b"),
            ("/a*", "/abc"),
            ("/a*", "/a*"),
            ("/{x}/**", "/a/b/**"),
        ] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("/a", "/a/"),
            ("/a", "/a/**"),
            ("/a/**", "/**"),
            ("/a/**", "/ab"),
            ("/{x}", "/"),
            ("/a*", "/a"),
            ("/a*", "/{x}"),
            ("/a*", "/ab*"),
            ("/a/{x}", "/a/b/c"),
            ("/{x}/**", "/**"),
            ("/b", "/{x}"),
        ] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn patterns_that_can_never_match_are_refused() {
        for pattern in [
            "", "a", "//", "/a//b", "/a/../b", "/./a", "/a%2Fb", "/%41", "/%c3%a9", "/é", "/a?x", "/a#x", "/a;b",
            "/a\\b", "/**/a", "/a**", "/{}", "/{a}b", "/{a b}", "/%zz", "/a//**",
        ] {
            assert!(Segments::parse(pattern).is_err(), "{pattern}");
        }
        for pattern in ["/%C3%A9", "/a/", "/a/**", "/**", "/a%20b"] {
            assert!(Segments::parse(pattern).is_ok(), "{pattern}");
        }
    }
}
