//! Which rules may match a request, without asking each of a thousand.
//!
//! Every rule is filed where a request must lead to it: under the literal beginnings of its paths, or its hosts, or
//! under everything.

use std::collections::BTreeMap;

use super::{HostPattern, PathPattern, Rule, host};
use crate::request::{CanonicalPath, Request};

/// An index of rules, by their places.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    /// By the literal segments that a path begins with.
    by_path: BTreeMap<String, Vec<usize>>,
    /// By host, in lower case.
    by_host: BTreeMap<String, Vec<usize>>,
    everywhere: Vec<usize>,
    /// The most segments of a beginning in `by_path`.
    depth: usize,
}

impl RuleIndex {
    /// An index of `rules`.
    pub fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            index.file(place, rule);
        }
        index
    }

    /// The place of the first rule that matches, `matches` being asked of those alone that may.
    pub(crate) fn first(
        &self,
        request: &Request<'_>,
        path: &CanonicalPath<'_>,
        matches: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut first = None;
        let mut look = |places: &[usize]| {
            // INVARIANT: in order, so the first one is the first of this list; only an earlier one is news.
            let earlier = places.iter().take_while(|&&place| first.is_none_or(|first| place < first));
            first = earlier.copied().find(|&place| matches(place)).or(first);
        };
        let path = path.as_str();
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let beginnings = ends.skip(1).take(self.depth).filter_map(|end| path.get(..end));
        beginnings.filter_map(|beginning| self.by_path.get(beginning)).for_each(|places| look(places));
        if !self.by_host.is_empty() {
            let host = host::name_of(request.authority()).to_ascii_lowercase();
            let filed = str::from_utf8(&host).ok().and_then(|host| self.by_host.get(host));
            look(filed.map_or(&[], Vec::as_slice));
        }
        look(&self.everywhere);
        first
    }

    fn file(&mut self, place: usize, rule: &Rule) {
        let (paths, hosts) = (&rule.matcher.paths, &rule.matcher.hosts);
        let beginnings: Option<Vec<_>> = paths.iter().map(PathPattern::literal_beginning).collect();
        if let Some(beginnings) = beginnings.filter(|beginnings| !beginnings.is_empty()) {
            for beginning in beginnings {
                self.depth = self.depth.max(beginning.matches('/').count());
                self.by_path.entry(beginning).or_default().push(place);
            }
            return;
        }
        let names: Option<Vec<_>> = hosts.iter().map(HostPattern::exact).collect();
        match names.filter(|names| !names.is_empty()) {
            Some(names) => {
                for name in names {
                    self.by_host.entry(name.to_string()).or_default().push(place);
                }
            }
            None => self.everywhere.push(place),
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
    use crate::rules::{Access, Matcher, Scheme};

    fn rule(hosts: &[&str], paths: &[&str]) -> Rule {
        let path = |pattern: &&str| match pattern.strip_prefix("re:") {
            Some(regex) => PathPattern::regex(regex).expect(regex),
            None => PathPattern::parse(pattern).expect(pattern),
        };
        let hosts = hosts.iter().map(|host| HostPattern::parse(host).expect(host)).collect();
        let matcher = Matcher { hosts, paths: paths.iter().map(path).collect(), ..Matcher::default() };
        Rule {
            name: "".into(),
            matcher,
            access: Access::Public,
            forward_token: None,
            mode: None,
            challenge: Scheme::Bearer,
        }
    }

    const PATTERNS: [&str; 17] = [
        "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/**", "/a/b/**", "/**", "/{x}", "/a/{x}", "/a/{x}/c", "/a*",
        "/a/b*/c", "/b/**", "re:/a.*", "/c%3A/d",
    ];
    const PATHS: [&str; 16] = [
        "/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/a/b/c", "/a/b/c/d", "/a/b1/c", "/b", "/b/", "/b/a", "/c",
        "/c%3A/d", "/x/y/z", "/a/x/c",
    ];
    const HOSTS: [&str; 5] = ["a.example.com", "B.example.com", "*.example.com", "example.com", "[::1]"];
    const AUTHORITIES: [&str; 6] =
        ["a.example.com:80", "A.EXAMPLE.com.", "b.example.com", "example.com", "[::1]:1", "other"];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_first_rule_that_matches_is_found(
            rules in vec((vec(select(&HOSTS[..]), 0..3), vec(select(&PATTERNS[..]), 0..3)), 0..12),
            path in select(&PATHS[..]),
            authority in select(&AUTHORITIES[..]),
        ) {
            let rules: Vec<_> = rules.iter().map(|(hosts, paths)| rule(hosts, paths)).collect();
            let lines = [(&b":authority"[..], authority.as_bytes()), (b":path", path.as_bytes())];
            let request = Request::new(&lines);
            let canonical = CanonicalPath::strict(path.as_bytes()).expect("is canonical");
            let matches = |place: usize| rules[place].matcher.matches(&request, &canonical);
            prop_assert_eq!(
                RuleIndex::new(&rules).first(&request, &canonical, matches),
                (0..rules.len()).find(|&place| matches(place))
            );
        }
    }

    #[test]
    fn of_many_rules_few_are_asked() {
        let paths: Vec<_> = (0..1000).map(|number| format!("/api/r{number}/{{id}}")).collect();
        let hosts: Vec<_> = (0..1000).map(|number| format!("h{number}.example.com")).collect();
        let mut rules: Vec<_> = paths.iter().map(|path| rule(&[], &[path])).collect();
        rules.extend(hosts.iter().map(|host| rule(&[host], &[])));
        rules.push(rule(&[], &[]));
        let lines = [(&b":authority"[..], &b"H7.example.com:80"[..])];
        let path = CanonicalPath::strict(b"/api/r7/x").expect("is canonical");
        let asked = RefCell::new(Vec::new());
        let first = RuleIndex::new(&rules).first(&Request::new(&lines), &path, |place| {
            asked.borrow_mut().push(place);
            place == 2000
        });
        assert_eq!((first, asked.into_inner()), (Some(2000), vec![7, 1007, 2000]));
    }
}
