//! Credentials for the upstream that nobody gets, or that are good for too long.

use std::time::Duration;

use gate::Policy;
use gate::http::CanonicalPath;
use gate::policy::{CredentialSource, SignedToken, UpstreamCredential};
use gate::rules::{Access, Rule};

use crate::document::Node;
use crate::finding::Finding;
use crate::locate::says;

/// What is longer cannot be taken back before somebody notices.
const LONG: Duration = Duration::from_mins(15);
const AUTHORIZATION: &str = "authorization";

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let upstream = policy.upstream();
    for (index, ((path, node), credential)) in
        tree.indexed("upstreamCredentials").zip(upstream.credentials()).enumerate()
    {
        let is_used = policy.rules().iter().any(|rule| policy.upstream_of(Some(rule)).contains(&index));
        if !is_used && !policy.upstream_of(None).contains(&index) {
            let message = format!(
                "has no effect: no rule names it, and `upstream` does not: write `upstream: {}`",
                credential.name()
            );
            findings.push(Finding::warning("in-vain", &path, message, node.span.clone()));
        }
        if let CredentialSource::Token(token) = credential.source() {
            lint_token(node, &path, token, findings);
            lint_key_set(tree, policy, token, findings);
        }
    }
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        lint_rule(node, &path, rule, findings);
        lint_forwarding(node, &path, policy, rule, findings);
    }
}

fn lint_token(node: &Node, path: &str, token: &SignedToken, findings: &mut Vec<Finding>) {
    if let Some(lifetime) = node.find(&["token", "lifetime"]).filter(|_| token.lifetime() > LONG) {
        let message =
            "nothing takes a token back that was signed: a new one is made for each caller, so that minutes do";
        findings.push(Finding::warning(
            "long-lived-token",
            format!("{path}.token.lifetime"),
            message,
            lifetime.span.clone(),
        ));
    }
}

/// Rules that name the path of the public keys.
fn lint_key_set(tree: &Node, policy: &Policy, token: &SignedToken, findings: &mut Vec<Finding>) {
    let Some(jwks) = token.jwks() else { return };
    let Ok(canonical) = CanonicalPath::strict(jwks.as_bytes()) else { return };
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        let written = node.find(&["match", "paths"]).map(Node::elements).unwrap_or_default();
        for (index, (pattern, written)) in rule.matcher.paths.iter().zip(written).enumerate() {
            let is_about = written.text().is_some_and(|text| !text.contains('*')) && pattern.matches(&canonical);
            if is_about {
                let message = format!("the gate answers `{jwks}` itself, before any rule: `jwks` may be another path");
                let path = format!("{path}.match.paths[{index}]");
                findings.push(Finding::warning("own-path", path, message, written.span.clone()));
            }
        }
    }
}

/// Without a caller there is no credential.
fn lint_rule(node: &Node, path: &str, rule: &Rule, findings: &mut Vec<Finding>) {
    let is_named = rule.upstream.as_ref().is_some_and(|upstream| !upstream.is_empty());
    let Some(written) = node.get("upstream").filter(|_| is_named) else { return };
    let message = match rule.access {
        Access::Public => "no request here has a caller, so that the upstream gets no credential at all",
        Access::Optional => "requests without a caller pass as well, and the upstream gets no credential with them",
        Access::Deny => "no request passes here",
        Access::Authenticated | Access::Require(_) => return,
    };
    findings.push(Finding::warning("anonymous-upstream", format!("{path}.upstream"), message, written.span.clone()));
}

/// One header has one credential.
fn lint_forwarding(node: &Node, path: &str, policy: &Policy, rule: &Rule, findings: &mut Vec<Finding>) {
    let credentials =
        policy.upstream_of(Some(rule)).iter().filter_map(|&index| policy.upstream().credentials().get(index));
    let mut taken = credentials.filter(|credential: &&UpstreamCredential| credential.header() == AUTHORIZATION);
    let (Some(written), Some(credential)) = (node.get("forwardToken").filter(|node| says(node, "true")), taken.next())
    else {
        return;
    };
    let message = format!("has no effect on `authorization`: the credential `{}` takes its place", credential.name());
    findings.push(Finding::warning("in-vain", format!("{path}.forwardToken"), message, written.span.clone()));
}
