//! What a configuration comes to, in which invalid states cannot be written: everything that the engine decides follows
//! from it. [`crate::config`] reads it.

mod access_log;
mod cross_site;
mod grants;
mod identity;
mod introspection;
mod issuer;
mod key_source;
mod limits;
mod login;
mod required_binding;
mod sender_constraint;
mod session;
mod upstream;

use std::sync::Arc;

use jose::jwk::KeySet;

pub use self::access_log::AccessLog;
pub use self::cross_site::CrossSite;
pub use self::grants::Grants;
pub use self::identity::{IssuerKind, TenantPattern, Tenants};
pub(crate) use self::identity::{
    SPIFFE, is_key_for, is_tenant, is_trust_domain, is_workload, present, trust_domain_of,
};
pub use self::introspection::{Asker, IntrospectionSettings, IntrospectionStyle, Rename};
pub use self::issuer::{Audiences, GroupsClaim, Issuer};
pub(crate) use self::key_source::large_keys;
pub use self::key_source::{Discovery, FetchSettings, KeyHeader, KeySetLocation, KeySource};
pub use self::limits::Limits;
pub use self::login::{ClaimsFrom, Endpoints, GitHub, Login, Provider};
pub use self::required_binding::RequiredBinding;
pub use self::sender_constraint::{CertificateSource, Dpop, SenderConstraint};
pub(crate) use self::session::LOGIN_COOKIES;
pub use self::session::{Browser, CookieSettings, Keep, OwnPaths, PublicUrl, SameSite, SessionSettings};
pub use self::upstream::{
    CredentialSource, Eks, KeptToken, Role, SignedToken, SubjectToken, TokenExchange, Upstream, UpstreamCredential,
};
pub(crate) use self::upstream::{KeyUse, SigningEntry, TokenEndpoint};
use crate::claims::ClaimRef;
use crate::credentials::CredentialLocations;
use crate::http::{CanonicalPath, PathMode, Request, TrustedProxies};
use crate::hygiene::{Hygiene, overrides_method};
use crate::identity::IdentityHeader;
use crate::metadata::Metadata;
use crate::rules::{
    Access, Dimensions, Fallback, Mode, Rule, RuleSearch, ScopeMatch, Shadowed, Unauthenticated, is_plain_authority,
};
use crate::upstream::KeySets;

/// A configuration that was checked. Everything the engine decides follows from it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuers of tokens.
    pub(crate) issuers: Vec<Issuer>,
    /// Where a token may stand.
    pub(crate) credentials: CredentialLocations,
    /// What browsers log in with; absent: nobody is sent to log in.
    pub(crate) browser: Option<Arc<Browser>>,
    /// What becomes of requests that other sites have browsers send.
    pub(crate) cross_site: CrossSite,
    /// What shows that the sender of a token is the one that it is bound to.
    pub(crate) sender_constraint: SenderConstraint,
    /// Whether the upstream sees the credential that was verified.
    pub(crate) forward_token: bool,
    /// What requests need; the first rule that matches decides.
    pub(crate) rules: Vec<Rule>,
    /// Where to look for them.
    pub(crate) rule_search: RuleSearch,
    /// What they look at.
    pub(crate) dimensions: Dimensions,
    /// What becomes of paths that two parsers may read differently.
    pub(crate) paths: PathMode,
    /// What requests need that no rule matches.
    pub(crate) default: Access,
    /// What becomes of requests that are refused.
    pub(crate) mode: Mode,
    /// How granted scopes are compared with needed ones.
    pub(crate) scope_match: ScopeMatch,
    /// The claims that rules test, each once.
    pub(crate) tested_claims: Vec<ClaimRef>,
    /// Whether preflights of browsers pass without identity.
    pub(crate) passes_preflights: bool,
    /// What clients may read about the resources behind the gate.
    pub(crate) metadata: Metadata,
    /// What is forwarded to the upstream about callers.
    pub(crate) identity: Vec<IdentityHeader>,
    /// What requests get in place of their callers' credentials.
    pub(crate) upstream: Upstream,
    /// The keys to check those with that the gate signs.
    pub(crate) key_sets: KeySets,
    /// Whose word on where a request came from is taken.
    pub(crate) trusted_proxies: TrustedProxies,
    /// What clients may not send.
    pub(crate) hygiene: Hygiene,
    /// The `realm` of challenges.
    pub(crate) realm: String,
    /// What access logs get to see.
    pub(crate) access_log: AccessLog,
    /// What of a request is read.
    pub(crate) needs: Needs,
    /// What bounds memory and time.
    pub(crate) limits: Limits,
}

/// What of a request is read, beside what always is.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// The address that it came from: a header carries it.
    pub client_ip: bool,
    /// The scopes that its rule asks for, or how many of them: likewise.
    pub asked_scopes: bool,
}

impl Policy {
    /// This policy with other keys, so that none are fetched: those that `replace` has for an issuer, by its index.
    ///
    /// # Errors
    /// The first that `replace` has.
    pub fn with_keys<E>(
        mut self,
        mut replace: impl FnMut(usize, &Issuer) -> Result<Option<KeySet>, E>,
    ) -> Result<Self, E> {
        for (index, issuer) in self.issuers.iter_mut().enumerate().filter(|(_, issuer)| !issuer.is_introspected()) {
            if let Some(keys) = replace(index, issuer)? {
                issuer.keys = KeySource::Inline(keys);
            }
        }
        Ok(self)
    }

    /// This policy without the credentials for the upstream that others are asked for.
    #[must_use]
    pub fn without_asked_credentials(mut self) -> Self {
        let Self { rules, upstream: Upstream { credentials, default }, .. } = &mut self;
        let own = rules.iter_mut().filter_map(|rule| rule.upstream.as_mut());
        for list in own.chain([default]) {
            list.retain(|&index| credentials.get(index).is_some_and(|credential| !credential.asks()));
        }
        self
    }

    /// What has no effect though it is configured, each with the index of the issuer that it is about.
    pub fn warnings(&self) -> Vec<(usize, String)> {
        let of_issuer = |(index, issuer): (usize, &Issuer)| {
            let algorithms = issuer.algorithms_without_effect().map(|algorithm| {
                format!("`{algorithm}` has no effect: it needs an inline `oct` key as long as its hash")
            });
            // Of keys that are fetched, the log has a line with each set.
            let keys = issuer.skipped_keys().iter().map(|key| format!("skipped: {key}"));
            let unused = issuer.unused_keys();
            let is_unnamed = !issuer.signs() && !issuer.is_introspected() && !self.logs_in_at(index);
            let unnamed = is_unnamed.then(|| String::from("has no effect: it signs nothing, and no `login` names it"));
            let texts = algorithms.chain(keys).chain(unused).chain(unnamed);
            let texts = texts.map(|text| (index, format!("issuer `{}`: {text}", issuer.name)));
            texts.collect::<Vec<_>>()
        };
        self.issuers.iter().enumerate().flat_map(of_issuer).collect()
    }

    /// What becomes of a request without a usable credential, by the index of its rule.
    pub fn unauthenticated(&self, rule: Option<usize>) -> Unauthenticated {
        let rule = rule.and_then(|index| self.rules.get(index));
        rule.map_or(Unauthenticated::default_of(self.credentials.has_session()), |rule| rule.unauthenticated)
    }

    /// The login that browsers are sent to from there: the one that the rule names, or the first.
    pub fn login(&self, rule: Option<usize>) -> Option<&Login> {
        let named = rule.and_then(|index| self.rules.get(index)?.login);
        self.browser.as_ref()?.logins.get(named.unwrap_or_default())
    }

    /// The issuer that alone can read `token`, by index: the first whose tokens look like it.
    pub fn introspects(&self, token: &[u8]) -> Option<usize> {
        let fits = |issuer: &Issuer| issuer.introspection().is_some_and(|settings| settings.fits(token));
        self.issuers.iter().position(fits)
    }

    /// Whether some login is at the issuer of this index.
    fn logs_in_at(&self, issuer: usize) -> bool {
        self.browser.iter().flat_map(|browser| &browser.logins).any(|login| login.issuer == issuer)
    }

    /// The credentials for the upstream that requests of a rule get, by index.
    pub fn upstream_of<'p>(&'p self, rule: Option<&'p Rule>) -> &'p [usize] {
        rule.and_then(|rule| rule.upstream.as_deref()).unwrap_or(&self.upstream.default)
    }

    /// Whether this is a preflight that passes without a rule. One that some servers take for another method does not.
    pub(crate) fn passes(&self, request: &Request<'_>) -> bool {
        self.passes_preflights && request.is_preflight() && !overrides_method(request)
    }

    /// Whether some request may be forwarded that is refused.
    pub(crate) fn may_audit(&self) -> bool {
        self.mode == Mode::Audit || self.rules.iter().any(|rule| rule.mode == Some(Mode::Audit))
    }

    /// The mode for a request that may match any rule of its host, or of any host if its authority is not plain: the
    /// strictest of their modes.
    pub(crate) fn strictest_mode(&self, request: &Request<'_>) -> Mode {
        let authority = request.authority();
        let is_any = !is_plain_authority(authority);
        let may_be_for = |rule: &&Rule| {
            let hosts = &rule.matcher.hosts;
            is_any || hosts.is_empty() || hosts.iter().any(|host| host.names(authority))
        };
        let enforces = |rule: &Rule| rule.mode == Some(Mode::Enforce);
        match self.mode == Mode::Enforce || self.rules.iter().filter(may_be_for).any(enforces) {
            true => Mode::Enforce,
            false => self.mode,
        }
    }

    /// The rule for a request, by index.
    pub(crate) fn find_rule(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Result<Option<usize>, Shadowed> {
        self.rule_search.find(&self.rules, Fallback { access: &self.default, mode: self.mode }, request, path)
    }
}

/// What it says.
impl Policy {
    /// The issuers of tokens, in the order of the configuration.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// What browsers log in with.
    pub fn browser(&self) -> Option<&Browser> {
        self.browser.as_deref()
    }

    /// What becomes of requests that other sites have browsers send.
    pub fn cross_site(&self) -> &CrossSite {
        &self.cross_site
    }

    /// What shows that the sender of a token is the one that it is bound to.
    pub fn sender_constraint(&self) -> &SenderConstraint {
        &self.sender_constraint
    }

    /// What requests need, in the order of the configuration.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What requests need that no rule matches.
    pub fn default_access(&self) -> &Access {
        &self.default
    }

    /// What becomes of requests that are refused.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How granted scopes are compared with needed ones.
    pub fn scope_match(&self) -> ScopeMatch {
        self.scope_match
    }

    /// What rules look at.
    pub fn dimensions(&self) -> &Dimensions {
        &self.dimensions
    }

    /// The headers that the upstream gets.
    pub fn identity_headers(&self) -> &[IdentityHeader] {
        &self.identity
    }

    /// What requests get in place of their callers' credentials.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The proxies that are believed on where a request came from.
    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.trusted_proxies
    }

    /// What of a request is read.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// What bounds memory and time.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// Hosts with threads share one policy among them.
const fn assert_shareable<T: Send + Sync>() {}
const _: () = assert_shareable::<Policy>();
