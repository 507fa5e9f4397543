//! The search for the rule of a request, and for the one that a server would take it for that decodes more.

use jose::swar::contains;

use super::access::Access;
use super::index::RuleIndex;
use super::matcher::Matcher;
use super::relation::RequestPart;
use super::rule::{Mode, Rule};
use crate::http::{CanonicalPath, Request, decode_segment};

/// Where to look for rules.
#[derive(Clone, Debug, Default)]
pub struct RuleSearch {
    index: RuleIndex,
    /// The rules as a server reads them that decodes escapes of printable characters, where that is another reading.
    decoded: Option<(Vec<Matcher>, RuleIndex)>,
}

/// What decides where no rule matches, and where a rule has no mode of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fallback<'p> {
    pub(crate) access: &'p Access,
    pub(crate) mode: Mode,
}

/// A server that decodes the escapes of a request's path sees another path, for which something else is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shadowed {
    /// The rule for the path as it is, by index.
    pub(crate) found: Option<usize>,
    /// The rule for that path, by index; without one, the default is for it.
    pub(crate) rule: Option<usize>,
    /// That path.
    pub(crate) decoded: String,
}

impl RuleSearch {
    /// A search among `rules`.
    pub fn new(rules: &[Rule]) -> Self {
        let decoded: Vec<_> = rules.iter().map(|rule| rule.matcher.decoded()).collect();
        let is_other = decoded.iter().any(Option::is_some);
        let decoded = is_other.then(|| {
            let matchers = decoded.into_iter().zip(rules);
            let matchers: Vec<_> =
                matchers.map(|(decoded, rule)| decoded.unwrap_or_else(|| rule.matcher.clone())).collect();
            let index = RuleIndex::new(matchers.iter());
            (matchers, index)
        });
        Self { index: RuleIndex::new(rules.iter().map(|rule| &rule.matcher)), decoded }
    }

    /// The rule for `request`, by index: the first that matches.
    ///
    /// A server that decodes more than RFC 3986 §2.2 allows must not get a request past a rule: where it would see a
    /// path for which something is asked that is not asked of this one, the path is ambiguous.
    pub(crate) fn find(
        &self,
        rules: &[Rule],
        fallback: Fallback<'_>,
        request: &Request<'_>,
        path: &CanonicalPath<'_>,
    ) -> Result<Option<usize>, Shadowed> {
        let matches = |index: usize| rules.get(index).is_some_and(|rule| rule.matcher.matches(request, path));
        let found = self.index.first(request, path, matches);
        if self.decoded.is_none() && !contains(path.as_str().as_bytes(), b'%') {
            return Ok(found);
        }
        self.check_decoded(rules, fallback, request, path, found).map(|()| found)
    }

    /// Whether a server that decodes escapes asks of `path` what the rule that was found asks.
    fn check_decoded(
        &self,
        rules: &[Rule],
        fallback: Fallback<'_>,
        request: &Request<'_>,
        path: &CanonicalPath<'_>,
        found: Option<usize>,
    ) -> Result<(), Shadowed> {
        let asked = |rule: Option<usize>| fallback.asked(rule.and_then(|index| rules.get(index)));
        // What is denied as it is needs no second look.
        if asked(found) == (&Access::Deny, Mode::Enforce) {
            return Ok(());
        }
        let mut seen = path.decoded();
        if seen.is_empty() && self.decoded.is_some() {
            seen.push(path.clone().into_owned());
        }
        let as_it_is = found.and_then(|index| rules.get(index)).map(|rule| &rule.matcher);
        for seen in seen {
            let rule = self.first_decoded(rules, request, &seen);
            let (access, mode) = asked(rule);
            let asks = *access != Access::Public && mode == Mode::Enforce;
            let forwards = |rule: Option<usize>| {
                let rule = rule.and_then(|index| rules.get(index));
                let tokens = |rule: &Rule| (rule.forward_token, rule.forwards_foreign, rule.require);
                rule.map(|rule| (tokens(rule), rule.upstream.as_deref())).unwrap_or_default()
            };
            let is_other = rule != found && ((access, mode) != asked(found) || forwards(rule) != forwards(found));
            let compares_others = || {
                let read = |matcher: Option<&Matcher>, path: &CanonicalPath<'_>| variables(access, matcher, path);
                read(as_it_is, path) != read(self.matcher_decoded(rules, rule), &seen)
            };
            if asks && (is_other || compares_others()) {
                return Err(Shadowed { found, rule, decoded: seen.as_str().to_string() });
            }
        }
        Ok(())
    }

    /// What a rule matches on a server that decodes escapes.
    fn matcher_decoded<'s>(&'s self, rules: &'s [Rule], rule: Option<usize>) -> Option<&'s Matcher> {
        match &self.decoded {
            Some((matchers, _)) => matchers.get(rule?),
            None => rules.get(rule?).map(|rule| &rule.matcher),
        }
    }

    /// The first rule for a path that was decoded.
    fn first_decoded(&self, rules: &[Rule], request: &Request<'_>, path: &CanonicalPath<'_>) -> Option<usize> {
        let Some((matchers, index)) = &self.decoded else {
            let matches = |index: usize| rules.get(index).is_some_and(|rule| rule.matcher.matches(request, path));
            return self.index.first(request, path, matches);
        };
        index.first(request, path, |index| matchers.get(index).is_some_and(|matcher| matcher.matches(request, path)))
    }
}

/// The segments of `path` that `access` compares claims with, decoded.
fn variables(access: &Access, matcher: Option<&Matcher>, path: &CanonicalPath<'_>) -> Vec<Option<String>> {
    let mut parts = Vec::new();
    access.requirement().into_iter().for_each(|asked| asked.request_parts(&mut parts));
    let names = parts.into_iter().filter_map(|part| match part {
        RequestPart::Path(name) => Some(name),
        RequestPart::Header(_) | RequestPart::Host => None,
    });
    let value = |name: &String| decode_segment(matcher?.variable(name, path)?).map(std::borrow::Cow::into_owned);
    names.map(value).collect()
}

impl<'p> Fallback<'p> {
    /// What `rule` asks of requests, and whether that is enforced.
    fn asked(&self, rule: Option<&'p Rule>) -> (&'p Access, Mode) {
        (rule.map_or(self.access, |rule| &rule.access), rule.and_then(|rule| rule.mode).unwrap_or(self.mode))
    }
}
