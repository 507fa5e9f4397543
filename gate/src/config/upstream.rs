//! `upstreamCredentials` and `upstream`: what requests get in place of their callers' credentials.

mod eks;
mod exchange;
mod known;
mod name;
mod signed;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) use self::known::{Known, check_kept};
use self::name::read_name;
use super::headers::refuse_protocol_header;
use super::reader::{Node, Object, all};
use crate::credentials::CredentialLocations;
use crate::http::is_header_name;
use crate::hygiene::fold;
use crate::identity::IdentityHeader;
use crate::policy::{CredentialSource, KeptToken, SignedToken, Upstream, UpstreamCredential};
use crate::rules::Rule;
use crate::upstream::KeySets;

const AUTHORIZATION: &str = "authorization";

/// The two members of a configuration.
pub(super) fn read(object: &mut Object<'_, '_>, known: Known<'_>) -> Option<Upstream> {
    let credentials = object.or("upstreamCredentials", Vec::new(), |node| read_all(node, known));
    let names = names(credentials.as_deref());
    let default = object.or("upstream", Vec::new(), |node| read_names(node, names.as_deref()));
    Some(Upstream { credentials: credentials?, default: default? })
}

/// What rules can name; absent where the credentials could not be read, for which no rule is to blame.
pub(super) fn names(credentials: Option<&[UpstreamCredential]>) -> Option<Vec<(Arc<str>, Arc<str>)>> {
    Some(credentials?.iter().map(|credential| (Arc::clone(&credential.name), Arc::clone(&credential.header))).collect())
}

/// One name, or a list of them; no two for one header.
pub(super) fn read_names(node: &Node<'_, '_>, known: Option<&[(Arc<str>, Arc<str>)]>) -> Option<Vec<usize>> {
    let nodes = if node.value.as_str().is_some() { vec![node.clone()] } else { node.elements()? };
    let mut headers = BTreeSet::new();
    all(nodes.iter().map(|node| {
        let name = node.string()?;
        let Some(known) = known else { return Some(0) };
        let Some((index, (_, header))) = known.iter().enumerate().find(|(_, (known, _))| **known == *name) else {
            return node.expected("the `name` of one of `upstreamCredentials`");
        };
        match headers.insert(fold(header.as_bytes())) {
            true => Some(index),
            false => node.fail(format!("the header `{header}` has another credential already")),
        }
    }))
}

fn read_all(node: &Node<'_, '_>, known: Known<'_>) -> Option<Vec<UpstreamCredential>> {
    let nodes = node.list()?;
    let mut names = BTreeSet::new();
    let mut signed = 0;
    all(nodes.iter().map(|node| {
        let mut credential = read_one(node, known)?;
        if !names.insert(Arc::clone(&credential.name)) {
            return node.fail(format!("the name `{}` is taken by an earlier credential", credential.name));
        }
        if let CredentialSource::Token(token) = &mut credential.source {
            token.index = signed;
            signed += 1;
        }
        Some(credential)
    }))
}

fn read_one(node: &Node<'_, '_>, known: Known<'_>) -> Option<UpstreamCredential> {
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| read_name(&node));
    let header = object.or("header", Arc::from(AUTHORIZATION), read_header);
    let scheme = object.or("scheme", None, |node| read_scheme(node).map(Some));
    let source = read_source(node, &mut object, known);
    object.finish();
    let (header, scheme) = (header?, scheme?);
    let default = (*header == *AUTHORIZATION).then(|| String::from("Bearer"));
    Some(UpstreamCredential { name: name?, scheme: scheme.or(default), header, source: source? })
}

/// One of them.
fn read_source(node: &Node<'_, '_>, object: &mut Object<'_, '_>, known: Known<'_>) -> Option<CredentialSource> {
    let eks = object.optional("eks").map(|node| eks::read(&node, known).map(Box::new).map(CredentialSource::Eks));
    let exchange = object.optional("exchange");
    let exchange = exchange.map(|node| exchange::read(&node, known).map(Box::new).map(CredentialSource::Exchange));
    let session = object.optional("session").map(|node| read_kept(&node, known).map(CredentialSource::Session));
    let token = object.optional("token");
    let token = token.map(|node| signed::read(&node, known).map(Box::new).map(CredentialSource::Token));
    let mut sources = [eks, exchange, session, token].into_iter().flatten();
    match (sources.next(), sources.next()) {
        (Some(source), None) => source,
        _ => node.fail("expected one of `eks`, `exchange`, `session` and `token`"),
    }
}

fn read_header(node: &Node<'_, '_>) -> Option<Arc<str>> {
    let name = node.string()?;
    if !is_header_name(name) {
        return node.expected("a header name");
    }
    refuse_protocol_header(node, &fold(name.as_bytes()), false);
    Some(name.to_ascii_lowercase().into())
}

/// An auth-scheme is a token, as a header name is (RFC 9110 §11.1).
fn read_scheme(node: &Node<'_, '_>) -> Option<String> {
    let scheme = node.string()?;
    match is_header_name(scheme) {
        true => Some(scheme.to_string()),
        false => node.expected("an authentication scheme such as `Bearer`"),
    }
}

fn read_kept(node: &Node<'_, '_>, known: Known<'_>) -> Option<KeptToken> {
    let token = node.word(&[("accessToken", KeptToken::Access), ("idToken", KeptToken::Id)])?;
    check_kept(node, token, known)?;
    Some(token)
}

/// Says where a header of a credential is also something else's.
pub(super) fn check_headers(
    node: &Node<'_, '_>,
    upstream: &Upstream,
    identity: &[IdentityHeader],
    locations: &CredentialLocations,
    rules: &[Rule],
) {
    for credential in &upstream.credentials {
        let header = &*credential.header;
        let is_same = |other: &str| fold(other.as_bytes()) == fold(header.as_bytes());
        let fail = |what: &str| {
            node.error_at("upstreamCredentials", format!("the header `{header}` of `{}` {what}", credential.name));
        };
        if identity.iter().any(|identity| is_same(&identity.name)) {
            fail("is one of `identityHeaders`");
        }
        // Two spellings of one name: no upstream could tell whose it reads.
        if locations.headers().into_iter().any(|location| is_same(location) && location != header) {
            fail("is another spelling of one of `credentials`");
        }
        let is_location = locations.headers().contains(header);
        if let Some(rule) = rules.iter().find(|rule| rule.forwards_foreign).filter(|_| is_location) {
            let name = &rule.name;
            fail(&format!("may hold a client's own in the rule `{name}`: it has `foreignCredentials: forward`"));
        }
        if rules.iter().flat_map(|rule| &rule.matcher.headers).any(|(name, _)| is_same(name)) {
            fail("is looked at by the `match` of a rule");
        }
    }
}

/// What is removed of requests: also the headers of credentials in which no client has a credential of its own.
pub(super) fn with_headers(
    mut strip: Vec<(String, bool)>,
    upstream: &Upstream,
    locations: &CredentialLocations,
) -> Vec<(String, bool)> {
    let headers = upstream.credentials.iter().map(|credential| &*credential.header);
    let headers = headers.filter(|header| !locations.headers().contains(header));
    strip.extend(headers.map(|header| (fold(header.as_bytes()), false)));
    strip
}

/// The public keys, and where they are served: wherever a rule may match.
pub(super) fn key_sets(node: &Node<'_, '_>, upstream: &Upstream, rules: &[Rule], own_paths: &[&str]) -> KeySets {
    let mut sets: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for token in upstream.signed() {
        let Some(path) = &token.jwks else { continue };
        if own_paths.contains(&path.as_str()) {
            node.error_at("upstreamCredentials", format!("`jwks`: the gate answers `{path}` for sessions"));
        }
        let index = sets.iter().position(|(known, _)| known == path);
        if let Some((_, keys)) = index.and_then(|index| sets.get_mut(index)) {
            add_keys(keys, token);
        } else {
            let mut keys = Vec::new();
            add_keys(&mut keys, token);
            sets.push((path.clone(), keys));
        }
    }
    let sets = sets.into_iter().map(|(path, keys)| {
        let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
        (path, ["{\"keys\":[", &keys.join(","), "]}"].concat())
    });
    let hosts = rules.iter().map(|rule| &rule.matcher.hosts);
    let is_any = hosts.clone().any(Vec::is_empty);
    KeySets::new(sets.collect(), if is_any { Vec::new() } else { hosts.flatten().cloned().collect() })
}

/// Adds the keys that are not there yet.
fn add_keys<'t>(keys: &mut Vec<(&'t str, String)>, token: &'t SignedToken) {
    for entry in &token.keys {
        if !keys.iter().any(|(kid, _)| *kid == entry.kid) {
            keys.push((&entry.kid, entry.key.public_jwk(&entry.kid)));
        }
    }
}
