//! What of a request rules look at. There, a request has one reading, or it is refused: what nearly matches a rule must
//! not get to a weaker one, and then be taken by the upstream for what the rule protects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::host::HostPattern;
use super::path::PathPattern;
use super::relation::RequestPart;
use super::rule::Rule;
use crate::http::{
    AmbiguousHost, AmbiguousPath, Authority, CanonicalPath, LONGEST_ESCAPED_FOR_REGEX, LONGEST_FOR_REGEX, Request,
    decode_printable, essence, is_token_byte,
};

/// What the rules of a configuration look at.
#[derive(Clone, Debug, Default)]
pub struct Dimensions {
    /// Methods.
    pub methods: bool,
    /// Paths.
    pub paths: bool,
    /// How often a path is compared with regular expressions.
    regexes: Regexes,
    /// Hosts: all that rules name.
    pub(crate) hosts: Vec<HostPattern>,
    /// Whether a claim is compared with the host.
    relates_host: bool,
    /// Headers, by name in lower case.
    pub(crate) headers: BTreeMap<String, Values>,
}

/// The values of a header that rules name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    exact: BTreeSet<String>,
    /// Likewise, as [`essence`] has them.
    essences: BTreeSet<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Regexes {
    /// There are none.
    #[default]
    None,
    /// Once, and once more for each way in which a server may decode the path.
    Once,
    /// Twice at least, since some pattern has escapes that servers decode.
    Twice,
}

/// Why a request could be read in more than one way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ambiguity {
    /// It has this header on more than one line, or with a value that is nearly one that a rule names.
    Header(String),
    /// Its host.
    Host(AmbiguousHost),
    /// Its method has a lower-case letter, or is not a method.
    Method,
    /// Its path.
    Path(AmbiguousPath),
}

/// The longest line of a header that rules name, in bytes.
const LONGEST_LINE: usize = 8192;

impl Dimensions {
    /// What `rules` look at.
    pub fn of(rules: &[Rule]) -> Self {
        let mut dimensions = Self::default();
        for matcher in rules.iter().map(|rule| &rule.matcher) {
            dimensions.methods |= !matcher.methods.is_empty();
            dimensions.paths |= !matcher.paths.is_empty();
            dimensions.hosts.extend(matcher.hosts.iter().cloned());
            for (name, value) in &matcher.headers {
                let values = dimensions.headers.entry(name.clone()).or_default();
                values.exact.insert(value.clone());
                values.essences.insert(essence(value.as_bytes()));
            }
        }
        let mut parts = Vec::new();
        rules.iter().filter_map(|rule| rule.access.requirement()).for_each(|asked| asked.request_parts(&mut parts));
        for part in parts {
            match part {
                RequestPart::Header(name) => drop(dimensions.headers.entry(name.clone()).or_default()),
                RequestPart::Host => dimensions.relates_host = true,
                RequestPart::Path(_) => {}
            }
        }
        let has_regex = rules.iter().flat_map(|rule| &rule.matcher.paths).any(PathPattern::is_regex);
        dimensions.regexes = match has_regex {
            false => Regexes::None,
            true if rules.iter().any(|rule| rule.matcher.decoded().is_some()) => Regexes::Twice,
            true => Regexes::Once,
        };
        dimensions
    }

    /// Whether rules look at hosts.
    pub fn looks_at_hosts(&self) -> bool {
        !self.hosts.is_empty() || self.relates_host
    }

    /// A path is compared with each expression as it is, and once more for each way in which a server may decode it.
    pub(crate) fn check_path(&self, path: &CanonicalPath<'_>) -> Result<(), Ambiguity> {
        let length = path.as_str().len();
        let is_long = match self.regexes {
            Regexes::None => false,
            Regexes::Once if length <= LONGEST_ESCAPED_FOR_REGEX || decode_printable(path.as_str()).is_none() => {
                length > LONGEST_FOR_REGEX
            }
            Regexes::Once | Regexes::Twice => length > LONGEST_ESCAPED_FOR_REGEX,
        };
        match is_long {
            true => Err(Ambiguity::Path(AmbiguousPath::TooLong)),
            false => Ok(()),
        }
    }

    /// Servers that compare methods without case run the handler of the one that a rule names.
    pub(crate) fn check_method(&self, request: &Request<'_>) -> Result<(), Ambiguity> {
        let is_plain = |&byte: &u8| is_token_byte(byte) && !byte.is_ascii_lowercase();
        match !self.methods || (!request.method().is_empty() && request.method().iter().all(is_plain)) {
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
            if lines.next().is_some() || line.len() > LONGEST_LINE || values.are_nearly(line) {
                return Err(Ambiguity::Header(name.clone()));
            }
        }
        Ok(())
    }
}

impl Values {
    /// Whether `found` is not one of these, and some server takes it for one: it differs only in letter case, or in
    /// blanks, quotes and commas; or it is a list that holds such a one.
    fn are_nearly(&self, found: &[u8]) -> bool {
        let is_near = |value: &[u8]| self.essences.contains(&essence(value));
        let is_named = str::from_utf8(found).is_ok_and(|found| self.exact.contains(found));
        !is_named && (is_near(found) || found.split(|&byte| byte == b',').any(is_near))
    }
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
            Self::Method => formatter.write_str("the method has a lower-case letter, or is not a method"),
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
    fn a_value_is_nearly_another_whatever_its_case_its_blanks_and_its_commas() {
        let mut values = Values::default();
        for value in ["acme", "Other, Inc", "a/b; c=d"] {
            values.exact.insert(value.to_string());
            values.essences.insert(essence(value.as_bytes()));
        }
        for found in [
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
            "ac me",
            "ac,me",
            "other,inc",
            "A/B;c=d",
        ] {
            assert!(values.are_nearly(found.as_bytes()), "{found}");
        }
        for found in ["acme", "Other, Inc", "a/b; c=d", "", ",", "acmes", "acme;q=1", "x-acme", "other"] {
            assert!(!values.are_nearly(found.as_bytes()), "{found}");
        }
    }
}
