//! What holds for all paths, patterns and rules.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Access, Fallback, Matcher, Mode, PathPattern, Rule, RuleSearch, Scheme, Unauthenticated};
use crate::http::{CanonicalPath, PathMode, Request};

/// Pieces that readers of paths stumble over.
const PIECES: [&str; 34] = [
    "/", "/", "/", "/", "a", "b", "admin", ".", ".", "..", ";", ";x=1", "//", "%2e", "%2E", "%2f", "%61", "%3B", "%3a",
    ":", "%20", "%c3%a9", "%C0", "%E0%80", "%25", "%", "41", "?", "#", "\\", "%00", "\u{e9}", "~", "*",
];

fn target() -> impl Strategy<Value = String> {
    let odd = vec(select(&PIECES[..]), 0..12).prop_map(|pieces| pieces.concat());
    // Mostly with nothing that is refused whatever the mode.
    let mild = vec(select(&PIECES[..17]), 0..12).prop_map(|pieces| pieces.concat().replace("%2f", "%3A"));
    prop_oneof![odd, mild].prop_map(|path| format!("/{path}"))
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "admin", "{x}", "*", "a*", "*b", "*a*", "a*b", "**", ""]);
    vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn plain_path() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "aab", "admin", "admin", "xay", ""]);
    vec(segment, 1..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn of(target: &str, mode: PathMode) -> Option<String> {
    CanonicalPath::of(target.as_bytes(), mode).ok().map(|path| path.as_str().to_string())
}

fn matcher(patterns: &[String], methods: &[&str]) -> Matcher {
    Matcher {
        paths: patterns.iter().filter_map(|pattern| PathPattern::parse(pattern).ok()).collect(),
        methods: methods.iter().map(|method| (*method).to_string()).collect(),
        ..Matcher::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever strict admits, lenient admits as the same path.
    #[test]
    fn strict_admits_nothing_that_lenient_refuses_or_reads_differently(target in target()) {
        if let Some(path) = of(&target, PathMode::Strict) {
            prop_assert_eq!(of(&target, PathMode::Lenient), Some(path));
        }
    }

    /// What lenient makes of a path is canonical: neither mode makes anything else of it.
    #[test]
    fn lenient_paths_are_canonical(target in target()) {
        if let Some(path) = of(&target, PathMode::Lenient) {
            prop_assert_eq!(of(&path, PathMode::Strict), Some(path.clone()));
            prop_assert_eq!(of(&path, PathMode::Lenient), Some(path));
        }
    }

    /// The first rule that matches decides, whatever stands behind it; unless a server would see another path, for
    /// which the first rule asks something else.
    #[test]
    fn the_first_rule_decides_and_so_it_does_for_the_path_as_servers_decode_it(
        patterns in vec((vec(pattern(), 0..3), select(vec![Access::Public, Access::Deny, Access::Optional])), 0..5),
        default in select(vec![Access::Public, Access::Deny]),
        target in target(),
    ) {
        let rule = |(paths, access): &(Vec<String>, Access)| Rule {
            forwards_foreign: false,
            name: paths.join(" ").into(),
            matcher: matcher(paths, &[]),
            access: access.clone(),
            forward_token: None,
            require: None,
            mode: None,
            challenge: Scheme::Bearer,
            unauthenticated: Unauthenticated::Challenge,
            upstream: None,
            login: None,
        };
        let rules: Vec<_> = patterns.iter().map(rule).collect();
        let Ok(path) = CanonicalPath::of(target.as_bytes(), PathMode::Lenient) else { return Ok(()) };
        let fallback = Fallback { access: &default, mode: Mode::Enforce };
        let found = RuleSearch::new(&rules).find(&rules, fallback, &Request::new(&[]), &path);
        let first = |path: &CanonicalPath<'_>, is_decoded: bool| rules.iter().position(|rule| {
            let decoded = rule.matcher.decoded().filter(|_| is_decoded);
            decoded.as_ref().unwrap_or(&rule.matcher).matches(&Request::new(&[]), path)
        });
        let asked = |rule: Option<usize>| rule.map_or(&default, |rule| &rules[rule].access);
        let plain = first(&path, false);
        let readings = path.decoded().into_iter().chain([path.clone().into_owned()]);
        let is_safe = readings.map(|path| first(&path, true)).all(|seen| {
            *asked(seen) == Access::Public || asked(seen) == asked(plain) || *asked(plain) == Access::Deny
        });
        match found {
            Ok(found) => prop_assert!(found == plain && is_safe, "{found:?} {plain:?}"),
            Err(shadowed) => prop_assert!(shadowed.found == plain && !is_safe, "{shadowed:?}"),
        }
    }

    /// Whatever a wider pattern is proved to cover, it matches.
    #[test]
    fn a_pattern_that_covers_another_matches_all_that_the_other_does(wide in pattern(), narrow in pattern(), paths in vec(plain_path(), 1..20)) {
        let parsed = PathPattern::parse(&wide).and_then(|wide| Ok((wide, PathPattern::parse(&narrow)?)));
        let Ok((wide, narrow)) = parsed else { return Ok(()) };
        for path in &paths {
            let Ok(path) = CanonicalPath::strict(path.as_bytes()) else { continue };
            prop_assert!(!wide.covers(&narrow) || !narrow.matches(&path) || wide.matches(&path), "{path:?}");
        }
    }

    /// A matcher that covers another one takes all its requests, whatever the dimension.
    #[test]
    fn a_rule_behind_one_that_covers_it_is_never_reached(
        wide in vec(pattern(), 0..3), narrow in vec(pattern(), 0..3),
        methods in vec(vec(select(vec!["GET", "PUT"]), 0..3), 2), path in plain_path(), method in select(vec!["GET", "PUT"]),
    ) {
        let (wide, narrow) = (matcher(&wide, &methods[0]), matcher(&narrow, &methods[1]));
        let lines = [(&b":method"[..], method.as_bytes())];
        let request = Request::new(&lines);
        let Ok(path) = CanonicalPath::strict(path.as_bytes()) else { return Ok(()) };
        prop_assert!(!wide.covers(&narrow) || !narrow.matches(&request, &path) || wide.matches(&request, &path));
    }
}
