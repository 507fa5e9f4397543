//! `issuers`: who may sign tokens, and where their keys come from.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jose::Algorithm;
use jose::jwk::{KeySet, Origin, SkippedKey};

use super::reader::{Node, Object, all};
use super::{Environment, Grants, HttpUri, duration, grants};
use crate::claims::ClaimRef;
use crate::keys::SharedName;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What rules, metrics and logs call it.
    pub name: Rc<str>,
    /// What `iss` must be, byte for byte.
    pub issuer: String,
    /// What `aud` must name.
    pub audiences: Audiences,
    /// The algorithms that its tokens may use.
    pub algorithms: Vec<Algorithm>,
    /// The `typ` that its tokens must have; absent: not checked.
    pub token_types: Option<Vec<String>>,
    /// Whether a token needs `exp`.
    pub require_expiration: bool,
    /// How long `exp` may lie after `iat`; whole seconds.
    pub max_lifetime: Option<Duration>,
    /// How far clocks may differ.
    pub clock_skew: Duration,
    /// Whether each `email` in its tokens counts as verified.
    pub trust_email: bool,
    /// What its tokens can give.
    pub grants: Grants,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The claims that hold scopes, united.
    pub scope_claims: Vec<ClaimRef>,
    /// The claim that holds groups.
    pub groups_claim: ClaimRef,
    /// The scopes that membership in one of their groups gives.
    pub group_scopes: BTreeMap<String, Vec<String>>,
}

impl Issuer {
    /// Whether its tokens may use `algorithm`: it is listed, and where it takes a shared secret, there is one for it
    /// in the configuration.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && (!algorithm.is_symmetric() || self.keys.has_key_for(algorithm))
    }

    /// The algorithms that are listed in vain.
    pub(crate) fn useless_algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.algorithms.iter().copied().filter(|&algorithm| !self.allows(algorithm))
    }

    /// The entries of its inline key set that are no keys.
    pub(crate) fn skipped_keys(&self) -> &[SkippedKey] {
        match &self.keys {
            KeySource::Fetched(_) => &[],
            KeySource::Inline(keys) => keys.skipped(),
        }
    }

    /// What is to be said of inline keys that only some hosts can verify with.
    pub(crate) fn large_keys(&self) -> Option<String> {
        match &self.keys {
            KeySource::Fetched(_) => None,
            KeySource::Inline(keys) => crate::keys::large_keys(keys),
        }
    }
}

impl KeySource {
    /// Whether a key for `algorithm` is in the configuration.
    fn has_key_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Fetched(_) => false,
            Self::Inline(keys) => keys.keys().iter().any(|key| key.allows(algorithm)),
        }
    }
}

/// The audiences that an issuer's tokens may be for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Audiences {
    /// The check is switched off.
    Any,
    /// The token needs one of them.
    OneOf(Vec<String>),
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// From the issuer, by callout.
    Fetched(Box<FetchSettings>),
    /// From the configuration.
    Inline(KeySet),
}

/// How keys are fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchSettings {
    /// Where the key set is found.
    pub location: KeySetLocation,
    /// The proxy's name for the upstream that callouts go to.
    pub cluster: String,
    /// How long a callout may take.
    pub timeout: Duration,
    /// The age at which keys are fetched again.
    pub refresh_after: Duration,
    /// How long past `refresh_after` keys are used while the issuer cannot be reached.
    pub max_stale: Duration,
    /// The least time between two extra fetches for unknown keys.
    pub unknown_key_cooldown: Duration,
    /// What the keys go by in the host's shared data; absent: each VM fetches for itself.
    pub share: Option<SharedName>,
}

/// Where a key set is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySetLocation {
    /// Where the issuer's discovery document says.
    Discovered(Discovery),
    /// At this URI.
    Known(HttpUri),
}

/// An issuer's discovery document (OIDC Discovery 1.0 §4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    /// What its `issuer` must be, byte for byte.
    pub issuer: String,
    /// Its URI.
    pub uri: HttpUri,
    /// Where the proxy reaches it, and the key set with it.
    pub internal_uri: Option<HttpUri>,
    /// The proxy's name for the upstream of a key set on another host.
    pub jwks_cluster: Option<String>,
}

/// The variable whose value takes part in what shared entries are authenticated with.
const SHARED_SECRET: &str = "JOTGATE_SHARED_SECRET";

pub(super) fn read_all(node: &Node<'_, '_>, max_keys: usize, env: Environment<'_>) -> Option<Vec<Issuer>> {
    let nodes = node.list()?;
    let issuers: Vec<_> = nodes.iter().map(|node| read(node, max_keys, env)).collect();
    for (index, (node, issuer)) in nodes.iter().zip(&issuers).enumerate() {
        let Some(issuer) = issuer else { continue };
        for earlier in issuers.iter().take(index).flatten() {
            if earlier.name == issuer.name {
                node.error(format!("the name `{}` is taken by another issuer", issuer.name));
            }
            if earlier.issuer == issuer.issuer {
                node.error(format!("`{}` is the issuer of `{}` already", issuer.issuer, earlier.name));
            }
        }
    }
    all(issuers.into_iter())
}

fn read(node: &Node<'_, '_>, max_keys: usize, env: Environment<'_>) -> Option<Issuer> {
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| read_name(&node));
    let issuer = object.required("issuer").and_then(|node| node.owned_text());
    let audiences = object.required("audiences").and_then(|node| read_audiences(&node));
    let algorithms = object.or("algorithms", asymmetric(), |node| node.list_of(read_algorithm));
    let token_types = object.or("tokenTypes", None, |node| node.list_of(Node::owned_text).map(Some));
    let require_expiration = object.or("requireExpiration", true, Node::boolean);
    let max_lifetime = object.or("maxLifetime", None, |node| read_lifetime(node).map(Some));
    let clock_skew = object.or("clockSkew", Duration::from_mins(1), duration::any);
    let trust_email = object.or("trustEmail", false, Node::boolean);
    let grants = object.or("grants", Grants::default(), grants::read);
    let keys = object.required("keys").and_then(|node| read_keys(&node, issuer.as_deref(), max_keys, env));
    let default_scopes = ["scope", "scp"].into_iter().filter_map(ClaimRef::dotted).collect();
    let scope_claims = object.or("scopeClaims", default_scopes, |node| node.list_of(claim_ref));
    let groups_claim = match object.optional("groupsClaim") {
        Some(node) => claim_ref(&node),
        None => ClaimRef::dotted("groups"),
    };
    let group_scopes = object.or("groupScopes", BTreeMap::new(), read_group_scopes);
    object.finish();
    Some(Issuer {
        name: name?,
        issuer: issuer?,
        audiences: audiences?,
        algorithms: algorithms?,
        token_types: token_types?,
        require_expiration: require_expiration?,
        max_lifetime: max_lifetime?,
        clock_skew: clock_skew?,
        trust_email: trust_email?,
        grants: grants?,
        keys: keys?,
        scope_claims: scope_claims?,
        groups_claim: groups_claim?,
        group_scopes: group_scopes?,
    })
}

fn read_name(node: &Node<'_, '_>) -> Option<Rc<str>> {
    let name = node.string()?;
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => Some(name.into()),
        false => node.expected("a name of the characters `a-z`, `0-9` and `-`"),
    }
}

fn read_audiences(node: &Node<'_, '_>) -> Option<Audiences> {
    match node.value.as_str() {
        Some("any") => Some(Audiences::Any),
        Some(_) => node.expected("a list of audiences, or `any`"),
        None => node.list_of(Node::owned_text).map(Audiences::OneOf),
    }
}

/// What is allowed where nothing is listed: with a shared secret whoever verifies can sign, so that takes a word.
fn asymmetric() -> Vec<Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect()
}

fn read_algorithm(node: &Node<'_, '_>) -> Option<Algorithm> {
    node.word(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

fn read_lifetime(node: &Node<'_, '_>) -> Option<Duration> {
    let lifetime = duration::of_keys(node)?;
    match lifetime.subsec_nanos() {
        0 => Some(lifetime),
        _ => node.expected("a duration in whole seconds"),
    }
}

fn read_group_scopes(node: &Node<'_, '_>) -> Option<BTreeMap<String, Vec<String>>> {
    let entries = node.entries()?.into_iter().map(|(scope, groups)| {
        if !super::access::is_scope(scope) {
            groups.error(format!("`{scope}` is not one scope (RFC 6749 §3.3)"));
        }
        groups.list_of(Node::owned_text).map(|groups| (scope.to_string(), groups))
    });
    all(entries).map(|entries| entries.into_iter().collect())
}

/// A claim reference: a dotted path, or a list of member names.
pub(super) fn claim_ref(node: &Node<'_, '_>) -> Option<ClaimRef> {
    const EXPECTED: &str = "a claim: a dotted path or a list of member names";
    let found = match node.value.as_str() {
        Some(path) => ClaimRef::dotted(path),
        None if node.value.elements().next().is_some() => ClaimRef::exact(node.list_of(Node::owned_text)?),
        None => None,
    };
    found.or_else(|| node.expected(EXPECTED))
}

fn read_keys(node: &Node<'_, '_>, issuer: Option<&str>, max_keys: usize, env: Environment<'_>) -> Option<KeySource> {
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
    let discovered = discovery.and_then(|node| read_discovery(&node, issuer, jwks_cluster));
    let known = uri.and_then(|node| read_uri(&node).map(KeySetLocation::Known));
    let location = discovered.or(known);
    let name = issuer.map(|issuer| SharedName::new(issuer, node.value, &env(SHARED_SECRET).unwrap_or_default()));
    let fetch = read_fetch(&mut object, location, cluster, name);
    object.finish();
    match inline {
        Some(inline) => read_inline(&inline, max_keys, env).map(KeySource::Inline),
        None => fetch.map(|settings| KeySource::Fetched(Box::new(settings))),
    }
}

/// `{}` or `{uri: …, internalUri: …}`.
fn read_discovery(node: &Node<'_, '_>, issuer: Option<&str>, jwks_cluster: Option<String>) -> Option<KeySetLocation> {
    let mut object = node.object()?;
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
        timeout: timeout?,
        refresh_after: refresh_after?,
        max_stale: max_stale?,
        unknown_key_cooldown: unknown_key_cooldown?,
        share: name.filter(|_| is_shared == Some(true)),
    })
}

fn read_inline(node: &Node<'_, '_>, max_keys: usize, env: Environment<'_>) -> Option<KeySet> {
    let found = if node.value.get("env").is_some() {
        let text = read_variable(node, env)?;
        KeySet::from_json(text.as_bytes(), max_keys, Origin::Configuration)
    } else {
        KeySet::from_value(node.value, max_keys, Origin::Configuration)
    };
    found.map_err(|error| node.error(format!("this is no usable key set: {error}"))).ok()
}

/// `{env: NAME}`: the text of a variable.
fn read_variable(node: &Node<'_, '_>, env: Environment<'_>) -> Option<String> {
    let mut object = node.object()?;
    let name = object.required("env").and_then(|node| node.owned_text());
    object.finish();
    let name = name?;
    let text = env(&name);
    if text.is_none() {
        node.error(format!("the variable `{name}` is not set in the VM's environment"));
    }
    text
}
