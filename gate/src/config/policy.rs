//! The document as a whole.

use std::time::Duration;

use jose::json::Document;

use super::reader::{Collector, Node};
use super::{
    ConfigErrors, Environment, Issuer, access, client_ip, credentials, duration, headers, issuer, metadata, rule, text,
};
use crate::claims::ClaimRef;
use crate::client_ip::TrustedProxies;
use crate::credential::Sources;
use crate::hygiene::{Hygiene, Overrides, overrides_method};
use crate::identity::{IdentityHeader, IdentityValue};
use crate::metadata::Metadata;
use crate::request::{CanonicalPath, PathMode, Request};
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

/// What bounds memory and time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest token, in bytes.
    pub token_bytes: usize,
    /// The longest key set, in bytes.
    pub key_set_bytes: usize,
    /// The most entries of a key set.
    pub keys: usize,
    /// The most requests that wait for keys at a time, per worker.
    pub waiting: usize,
    /// The most of them that have a body, of which proxies hold a part.
    pub waiting_bodies: usize,
    /// How long a request waits for keys.
    pub wait_for: Duration,
    /// The longest value of an identity header, in bytes.
    pub header_bytes: usize,
    /// What verified tokens may take up in memory, in bytes, per worker.
    pub token_cache_bytes: usize,
}

impl Policy {
    /// Reads a configuration as a proxy hands it over: JSON text or an encoded `google.protobuf.Struct`.
    ///
    /// `env` answers for the VM's environment.
    pub fn parse(configuration: &[u8], env: Environment<'_>) -> Result<Self, ConfigErrors> {
        let text = text::to_json(configuration)?;
        let document = Document::parse(&text)
            .map_err(|error| ConfigErrors::one(format!("the configuration is not JSON: {error}")))?;
        let collector = Collector::default();
        let policy = read(&collector.root(document.root()), env);
        collector.finish(policy)
    }

    /// Whether this is a preflight that passes without a rule. One that some servers take for another method is none.
    pub(crate) fn passes(&self, request: &Request<'_>) -> bool {
        self.passes_preflights && request.is_preflight() && !overrides_method(request)
    }

    /// The rule for a request, by index.
    pub(crate) fn find_rule(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Result<Option<usize>, Shadowed> {
        self.rule_search.find(&self.rules, Fallback { access: &self.default, mode: self.mode }, request, path)
    }
}

fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Policy> {
    let mut object = node.object()?;
    let limits = object.or("limits", Limits::default(), read_limits);
    let max_keys = limits.unwrap_or_default().keys;
    let issuers = object.required("issuers").and_then(|node| issuer::read_all(&node, max_keys, env));
    let credentials = credentials::read(&mut object);
    let forward_token = object.or("forwardToken", false, Node::boolean);
    let rules = object.or("rules", Vec::new(), |node| rule::read_all(node, issuers.as_deref()));
    let default = object.or("default", Access::Deny, access::word);
    let identity = object.or("identityHeaders", headers::default_identity(), headers::read_identity);
    let strip = object.or("stripHeaders", headers::default_strip(), headers::read_strip);
    let mode = object.or("mode", Mode::default(), rule::read_mode);
    let scope_match = object.or("scopeMatch", ScopeMatch::default(), |node| {
        node.word(&[("exact", ScopeMatch::Exact), ("hierarchical", ScopeMatch::Hierarchical)])
    });
    let paths = object.or("paths", PathMode::Strict, |node| {
        node.word(&[("strict", PathMode::Strict), ("lenient", PathMode::Lenient)])
    });
    let passes_preflights = object.or("corsPreflight", false, |node| node.word(&[("check", false), ("pass", true)]));
    let keeps_overrides = object.or("overrideHeaders", false, |node| node.word(&[("remove", false), ("keep", true)]));
    let realm = object.or("realm", String::from("jotgate"), read_realm);
    let trusted_proxies = object.or("clientIp", TrustedProxies::default(), client_ip::read);
    let metadata = object.or("resourceMetadata", Metadata::default(), |node| {
        let (issuers, rules) = (issuers.as_deref().unwrap_or_default(), rules.as_deref().unwrap_or_default());
        metadata::read(node, issuers, rules)
    });
    object.finish();

    let (credentials, rules, identity) = (credentials?, rules?, identity?);
    let dimensions = Dimensions::of(&rules);
    let overrides = match (keeps_overrides, &trusted_proxies) {
        (Some(false), Some(trusted)) => Overrides::of(&dimensions, passes_preflights.unwrap_or_default(), trusted),
        _ => Overrides::default(),
    };
    let hygiene = Hygiene::new(&identity, strip?, &credentials, &dimensions, overrides);
    keeps_overrides?;
    headers::check_overlaps(node, &hygiene, &credentials, &rules);
    let tells = |value: &IdentityValue| identity.iter().any(|header| header.values.contains(value));
    Some(Policy {
        issuers: issuers?,
        credentials,
        forward_token: forward_token?,
        paths: paths?,
        needs: Needs {
            client_ip: tells(&IdentityValue::ClientIp),
            asked_scopes: tells(&IdentityValue::RequiredScopes) || tells(&IdentityValue::Satisfy),
        },
        tested_claims: tested_claims(&rules),
        rule_search: RuleSearch::new(&rules),
        dimensions,
        rules,
        default: default?,
        mode: mode?,
        scope_match: scope_match?,
        passes_preflights: passes_preflights?,
        metadata: metadata?,
        trusted_proxies: trusted_proxies?,
        identity,
        hygiene,
        realm: realm?,
        limits: limits?,
    })
}

fn tested_claims(rules: &[Rule]) -> Vec<ClaimRef> {
    let mut found = Vec::new();
    rules.iter().filter_map(|rule| rule.access.requirement()).for_each(|access| access.claims(&mut found));
    let mut distinct: Vec<ClaimRef> = Vec::new();
    for claim in found {
        if !distinct.contains(claim) {
            distinct.push(claim.clone());
        }
    }
    distinct
}

fn read_realm(node: &Node<'_, '_>) -> Option<String> {
    let realm = node.text()?;
    // It stands in a quoted-string (RFC 9110 §5.6.4).
    match realm.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\')) {
        true => Some(realm.to_string()),
        false => node.expected("printable ASCII without `\"` and `\\`"),
    }
}

fn read_limits(node: &Node<'_, '_>) -> Option<Limits> {
    let defaults = Limits::default();
    let mut object = node.object()?;
    let mut number = |name, default: usize, min: u64, max: u64| {
        object.or(name, default, |node| node.integer(min, max).and_then(|number| usize::try_from(number).ok()))
    };
    let token_bytes = number("tokenBytes", defaults.token_bytes, 1, 1 << 20);
    let key_set_bytes = number("keySetBytes", defaults.key_set_bytes, 1, 1 << 24);
    let keys = number("keys", defaults.keys, 1, 10_000);
    let waiting = number("waiting", defaults.waiting, 0, 1_000_000);
    let waiting_bodies = number("waitingBodies", defaults.waiting_bodies, 0, 1_000_000);
    let header_bytes = number("headerBytes", defaults.header_bytes, 1, 1 << 20);
    let token_cache_bytes = number("tokenCacheBytes", defaults.token_cache_bytes, 0, 1 << 30);
    let wait_for = object.or("waitFor", defaults.wait_for, duration::any);
    object.finish();
    Some(Limits {
        token_bytes: token_bytes?,
        key_set_bytes: key_set_bytes?,
        keys: keys?,
        waiting: waiting?,
        waiting_bodies: waiting_bodies?,
        wait_for: wait_for?,
        header_bytes: header_bytes?,
        token_cache_bytes: token_cache_bytes?,
    })
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: 16_384,
            key_set_bytes: 262_144,
            keys: 100,
            waiting: 1000,
            waiting_bodies: 100,
            wait_for: Duration::from_secs(5),
            header_bytes: 8192,
            token_cache_bytes: 8_388_608,
        }
    }
}
