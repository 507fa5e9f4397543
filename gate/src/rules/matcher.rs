//! Which requests a rule is for.

use super::host::HostPattern;
use super::path::PathPattern;
use crate::http::{CanonicalPath, Request};

/// Which requests a rule is for: a request matches when it does so in every dimension. An empty dimension has no
/// condition.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    /// One of these hosts.
    pub hosts: Vec<HostPattern>,
    /// One of these paths.
    pub paths: Vec<PathPattern>,
    /// One of these methods.
    pub methods: Vec<String>,
    /// These headers have this value; names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Matcher {
    /// Whether this is the rule for `request`.
    pub fn matches(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> bool {
        self.takes_method(request)
            && self.takes_path(path)
            && self.takes_host(request)
            && self.headers.iter().all(|(name, value)| has_value(request, name, value))
    }

    /// Whether the method is one of these.
    pub fn takes_method(&self, request: &Request<'_>) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|method| method.as_bytes() == request.method())
    }

    /// Whether the path is one of these.
    pub fn takes_path(&self, path: &CanonicalPath<'_>) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether the host is one of these.
    pub fn takes_host(&self, request: &Request<'_>) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(request.authority()))
    }

    /// The segment that the pattern which matches `path` names so, as it is in the path.
    pub fn variable<'p>(&self, name: &str, path: &'p CanonicalPath<'_>) -> Option<&'p str> {
        self.paths.iter().find(|pattern| pattern.matches(path))?.variable(name, path)
    }

    /// The headers without which `request` is not one of these.
    pub fn headers_that_differ(&self, request: &Request<'_>) -> impl Iterator<Item = &(String, String)> {
        self.headers.iter().filter(|(name, value)| !has_value(request, name, value))
    }
}

impl Matcher {
    /// This, as a server reads it that decodes the escapes of printable characters in its paths; `None` where there are
    /// no such escapes.
    pub(crate) fn decoded(&self) -> Option<Self> {
        let decoded: Vec<_> = self.paths.iter().map(PathPattern::decoded).collect();
        let is_other = decoded.iter().any(Option::is_some);
        let paths = decoded.into_iter().zip(&self.paths).map(|(other, path)| other.unwrap_or_else(|| path.clone()));
        is_other.then(|| Self { paths: paths.collect(), ..self.clone() })
    }

    /// Whether this provably matches every request that `other` matches: in each dimension it has no condition, or
    /// one that is equal or wider.
    pub fn covers(&self, other: &Self) -> bool {
        covers(&self.hosts, &other.hosts, HostPattern::covers)
            && covers(&self.paths, &other.paths, PathPattern::covers)
            && covers(&self.methods, &other.methods, String::eq)
            && self.headers.iter().all(|header| other.headers.contains(header))
    }
}

/// Whether each of the `narrower` alternatives lies within one of the `wider`. No alternatives are no condition.
fn covers<T>(wider: &[T], narrower: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    let is_within = |narrow: &T| wider.iter().any(|wide| covers(wide, narrow));
    wider.is_empty() || (!narrower.is_empty() && narrower.iter().all(is_within))
}

fn has_value(request: &Request<'_>, name: &str, value: &str) -> bool {
    let mut lines = request.lines(name).peekable();
    lines.peek().is_some() && lines.all(|line| line == value.as_bytes())
}
