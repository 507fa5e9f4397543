//! Path patterns, matched against canonical paths.

mod regex;
mod segments;

use self::regex::Regex;
use self::segments::Segments;
use crate::http::CanonicalPath;

/// Which paths a rule is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathPattern(Kind);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Kind {
    Regex(Regex),
    Segments(Segments),
}

impl PathPattern {
    /// Reads a pattern such as `/a/{b}/**`; `Err` says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        Segments::parse(pattern).map(Kind::Segments).map(Self)
    }

    /// Reads a regular expression that matches whole paths; `Err` says what is wrong with it.
    pub fn regex(pattern: &str) -> Result<Self, String> {
        Regex::parse(pattern).map(Kind::Regex).map(Self)
    }

    /// Whether `path` is one of these.
    pub fn matches(&self, path: &CanonicalPath<'_>) -> bool {
        match &self.0 {
            Kind::Regex(regex) => regex.matches(path),
            Kind::Segments(segments) => segments.matches(path),
        }
    }

    /// The segment of `path` that this names so, where it matches.
    pub(crate) fn variable<'p>(&self, name: &str, path: &'p CanonicalPath<'_>) -> Option<&'p str> {
        match &self.0 {
            Kind::Regex(_) => None,
            Kind::Segments(segments) => segments.variable(name, path),
        }
    }

    /// How many segments this names so.
    pub(crate) fn count_of(&self, name: &str) -> usize {
        match &self.0 {
            Kind::Regex(_) => 0,
            Kind::Segments(segments) => segments.count_of(name),
        }
    }

    /// Whether this is a regular expression.
    pub fn is_regex(&self) -> bool {
        matches!(self.0, Kind::Regex(_))
    }

    /// What a regular expression takes when it is compiled, in bytes, rounded up; nothing for other patterns.
    pub(crate) fn compiled_bytes(&self) -> usize {
        match &self.0 {
            Kind::Regex(regex) => regex.compiled_bytes(),
            Kind::Segments(_) => 0,
        }
    }

    /// This, with the escapes of printable characters decoded; `None` where there are none.
    pub fn decoded(&self) -> Option<Self> {
        match &self.0 {
            Kind::Regex(regex) => regex.decoded().map(Kind::Regex).map(Self),
            Kind::Segments(segments) => segments.decoded().map(Kind::Segments).map(Self),
        }
    }

    /// How every path of these begins: segment by segment, its text or `None` for any; and whether it ends there.
    pub(super) fn beginning(&self) -> (Vec<Option<&str>>, bool) {
        match &self.0 {
            Kind::Regex(_) => (Vec::new(), false),
            Kind::Segments(segments) => segments.beginning(),
        }
    }

    /// A path that this matches; for regular expressions, one below no segment.
    pub(super) fn example(&self) -> String {
        match &self.0 {
            Kind::Regex(_) => String::new(),
            Kind::Segments(segments) => segments.example(),
        }
    }

    /// Whether this matches every path that `other` matches, as far as the patterns show.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Regex(wide), Kind::Regex(narrow)) => wide == narrow,
            (Kind::Regex(_), Kind::Segments(_)) => false,
            (Kind::Segments(wide), Kind::Regex(_)) => wide.is_everything(),
            (Kind::Segments(wide), Kind::Segments(narrow)) => wide.covers(narrow),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_regex_covers_only_the_identical_one_and_is_covered_by_what_takes_everything() {
        let covers = |wide: &PathPattern, narrow: &PathPattern| wide.covers(narrow);
        let regex = |pattern| PathPattern::regex(pattern).expect(pattern);
        let segments = |pattern| PathPattern::parse(pattern).expect(pattern);
        assert!(covers(&regex("/a.*"), &regex("/a.*")) && covers(&segments("/**"), &regex("/a.*")));
        for (wide, narrow) in [
            (regex("/.*"), regex("/a")),
            (regex("/a"), regex("/(a)")),
            (regex("/a"), segments("/a")),
            (regex("/.*"), segments("/**")),
            (segments("/a"), regex("/a")),
            (segments("/{x}/**"), regex("/a/b")),
        ] {
            assert!(!covers(&wide, &narrow), "{wide:?} {narrow:?}");
        }
    }
}
