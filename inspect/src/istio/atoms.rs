//! What policies match.

use gate::rules::HostPattern;

use super::formula::Formula;
use super::pattern::{Meeting, Pattern};

/// Something that a request has or has not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Atom {
    /// This header has this value.
    Header(String, String),
    /// It is for one of these hosts.
    Host(Host),
    /// It has this method.
    Method(String),
    /// It is for one of these paths.
    Path(Pattern),
    /// It has a good token with this.
    Token(Held),
}

/// Something that a token holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Held {
    /// It is for this audience.
    Audience(String),
    /// A claim passes a test.
    Claim(Vec<String>, Test),
    /// It is from this issuer, by its name here.
    Issuer(String),
    /// It has this scope.
    Scope(String),
}

/// A test of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Test {
    /// It is an array that holds this text.
    Any(String),
    /// It is this text.
    Equals(String),
    /// It is there.
    Exists,
    /// It is a text like this.
    Matches(String),
}

/// A host, or those below one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Host {
    Exact(String),
    /// `.example.com`
    Suffix(String),
}

pub(super) type Condition = Formula<Atom>;

impl Host {
    /// Reads a name without a port; `None` if rules cannot have it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        HostPattern::parse(text).ok()?;
        let text = text.to_ascii_lowercase();
        Some(match text.strip_prefix('*') {
            Some(suffix) => Self::Suffix(suffix.to_string()),
            None => Self::Exact(text),
        })
    }

    /// Where two of them meet: one of them, or nowhere.
    pub(super) fn meet(&self, other: &Self) -> Meeting<Self> {
        let matches = |wide: &Self, narrow: &Self| match (wide, narrow) {
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Exact(_), Self::Suffix(_)) => false,
            (Self::Suffix(suffix), Self::Exact(other) | Self::Suffix(other)) => other.ends_with(suffix.as_str()),
        };
        match (matches(self, other), matches(other, self)) {
            (true, _) => Meeting::On(other.clone()),
            (_, true) => Meeting::On(self.clone()),
            _ => Meeting::Nowhere,
        }
    }

    /// As `match.hosts` has it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Exact(name) => name.clone(),
            Self::Suffix(suffix) => format!("*{suffix}"),
        }
    }
}
