//! `exchange`: tokens that are exchanged (RFC 8693).

use std::time::Duration;

use jose::json::Kind;
use oauth::endpoint::Endpoint;
use oauth::token::TokenTypeUri;

use super::super::reader::Node;
use super::super::{access, client, duration, login, provider};
use super::known::{Known, check_kept};
use super::signed::read_audiences;
use crate::policy::{Issuer, KeptToken, SubjectToken, TokenEndpoint, TokenExchange};

const CACHE_FOR: Duration = Duration::from_mins(5);

pub(super) fn read(node: &Node<'_, '_>, known: Known<'_>) -> Option<TokenExchange> {
    let mut object = node.object()?;
    let issuer = object.or("issuer", None, |node| read_issuer(node, known.issuers).map(Some));
    let endpoint = object.or("endpoint", None, |node| read_endpoint(node).map(Some));
    let cluster = match issuer {
        Some(None) => object.required("cluster").and_then(|node| node.owned_text()),
        issuer => login::read_cluster(&mut object, node, issuer.flatten()),
    };
    let client = object.required("client").and_then(|node| client::read(&node, known.env));
    let audiences = object.or("audience", Vec::new(), read_audiences);
    let resources = object.or("resource", Vec::new(), read_resources);
    let scopes = object.or("scopes", Vec::new(), |node| node.list_of(access::read_scope));
    let requested = object.or("requestedTokenType", None, |node| {
        let words = [
            ("accessToken", TokenTypeUri::AccessToken),
            ("idToken", TokenTypeUri::IdToken),
            ("jwt", TokenTypeUri::Jwt),
        ];
        node.word(&words).map(Some)
    });
    let subject = object.or("subjectToken", SubjectToken::Credential, |node| read_subject(node, known));
    let cache_for = object.or("cacheFor", CACHE_FOR, duration::any);
    object.finish();
    let issuer = issuer?;
    Some(TokenExchange {
        endpoint: settle_endpoint(node, endpoint?, issuer)?,
        cluster: cluster?,
        client: client?,
        audiences: audiences?,
        resources: resources?,
        scopes: scopes?,
        requested: requested?,
        subject: subject?,
        cache_for: cache_for?,
        timeout: issuer.map_or(login::DEFAULT_TIMEOUT, login::timeout_of),
    })
}

fn read_issuer<'k>(node: &Node<'_, '_>, issuers: Option<&'k [Issuer]>) -> Option<&'k Issuer> {
    let name = node.string()?;
    let found = issuers?.iter().find(|issuer| *issuer.name == *name);
    found.or_else(|| node.expected("the `name` of one of the `issuers`"))
}

fn read_resources(node: &Node<'_, '_>) -> Option<Vec<String>> {
    match node.value.kind() {
        Kind::Array => node.list_of(read_resource),
        _ => Some(vec![read_resource(node)?]),
    }
}

/// An absolute URI (RFC 3986 §4.3), of any scheme.
fn read_resource(node: &Node<'_, '_>) -> Option<String> {
    let text = node.owned_text()?;
    let is_in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_absolute = text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(is_in_scheme)
            && !rest.is_empty()
    });
    match is_absolute && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        true => Some(text),
        false => node.expected("an absolute URI without a fragment (RFC 8693 §2.1)"),
    }
}

fn read_endpoint(node: &Node<'_, '_>) -> Option<Endpoint> {
    Endpoint::parse(node.string()?).map_err(|error| node.expected::<()>(error.expected())).ok()
}

/// Where tokens are exchanged: what is configured, or what the issuer says.
fn settle_endpoint(node: &Node<'_, '_>, endpoint: Option<Endpoint>, issuer: Option<&Issuer>) -> Option<TokenEndpoint> {
    let discovered = issuer.and_then(provider::discovery_of);
    match (endpoint, issuer, discovered) {
        (Some(endpoint), ..) => Some(TokenEndpoint::Known(endpoint)),
        (None, _, Some((discovery, cluster))) => Some(TokenEndpoint::Discovered(Box::new((discovery, cluster)))),
        (None, Some(_), None) => node.fail("`endpoint` is missing: the issuer has no `keys.discovery` to find it by"),
        (None, None, None) => node.fail("expected `issuer` or `endpoint`: where tokens are exchanged"),
    }
}

fn read_subject(node: &Node<'_, '_>, known: Known<'_>) -> Option<SubjectToken> {
    let subject = node.word(&[
        ("accessToken", SubjectToken::Kept(KeptToken::Access)),
        ("credential", SubjectToken::Credential),
        ("idToken", SubjectToken::Kept(KeptToken::Id)),
    ])?;
    if let SubjectToken::Kept(token) = subject {
        check_kept(node, token, known)?;
    }
    Some(subject)
}
