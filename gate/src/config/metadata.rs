//! `resourceMetadata`: what clients may read about the resources behind the gate (RFC 9728 §2).

use jose::json::Kind;

use super::access;
use super::reader::{Node, all};
use crate::distinct::distinct;
use crate::http::{CanonicalPath, HttpUri};
use crate::metadata::{Metadata, Resource, WELL_KNOWN};
use crate::policy::{Issuer, IssuerKind, Tenants};
use crate::rules::{HostPattern, Requirement, Rule};

/// One resource, or a list of them. What they leave out is what issuers and rules say.
pub(super) fn read(node: &Node<'_, '_>, issuers: &[Issuer], rules: &[Rule]) -> Option<Metadata> {
    if node.value.kind() != Kind::Array {
        return read_resource(node, issuers, rules).map(|resource| Metadata::new(vec![resource]));
    }
    let nodes = node.list()?;
    let resources: Vec<_> = nodes.iter().map(|node| read_resource(node, issuers, rules)).collect();
    for (index, (node, resource)) in nodes.iter().zip(&resources).enumerate() {
        let is_same = |(_, earlier): &(usize, &Option<Resource>)| match (earlier, resource) {
            (Some(earlier), Some(resource)) => (&earlier.host, &earlier.path) == (&resource.host, &resource.path),
            _ => false,
        };
        if let Some((earlier, _)) = resources.iter().enumerate().take(index).find(is_same) {
            node.error_at("resource", format!("has its metadata at the same place as `resourceMetadata[{earlier}]`"));
        }
    }
    all(resources.into_iter()).map(Metadata::new)
}

fn read_resource(node: &Node<'_, '_>, issuers: &[Issuer], rules: &[Rule]) -> Option<Resource> {
    let mut object = node.object()?;
    let location = object.required("resource").and_then(|node| read_location(&node));
    let named = || {
        let mut named = Vec::new();
        for server in issuers.iter().flat_map(authorization_servers) {
            // Tokens of one issuer may be signed, and looked up.
            if !named.contains(&server) {
                named.push(server);
            }
        }
        named
    };
    let authorization_servers = match object.optional("authorizationServers") {
        Some(node) => node.list_of(read_server),
        None => Some(named()),
    };
    let scopes = match object.optional("scopes") {
        Some(node) => node.list_of(access::read_scope),
        None => Some(asked_for(rules)),
    };
    object.finish();
    let (identifier, uri, host, path) = location?;
    Some(Resource {
        host,
        url: format!("{}://{}{WELL_KNOWN}{path}", uri.scheme(), uri.authority),
        path,
        identifier,
        authorization_servers: authorization_servers?,
        scopes: scopes?,
    })
}

/// What clients may ask for tokens. A trust domain answers none, and tenants that are not listed have no URI here.
fn authorization_servers(issuer: &Issuer) -> Vec<String> {
    match &issuer.kind {
        // What signs nothing, and is not asked about tokens, gives none for the resource.
        IssuerKind::Exact if !issuer.signs() && !issuer.is_introspected() => Vec::new(),
        IssuerKind::Exact => vec![issuer.identifier.clone()],
        IssuerKind::Tenants(pattern) => match pattern.tenants() {
            Tenants::Any => Vec::new(),
            Tenants::OneOf(tenants) => tenants.iter().map(|tenant| pattern.issuer_of(tenant)).collect(),
        },
        IssuerKind::TrustDomain => Vec::new(),
    }
}

/// The identifier of a resource, and where it is.
fn read_location(node: &Node<'_, '_>) -> Option<(String, HttpUri, HostPattern, String)> {
    let text = node.string()?;
    let uri = HttpUri::parse(text).or_else(|expected| node.expected(expected).ok_or(())).ok()?;
    let host = HostPattern::parse(uri.host());
    let Ok(host) = host else { return node.expected("a URI with a host that requests can name") };
    if uri.path.contains('?') {
        return node.expected("a URI without a query: requests for the resource are recognised by their path");
    }
    match CanonicalPath::strict(uri.path.as_bytes()) {
        Ok(path) if path.as_str() == uri.path => {}
        Ok(path) => return node.expected(&format!("a path in its canonical form, here `{}`", path.as_str())),
        Err(problem) => {
            node.error(format!("no request has this path: {problem}"));
            return None;
        }
    }
    // RFC 9728 §3.1: a slash that follows the host goes.
    let path = if uri.path == "/" { String::new() } else { uri.path.clone() };
    Some((text.to_string(), uri, host, path))
}

fn read_server(node: &Node<'_, '_>) -> Option<String> {
    let text = node.string()?;
    match HttpUri::parse(text) {
        Ok(_) => Some(text.to_string()),
        Err(expected) => node.expected(expected),
    }
}

/// The scopes that rules name outside `not`, each once, in written order.
fn asked_for(rules: &[Rule]) -> Vec<String> {
    let requirements = rules.iter().filter_map(|rule| rule.access.requirement());
    distinct(requirements.flat_map(Requirement::scopes)).into_iter().map(str::to_string).collect()
}
