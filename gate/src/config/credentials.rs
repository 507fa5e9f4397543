//! `credentials` and `credentialConflict`: where a token may stand.

use super::headers::refuse_protocol_header;
use super::reader::{Node, Object, all};
use crate::credentials::{Conflict, CredentialLocation, CredentialLocations, Subprotocol};
use crate::http::is_header_name;
use crate::hygiene::fold;

/// Where browsers log in, they come back with a session.
pub(super) fn read(object: &mut Object<'_, '_>, has_login: bool) -> Option<CredentialLocations> {
    let session = has_login.then_some(CredentialLocation::Session);
    let default = session.into_iter().chain([CredentialLocation::default()]).collect();
    let locations = object.or("credentials", default, read_locations);
    let conflict = object.or("credentialConflict", Conflict::Refuse, |node| {
        node.word(&[("first", Conflict::First), ("refuse", Conflict::Refuse)])
    });
    Some(CredentialLocations::new(locations?, conflict?))
}

fn read_locations(node: &Node<'_, '_>) -> Option<Vec<CredentialLocation>> {
    let nodes = node.list()?;
    let locations: Vec<_> = nodes.iter().map(read_location).collect();
    for (index, (node, location)) in nodes.iter().zip(&locations).enumerate() {
        let mut earlier = locations.iter().enumerate().take(index);
        let clash = |(index, earlier): (usize, &Option<CredentialLocation>)| {
            find_clash(location.as_ref()?, earlier.as_ref()?, &format!("credentials[{index}]"))
        };
        if let Some(clash) = earlier.find_map(clash) {
            node.error(clash);
        }
    }
    all(locations.into_iter())
}

/// Why a location cannot be distinguished from an earlier one, that of `path`.
fn find_clash(location: &CredentialLocation, earlier: &CredentialLocation, path: &str) -> Option<String> {
    if location.overlaps(earlier) {
        return Some(format!("the same place as `{path}`, or a spelling of it"));
    }
    let (name, other) = (location.header()?, earlier.header()?);
    let is_spelling = name != other && fold(name.as_bytes()) == fold(other.as_bytes());
    is_spelling.then(|| {
        format!("`{name}` is a spelling of `{other}`, of `{path}`: each would be removed as the other's forgery")
    })
}

fn read_location(node: &Node<'_, '_>) -> Option<CredentialLocation> {
    let mut object = node.object()?;
    let header = object.optional("header");
    let cookie = object.optional("cookie");
    let query = object.optional("query");
    let basic = object.optional("basic");
    let subprotocol = object.optional("websocketProtocol");
    let session = object.optional("session");
    let kinds = [&header, &cookie, &query, &basic, &session, &subprotocol].into_iter().flatten().count();
    if kinds != 1 {
        node.error(format!(
            "expected exactly one of `header`, `cookie`, `query`, `basic`, `session` and `websocketProtocol`, found {kinds}"
        ));
    }
    let scheme = object.optional("scheme");
    if let (Some(scheme), None, None) = (&scheme, &header, &cookie) {
        scheme.error("goes with `header` or `cookie` only");
    }
    let encoding = object.optional("encoding");
    if let (Some(encoding), None) = (&encoding, &subprotocol) {
        encoding.error("goes with `websocketProtocol` only");
    }
    // `None`, if there is one that could not be read.
    let scheme = match &scheme {
        Some(node) => read_token(node, "an authentication scheme").map(Some),
        None => Some(None),
    };
    object.finish();
    // All of them are read, for their own mistakes.
    let locations = [
        header.map(|node| {
            let name = read_header(&node)?;
            Some(CredentialLocation::Header { name, scheme: scheme.clone()? })
        }),
        cookie.map(|node| {
            let name = read_token(&node, "the name of a cookie (RFC 6265 §4.1.1)")?;
            Some(CredentialLocation::Cookie { name, scheme: scheme.clone()? })
        }),
        query.map(|node| read_parameter(&node).map(CredentialLocation::Query)),
        basic.map(|node| read_true(&node, CredentialLocation::Basic)),
        session.map(|node| read_true(&node, CredentialLocation::Session)),
        subprotocol.map(|node| read_subprotocol(&node, encoding.as_ref()).map(CredentialLocation::WebSocketProtocol)),
    ];
    locations.into_iter().flatten().next()?.filter(|_| kinds == 1)
}

fn read_true(node: &Node<'_, '_>, location: CredentialLocation) -> Option<CredentialLocation> {
    match node.value.as_bool() {
        Some(true) => Some(location),
        _ => node.expected("`true`"),
    }
}

fn read_header(node: &Node<'_, '_>) -> Option<String> {
    let name = read_token(node, "a header name")?;
    refuse_protocol_header(node, &fold(name.as_bytes()), false);
    Some(name.to_ascii_lowercase())
}

/// What stands before a token as the header has it: the beginning of an offer, or a whole one and its comma.
fn read_subprotocol(node: &Node<'_, '_>, encoding: Option<&Node<'_, '_>>) -> Option<Subprotocol> {
    let encoding = match encoding {
        Some(node) => node.word(&[("base64url", true), ("plain", false)]).map(Some),
        None => Some(None),
    };
    let protocol = Subprotocol::of(node.string()?, encoding?);
    match is_header_name(&protocol.name) {
        true => Some(protocol),
        false => node.expected(
            "what the name of a subprotocol begins with (RFC 6455 §4.1), or a whole name and a comma for the token that \
             follows it",
        ),
    }
}

/// RFC 6749 §8.2: a `param-name`. Its characters need no escapes.
fn read_parameter(node: &Node<'_, '_>) -> Option<String> {
    let name = node.string()?;
    match !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        true => Some(name.to_string()),
        false => node.expected("the name of a parameter, of letters, digits, `-`, `.` and `_` (RFC 6749 §8.2)"),
    }
}

fn read_token(node: &Node<'_, '_>, expected: &str) -> Option<String> {
    let name = node.string()?;
    if !is_header_name(name) {
        return node.expected(expected);
    }
    Some(name.to_string())
}
