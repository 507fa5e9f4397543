//! Which rules may match a request, without asking each of a thousand.
//!
//! Every rule is filed where a request must lead to it: by its hosts, where it names them, and below that in a tree of
//! the segments of its paths.

use std::collections::BTreeMap;

use super::host::{self, HostPattern};
use super::matcher::Matcher;
use super::path::PathPattern;
use crate::http::{CanonicalPath, PathSegments, Request};

/// The tree goes no deeper than this.
const DEEPEST: usize = 32;

/// An index of rules, by their position.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    /// Those that name hosts and no wildcards, by host, in lower case.
    by_host: BTreeMap<String, Node>,
    /// All others.
    anywhere: Node,
}

/// The rules for paths that begin with the segments that lead here.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Those for paths that end here.
    ending: Vec<usize>,
    /// Those for others, too.
    passing: Vec<usize>,
    /// By the text of the next segment.
    literals: BTreeMap<String, Self>,
    /// Where the next segment may have several texts.
    any: Option<Box<Self>>,
}

impl RuleIndex {
    /// An index of rules, by what they match.
    pub fn new<'m>(matchers: impl Iterator<Item = &'m Matcher>) -> Self {
        let mut index = Self::default();
        for (rule, matcher) in matchers.enumerate() {
            let names: Option<Vec<_>> = matcher.hosts.iter().map(HostPattern::exact).collect();
            match names.filter(|names| !names.is_empty()) {
                Some(names) => {
                    for name in names {
                        index.by_host.entry(name.to_string()).or_default().file(rule, matcher);
                    }
                }
                None => index.anywhere.file(rule, matcher),
            }
        }
        index
    }

    /// The index of the first rule that matches, `matches` being asked of those alone that may.
    pub(crate) fn first(
        &self,
        request: &Request<'_>,
        path: &CanonicalPath<'_>,
        matches: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.first_at(|| host::name_of(request.authority()), path.as_str(), matches)
    }

    /// The first rule that matches every request that `matcher` matches.
    pub(crate) fn first_that_covers(&self, matcher: &Matcher, covers: impl Fn(usize) -> bool) -> Option<usize> {
        // What covers it matches this host and this path, too.
        let host = matcher.hosts.first().map(HostPattern::example).unwrap_or_default();
        let path = matcher.paths.first().map(PathPattern::example).unwrap_or_default();
        self.first_at(|| host.as_bytes(), &path, covers)
    }

    /// The first for a host in lower case, which is only asked for where there are hosts.
    #[inline]
    fn first_at<'h>(
        &self,
        host: impl FnOnce() -> &'h [u8],
        path: &str,
        matches: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut first = None;
        let mut look = |rules: &[usize]| {
            // INVARIANT: in order, so the first one is the first of this list; only an earlier one is news.
            let earlier = rules.iter().take_while(|&&rule| first.is_none_or(|first| rule < first));
            first = earlier.copied().find(|&rule| matches(rule)).or(first);
        };
        let segments = PathSegments::of(path);
        if !self.by_host.is_empty() {
            let filed = str::from_utf8(host()).ok().and_then(|host| self.by_host.get(host));
            if let Some(node) = filed {
                node.walk(segments.clone(), &mut look);
            }
        }
        self.anywhere.walk(segments, &mut look);
        first
    }
}

impl Node {
    fn file(&mut self, rule: usize, matcher: &Matcher) {
        if matcher.paths.is_empty() {
            self.passing.push(rule);
        }
        for path in &matcher.paths {
            let (steps, ends) = path.beginning();
            let mut node = &mut *self;
            for step in steps.iter().take(DEEPEST) {
                node = match step {
                    Some(text) => node.literals.entry((*text).to_string()).or_default(),
                    None => node.any.get_or_insert_default(),
                };
            }
            let rules = if ends && steps.len() <= DEEPEST { &mut node.ending } else { &mut node.passing };
            if rules.last() != Some(&rule) {
                rules.push(rule);
            }
        }
    }

    fn walk(&self, mut segments: PathSegments<'_>, look: &mut dyn FnMut(&[usize])) {
        look(&self.passing);
        let Some(segment) = segments.next() else { return look(&self.ending) };
        if let Some(node) = self.literals.get(segment) {
            node.walk(segments.clone(), look);
        }
        if let Some(node) = &self.any {
            node.walk(segments, look);
        }
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use std::cell::RefCell;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn matcher(hosts: &[&str], paths: &[&str]) -> Matcher {
        let path = |pattern: &&str| match pattern.strip_prefix("re:") {
            Some(regex) => PathPattern::regex(regex).expect(regex),
            None => PathPattern::parse(pattern).expect(pattern),
        };
        let hosts = hosts.iter().map(|host| HostPattern::parse(host).expect(host)).collect();
        Matcher { hosts, paths: paths.iter().map(path).collect(), ..Matcher::default() }
    }

    const PATTERNS: [&str; 17] = [
        "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/**", "/a/b/**", "/**", "/{x}", "/a/{x}", "/a/{x}/c", "/a*",
        "/a/b*/c", "/b/**", "re:/a.*", "/c%3A/d",
    ];
    const PATHS: [&str; 16] = [
        "/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/a/b/c", "/a/b/c/d", "/a/b1/c", "/b", "/b/", "/b/a", "/c",
        "/c%3A/d", "/x/y/z", "/a/x/c",
    ];
    const HOSTS: [&str; 7] =
        ["a.example.com", "B.example.com", "*.example.com", "example.com", "[::1]", "b.example.com:8443", "[::1]:*"];
    const AUTHORITIES: [&str; 6] =
        ["a.example.com", "b.example.com:8443", "b.example.com", "example.com", "[::1]:1", "other"];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_first_rule_that_matches_is_found(
            rules in vec((vec(select(&HOSTS[..]), 0..3), vec(select(&PATTERNS[..]), 0..3)), 0..12),
            path in select(&PATHS[..]),
            authority in select(&AUTHORITIES[..]),
        ) {
            let rules: Vec<_> = rules.iter().map(|(hosts, paths)| matcher(hosts, paths)).collect();
            let lines = [(&b":authority"[..], authority.as_bytes()), (b":path", path.as_bytes())];
            let request = Request::new(&lines);
            let canonical = CanonicalPath::strict(path.as_bytes()).expect("is canonical");
            let matches = |rule: usize| rules[rule].matches(&request, &canonical);
            prop_assert_eq!(
                RuleIndex::new(rules.iter()).first(&request, &canonical, matches),
                (0..rules.len()).find(|&rule| matches(rule))
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_first_rule_that_covers_another_is_found(
            rules in vec((vec(select(&HOSTS[..]), 0..3), vec(select(&PATTERNS[..]), 0..3)), 1..12),
        ) {
            let rules: Vec<_> = rules.iter().map(|(hosts, paths)| matcher(hosts, paths)).collect();
            let last = rules.last().expect("is there");
            let covers = |index: usize| rules[index].covers(last);
            prop_assert_eq!(
                RuleIndex::new(rules.iter()).first_that_covers(last, covers),
                (0..rules.len()).find(|&index| covers(index))
            );
        }
    }

    #[test]
    fn of_many_rules_few_are_asked() {
        let paths: Vec<_> = (0..1000).map(|number| format!("/api/r{number}/{{id}}")).collect();
        let hosts: Vec<_> = (0..1000).map(|number| format!("h{number}.example.com")).collect();
        let mut rules: Vec<_> = paths.iter().map(|path| matcher(&[], &[path])).collect();
        rules.extend(hosts.iter().map(|host| matcher(&[host], &[])));
        rules.push(matcher(&[], &[]));
        let lines = [(&b":authority"[..], &b"h7.example.com"[..])];
        let path = CanonicalPath::strict(b"/api/r7/x").expect("is canonical");
        let asked = RefCell::new(Vec::new());
        let first = RuleIndex::new(rules.iter()).first(&Request::new(&lines), &path, |rule| {
            asked.borrow_mut().push(rule);
            rule == 2000
        });
        assert_eq!((first, asked.into_inner()), (Some(2000), vec![1007, 2000, 7]));

        let siblings: Vec<_> = (0..1000).map(|number| format!("/orders/{{id}}/part-{number}/**")).collect();
        let mut rules: Vec<_> = siblings.iter().map(|path| matcher(&[], &[path])).collect();
        rules.extend(hosts.iter().map(|host| matcher(&[host], &["/orders/**"])));
        rules.push(matcher(&[], &["/orders/*"]));
        let asked = RefCell::new(Vec::new());
        let path = CanonicalPath::strict(b"/orders/7").expect("is canonical");
        RuleIndex::new(rules.iter()).first(&Request::new(&lines), &path, |rule| {
            asked.borrow_mut().push(rule);
            false
        });
        assert_eq!(asked.into_inner(), [1007, 2000]);
    }

    #[test]
    fn the_tree_ends_before_the_longest_paths_do() {
        let path = "/a".repeat(DEEPEST + 8);
        let rules = [matcher(&[], &["/a"]), matcher(&[], &[&path])];
        let found = |path: &str| {
            let canonical = CanonicalPath::strict(path.as_bytes()).expect("is canonical");
            let matches = |rule: usize| rules[rule].matches(&Request::new(&[]), &canonical);
            RuleIndex::new(rules.iter()).first(&Request::new(&[]), &canonical, matches)
        };
        assert_eq!((found(&path), found("/a"), found(&path[2..])), (Some(1), Some(0), None));
    }
}
