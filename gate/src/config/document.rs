//! The document as a whole.

use std::sync::Arc;

use jose::json::Document;

use super::reader::{Collector, Node, Object};
use super::{
    ConfigErrors, Environment, access, access_log, browser, client_ip, credentials, cross_site, duration, headers,
    introspection, issuer, metadata, relation, rule, sender_constraint, text, upstream,
};
use crate::claims::ClaimRef;
use crate::credentials::{CredentialLocations, TokenForm};
use crate::http::{PathMode, TrustedProxies};
use crate::hygiene::{Hygiene, Overrides};
use crate::identity::{IdentityHeader, IdentityValue};
use crate::metadata::Metadata;
use crate::policy::{AccessLog, CrossSite, Issuer, Limits, Needs, Policy, Upstream};
use crate::rules::{Access, Dimensions, Mode, Rule, RuleSearch, ScopeMatch, Unauthenticated};

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
}

fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Policy> {
    let mut object = node.object()?;
    let limits = object.or("limits", Limits::default(), read_limits);
    let max_keys = limits.unwrap_or_default().keys;
    let issuers = read_issuers(&mut object, node, max_keys, env);
    let browser = browser::read(&mut object, issuers.as_deref(), env);
    let credentials = credentials::read(&mut object, browser.has_login);
    let cross_site = object.or("crossSite", CrossSite::default(), cross_site::read);
    let forward_token = object.or("forwardToken", false, Node::boolean);
    let upstream = upstream::read(
        &mut object,
        upstream::Known {
            issuers: issuers.as_deref(),
            session: browser.session(),
            has_sessions: browser.has_login,
            env,
        },
    );
    let upstream_names = upstream::names(upstream.as_ref().map(|upstream| &*upstream.credentials));
    let known = rule::Known {
        upstream: upstream_names.as_deref(),
        issuers: issuers.as_deref(),
        logins: browser.logins.as_deref(),
        unauthenticated: Unauthenticated::default_of(
            credentials.as_ref().is_some_and(CredentialLocations::has_session),
        ),
    };
    let rules = object.or("rules", Vec::new(), |node| rule::read_all(node, known));
    let default = object.or("default", Access::Deny, access::word);
    let identity = object.or("identityHeaders", headers::default_identity(), headers::read_identity);
    let strip = object.or("stripHeaders", headers::default_strip(), headers::read_strip);
    let mode = object.or("mode", Mode::default(), rule::read_mode);
    let scope_match = object.or("scopeMatch", ScopeMatch::default(), read_scope_match);
    let paths = object.or("paths", PathMode::Strict, read_path_mode);
    let passes_preflights = object.or("corsPreflight", false, |node| node.word(&[("check", false), ("pass", true)]));
    let keeps_overrides = object.or("overrideHeaders", false, |node| node.word(&[("remove", false), ("keep", true)]));
    let access_log = object.or("accessLog", AccessLog::ALL, access_log::read);
    let realm = object.or("realm", String::from("jotgate"), read_realm);
    let trusted_proxies = object.or("clientIp", TrustedProxies::default(), client_ip::read);
    let metadata = object.or("resourceMetadata", Metadata::default(), |node| {
        let (issuers, rules) = (issuers.as_deref().unwrap_or_default(), rules.as_deref().unwrap_or_default());
        metadata::read(node, issuers, rules)
    });
    let sender_node = object.optional("senderConstraint");
    let sender_constraint = sender_constraint::read(sender_node.as_ref(), &browser, env);
    object.finish();

    let credentials = sender_constraint::with_proofs(credentials?, sender_constraint.as_ref());
    let has_login = browser.has_login;
    let browser = browser.finish(node, &credentials);
    let own_cookies = browser.iter().flat_map(|browser| browser.session.cookie.own_names());
    let credentials = credentials.with_session_cookies(own_cookies.collect());
    let (rules, identity, upstream) = (rules?, identity?, upstream?);
    let credentials = credentials
        .with_upstream(upstream.credentials.iter().map(|credential| &*credential.header))
        .with_own_tokens(own_tokens(issuers.as_deref().unwrap_or_default()));
    upstream::check_headers(node, &upstream, &identity, &credentials, &rules);
    let own_paths = browser.iter().flat_map(|browser| browser.session.paths.all()).map(|(_, path)| path);
    let key_sets = upstream::key_sets(node, &upstream, &rules, &own_paths.collect::<Vec<_>>());
    let dimensions = Dimensions::of(&rules);
    let overrides = match (keeps_overrides, &trusted_proxies) {
        (Some(false), Some(trusted)) => Overrides::of(&dimensions, passes_preflights.unwrap_or_default(), trusted),
        _ => Overrides::default(),
    };
    let strip = sender_constraint::with_stripped(strip?, sender_constraint.as_ref());
    let strip = upstream::with_headers(strip, &upstream, &credentials);
    let hygiene = Hygiene::new(&identity, strip, &credentials, &dimensions, overrides);
    keeps_overrides?;
    headers::check_overlaps(node, &hygiene, &credentials, &rules);
    relation::check_headers(node, &hygiene, &credentials, &rules);
    let sender_constraint = sender_constraint?.asked_by(issuers.as_deref().unwrap_or_default(), &rules);
    let announced = default
        .as_ref()
        .map(|default| sender_constraint.announced(issuers.as_deref().unwrap_or_default(), &rules, default));
    sender_constraint::check(node, &sender_constraint, issuers.as_deref().unwrap_or_default(), &rules);
    Some(Policy {
        credentials,
        browser: if has_login { Some(Arc::new(browser?)) } else { None },
        cross_site: cross_site?,
        sender_constraint,
        forward_token: forward_token?,
        paths: paths?,
        needs: needs_of(&identity),
        tested_claims: tested_claims(&rules, &upstream),
        rule_search: RuleSearch::new(&rules),
        dimensions,
        issuers: issuers?,
        rules,
        default: default?,
        mode: mode?,
        scope_match: scope_match?,
        passes_preflights: passes_preflights?,
        metadata: metadata?.with_bindings(announced?),
        trusted_proxies: trusted_proxies?,
        identity,
        upstream,
        key_sets,
        hygiene,
        realm: realm?,
        access_log: access_log?,
        limits: limits?,
    })
}

/// Those of `issuers`, and behind them those of `introspection`; one of the two is there.
fn read_issuers(
    object: &mut Object<'_, '_>,
    node: &Node<'_, '_>,
    max_keys: usize,
    env: Environment<'_>,
) -> Option<Vec<Issuer>> {
    let has_others = node.value.get("introspection").is_some();
    let found = if has_others { object.optional("issuers") } else { object.required("issuers") };
    let issuers = match found {
        Some(node) => issuer::read_all(&node, max_keys, env),
        None => has_others.then(Vec::new),
    };
    introspection::read_behind(object, issuers, env)
}

fn tested_claims(rules: &[Rule], upstream: &Upstream) -> Vec<ClaimRef> {
    let mut found = Vec::new();
    let of_roles = upstream.eks().flat_map(|eks| &eks.roles).map(|role| &role.access);
    let tested = rules.iter().map(|rule| &rule.access).chain(of_roles);
    tested.filter_map(Access::requirement).for_each(|access| access.claims(&mut found));
    let mut distinct: Vec<ClaimRef> = Vec::new();
    for claim in found {
        if !distinct.contains(claim) {
            distinct.push(claim.clone());
        }
    }
    distinct
}

/// What tokens look like that are looked up.
fn own_tokens(issuers: &[Issuer]) -> Vec<Option<TokenForm>> {
    issuers.iter().filter_map(|issuer| Some(issuer.introspection()?.form().cloned())).collect()
}

fn needs_of(identity: &[IdentityHeader]) -> Needs {
    let has_value = |value: &IdentityValue| identity.iter().any(|header| header.values.contains(value));
    Needs {
        client_ip: has_value(&IdentityValue::ClientIp),
        asked_scopes: has_value(&IdentityValue::RequiredScopes) || has_value(&IdentityValue::Satisfy),
    }
}

fn read_scope_match(node: &Node<'_, '_>) -> Option<ScopeMatch> {
    node.word(&[("exact", ScopeMatch::Exact), ("hierarchical", ScopeMatch::Hierarchical)])
}

fn read_path_mode(node: &Node<'_, '_>) -> Option<PathMode> {
    node.word(&[("strict", PathMode::Strict), ("lenient", PathMode::Lenient)])
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
    let lookups = number("lookups", defaults.lookups, 1, 1024);
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
        lookups: lookups?,
        header_bytes: header_bytes?,
        token_cache_bytes: token_cache_bytes?,
    })
}
