//! What a rule asks, and whether a verified caller has it.

use crate::principal::Principal;

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
    /// A token that verifies and has all of this.
    Require(Requirement),
}

/// What a token must have; every member that is given must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Requirement {
    /// It is from one of these issuers, by index.
    pub issuers: Option<Vec<usize>>,
    /// It has these scopes.
    pub scopes: Option<Quantifier>,
    /// Its subject is in these groups.
    pub groups: Option<Quantifier>,
    /// It is for these audiences.
    pub audiences: Option<Quantifier>,
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

impl Requirement {
    /// Whether `principal` has what is asked.
    pub fn check(&self, principal: &Principal) -> Result<(), Denial> {
        let holds = |test: &Option<Quantifier>, found: &[String]| test.as_ref().is_none_or(|test| test.holds(found));
        let others = self.issuers.as_ref().is_none_or(|issuers| issuers.contains(&principal.issuer()))
            && holds(&self.groups, principal.groups())
            && holds(&self.audiences, principal.audiences());
        match &self.scopes {
            _ if !others => Err(Denial::AccessDenied),
            Some(scopes) if !scopes.holds(principal.scopes()) => Err(Denial::InsufficientScope(scopes.names())),
            _ => Ok(()),
        }
    }
}

impl Quantifier {
    fn holds(&self, found: &[String]) -> bool {
        match self {
            Self::All(wanted) => wanted.iter().all(|name| found.contains(name)),
            Self::Any(wanted) => wanted.iter().any(|name| found.contains(name)),
        }
    }

    /// What it names, in written order, each once.
    fn names(&self) -> Vec<String> {
        let (Self::All(wanted) | Self::Any(wanted)) = self;
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}
