//! `introspection`: issuers whose tokens only they can read.

use std::collections::BTreeMap;
use std::time::Duration;

use jose::Hash;
use oauth::Secret;
use oauth::endpoint::Endpoint;

use super::reader::{Node, Object, all};
use super::reference::claim_ref;
use super::{Environment, client, duration, grants, issuer, required_binding, secret};
use crate::claims::ClaimRef;
use crate::credentials::TokenForm;
use crate::json_text;
use crate::policy::{
    Asker, Grants, IntrospectionSettings, IntrospectionStyle, Issuer, IssuerKind, KeySource, Rename, RequiredBinding,
};

/// How far clocks may differ, where a date lies in the future.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What decides on the token itself, and is called what it is called.
const NOT_RENAMED: [&str; 2] = ["active", "cnf"];

/// What `style` names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    Itself,
    Rfc7662,
}

/// The issuers of `introspection`, behind those of `issuers`.
pub(super) fn read_behind(
    object: &mut Object<'_, '_>,
    issuers: Option<Vec<Issuer>>,
    env: Environment<'_>,
) -> Option<Vec<Issuer>> {
    let Some(node) = object.optional("introspection") else { return issuers };
    let read = read_all(&node, issuers.as_deref().unwrap_or_default(), env);
    let mut issuers = issuers?;
    issuers.extend(read?);
    Some(issuers)
}

fn read_all(node: &Node<'_, '_>, others: &[Issuer], env: Environment<'_>) -> Option<Vec<Issuer>> {
    let nodes = node.list()?;
    let entries: Vec<_> = nodes.iter().map(|node| read(node, env)).collect();
    for (index, (node, entry)) in nodes.iter().zip(&entries).enumerate() {
        let Some(entry) = entry else { continue };
        let before = || entries.iter().take(index).flatten();
        if others.iter().chain(before()).any(|other| other.name == entry.name) {
            node.error_at("name", format!("the name `{}` is taken by another issuer", entry.name));
        }
        if let Some(earlier) = before().find(|earlier| takes_all_of(earlier, entry)) {
            node.error(format!("is never asked: `{}`, which comes first, takes all of its tokens", earlier.name));
        }
    }
    all(entries.into_iter())
}

/// Whether no token is left for `later`.
fn takes_all_of(earlier: &Issuer, later: &Issuer) -> bool {
    let form = |issuer: &Issuer| issuer.introspection().and_then(|settings| settings.form.clone());
    match (form(earlier), form(later)) {
        (None, None) => true,
        (Some(earlier), Some(later)) => earlier.covers(&later),
        // What matches may have the three parts of a JWT, or none of them.
        _ => false,
    }
}

fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Issuer> {
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| issuer::read_name(&node));
    let identifier = object.required("issuer").and_then(|node| node.owned_text());
    let form = object.or("match", None, |node| read_form(node).map(Some));
    let endpoint = object.required("endpoint").and_then(|node| read_endpoint(&node));
    let cluster = object.required("cluster").and_then(|node| node.owned_text());
    let style =
        object.or("style", Style::Rfc7662, |node| node.word(&[("rfc7662", Style::Rfc7662), ("self", Style::Itself)]));
    let style = read_style(&mut object, node, style, env);
    let audiences = object.required("audiences").and_then(|node| issuer::read_audiences(&node));
    let trust_email = object.or("trustEmail", false, Node::boolean);
    let grants = object.or("grants", Grants::default(), grants::read);
    let scope_claims = object.or("scopeClaims", issuer::default_scope_claims(), |node| node.list_of(claim_ref));
    let groups_claim = issuer::read_groups(&mut object);
    let group_scopes = object.or("groupScopes", BTreeMap::new(), issuer::read_group_scopes);
    let renames = object.or("claims", Vec::new(), read_renames);
    let require = object.or("senderConstraint", RequiredBinding::None, required_binding::read_section);
    let mut duration = |name, default| object.or(name, Duration::from_secs(default), duration::of_keys);
    let cache_for = duration("cacheFor", 60);
    let negative_for = duration("negativeFor", 10);
    let timeout = duration("timeout", 5);
    object.finish();
    let settings = IntrospectionSettings {
        form: form?,
        endpoint: endpoint?,
        cluster: cluster?,
        style: style?,
        renames: renames?,
        cache_for: cache_for?,
        negative_for: negative_for?,
        timeout: timeout?,
        fingerprint: Hash::Sha256.digest(&[json_text::compact(node.value).as_bytes()]),
    };
    Some(Issuer {
        name: name?,
        identifier: identifier?,
        kind: IssuerKind::Exact,
        audiences: audiences?,
        audience_claims: ClaimRef::dotted("aud").into_iter().collect(),
        algorithms: Vec::new(),
        token_types: None,
        // RFC 7662 §2.2: that it is active says that it has not expired.
        require_expiration: false,
        max_lifetime: None,
        clock_skew: CLOCK_SKEW,
        trust_email: trust_email?,
        grants: grants?,
        keys: KeySource::Introspected(Box::new(settings)),
        scope_claims: scope_claims?,
        groups_claim: groups_claim?,
        group_scopes: group_scopes?,
        require: require?,
    })
}

/// `{prefix: …}` or `{pattern: …}`.
fn read_form(node: &Node<'_, '_>) -> Option<TokenForm> {
    let mut object = node.object()?;
    let prefix = object.optional("prefix");
    let pattern = object.optional("pattern");
    object.finish();
    match (prefix, pattern) {
        (Some(prefix), None) => match prefix.text()? {
            text if text.bytes().all(|byte| byte.is_ascii_graphic()) => Some(TokenForm::Prefix(text.to_string())),
            _ => prefix.expected("visible ASCII characters without blanks"),
        },
        (None, Some(node)) => {
            TokenForm::pattern(node.text()?).map_err(|error| node.error(format!("the expression {error}"))).ok()
        }
        _ => node.fail("expected exactly one of `prefix` and `pattern`"),
    }
}

fn read_endpoint(node: &Node<'_, '_>) -> Option<Endpoint> {
    Endpoint::parse(node.string()?).map_err(|error| node.error(error.to_string())).ok()
}

/// `client` is for issuers that want to know who asks.
fn read_style(
    object: &mut Object<'_, '_>,
    entry: &Node<'_, '_>,
    style: Option<Style>,
    env: Environment<'_>,
) -> Option<IntrospectionStyle> {
    let client = object.optional("client");
    match (style?, client) {
        (Style::Rfc7662, Some(node)) => read_asker(&node, env).map(IntrospectionStyle::Rfc7662),
        (Style::Rfc7662, None) => {
            entry.fail("`client` is missing: introspection endpoints want to know who asks (RFC 7662 §2.1)")
        }
        (Style::Itself, Some(node)) => node.fail("goes with `style: rfc7662` only: here the token itself is sent"),
        (Style::Itself, None) => Some(IntrospectionStyle::Itself),
    }
}

/// A client, or `{token: …}` for a bearer.
fn read_asker(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Asker> {
    if node.value.get("token").is_none() {
        return client::read(node, env).map(|client| Asker::Client(Box::new(client)));
    }
    let mut object = node.object()?;
    let token = object.required("token").and_then(|node| read_bearer(&node, env));
    object.finish();
    token.map(Asker::Bearer)
}

fn read_bearer(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Secret> {
    let token = secret::read(node, env)?;
    let is_plain = !token.reveal().is_empty() && token.reveal().bytes().all(|byte| byte.is_ascii_graphic());
    // It may be a credential: no message shows it.
    if is_plain { Some(token) } else { node.fail("expected visible ASCII characters without blanks") }
}

/// Names of claims, each with where it stands in answers; `subject` is `sub`.
fn read_renames(node: &Node<'_, '_>) -> Option<Vec<Rename>> {
    let renames = node.entries()?.into_iter().map(|(name, node)| {
        let name = if name == "subject" { "sub" } else { name };
        if name.is_empty() || NOT_RENAMED.contains(&name) {
            return node.fail(format!("`{name}` has no other name"));
        }
        claim_ref(&node).map(|from| Rename { name: name.to_string(), from })
    });
    let renames = all(renames)?;
    match renames.iter().filter(|rename| rename.name == "sub").count() {
        0 | 1 => Some(renames),
        _ => node.fail("expected one of `sub` and `subject`, which are one claim"),
    }
}
