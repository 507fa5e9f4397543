//! What a rule asks, and whether a verified caller has it.

use super::claim::ClaimTest;
use super::matcher::Matcher;
use super::relation::{MatchedRequest, RequestPart};
use super::scope::ScopeMatch;
use super::truth::Truth;
use super::wildcard::Wildcard;
use crate::callers::Principal;
use crate::claims::ClaimRef;
use crate::distinct::distinct;
use crate::http::{CanonicalPath, Request};

/// What a rule asks of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Any token that verifies.
    Authenticated,
    /// No request.
    Deny,
    /// No credential passes without identity; a bad one is refused.
    Optional,
    /// Credentials are not read.
    Public,
    /// A token that verifies and has this.
    Require(Requirement),
}

/// What a token must have. Lists are in written order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Requirement {
    /// All of these.
    AllOf(Vec<Self>),
    /// One of these at least.
    AnyOf(Vec<Self>),
    /// It is for these audiences.
    Audiences(Quantifier),
    /// One of its claims passes a test.
    Claim(ClaimRef, ClaimTest),
    /// Its subject is in these groups.
    Groups(GroupTest),
    /// It is from one of these issuers, by index.
    Issuers(Vec<usize>),
    /// Not this.
    Not(Box<Self>),
    /// It has these scopes.
    Scopes(Quantifier),
}

/// Which groups are needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GroupTest {
    /// One like this at least.
    Like(Wildcard),
    /// These.
    Named(Quantifier),
}

/// How many of a list are needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Quantifier {
    /// Every one.
    All(Vec<String>),
    /// One at least.
    Any(Vec<String>),
}

/// Why a verified caller may not pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Something else than scopes is missing.
    AccessDenied,
    /// Scopes alone are missing: these would do (RFC 6750 §3.1).
    InsufficientScope(Vec<String>),
}

impl Access {
    /// What a token must have beside being good, if anything.
    pub fn requirement(&self) -> Option<&Requirement> {
        match self {
            Self::Require(requirement) => Some(requirement),
            _ => None,
        }
    }
}

impl Requirement {
    /// Whether `principal` has what is asked. What is undecided is denied.
    pub fn check(
        &self,
        principal: &Principal,
        scope_match: ScopeMatch,
        request: &MatchedRequest<'_>,
    ) -> Result<(), Denial> {
        let has = |scopes: &Quantifier| scopes.holds(|name| scope_match.is_granted(principal.scopes(), name));
        if self.judge(principal, request, &has, &has).holds() {
            return Ok(());
        }
        // Would it hold, were every scope there that a client could ask for?
        if !self.judge(principal, request, &|_| true, &has).holds() {
            return Err(Denial::AccessDenied);
        }
        let missing = self.scope_tests().into_iter().filter(|scopes| !has(scopes));
        let names = distinct(missing.flat_map(Quantifier::names).map(String::as_str));
        Err(Denial::InsufficientScope(names.into_iter().map(str::to_string).collect()))
    }

    /// How this comes out for `principal`.
    pub fn truth(&self, principal: &Principal, scope_match: ScopeMatch, request: &MatchedRequest<'_>) -> Truth {
        let has = |scopes: &Quantifier| scopes.holds(|name| scope_match.is_granted(principal.scopes(), name));
        self.judge(principal, request, &has, &has)
    }

    /// Whether it holds for `principal`, whatever it asks for: it compares no claim with a part of a request.
    pub fn holds_for(&self, principal: &Principal, scope_match: ScopeMatch) -> bool {
        let (request, matcher) = (Request::new(&[]), Matcher::default());
        CanonicalPath::strict(b"/").is_ok_and(|path| {
            let nothing = MatchedRequest { request: &request, path: &path, matcher: &matcher };
            self.truth(principal, scope_match, &nothing).holds()
        })
    }

    /// The names in all tests for scopes outside `not`, each once, in written order.
    pub fn scopes(&self) -> Vec<&str> {
        distinct(self.scope_tests().into_iter().flat_map(Quantifier::names).map(String::as_str))
    }

    /// `all` or `any`, where all tests for scopes outside `not` say the same.
    pub fn satisfy(&self) -> Option<&'static str> {
        let mut words = self.scope_tests().into_iter().map(Quantifier::word);
        let first = words.next()?;
        words.all(|word| word == first).then_some(first)
    }

    /// Every claim that is tested, also inside `not`.
    pub fn claims<'r>(&'r self, found: &mut Vec<&'r ClaimRef>) {
        self.each_claim_test(&mut |claim, _| found.push(claim));
    }

    /// Every part of a request that a claim is compared with, also inside `not`.
    pub fn request_parts<'r>(&'r self, found: &mut Vec<&'r RequestPart>) {
        self.each_claim_test(&mut |_, test| {
            if let ClaimTest::EqualsRequest(part) = test {
                found.push(part);
            }
        });
    }

    /// Whether groups are tested, also inside `not`.
    pub(crate) fn asks_for_groups(&self) -> bool {
        match self {
            Self::AllOf(tests) | Self::AnyOf(tests) => tests.iter().any(Self::asks_for_groups),
            Self::Not(test) => test.asks_for_groups(),
            Self::Groups(_) => true,
            Self::Audiences(_) | Self::Claim(..) | Self::Issuers(_) | Self::Scopes(_) => false,
        }
    }

    fn each_claim_test<'r>(&'r self, visit: &mut impl FnMut(&'r ClaimRef, &'r ClaimTest)) {
        match self {
            Self::AllOf(tests) | Self::AnyOf(tests) => tests.iter().for_each(|test| test.each_claim_test(visit)),
            Self::Not(test) => test.each_claim_test(visit),
            Self::Claim(claim, test) => visit(claim, test),
            Self::Audiences(_) | Self::Groups(_) | Self::Issuers(_) | Self::Scopes(_) => {}
        }
    }

    /// `has` judges the tests for scopes, `has_inside_not` those inside `not`.
    fn judge(
        &self,
        principal: &Principal,
        request: &MatchedRequest<'_>,
        has: &dyn Fn(&Quantifier) -> bool,
        has_inside_not: &dyn Fn(&Quantifier) -> bool,
    ) -> Truth {
        let judge = |test: &Self| test.judge(principal, request, has, has_inside_not);
        let unclear = principal.unclear();
        match self {
            Self::AllOf(tests) => Truth::all(tests.iter().map(judge)),
            Self::AnyOf(tests) => Truth::any(tests.iter().map(judge)),
            Self::Audiences(wanted) => {
                Truth::of_names(wanted.holds(|name| contains(principal.audiences(), name)), unclear.audiences)
            }
            Self::Claim(claim, test) => principal.claim(claim).map_or(Truth::False, |value| test.judge(value, request)),
            Self::Groups(wanted) => Truth::of_names(wanted.holds(principal.groups()), unclear.groups),
            Self::Issuers(issuers) => issuers.contains(&principal.issuer()).into(),
            Self::Not(test) => !test.judge(principal, request, has_inside_not, has_inside_not),
            Self::Scopes(wanted) => Truth::of_names(has(wanted), unclear.scopes),
        }
    }

    /// Every test for scopes outside `not`, in written order.
    fn scope_tests(&self) -> Vec<&Quantifier> {
        match self {
            Self::AllOf(tests) | Self::AnyOf(tests) => tests.iter().flat_map(Self::scope_tests).collect(),
            Self::Scopes(scopes) => vec![scopes],
            Self::Audiences(_) | Self::Claim(..) | Self::Groups(_) | Self::Issuers(_) | Self::Not(_) => Vec::new(),
        }
    }
}

impl GroupTest {
    fn holds(&self, groups: &[String]) -> bool {
        match self {
            Self::Like(wildcard) => groups.iter().any(|group| wildcard.matches(group)),
            Self::Named(wanted) => wanted.holds(|name| contains(groups, name)),
        }
    }
}

impl Quantifier {
    fn holds(&self, is_there: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::All(wanted) => wanted.iter().all(|name| is_there(name)),
            Self::Any(wanted) => wanted.iter().any(|name| is_there(name)),
        }
    }

    fn names(&self) -> &[String] {
        let (Self::All(wanted) | Self::Any(wanted)) = self;
        wanted
    }

    fn word(&self) -> &'static str {
        match self {
            Self::All(_) => "all",
            Self::Any(_) => "any",
        }
    }
}

fn contains(found: &[String], name: &str) -> bool {
    found.iter().any(|found| found == name)
}
