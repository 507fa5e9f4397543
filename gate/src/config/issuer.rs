//! `issuers`: the issuers of tokens, and where their keys come from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jose::Algorithm;
use jose::json::{Kind, Value};
use jose::jwk::{KeySet, Origin};

use super::issuer_identity::{self, Identity};
use super::reader::{Node, Object, all};
use super::reference::claim_ref;
use super::{Environment, duration, grants, key_headers, required_binding, secret, variable};
use crate::claims::ClaimRef;
use crate::http::{HttpUri, is_scope};
use crate::policy::{
    Audiences, Discovery, FetchSettings, Grants, GroupsClaim, Issuer, IssuerKind, KeySetLocation, KeySource,
    RequiredBinding,
};
use crate::sealing::SharedName;

/// With more, tokens are good for long after they have expired.
const MAX_SKEW: Duration = Duration::from_mins(10);

/// `keys` of an issuer that signs nothing.
const NO_KEYS: &str = "none";

pub(super) fn read_all(node: &Node<'_, '_>, max_keys: usize, env: Environment<'_>) -> Option<Vec<Issuer>> {
    let nodes = node.list()?;
    let issuers: Vec<_> = nodes.iter().map(|node| read(node, max_keys, env)).collect();
    for (index, (node, issuer)) in nodes.iter().zip(&issuers).enumerate() {
        let Some(issuer) = issuer else { continue };
        for earlier in issuers.iter().take(index).flatten() {
            if earlier.name == issuer.name {
                node.error(format!("the name `{}` is taken by another issuer", issuer.name));
            }
            if earlier.identifier == issuer.identifier && earlier.trust_domain() == issuer.trust_domain() {
                node.error(format!("`{}` is the issuer of `{}` already", issuer.identifier, earlier.name));
            } else if earlier.overlaps(issuer) {
                let (one, other) = (&issuer.identifier, &earlier.identifier);
                node.error(format!("`{one}` and `{other}`, the issuer of `{}`, have tokens in common", earlier.name));
            }
        }
    }
    all(issuers.into_iter())
}

fn read(node: &Node<'_, '_>, max_keys: usize, env: Environment<'_>) -> Option<Issuer> {
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| read_name(&node));
    let identity = issuer_identity::read(&mut object);
    // An issuer that signs nothing needs none.
    let default_audiences = is_no_keys(node).then(|| Audiences::OneOf(Vec::new()));
    let audiences = match default_audiences {
        Some(default) => object.or("audiences", default, read_audiences),
        None => object.required("audiences").and_then(|node| read_audiences(&node)),
    };
    let default_audience = ClaimRef::dotted("aud").into_iter().collect();
    let audience_claims = object.or("audienceClaims", default_audience, |node| node.list_of(claim_ref));
    let algorithms = object.or("algorithms", asymmetric(), |node| node.list_of(read_algorithm));
    let token_types = object.or("tokenTypes", None, |node| node.list_of(Node::owned_text).map(Some));
    let is_trust_domain = identity.as_ref().is_some_and(|identity| identity.kind == IssuerKind::TrustDomain);
    let require_expiration = object.or("requireExpiration", true, |node| match node.boolean()? {
        false if is_trust_domain => node.fail("expected `true`: each JWT-SVID has `exp`"),
        is_required => Some(is_required),
    });
    let max_lifetime = object.or("maxLifetime", None, |node| duration::whole_seconds(node).map(Some));
    let clock_skew = object.or("clockSkew", Duration::from_mins(1), |node| duration::at_most(node, MAX_SKEW));
    let trust_email = object.or("trustEmail", false, Node::boolean);
    let require = object.or("senderConstraint", RequiredBinding::None, required_binding::read_section);
    let grants = object.or("grants", Grants::default(), grants::read);
    let keys = object.required("keys").and_then(|node| read_keys(&node, identity.as_ref(), max_keys, env));
    let scope_claims = object.or("scopeClaims", default_scope_claims(), |node| node.list_of(claim_ref));
    let groups_claim = read_groups(&mut object);
    let group_scopes = object.or("groupScopes", BTreeMap::new(), read_group_scopes);
    object.finish();
    let Identity { identifier, kind } = identity?;
    Some(Issuer {
        name: name?,
        identifier,
        kind,
        audiences: audiences?,
        audience_claims: audience_claims?,
        algorithms: algorithms?,
        token_types: token_types?,
        require_expiration: require_expiration?,
        max_lifetime: max_lifetime?,
        clock_skew: clock_skew?,
        trust_email: trust_email?,
        grants: grants?,
        require: require?,
        keys: keys?,
        scope_claims: scope_claims?,
        groups_claim: groups_claim?,
        group_scopes: group_scopes?,
    })
}

/// A name that rules, metrics and logs can carry.
pub(super) fn read_name(node: &Node<'_, '_>) -> Option<Arc<str>> {
    let name = node.string()?;
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => Some(name.into()),
        false => node.expected("a name of the characters `a-z`, `0-9` and `-`"),
    }
}

pub(super) fn read_audiences(node: &Node<'_, '_>) -> Option<Audiences> {
    match node.value.as_str() {
        Some("any") => Some(Audiences::Any),
        Some(_) => node.expected("a list of audiences, or `any`"),
        None => node.list_of(Node::owned_text).map(Audiences::OneOf),
    }
}

/// What is allowed where nothing is listed. With a shared secret, a verifier can also sign: that has to be configured.
fn asymmetric() -> Vec<Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect()
}

fn read_algorithm(node: &Node<'_, '_>) -> Option<Algorithm> {
    node.word(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

pub(super) fn default_scope_claims() -> Vec<ClaimRef> {
    ["scope", "scp"].into_iter().filter_map(ClaimRef::dotted).collect()
}

/// `groupsClaim`.
pub(super) fn read_groups(object: &mut Object<'_, '_>) -> Option<GroupsClaim> {
    match object.optional("groupsClaim") {
        Some(node) => read_groups_claim(&node),
        None => ClaimRef::dotted("groups").map(|claim| GroupsClaim { claim, member: None }),
    }
}

/// A claim, or `{claim: …, member: …}` where groups are objects.
fn read_groups_claim(node: &Node<'_, '_>) -> Option<GroupsClaim> {
    if node.value.kind() != Kind::Object {
        return claim_ref(node).map(|claim| GroupsClaim { claim, member: None });
    }
    let mut object = node.object()?;
    let claim = object.required("claim").and_then(|node| claim_ref(&node));
    let member = object.required("member").and_then(|node| node.owned_text());
    object.finish();
    Some(GroupsClaim { claim: claim?, member: Some(member?) })
}

pub(super) fn read_group_scopes(node: &Node<'_, '_>) -> Option<BTreeMap<String, Vec<String>>> {
    let entries = node.entries()?.into_iter().map(|(scope, groups)| {
        if !is_scope(scope) {
            groups.error(format!("`{scope}` is not one scope (RFC 6749 §3.3)"));
        }
        groups.list_of(Node::owned_text).map(|groups| (scope.to_string(), groups))
    });
    // Collecting them would sort them first, which is code of its own.
    let mut scopes = BTreeMap::new();
    scopes.extend(all(entries)?);
    Some(scopes)
}

/// Whether an issuer has `keys: none`.
fn is_no_keys(issuer: &Node<'_, '_>) -> bool {
    issuer.value.get("keys").and_then(Value::as_str) == Some(NO_KEYS)
}

fn read_no_keys(node: &Node<'_, '_>, identity: Option<&Identity>) -> Option<KeySource> {
    if identity.is_some_and(|identity| identity.kind != IssuerKind::Exact) {
        node.error("goes with an `issuer` without a placeholder only");
    }
    match node.value.as_str() {
        Some(NO_KEYS) => Some(KeySource::None),
        _ => node.expected("an object, or `none`"),
    }
}

fn read_keys(
    node: &Node<'_, '_>,
    identity: Option<&Identity>,
    max_keys: usize,
    env: Environment<'_>,
) -> Option<KeySource> {
    if node.value.kind() == Kind::String {
        return read_no_keys(node, identity);
    }
    let mut object = node.object()?;
    let discovery = object.optional("discovery");
    let uri = object.optional("jwksUri");
    let inline = object.optional("inline");
    let sources = [&discovery, &uri, &inline].into_iter().flatten().count();
    if sources != 1 {
        node.error(format!("expected exactly one of `discovery`, `jwksUri` and `inline`, found {sources}"));
    }
    // The members that say how to fetch are read in any case, for their own mistakes.
    let cluster = object.optional("cluster");
    if cluster.is_none() && inline.is_none() {
        node.error("`cluster` is missing");
    }
    let jwks_cluster = object.optional("jwksCluster");
    if let (Some(node), None) = (&jwks_cluster, &discovery) {
        node.error("expected `discovery` beside it: it is for a key set that was discovered on another host");
    }
    // Without its text the configuration is refused in any case.
    let jwks_cluster = jwks_cluster.and_then(|node| node.owned_text());
    let discovered = discovery.and_then(|node| read_discovery(&node, identity, jwks_cluster));
    let known = uri.and_then(|node| read_uri(&node).map(KeySetLocation::Known));
    let location = discovered.or(known);
    let secret = secret::of_vms(env);
    let name = identity.map(|identity| SharedName::new(&identity.identifier, node.value, &secret));
    let is_trust_domain = identity.is_some_and(|identity| identity.kind == IssuerKind::TrustDomain);
    let origin = |other| if is_trust_domain { Origin::TrustDomain } else { other };
    let headers = object.or("headers", Vec::new(), |node| key_headers::read(node, env));
    let fetch = read_fetch(&mut object, location, cluster, name)
        .and_then(|settings| Some(FetchSettings { origin: origin(Origin::Issuer), headers: headers?, ..settings }));
    object.finish();
    match inline {
        Some(inline) => read_inline(&inline, origin(Origin::Configuration), max_keys, env).map(KeySource::Inline),
        None => fetch.map(|settings| KeySource::Fetched(Box::new(settings))),
    }
}

/// `{}` or `{uri: …, internalUri: …}`.
fn read_discovery(
    node: &Node<'_, '_>,
    identity: Option<&Identity>,
    jwks_cluster: Option<String>,
) -> Option<KeySetLocation> {
    let mut object = node.object()?;
    let is_trust_domain = identity.is_some_and(|identity| identity.kind == IssuerKind::TrustDomain);
    if is_trust_domain {
        node.error("a trust domain has no discovery document: give the URI of its keys as `jwksUri`");
    }
    let issuer = identity.filter(|_| !is_trust_domain).map(|identity| identity.identifier.as_str());
    let internal_uri = object.or("internalUri", None, |node| read_uri(node).map(Some));
    let uri = match (object.optional("uri"), issuer) {
        (Some(node), _) => read_uri(&node),
        (None, Some(issuer)) => {
            // Where all goes to an internal host, the issuer may be any text.
            let found = well_known(issuer).or_else(|| internal_uri.clone()?);
            if found.is_none() {
                node.error(format!("expected `uri`: `{}` is no URI of a discovery document", issuer.escape_debug()));
            }
            found
        }
        (None, None) => None,
    };
    object.finish();
    Some(KeySetLocation::Discovered(Discovery {
        issuer: issuer?.to_string(),
        tenants: identity.and_then(|identity| match &identity.kind {
            IssuerKind::Tenants(pattern) => Some(pattern.clone()),
            IssuerKind::Exact | IssuerKind::TrustDomain => None,
        }),
        uri: uri?,
        internal_uri: internal_uri?,
        jwks_cluster,
    }))
}

/// OIDC Discovery 1.0 §4.1: the path is appended, one `/` at the end dropped. An issuer has no query (§2).
fn well_known(issuer: &str) -> Option<HttpUri> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let uri = HttpUri::parse(&format!("{base}/.well-known/openid-configuration")).ok()?;
    (!issuer.contains('?')).then_some(uri)
}

fn read_uri(node: &Node<'_, '_>) -> Option<HttpUri> {
    match HttpUri::parse(node.string()?) {
        Ok(uri) => Some(uri),
        Err(expected) => node.expected(expected),
    }
}

fn read_fetch<'d, 'c>(
    object: &mut Object<'d, 'c>,
    location: Option<KeySetLocation>,
    cluster: Option<Node<'d, 'c>>,
    name: Option<SharedName>,
) -> Option<FetchSettings> {
    let cluster = cluster.and_then(|node| node.owned_text());
    let mut duration = |name, default| object.or(name, Duration::from_secs(default), duration::of_keys);
    let timeout = duration("timeout", 5);
    let refresh_after = duration("refreshAfter", 300);
    let max_stale = duration("maxStale", 86_400);
    let unknown_key_cooldown = duration("unknownKeyCooldown", 30);
    let is_shared = object.or("share", true, Node::boolean);
    Some(FetchSettings {
        location: location?,
        cluster: cluster?,
        origin: Origin::Issuer,
        headers: Vec::new(),
        timeout: timeout?,
        refresh_after: refresh_after?,
        max_stale: max_stale?,
        unknown_key_cooldown: unknown_key_cooldown?,
        share: name.filter(|_| is_shared == Some(true)),
    })
}

fn read_inline(node: &Node<'_, '_>, origin: Origin, max_keys: usize, env: Environment<'_>) -> Option<KeySet> {
    let found = if node.value.get("env").is_some() {
        let text = variable::read(node, env)?;
        KeySet::from_json(text.as_bytes(), max_keys, origin)
    } else {
        KeySet::from_value(node.value, max_keys, origin)
    };
    found.map_err(|error| node.error(format!("this is no usable key set: {error}"))).ok()
}
