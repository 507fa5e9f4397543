//! What of a request rules look at. There, a request has one reading, or it is refused: what nearly matches a rule must
//! not get to a weaker one, and then be taken by the upstream for what the rule protects.

use std::collections::BTreeMap;
use std::fmt;

use super::{HostPattern, PathPattern, Rule};
use crate::request::{
    AmbiguousHost, AmbiguousPath, Authority, CanonicalPath, LONGEST_FOR_REGEX, Request, is_dropped, is_token_byte,
};

/// What the rules of a configuration look at.
#[derive(Clone, Debug, Default)]
pub struct Dimensions {
    /// Methods.
    pub methods: bool,
    /// Paths.
    pub paths: bool,
    /// Paths by regular expressions.
    pub(crate) regexes: bool,
    /// Hosts: all that rules name.
    pub(crate) hosts: Vec<HostPattern>,
    /// Headers, by name in lower case: all values that rules name.
    pub(crate) headers: BTreeMap<String, Vec<String>>,
}

/// Why a request could be read in more than one way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ambiguity {
    /// It has this header on more than one line, or with a value that is nearly one that a rule names.
    Header(String),
    /// Its host.
    Host(AmbiguousHost),
    /// Its method has a lower-case letter, or is none.
    Method,
    /// Its path.
    Path(AmbiguousPath),
}

/// Headers whose values are lists by their definition (RFC 9110 §12.5, §8.4, §8.5): one element more is no other
/// reading.
const LISTS: [&str; 6] =
    ["accept", "accept-charset", "accept-encoding", "accept-language", "content-encoding", "content-language"];

impl Dimensions {
    /// What `rules` look at.
    pub fn of(rules: &[Rule]) -> Self {
        let mut dimensions = Self::default();
        for matcher in rules.iter().map(|rule| &rule.matcher) {
            dimensions.methods |= !matcher.methods.is_empty();
            dimensions.paths |= !matcher.paths.is_empty();
            dimensions.regexes |= matcher.paths.iter().any(PathPattern::is_regex);
            dimensions.hosts.extend(matcher.hosts.iter().cloned());
            for (name, value) in &matcher.headers {
                dimensions.headers.entry(name.clone()).or_default().push(value.clone());
            }
        }
        dimensions
    }

    /// Whether rules look at hosts.
    pub fn looks_at_hosts(&self) -> bool {
        !self.hosts.is_empty()
    }

    pub(crate) fn check_path(&self, path: &CanonicalPath<'_>) -> Result<(), Ambiguity> {
        match self.regexes && path.as_str().len() > LONGEST_FOR_REGEX {
            true => Err(Ambiguity::Path(AmbiguousPath::TooLong)),
            false => Ok(()),
        }
    }

    /// Servers that compare methods without case run the handler of the one that a rule names.
    pub(crate) fn check_method(&self, request: &Request<'_>) -> Result<(), Ambiguity> {
        let is_plain = |&byte: &u8| is_token_byte(byte) && !byte.is_ascii_lowercase();
        let is_plain = !request.method().is_empty() && request.method().iter().all(is_plain);
        match is_plain || !self.methods {
            true => Ok(()),
            false => Err(Ambiguity::Method),
        }
    }

    /// The host that rules see; `None` where they look at none.
    pub(crate) fn authority<'r>(&self, request: &Request<'r>) -> Result<Option<Authority<'r>>, Ambiguity> {
        if !self.looks_at_hosts() {
            return Ok(None);
        }
        let authority = Authority::of(request.authority()).map_err(Ambiguity::Host)?;
        if authority.has_port() {
            // A rule that is for this host without the port, or with another one, does not match: no weaker one may.
            let mut named = self.hosts.iter().filter(|host| host.names(authority.as_str().as_bytes())).peekable();
            if named.peek().is_some() && !named.any(|host| host.matches(authority.as_str().as_bytes())) {
                return Err(Ambiguity::Host(AmbiguousHost::OtherPort));
            }
        }
        Ok(Some(authority))
    }

    /// Of several lines servers take the first, the last, or all of them.
    pub(crate) fn check_headers(&self, request: &Request<'_>) -> Result<(), Ambiguity> {
        for (name, values) in &self.headers {
            let mut lines = request.lines(name);
            let Some(line) = lines.next() else { continue };
            let is_named = values.iter().any(|value| value.as_bytes() == line);
            let is_list = LISTS.contains(&name.as_str());
            let is_near = |value: &String| is_nearly(line, value.as_bytes(), is_list);
            if lines.next().is_some() || (!is_named && values.iter().any(is_near)) {
                return Err(Ambiguity::Header(name.clone()));
            }
        }
        Ok(())
    }
}

/// Whether some server takes `found` for `value`: it differs in letter case, or in what stands around it; or, where it
/// is no list, it holds that as an element.
fn is_nearly(found: &[u8], value: &[u8], is_list: bool) -> bool {
    let is_same = |found: &[u8]| trim(found).eq_ignore_ascii_case(trim(value));
    is_same(found) || (!is_list && found.split(|&byte| byte == b',').any(is_same))
}

fn trim(value: &[u8]) -> &[u8] {
    let is_kept = |&byte: &u8| byte != b',' && !is_dropped(byte);
    let start = value.iter().position(is_kept).unwrap_or(value.len());
    let end = value.iter().rposition(is_kept).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

impl std::error::Error for Ambiguity {}

impl fmt::Display for Ambiguity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(
                formatter,
                "the header `{name}`, which a rule names, has several lines, or a value that is nearly one that a rule \
                 names"
            ),
            Self::Host(problem) => problem.fmt(formatter),
            Self::Method => formatter.write_str("the method has a lower-case letter, or is none"),
            Self::Path(problem) => problem.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_value_is_nearly_another_whatever_its_case_and_what_stands_around_it() {
        for found in [
            "acme",
            "ACME",
            " acme",
            "acme\t",
            "acme,",
            ",acme",
            "acme , ",
            "\"acme\"",
            "\u{a0}acme",
            "acme\u{b}",
            "acme,other",
            "other, Acme",
        ] {
            assert!(is_nearly(found.as_bytes(), b"acme", false), "{found}");
        }
        for found in ["", ",", "acmes", "ac me", "ac,me", "acme;q=1", "x-acme"] {
            assert!(!is_nearly(found.as_bytes(), b"acme", false), "{found}");
        }
        assert!(is_nearly(b"Text/HTML,", b"text/html", true) && !is_nearly(b"a/b, text/html", b"text/html", true));
        assert!(is_nearly(b"", b"", false) && is_nearly(b" ,", b"", false) && !is_nearly(b"a", b"", true));
        assert!(is_nearly(b"a, ", b"a", true));
    }
}
