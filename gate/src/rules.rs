//! Rules: which requests need what. The first rule that matches decides.

mod access;
mod claim;
mod dimensions;
mod host;
mod index;
mod matcher;
mod path;
#[cfg(all(test, not(target_family = "wasm")))]
mod properties;
mod relation;
mod rule;
mod scope;
mod search;
mod truth;
mod wildcard;

pub use self::access::{Access, Denial, GroupTest, Quantifier, Requirement};
pub use self::claim::ClaimTest;
pub use self::dimensions::{Ambiguity, Dimensions};
pub use self::host::HostPattern;
pub(crate) use self::host::is_plain as is_plain_authority;
pub use self::index::RuleIndex;
pub use self::matcher::Matcher;
pub use self::path::PathPattern;
pub use self::relation::{MatchedRequest, RequestPart};
pub use self::rule::{Mode, Rule, Scheme, Unauthenticated};
pub use self::scope::ScopeMatch;
pub use self::search::RuleSearch;
pub(crate) use self::search::{Fallback, Shadowed};
pub use self::truth::Truth;
pub use self::wildcard::Wildcard;
