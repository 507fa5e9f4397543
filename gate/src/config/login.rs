//! `login`: the ways to log in.

use std::time::Duration;

use jose::json::Kind;
use oauth::authorization::ExtraParameters;

use super::provider::{self, Protocol};
use super::reader::{Node, Object, all};
use super::{Environment, access, client, duration, issuer};
use crate::policy::{ClaimsFrom, Issuer, KeySource, Login};

/// The name of a login that is not named.
const DEFAULT_NAME: &str = "main";

/// How long a callout may take where the issuer's keys are not fetched.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Members that only one kind of provider has a use for.
const OF_PROTOCOL: [(&str, Protocol); 4] = [
    ("claimsFrom", Protocol::OpenIdConnect),
    ("clusters", Protocol::GitHub),
    ("maxAge", Protocol::OpenIdConnect),
    ("userinfo", Protocol::OpenIdConnect),
];

/// One login, or a list of them. Where the issuers themselves could not be read, no login is to blame for naming one.
pub(super) fn read_all(node: &Node<'_, '_>, issuers: Option<&[Issuer]>, env: Environment<'_>) -> Option<Vec<Login>> {
    let nodes = match node.value.kind() {
        Kind::Array => node.list()?,
        _ => vec![node.clone()],
    };
    let logins: Vec<_> = nodes.iter().map(|node| read(node, issuers, env)).collect();
    for (index, (node, login)) in nodes.iter().zip(&logins).enumerate() {
        let Some(login) = login else { continue };
        if logins.iter().take(index).flatten().any(|earlier| earlier.name == login.name) {
            node.error(format!("the name `{}` is taken by another login", login.name));
        }
    }
    all(logins.into_iter())
}

fn read(node: &Node<'_, '_>, issuers: Option<&[Issuer]>, env: Environment<'_>) -> Option<Login> {
    let mut object = node.object()?;
    let name = object.or("name", DEFAULT_NAME.into(), issuer::read_name);
    let protocol = object.or("provider", Protocol::OpenIdConnect, Protocol::read);
    let index = object.required("issuer").and_then(|node| read_issuer(&node, issuers, protocol));
    let issuer = index.and_then(|index| issuers?.get(index));
    let client = object.required("client").and_then(|node| client::read(&node, env));
    let cluster = read_cluster(&mut object, node, issuer);
    let scopes = read_scopes(&mut object, protocol);
    let parameters = object.or("parameters", ExtraParameters::default(), read_parameters);
    let claims_from = object.or("claimsFrom", ClaimsFrom::default(), |node| {
        node.word(&[("accessToken", ClaimsFrom::AccessToken), ("idToken", ClaimsFrom::IdToken)])
    });
    let userinfo = object.or("userinfo", false, Node::boolean);
    let max_age = object.unless_null("maxAge", None, |node| duration::whole_seconds(node).map(Some));
    let context = provider::Context {
        login: node,
        issuer,
        cluster: cluster.as_deref(),
        parameters: parameters.as_ref(),
        asks_userinfo: userinfo == Some(true),
    };
    let provider = provider::read(&mut object, protocol, &context);
    object.finish();
    if let Some(protocol) = protocol {
        protocol.check_members(node, &OF_PROTOCOL);
    }
    let (provider, endpoints) = provider?;
    Some(Login {
        name: name?,
        issuer: index?,
        client: client?,
        provider,
        endpoints,
        cluster: cluster?,
        scopes: scopes?,
        parameters: parameters?,
        claims_from: claims_from?,
        userinfo: userinfo?,
        max_age: max_age?,
        timeout: timeout_of(issuer?),
    })
}

/// How long a callout to an issuer may take.
pub(super) fn timeout_of(issuer: &Issuer) -> Duration {
    match &issuer.keys {
        KeySource::Fetched(settings) => settings.timeout,
        KeySource::Inline(_) | KeySource::Introspected(_) | KeySource::None => DEFAULT_TIMEOUT,
    }
}

/// One that fits the protocol, by its index.
fn read_issuer(node: &Node<'_, '_>, issuers: Option<&[Issuer]>, protocol: Option<Protocol>) -> Option<usize> {
    let name = node.string()?;
    let issuers = issuers?;
    let Some(index) = issuers.iter().position(|issuer| *issuer.name == *name) else {
        return node.expected("the `name` of one of the `issuers`");
    };
    let issuer = issuers.get(index)?;
    match protocol {
        _ if issuer.is_introspected() => node.fail(
            "expected one of the `issuers`: an entry of `introspection` is asked about tokens, nobody logs in there",
        ),
        _ if issuer.trust_domain().is_some() => node.fail("a trust domain gives tokens to workloads: nobody logs in"),
        Some(Protocol::GitHub) if issuer.signs() => {
            node.fail("expected an issuer with `keys: none`: GitHub signs no token that says who logged in")
        }
        Some(Protocol::OpenIdConnect) if !issuer.signs() => {
            node.fail("its `keys: none` verify no ID token: give its keys, or write `provider: github`")
        }
        _ => Some(index),
    }
}

/// The proxy's name for the upstream of an issuer; what is read is at `node`.
pub(super) fn read_cluster(
    object: &mut Object<'_, '_>,
    node: &Node<'_, '_>,
    issuer: Option<&Issuer>,
) -> Option<String> {
    match (object.optional("cluster"), &issuer.map(Issuer::keys)) {
        (Some(cluster), _) => cluster.owned_text(),
        (None, Some(KeySource::Fetched(settings))) => Some(settings.cluster.clone()),
        (None, Some(_)) => node.fail("`cluster` is missing: the issuer has no `keys.cluster` that would do"),
        (None, None) => None,
    }
}

fn read_scopes(object: &mut Object<'_, '_>, protocol: Option<Protocol>) -> Option<Vec<String>> {
    let Some(node) = object.optional("scopes") else {
        return Some(protocol?.default_scopes().iter().map(ToString::to_string).collect());
    };
    let scopes = node.list_of(access::read_scope)?;
    match protocol {
        Some(Protocol::OpenIdConnect) if !scopes.iter().any(|scope| scope == "openid") => node
            .fail("expected `openid` among them: without it there is no ID token (OpenID Connect Core 1.0 §3.1.2.1)"),
        _ => Some(scopes),
    }
}

/// Names, each with a text or a list of texts.
fn read_parameters(node: &Node<'_, '_>) -> Option<ExtraParameters> {
    let entries = all(node.entries()?.into_iter().map(|(name, node)| {
        let values = match node.value.kind() {
            Kind::Array => node.list_of(Node::owned_text)?,
            _ => vec![node.owned_text()?],
        };
        let entry: Vec<_> = values.into_iter().map(|value| (name.to_string(), value)).collect();
        match ExtraParameters::new(entry.clone()) {
            Ok(_) => Some(entry),
            Err(error) => node.fail(error.to_string()),
        }
    }))?;
    ExtraParameters::new(entries.into_iter().flatten().collect()).map_err(|error| node.error(error.to_string())).ok()
}
