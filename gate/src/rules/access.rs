//! What a rule asks, and whether a verified caller has it.

use super::claim::ClaimTest;
use super::scope::ScopeMatch;
use crate::callers::Principal;
use crate::claims::ClaimRef;
use crate::distinct::distinct;

/// What a rule asks of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Any token that verifies.
    Authenticated,
    /// Nobody.
    Deny,
    /// No credential passes without identity; a bad one is refused.
    Optional,
    /// Credentials are not looked at.
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
    Groups(Quantifier),
    /// It is from one of these issuers, by index.
    Issuers(Vec<usize>),
    /// Not this.
    Not(Box<Self>),
    /// It has these scopes.
    Scopes(Quantifier),
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
    /// Whether `principal` has what is asked.
    pub fn check(&self, principal: &Principal, scope_match: ScopeMatch) -> Result<(), Denial> {
        let has = |scopes: &Quantifier| scopes.holds(|name| scope_match.is_granted(principal.scopes(), name));
        if self.holds(principal, &has, &has) {
            return Ok(());
        }
        // Would it hold, were every scope there that a client could ask for?
        if !self.holds(principal, &|_| true, &has) {
            return Err(Denial::AccessDenied);
        }
        let missing = self.scope_tests().into_iter().filter(|scopes| !has(scopes));
        let names = distinct(missing.flat_map(Quantifier::names).map(String::as_str));
        Err(Denial::InsufficientScope(names.into_iter().map(str::to_string).collect()))
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
        match self {
            Self::AllOf(tests) | Self::AnyOf(tests) => tests.iter().for_each(|test| test.claims(found)),
            Self::Not(test) => test.claims(found),
            Self::Claim(claim, _) => found.push(claim),
            Self::Audiences(_) | Self::Groups(_) | Self::Issuers(_) | Self::Scopes(_) => {}
        }
    }

    /// `has` judges the tests for scopes, `has_inside_not` those inside `not`.
    fn holds(
        &self,
        principal: &Principal,
        has: &dyn Fn(&Quantifier) -> bool,
        has_inside_not: &dyn Fn(&Quantifier) -> bool,
    ) -> bool {
        match self {
            Self::AllOf(tests) => tests.iter().all(|test| test.holds(principal, has, has_inside_not)),
            Self::AnyOf(tests) => tests.iter().any(|test| test.holds(principal, has, has_inside_not)),
            Self::Audiences(wanted) => wanted.holds(|name| contains(principal.audiences(), name)),
            Self::Claim(claim, test) => principal.claim(claim).is_some_and(|value| test.holds(value)),
            Self::Groups(wanted) => wanted.holds(|name| contains(principal.groups(), name)),
            Self::Issuers(issuers) => issuers.contains(&principal.issuer()),
            Self::Not(test) => !test.holds(principal, has_inside_not, has_inside_not),
            Self::Scopes(wanted) => has(wanted),
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
