//! Issuers and proxies that are trusted too much.

use std::time::Duration;

use gate::Policy;
use gate::claims::ClaimRef;
use gate::identity::IdentityValue;
use gate::policy::{Issuer, KeySource};

use crate::configuration::is_stand_in;
use crate::document::{Content, Node};
use crate::finding::Finding;
use gate::http::HttpUri;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for (path, issuer) in tree.indexed("issuers") {
        lint_audiences(issuer, &path, findings);
        lint_uris(issuer, &path, findings);
        lint_expiration(issuer, &path, findings);
        lint_spiffe(issuer, &path, policy, findings);
    }
    lint_skews(tree, policy, findings);
    lint_proxies(tree, findings);
    lint_subjects(tree, policy, findings);
    lint_warnings(tree, policy, findings);
}

pub(super) fn lint_audiences(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    if let Some(audiences) = issuer.get("audiences").filter(|audiences| audiences.text() == Some("any")) {
        let message = "tokens for any audience are accepted: one that was issued for another service can be used here; \
                       list what `aud` must name";
        findings.push(Finding::warning("any-audience", format!("{path}.audiences"), message, audiences.span.clone()));
    }
}

fn lint_uris(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    for (names, danger) in [
        (&["issuer"][..], "anyone on the network path can read the tokens that it issues"),
        (&["keys", "jwksUri"], "anyone on the network path can replace keys, and sign tokens with them"),
        (&["keys", "discovery", "uri"], "anyone on the network path can replace keys, and sign tokens with them"),
    ] {
        let Some(node) = issuer.find(names) else { continue };
        if node.text().is_some_and(|text| is_read_on_the_way(&text.replace(['{', '}'], ""))) {
            let message = format!("this is plain http: {danger}; use https");
            findings.push(Finding::warning(
                "plain-http",
                format!("{path}.{}", names.join(".")),
                message,
                node.span.clone(),
            ));
        }
    }
}

/// Whether a URI is plain http, to another machine.
pub(super) fn is_read_on_the_way(uri: &str) -> bool {
    HttpUri::parse(uri).is_ok_and(|uri| !uri.is_https && !is_near(uri.host()))
}

/// Whether a host is this machine or in the cluster, as far as its name shows.
fn is_near(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_local = |suffix: &&str| host.ends_with(*suffix);
    !host.contains(['.', ':'])
        || host == "[::1]"
        || host.starts_with("127.")
        || [".localhost", ".local", ".internal", ".svc"].iter().any(is_local)
}

/// A name such as trust domains have, which JWT-SVIDs are not known by.
fn lint_spiffe(issuer: &Node, path: &str, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some((node, domain)) =
        issuer.get("issuer").and_then(|node| Some((node, node.text()?.strip_prefix("spiffe://")?)))
    else {
        return;
    };
    let twin = policy.issuers().iter().find(|other| other.trust_domain() == Some(domain));
    let message = match twin {
        Some(twin) => format!(
            "`{}` is this trust domain: a token with this `iss` counts as another issuer's, whatever its `sub` says; omit \
             this issuer",
            twin.name()
        ),
        None => format!(
            "JWT-SVIDs are known by the trust domain in their `sub`, and need no `iss`: write `trustDomain: {domain}`"
        ),
    };
    findings.push(Finding::warning("spiffe-issuer", format!("{path}.issuer"), message, node.span.clone()));
}

fn lint_expiration(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    let required = issuer.get("requireExpiration").filter(|node| node.content == Content::Bool(false));
    if let (Some(node), None) = (required, issuer.get("maxLifetime")) {
        let message = "a token without `exp` never expires, and cannot be revoked";
        findings.push(Finding::warning(
            "no-expiration",
            format!("{path}.requireExpiration"),
            message,
            node.span.clone(),
        ));
    }
}

/// Clocks that are kept by NTP differ by less than a second.
fn lint_skews(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for ((path, node), issuer) in tree.indexed("issuers").zip(policy.issuers()) {
        let long = node.get("clockSkew").filter(|_| issuer.clock_skew() > Duration::from_mins(5));
        if let Some(node) = long {
            let message = "tokens are accepted this long after they have expired: `60s` is enough for synchronized clocks, and \
                           more than `5m` hides one that is not";
            findings.push(Finding::warning("clock-skew", format!("{path}.clockSkew"), message, node.span.clone()));
        }
    }
}

fn lint_proxies(tree: &Node, findings: &mut Vec<Finding>) {
    let networks = tree.find(&["clientIp", "trustedProxies"]).map(Node::elements).unwrap_or_default();
    for (index, node) in networks.iter().enumerate() {
        if node.text().is_some_and(|network| network.ends_with("/0")) {
            let message = "this is every address, so that clients can forge where a request came from: list the networks \
                           of the proxies";
            let path = format!("clientIp.trustedProxies[{index}]");
            findings.push(Finding::warning("trusted-by-all", path, message, node.span.clone()));
        }
    }
}

/// A `sub` is unique only within its issuer.
fn lint_subjects(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let sends = |value: &IdentityValue| policy.identity_headers().iter().any(|header| header.values.contains(value));
    let sends_claim = |claim| {
        let claim = ClaimRef::dotted(claim);
        claim.is_some_and(|claim| sends(&IdentityValue::Claim(claim.clone())) || sends(&IdentityValue::Name(claim)))
    };
    let sends_issuer =
        [IdentityValue::Issuer, IdentityValue::Token, IdentityValue::Payload].iter().any(sends) || sends_claim("iss");
    if policy.issuers().len() > 1 && sends_claim("sub") && !sends_issuer {
        let message = "two issuers may give the same `sub` to different people, and no header distinguishes them: add one \
                       with `$issuer`";
        let node = tree.get("identityHeaders").unwrap_or(tree);
        findings.push(Finding::warning("shared-subject", "identityHeaders", message, node.span.clone()));
    }
}

/// What the plugin itself warns of at its start.
fn lint_warnings(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let nodes = tree.get("issuers").map(Node::elements).unwrap_or_default();
    let is_known = |index: usize| match policy.issuers().get(index).map(Issuer::keys) {
        Some(KeySource::Inline(keys)) => !is_stand_in(keys),
        _ => true,
    };
    for (index, message) in policy.warnings() {
        if let Some(node) = nodes.get(index).filter(|_| is_known(index)) {
            findings.push(Finding::warning("in-vain", format!("issuers[{index}]"), message, node.span.clone()));
        }
    }
}
