//! What a configuration comes to, in which invalid states cannot be written: everything that the engine decides follows
//! from it. [`crate::config`] reads it.

mod grants;
mod issuer;
mod key_source;
mod limits;

pub use self::grants::Grants;
pub use self::issuer::{Audiences, Issuer};
pub(crate) use self::key_source::large_keys;
pub use self::key_source::{Discovery, FetchSettings, KeySetLocation, KeySource};
pub use self::limits::Limits;
use crate::claims::ClaimRef;
use crate::credentials::Sources;
use crate::http::{CanonicalPath, PathMode, Request, TrustedProxies};
use crate::hygiene::{Hygiene, overrides_method};
use crate::identity::IdentityHeader;
use crate::metadata::Metadata;
use crate::rules::{Access, Dimensions, Fallback, Mode, Rule, RuleSearch, ScopeMatch, Shadowed};

/// A configuration that was checked. Everything the engine decides follows from it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who may sign tokens.
    pub issuers: Vec<Issuer>,
    /// Where a token may stand.
    pub credentials: Sources,
    /// Whether the upstream sees the credential that was verified.
    pub forward_token: bool,
    /// What requests need; the first rule that matches decides.
    pub rules: Vec<Rule>,
    /// Where to look for them.
    pub rule_search: RuleSearch,
    /// What they look at.
    pub dimensions: Dimensions,
    /// What becomes of paths that two parsers may read differently.
    pub paths: PathMode,
    /// What requests need that no rule matches.
    pub default: Access,
    /// What becomes of requests that are refused.
    pub mode: Mode,
    /// How granted scopes are compared with needed ones.
    pub scope_match: ScopeMatch,
    /// The claims that rules test, each once.
    pub tested_claims: Vec<ClaimRef>,
    /// Whether preflights of browsers pass without identity.
    pub passes_preflights: bool,
    /// What clients may read about the resources behind the gate.
    pub metadata: Metadata,
    /// What the upstream is told.
    pub identity: Vec<IdentityHeader>,
    /// Whose word on where a request came from is taken.
    pub trusted_proxies: TrustedProxies,
    /// What clients may not send.
    pub hygiene: Hygiene,
    /// The `realm` of challenges.
    pub realm: String,
    /// What of a request is looked at.
    pub needs: Needs,
    /// What bounds memory and time.
    pub limits: Limits,
}

/// What of a request is looked at, beside what always is.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// The address that it came from: a header tells it.
    pub client_ip: bool,
    /// The scopes that its rule asks for, or how many of them: likewise.
    pub asked_scopes: bool,
}

impl Policy {
    /// Whether this is a preflight that passes without a rule. One that some servers take for another method is none.
    pub(crate) fn passes(&self, request: &Request<'_>) -> bool {
        self.passes_preflights && request.is_preflight() && !overrides_method(request)
    }

    /// Whether some request may be forwarded that is refused.
    pub(crate) fn may_audit(&self) -> bool {
        self.mode == Mode::Audit || self.rules.iter().any(|rule| rule.mode == Some(Mode::Audit))
    }

    /// The rule for a request, by index.
    pub(crate) fn find_rule(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Result<Option<usize>, Shadowed> {
        self.rule_search.find(&self.rules, Fallback { access: &self.default, mode: self.mode }, request, path)
    }
}

/// Hosts with threads share one policy among them.
const fn assert_shareable<T: Send + Sync>() {}
const _: () = assert_shareable::<Policy>();
