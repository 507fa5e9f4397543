//! Tokens that are bound to their sender, where nobody can show that, or anybody for long.

use std::time::Duration;

use gate::Policy;
use gate::credentials::CredentialLocation;
use gate::explain::credential_locations;
use gate::policy::{CertificateSource, RequiredBinding};

use super::login::lint_written_secret;
use crate::document::Node;
use crate::finding::Finding;
use crate::locate::{Chain, either};

/// Clocks differ by seconds, and proofs are made for one request.
const LONG: Duration = Duration::from_mins(2);

pub(super) fn lint(tree: &Node, policy: &Policy, chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    let constraint = policy.sender_constraint();
    let window = tree.find(&["senderConstraint", "dpop", "window"]);
    if let Some(node) = window.filter(|_| constraint.dpop().is_some_and(|dpop| dpop.window() > LONG)) {
        let message = "a proof that was stolen can be used elsewhere for this long, and each is remembered for as long: \
                       clocks differ by seconds";
        findings.push(Finding::warning("proof-window", "senderConstraint.dpop.window", message, node.span.clone()));
    }
    let secrets = tree.find(&["senderConstraint", "dpop", "nonce", "secrets"]).map(Node::elements).unwrap_or_default();
    for (index, secret) in secrets.iter().enumerate() {
        findings.extend(lint_written_secret(secret, &format!("senderConstraint.dpop.nonce.secrets[{index}]")));
    }
    for (path, node, require) in required(tree, policy) {
        let is_for_all = path == "senderConstraint.require";
        findings.extend(lint_locations(policy, &path, node, require, is_for_all));
        if require == RequiredBinding::Mtls {
            findings.extend(lint_listener(policy, chain, &path, node));
        }
    }
}

/// Where something has to be bound, as far as it is written: its path, its place, and to what.
fn required<'t>(tree: &'t Node, policy: &Policy) -> Vec<(String, &'t Node, RequiredBinding)> {
    let member = |path: &str, node: &'t Node| Some((format!("{path}.require"), node.get("require")?));
    let mut found = Vec::new();
    if let Some((path, node)) = tree.get("senderConstraint").and_then(|node| member("senderConstraint", node)) {
        found.push((path, node, policy.sender_constraint().require()));
    }
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        let section = node.get("senderConstraint");
        if let (Some((path, node)), Some(require)) =
            (section.and_then(|node| member(&format!("{path}.senderConstraint"), node)), rule.require)
        {
            found.push((path, node, require));
        }
    }
    found.retain(|(_, _, require)| *require != RequiredBinding::None);
    found
}

/// A proof comes with `Authorization: DPoP`, and no session has one.
fn lint_locations(
    policy: &Policy,
    path: &str,
    node: &Node,
    require: RequiredBinding,
    is_for_all: bool,
) -> Option<Finding> {
    let locations = credential_locations(policy);
    let is_header = |location: &CredentialLocation| {
        matches!(location, CredentialLocation::Header { name, scheme: Some(scheme) }
            if name == "authorization" && ["bearer", "dpop"].contains(&scheme.to_ascii_lowercase().as_str()))
    };
    let message = if require == RequiredBinding::Dpop && !locations.iter().any(is_header) {
        "no request can meet this: a proof comes with a token in `Authorization`, which is none of `credentials`"
    } else if is_for_all && locations.contains(&CredentialLocation::Session) {
        "sessions are refused here, and browsers with them: no session is bound to its sender. Rules can ask for it where \
         clients with tokens come alone"
    } else {
        return None;
    };
    Some(Finding::warning("unbindable", path, message, node.span.clone()))
}

/// Whether the listener in the file asks clients for certificates, where it is one with TLS.
fn lint_listener(policy: &Policy, chain: &Chain<'_>, path: &str, node: &Node) -> Option<Finding> {
    if *policy.sender_constraint().mtls() != CertificateSource::Connection {
        return None;
    }
    let listener = chain.listener?;
    let chains = either(listener, "filter_chains", "filterChains").map(Node::elements).unwrap_or_default();
    if chains.is_empty() || chains.iter().any(asks_for_certificate) {
        return None;
    }
    let message = "no client can meet this: this listener ends no TLS in which it asks for a certificate. Behind a proxy \
                   that does, write `mtls: {header: x-forwarded-client-cert, trustedProxies: […]}`";
    Some(Finding::warning("unseen-certificate", path, message, node.span.clone()))
}

/// Whether a filter chain has clients show a certificate.
fn asks_for_certificate(chain: &Node) -> bool {
    let context = either(chain, "transport_socket", "transportSocket")
        .and_then(|socket| either(socket, "typed_config", "typedConfig"))
        .and_then(|config| either(config, "common_tls_context", "commonTlsContext"));
    let names = [
        ("validation_context", "validationContext"),
        ("validation_context_sds_secret_config", "validationContextSdsSecretConfig"),
        ("combined_validation_context", "combinedValidationContext"),
    ];
    context.is_some_and(|context| names.iter().any(|(one, other)| either(context, one, other).is_some()))
}
