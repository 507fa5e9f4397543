//! `token`: a JWT that the gate signs.

use std::time::Duration;

use jose::json::Kind;
use jose::json::write;
use jose::sign::SigningKey;
use oauth::Secret;

use super::super::reader::{Node, Object, all};
use super::super::reference::claim_ref;
use super::super::{Environment, client, duration, headers, own_paths, variable};
use super::known::Known;
use crate::identity::{IdentityValue, SignedClaim, SignedValue};
use crate::metadata::WELL_KNOWN;
use crate::policy::{KeyUse, SignedToken, SigningEntry};

const LIFETIME: Duration = Duration::from_mins(5);
/// Longer ones are for what can be revoked.
const LONGEST: Duration = Duration::from_hours(24);
/// What the gate says itself (RFC 7519 §4.1, RFC 8693 §4.1).
const OWN: [&str; 8] = ["act", "aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

pub(super) fn read(node: &Node<'_, '_>, known: Known<'_>) -> Option<SignedToken> {
    let mut object = node.object()?;
    let issuer = object.required("issuer").and_then(|node| node.owned_text());
    let audiences = object.required("audience").and_then(|node| read_audiences(&node));
    let lifetime = object.or("lifetime", LIFETIME, read_lifetime);
    let keys = object.required("keys").and_then(|node| read_keys(&node, known.env));
    let claims = object.or("claims", Vec::new(), read_claims);
    let jwks = object.or("jwks", None, |node| read_path(node).map(Some));
    object.finish();
    Some(SignedToken {
        index: 0,
        issuer: issuer?,
        audiences: audiences?,
        lifetime: lifetime?,
        keys: keys?,
        claims: claims?,
        jwks: jwks?,
    })
}

/// A text, or a list of them.
pub(super) fn read_audiences(node: &Node<'_, '_>) -> Option<Vec<String>> {
    match node.value.kind() {
        Kind::Array => node.list_of(Node::owned_text),
        _ => Some(vec![node.owned_text()?]),
    }
}

fn read_lifetime(node: &Node<'_, '_>) -> Option<Duration> {
    let lifetime = duration::whole_seconds(node)?;
    match lifetime <= LONGEST {
        true => Some(lifetime),
        false => node.expected("a duration of `24h` at most"),
    }
}

fn read_path(node: &Node<'_, '_>) -> Option<String> {
    let path = own_paths::read_path(node)?;
    match path.starts_with(WELL_KNOWN) {
        true => node.expected("another path: resources have their metadata there (RFC 9728)"),
        false => Some(path),
    }
}

/// The first that is not only published signs.
fn read_keys(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Vec<SigningEntry>> {
    let nodes = node.list()?;
    let keys = all(nodes.iter().map(|node| read_key(node, env)))?;
    match keys.iter().any(|key| key.purpose == KeyUse::Sign) {
        true => Some(keys),
        false => node.fail("expected a key without `use: publish`: none signs"),
    }
}

/// A variable with a private key in PEM (PKCS#8) or as a JWK, and what that is for.
fn read_key(node: &Node<'_, '_>, env: Environment<'_>) -> Option<SigningEntry> {
    if node.value.kind() != Kind::Object {
        return node.fail("expected `{env: NAME}`: a key in the file is read by whoever reads the file");
    }
    let mut object = node.object()?;
    let text = variable::read_member(node, &mut object, env);
    let words = [("publish", KeyUse::Publish), ("sign", KeyUse::Sign)];
    let purpose = object.or("use", KeyUse::Sign, |node| node.word(&words));
    object.finish();
    let purpose = purpose?;
    let key: SigningKey = client::parse_key(node, &Secret::new(text?))?;
    Some(SigningEntry { kid: key.thumbprint(), key, purpose })
}

fn read_claims(node: &Node<'_, '_>) -> Option<Vec<SignedClaim>> {
    let nodes = node.elements()?;
    let claims: Vec<_> = nodes.iter().map(read_claim).collect();
    for (index, (node, claim)) in nodes.iter().zip(&claims).enumerate() {
        let is_same = |earlier: &&Option<SignedClaim>| match (earlier, claim) {
            (Some(earlier), Some(claim)) => earlier.name == claim.name,
            _ => false,
        };
        if claims.iter().take(index).any(|earlier| is_same(&earlier)) {
            node.error("the claim is there twice");
        }
    }
    // `sub` is there whatever is said.
    Some(all(claims.into_iter())?.into_iter().filter(|claim| claim.name != "sub").collect())
}

/// The name of a claim, `{name, from}` or `{name, value}`.
fn read_claim(node: &Node<'_, '_>) -> Option<SignedClaim> {
    if let Some(name) = node.value.as_str() {
        if name.starts_with('$') || name.contains('.') {
            return node.expected("the name of a claim, or `{name, from}` where it is called otherwise");
        }
        if name != "sub" {
            check_name(node, name)?;
        }
        let value = IdentityValue::Claim(claim_ref(node)?);
        return Some(SignedClaim { name: name.to_string(), value: SignedValue::Caller(value) });
    }
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| {
        let name = node.owned_text()?;
        check_name(&node, &name)?;
        Some(name)
    });
    let value = read_value(node, &mut object);
    object.finish();
    Some(SignedClaim { name: name?, value: value? })
}

fn check_name(node: &Node<'_, '_>, name: &str) -> Option<()> {
    match OWN.contains(&name) {
        true => node.fail(format!("`{name}` is what the gate says itself")),
        false => Some(()),
    }
}

fn read_value(node: &Node<'_, '_>, object: &mut Object<'_, '_>) -> Option<SignedValue> {
    match (object.optional("from"), object.optional("value")) {
        (Some(from), None) => read_origin(&from).map(SignedValue::Caller),
        (None, Some(value)) => Some(SignedValue::Fixed(write::compact(value.value))),
        _ => node.fail("expected either `from` or `value`"),
    }
}

/// A claim, or a variable that is the same for all requests of a caller.
fn read_origin(node: &Node<'_, '_>) -> Option<IdentityValue> {
    match headers::read_reference(node)? {
        IdentityValue::Name(claim) => Some(IdentityValue::Claim(claim)),
        value @ (IdentityValue::Claim(_)
        | IdentityValue::Groups
        | IdentityValue::Issuer
        | IdentityValue::Scopes
        | IdentityValue::VerifiedEmail) => Some(value),
        _ => node.expected("a claim, `$groups`, `$issuer`, `$scopes`, `$subject` or `$verifiedEmail`"),
    }
}
