//! Issuers, and proxies, that are trusted with more than was meant.

use std::time::Duration;

use gate::Policy;
use gate::claims::ClaimRef;
use gate::identity::IdentityValue;

use crate::document::{Content, Node};
use crate::finding::Finding;
use gate::http::HttpUri;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for (path, issuer) in tree.indexed("issuers") {
        lint_audiences(issuer, &path, findings);
        lint_uris(issuer, &path, findings);
        lint_expiration(issuer, &path, findings);
    }
    lint_skews(tree, policy, findings);
    lint_proxies(tree, findings);
    lint_subjects(tree, policy, findings);
    lint_warnings(tree, policy, findings);
}

fn lint_audiences(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    if let Some(audiences) = issuer.get("audiences").filter(|audiences| audiences.text() == Some("any")) {
        let message = "tokens count whomever they are for: whoever gets one for another service can use it here; list \
                       what `aud` must name";
        findings.push(Finding::warning("any-audience", format!("{path}.audiences"), message, audiences.span.clone()));
    }
}

fn lint_uris(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    for (names, danger) in [
        (&["issuer"][..], "whoever is on the way can read the tokens that it gives out"),
        (&["keys", "jwksUri"], "whoever is on the way can put in keys, and sign tokens with them"),
        (&["keys", "discovery", "uri"], "whoever is on the way can put in keys, and sign tokens with them"),
    ] {
        let Some(node) = issuer.find(names) else { continue };
        let uri = node.text().and_then(|text| HttpUri::parse(text).ok());
        if uri.is_some_and(|uri| !uri.is_https && !is_near(uri.host())) {
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

/// Whether a host is this machine or in the cluster, as far as its name tells.
fn is_near(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_local = |suffix: &&str| host.ends_with(*suffix);
    !host.contains(['.', ':'])
        || host == "[::1]"
        || host.starts_with("127.")
        || [".localhost", ".local", ".internal", ".svc"].iter().any(is_local)
}

fn lint_expiration(issuer: &Node, path: &str, findings: &mut Vec<Finding>) {
    let required = issuer.get("requireExpiration").filter(|node| node.content == Content::Bool(false));
    if let (Some(node), None) = (required, issuer.get("maxLifetime")) {
        let message = "a token without `exp` counts for ever, and cannot be taken back";
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
            let message = "tokens count this long after they have expired: `60s` is enough for clocks that are set, and \
                           more than `5m` hides one that is not";
            findings.push(Finding::warning("clock-skew", format!("{path}.clockSkew"), message, node.span.clone()));
        }
    }
}

fn lint_proxies(tree: &Node, findings: &mut Vec<Finding>) {
    let networks = tree.find(&["clientIp", "trustedProxies"]).map(Node::elements).unwrap_or_default();
    for (index, node) in networks.iter().enumerate() {
        if node.text().is_some_and(|network| network.ends_with("/0")) {
            let message = "this is every address, so that whoever sends a request can make up where it came from: list \
                           the networks of the proxies";
            let path = format!("clientIp.trustedProxies[{index}]");
            findings.push(Finding::warning("trusted-by-all", path, message, node.span.clone()));
        }
    }
}

/// A `sub` is unique only within its issuer.
fn lint_subjects(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let told = |value: &IdentityValue| policy.identity_headers().iter().any(|header| header.values.contains(value));
    let tells = |claim| {
        let claim = ClaimRef::dotted(claim);
        claim.is_some_and(|claim| told(&IdentityValue::Claim(claim.clone())) || told(&IdentityValue::Name(claim)))
    };
    let tells_issuer =
        [IdentityValue::Issuer, IdentityValue::Token, IdentityValue::Payload].iter().any(told) || tells("iss");
    if policy.issuers().len() > 1 && tells("sub") && !tells_issuer {
        let message = "two issuers may give the same `sub` to different people, and no header tells them apart: add one \
                       with `$issuer`";
        let node = tree.get("identityHeaders").unwrap_or(tree);
        findings.push(Finding::warning("shared-subject", "identityHeaders", message, node.span.clone()));
    }
}

/// What the plugin itself warns of at its start.
fn lint_warnings(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let nodes = tree.get("issuers").map(Node::elements).unwrap_or_default();
    for (index, message) in policy.warnings() {
        if let Some(node) = nodes.get(index) {
            findings.push(Finding::warning("in-vain", format!("issuers[{index}]"), message, node.span.clone()));
        }
    }
}
