//! `login.provider`, and what depends on it: `endpoints` and `clusters`.

use oauth::authorization::{AuthorizationRequest, ExtraParameters};
use oauth::endpoint::{Endpoint, EndpointError};

use super::reader::{Node, Object};
use crate::http::HttpUri;
use crate::policy::{Discovery, Endpoints, GitHub, Issuer, KeySetLocation, KeySource, Provider};

/// The issuer whose endpoints are known, and what they are.
const GITHUB: &str = "https://github.com";
const GITHUB_AUTHORIZATION: &str = "https://github.com/login/oauth/authorize";
const GITHUB_TOKEN: &str = "https://github.com/login/oauth/access_token";
const GITHUB_API: &str = "https://api.github.com";

/// Endpoints that only one kind of provider has.
const OF_PROTOCOL: [(&str, Protocol); 4] = [
    ("api", Protocol::GitHub),
    ("endSession", Protocol::OpenIdConnect),
    ("revocation", Protocol::OpenIdConnect),
    ("userinfo", Protocol::OpenIdConnect),
];

/// What a provider speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    GitHub,
    OpenIdConnect,
}

/// What is known of a login before its provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'l, 'd, 'c> {
    pub(super) login: &'l Node<'d, 'c>,
    pub(super) issuer: Option<&'l Issuer>,
    pub(super) cluster: Option<&'l str>,
    pub(super) parameters: Option<&'l ExtraParameters>,
    pub(super) asks_userinfo: bool,
}

/// What `endpoints` has.
#[derive(Clone, Debug, Default)]
struct Configured {
    endpoints: Endpoints,
    api: Option<HttpUri>,
}

/// What `clusters` has.
#[derive(Clone, Debug, Default)]
struct Clusters {
    api: Option<String>,
}

impl Protocol {
    pub(super) fn read(node: &Node<'_, '_>) -> Option<Self> {
        node.word(&[("github", Self::GitHub), ("oidc", Self::OpenIdConnect)])
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::OpenIdConnect => "oidc",
        }
    }

    /// The scopes that are asked for where none are configured. GitHub's are those that its API needs.
    pub(super) const fn default_scopes(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["read:user", "user:email", "read:org"],
            Self::OpenIdConnect => &["openid", "email"],
        }
    }

    /// Says which members are there that only the other protocol has a use for.
    pub(super) fn check_members(self, node: &Node<'_, '_>, known: &[(&'static str, Self)]) {
        for (member, owner) in known.iter().filter(|(member, owner)| *owner != self && node.value.get(member).is_some())
        {
            node.error_at(member, format!("goes with `provider: {}` only", owner.name()));
        }
    }
}

pub(super) fn read(
    object: &mut Object<'_, '_>,
    protocol: Option<Protocol>,
    context: &Context<'_, '_, '_>,
) -> Option<(Provider, Endpoints)> {
    let may_be_http = context.issuer.is_none_or(|issuer| issuer.identifier.starts_with("http://"));
    let configured = object
        .or("endpoints", Configured::default(), |node| read_endpoints(node, protocol, context.parameters, may_be_http));
    let clusters = object.or("clusters", Clusters::default(), read_clusters);
    let (configured, issuer) = (configured?, context.issuer?);
    match protocol? {
        Protocol::GitHub => github(configured, clusters?.api, issuer, context),
        Protocol::OpenIdConnect => Some(open_id_connect(configured.endpoints, issuer, context)),
    }
}

fn read_endpoints(
    node: &Node<'_, '_>,
    protocol: Option<Protocol>,
    parameters: Option<&ExtraParameters>,
    may_be_http: bool,
) -> Option<Configured> {
    let mut object = node.object()?;
    let mut endpoint = |name| object.or(name, None, |node| read_endpoint(node, may_be_http).map(Some));
    let authorization = endpoint("authorization");
    let token = endpoint("token");
    let userinfo = endpoint("userinfo");
    let end_session = endpoint("endSession");
    let revocation = endpoint("revocation");
    let api = object.or("api", None, |node| read_api(node, may_be_http).map(Some));
    object.finish();
    if let Some(protocol) = protocol {
        protocol.check_members(node, &OF_PROTOCOL);
    }
    if let (Some(Some(authorization)), Some(parameters)) = (&authorization, parameters) {
        check_query(node, authorization, parameters);
    }
    let endpoints = Endpoints {
        authorization: authorization?,
        token: token?,
        userinfo: userinfo?,
        end_session: end_session?,
        revocation: revocation?,
    };
    Some(Configured { endpoints, api: api? })
}

/// `http` is for issuers that are `http` themselves.
fn read_endpoint(node: &Node<'_, '_>, may_be_http: bool) -> Option<Endpoint> {
    match Endpoint::parse(node.string()?) {
        Ok(endpoint) if endpoint.is_https() || may_be_http => Some(endpoint),
        Ok(_) => node.expected("an `https` URI: only an issuer that is `http` itself has others"),
        Err(error) => node.fail(error.to_string()),
    }
}

/// What the URIs of resources begin with.
fn read_api(node: &Node<'_, '_>, may_be_http: bool) -> Option<HttpUri> {
    match HttpUri::from(&read_endpoint(node, may_be_http)?) {
        uri if uri.path.contains('?') => node.expected("a URI without a query: paths of resources are appended"),
        uri => Some(without_slash(uri)),
    }
}

fn without_slash(uri: HttpUri) -> HttpUri {
    let path = uri.path.strip_suffix('/').unwrap_or(&uri.path).to_string();
    HttpUri { path, ..uri }
}

/// `{api: …}`.
fn read_clusters(node: &Node<'_, '_>) -> Option<Clusters> {
    let mut object = node.object()?;
    let api = object.or("api", None, |node| node.owned_text().map(Some));
    object.finish();
    Some(Clusters { api: api? })
}

/// No parameter may occur twice (RFC 6749 §3.1).
fn check_query(endpoints: &Node<'_, '_>, authorization: &Endpoint, parameters: &ExtraParameters) {
    let request = AuthorizationRequest {
        client_id: "",
        redirect_uri: "",
        scopes: &[],
        state: "",
        nonce: None,
        code_challenge: "",
        max_age: None,
        parameters,
    };
    if let Err(error @ EndpointError::Parameter) = request.uri(authorization) {
        endpoints.error_at("authorization", error.to_string());
    }
}

fn open_id_connect(endpoints: Endpoints, issuer: &Issuer, context: &Context<'_, '_, '_>) -> (Provider, Endpoints) {
    let discovery = discovery_of(issuer);
    let login = context.login;
    if discovery.is_none() {
        let needed = [("authorization", &endpoints.authorization), ("token", &endpoints.token)];
        for (name, _) in needed.iter().filter(|(_, endpoint)| endpoint.is_none()) {
            login.error_at(
                "endpoints",
                format!("`{name}` is missing: the issuer has no `keys.discovery` to find it by"),
            );
        }
        if context.asks_userinfo && endpoints.userinfo.is_none() {
            let message = "expected `endpoints.userinfo` beside it: the issuer has no `keys.discovery` to find it by";
            login.error_at("userinfo", message);
        }
    }
    (Provider::OpenIdConnect { discovery }, endpoints)
}

/// The document that has an issuer's endpoints, and the proxy's name for its upstream.
pub(super) fn discovery_of(issuer: &Issuer) -> Option<(Discovery, String)> {
    let KeySource::Fetched(settings) = &issuer.keys else { return None };
    match &settings.location {
        KeySetLocation::Discovered(discovery) => Some((discovery.clone(), settings.cluster.clone())),
        KeySetLocation::Known(_) => None,
    }
}

fn github(
    configured: Configured,
    api_cluster: Option<String>,
    issuer: &Issuer,
    context: &Context<'_, '_, '_>,
) -> Option<(Provider, Endpoints)> {
    let Configured { mut endpoints, api } = configured;
    let is_known = issuer.identifier == GITHUB;
    let known = |text| Endpoint::parse(text).ok().filter(|_| is_known);
    endpoints.authorization = endpoints.authorization.or_else(|| known(GITHUB_AUTHORIZATION));
    endpoints.token = endpoints.token.or_else(|| known(GITHUB_TOKEN));
    let api = api.or_else(|| HttpUri::parse(GITHUB_API).ok().filter(|_| is_known).map(without_slash));
    let missing = [
        ("authorization", endpoints.authorization.is_none()),
        ("token", endpoints.token.is_none()),
        ("api", api.is_none()),
    ];
    for (name, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
        let message = format!("`{name}` is missing: only the endpoints of `{GITHUB}` are known");
        context.login.error_at("endpoints", message);
    }
    let (token, api) = (endpoints.token.as_ref()?, api?);
    let is_same_server = HttpUri::from(token).server() == api.server();
    let api_cluster = match (api_cluster, context.cluster) {
        (Some(name), _) => name,
        (None, Some(cluster)) if is_same_server => cluster.to_string(),
        (None, Some(_)) => {
            let message = format!("`api` is missing: the proxy's name for the upstream of `{}`", api.authority);
            context.login.error_at("clusters", message);
            return None;
        }
        (None, None) => return None,
    };
    Some((Provider::GitHub(GitHub { api, api_cluster }), endpoints))
}
