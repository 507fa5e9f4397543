//! Credentials for the upstream that others are asked for.

use gate::Policy;
use gate::policy::{CredentialSource, Eks, Role};

use super::issuers::is_read_on_the_way;
use super::login::lint_written_secret;
use crate::document::Node;
use crate::finding::Finding;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let credentials = policy.upstream().credentials();
    for ((path, node), credential) in tree.indexed("upstreamCredentials").zip(credentials) {
        match credential.source() {
            CredentialSource::Eks(eks) => lint_eks(node, &format!("{path}.eks"), eks, findings),
            CredentialSource::Exchange(_) => lint_exchange(node, &format!("{path}.exchange"), findings),
            CredentialSource::Session(_) | CredentialSource::Token(_) => {}
        }
    }
}

fn lint_exchange(node: &Node, path: &str, findings: &mut Vec<Finding>) {
    lint_endpoint(node.find(&["exchange", "endpoint"]), format!("{path}.endpoint"), findings);
    if let Some(secret) = node.find(&["exchange", "client", "secret"]) {
        findings.extend(lint_written_secret(secret, &format!("{path}.client.secret")));
    }
}

fn lint_eks(node: &Node, path: &str, eks: &Eks, findings: &mut Vec<Finding>) {
    lint_endpoint(node.find(&["eks", "sts", "endpoint"]), format!("{path}.sts.endpoint"), findings);
    let is_open = eks.roles().len() > 1 && eks.roles().iter().all(|role: &Role| role.access().is_none());
    if let Some(roles) = node.find(&["eks", "roles"]).filter(|_| is_open) {
        let message = "every user may choose each of these roles: say in `access` who may take which";
        findings.push(Finding::warning("open-roles", format!("{path}.roles"), message, roles.span.clone()));
    }
}

fn lint_endpoint(node: Option<&Node>, path: String, findings: &mut Vec<Finding>) {
    let Some(node) = node.filter(|node| node.text().is_some_and(is_read_on_the_way)) else { return };
    let message = "this is plain http: anyone on the network path can read tokens and credentials; use https";
    findings.push(Finding::warning("plain-http", path, message, node.span.clone()));
}
