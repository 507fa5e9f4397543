//! How a request was seen, step by step: for those who ask why a decision came out as it did.
//!
//! It decides nothing: [`trace`] asks the parts of the engine again, in the order of `decision`, and tells what each
//! says. The plugin does not call it.

use jose::signature::SignatureVerifier;

pub use crate::callers::{Check, TokenTrace, Withheld};
use crate::callers::{Principal, Verification};
use crate::canonical::Canonical;
use crate::credentials::Source;
use crate::http::{AmbiguousPath, CanonicalPath, Request};
use crate::keys::IssuerKeys;
use crate::policy::Policy;
use crate::report::Reason;
use crate::rules::{Access, Ambiguity, Mode, Requirement, Rule, Shadowed};
use crate::time::Timestamp;

/// How a request was seen.
#[derive(Debug)]
pub struct Trace {
    /// The path that rules see.
    pub path: Result<String, AmbiguousPath>,
    /// What it came to.
    pub route: Route,
    /// The rules in their order up to the one that matches; none where it did not come to rules.
    pub rules: Vec<RuleTrace>,
    /// The credential, where one was asked for.
    pub credential: Option<CredentialTrace>,
    /// The token in it.
    pub token: Option<TokenTrace>,
}

/// What a request came to before its credential was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// It can be read in more than one way.
    Ambiguous(Ambiguity),
    /// The gate answers with the metadata of a resource.
    Metadata,
    /// A preflight, which passes.
    Preflight,
    /// This rule; none matches where there is none.
    Rule(Option<usize>),
    /// A server that decodes escapes would see a path for which something else is asked.
    Shadowed {
        /// The rule for the request as it is; the default without one.
        found: Option<usize>,
        /// The rule for that path; the default without one.
        rule: Option<usize>,
        /// That path.
        decoded: String,
    },
}

/// Where a request fits a rule, and where it does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleTrace {
    /// Whether it has one of the rule's methods.
    pub method: bool,
    /// Whether it has one of the rule's paths.
    pub path: bool,
    /// Whether it has one of the rule's hosts.
    pub host: bool,
    /// The headers that it lacks, or that have another value.
    pub headers: Vec<(String, String)>,
}

/// What was found where a token may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialTrace {
    /// For each place: nothing, something, or something that no token can be.
    pub places: Vec<Option<Result<(), Reason>>>,
    /// The place whose credential counts, or why none does.
    pub used: Result<Option<usize>, Reason>,
}

impl RuleTrace {
    /// Whether the rule matches.
    pub fn matches(&self) -> bool {
        self.method && self.path && self.host && self.headers.is_empty()
    }
}

impl Trace {
    /// The caller, once that is certain.
    pub fn principal(&self) -> Option<&Principal> {
        self.token.as_ref()?.principal.as_ref()
    }
}

/// Where tokens may stand, in the order of the configuration.
pub fn places(policy: &Policy) -> &[Source] {
    policy.credentials.places()
}

/// What `policy` makes of `request`, its keys being those that are inline.
pub fn trace(policy: &Policy, request: &Request<'_>, now: Timestamp, verifier: &dyn SignatureVerifier) -> Trace {
    let keys: Vec<_> = policy.issuers.iter().map(|issuer| IssuerKeys::new(&issuer.keys, now)).collect();
    let verification = Verification { policy, keys: &keys, verifier, now, steady: now };
    let path = CanonicalPath::of(request.path(), policy.paths).map(|path| path.as_str().to_string());
    let canonical = Canonical::of(request, policy);
    let request = &canonical.as_ref().map_or(*request, |canonical| canonical.request(request));
    let (route, rules) = match &canonical {
        Err(ambiguity) => (Route::Ambiguous(ambiguity.clone()), Vec::new()),
        Ok(canonical) => {
            let route = route(policy, request, &canonical.path);
            let rules = rules_until(policy, request, &canonical.path, &route);
            (route, rules)
        }
    };
    let mut trace = Trace { path, rules, credential: None, token: None, route };
    if trace.looks_at_caller(policy) {
        let taken = policy.credentials.take(request);
        let used = match &taken {
            Ok(credential) => Ok(credential.as_ref().map(|credential| credential.place)),
            Err(reason) => Err(*reason),
        };
        trace.credential = Some(CredentialTrace { places: policy.credentials.found(request), used });
        trace.token = taken.ok().flatten().map(|credential| verification.trace(&credential.token));
    }
    trace
}

/// Whether a caller who is verified has what is asked.
pub fn is_met(asked: &Requirement, principal: &Principal, policy: &Policy) -> bool {
    asked.check(principal, policy.scope_match).is_ok()
}

impl Trace {
    /// Whether the credential was looked at. Where nobody may pass it is in audit mode alone: it tells who passes all
    /// the same.
    fn looks_at_caller(&self, policy: &Policy) -> bool {
        let rule = match self.route {
            Route::Metadata | Route::Preflight => return false,
            Route::Ambiguous(_) | Route::Shadowed { .. } => return policy.mode == Mode::Audit,
            Route::Rule(rule) => rule.and_then(|rule| policy.rules.get(rule)),
        };
        match rule.map_or(&policy.default, |rule| &rule.access) {
            Access::Authenticated | Access::Optional | Access::Require(_) => true,
            Access::Deny => rule.and_then(|rule| rule.mode).unwrap_or(policy.mode) == Mode::Audit,
            Access::Public => false,
        }
    }
}

fn route(policy: &Policy, request: &Request<'_>, path: &CanonicalPath<'_>) -> Route {
    if policy.metadata.answer(request, path).is_some() {
        return Route::Metadata;
    }
    if policy.passes(request) {
        return Route::Preflight;
    }
    match policy.find_rule(request, path) {
        Ok(rule) => Route::Rule(rule),
        Err(Shadowed { found, rule, decoded }) => Route::Shadowed { found, rule, decoded },
    }
}

fn rules_until(policy: &Policy, request: &Request<'_>, path: &CanonicalPath<'_>, route: &Route) -> Vec<RuleTrace> {
    let count = match route {
        Route::Rule(found) | Route::Shadowed { found, .. } => {
            found.map_or(policy.rules.len(), |found| found.saturating_add(1))
        }
        _ => 0,
    };
    let trace = |rule: &Rule| RuleTrace {
        method: rule.matcher.takes_method(request),
        path: rule.matcher.takes_path(path),
        host: rule.matcher.takes_host(request),
        headers: rule.matcher.headers_that_differ(request).cloned().collect(),
    };
    policy.rules.iter().take(count).map(trace).collect()
}
