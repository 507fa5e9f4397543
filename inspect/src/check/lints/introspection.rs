//! Entries of `introspection` that say too much to others, or keep an answer for too long.

use std::time::Duration;

use gate::Policy;
use gate::policy::{IntrospectionStyle, Issuer};

use super::issuers::{is_read_on_the_way, lint_audiences};
use super::login::lint_written_secret;
use crate::document::Node;
use crate::finding::Finding;

/// How long a revoked token may be accepted without a word about it.
const LONG: Duration = Duration::from_mins(5);

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let entries: Vec<_> = policy.issuers().iter().filter(|issuer| issuer.is_introspected()).collect();
    for ((path, node), issuer) in tree.indexed("introspection").zip(&entries) {
        // What such an endpoint answers names no audience.
        if node.get("style").and_then(Node::text) != Some("self") {
            lint_audiences(node, &path, findings);
        }
        findings.extend(lint_endpoint(node, &path));
        findings.extend(lint_form(node, &path, issuer, entries.len()));
        findings.extend(lint_cache(node, &path, issuer));
        for name in ["secret", "token"] {
            let secret = node.find(&["client", name]);
            findings.extend(secret.and_then(|node| lint_written_secret(node, &format!("{path}.client.{name}"))));
        }
    }
}

fn lint_endpoint(entry: &Node, path: &str) -> Option<Finding> {
    let node = entry.get("endpoint").filter(|node| node.text().is_some_and(is_read_on_the_way))?;
    let message = "this is plain http: unless the cluster does TLS all the same, anyone on the network path can read tokens, \
                   and answer in the issuer's place; use https";
    Some(Finding::warning("plain-http", format!("{path}.endpoint"), message, node.span.clone()))
}

/// Which tokens go where.
fn lint_form(entry: &Node, path: &str, issuer: &Issuer, entries: usize) -> Option<Finding> {
    if entry.get("match").is_some() {
        return None;
    }
    let style = issuer.introspection()?.style();
    let message = match style {
        IntrospectionStyle::Itself => {
            "whatever is no JWT is sent here as a credential, tokens of others as well: say with `match` which are its"
        }
        IntrospectionStyle::Rfc7662(_) if entries > 1 => {
            "whatever is no JWT, and no other entry's, is sent here: say with `match` which tokens are its"
        }
        IntrospectionStyle::Rfc7662(_) => return None,
    };
    Some(Finding::warning("stray-tokens", path, message, entry.span.clone()))
}

fn lint_cache(entry: &Node, path: &str, issuer: &Issuer) -> Option<Finding> {
    let node =
        entry.get("cacheFor").filter(|_| issuer.introspection().is_some_and(|found| found.cache_for() > LONG))?;
    let message = "a token that its issuer has revoked is accepted for this long: with `60s`, it is asked once a minute for \
                   each token";
    Some(Finding::warning("slow-revocation", format!("{path}.cacheFor"), message, node.span.clone()))
}
