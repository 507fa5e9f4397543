//! Credentials that are never read or forwarded as written.

use gate::Policy;
use gate::rules::Access;

use crate::document::Node;
use crate::finding::Finding;

/// In this header the load balancers of AWS send tokens that are base64 with padding.
const PADDED: &str = "x-amzn-oidc-data";

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    lint_forwarding(tree, policy, findings);
    for (path, node) in tree.indexed("credentials") {
        let header =
            node.get("header").filter(|name| name.text().is_some_and(|name| name.eq_ignore_ascii_case(PADDED)));
        if let Some(name) = header {
            let message = "load balancers of AWS write padding into the tokens of this header, which no JWT has \
                           (RFC 7515 §2), so that every one is rejected: read the token of the identity provider, \
                           `x-amzn-oidc-accesstoken`, and configure the provider as its issuer";
            findings.push(Finding::warning("padded-token", format!("{path}.header"), message, name.span.clone()));
        }
    }
}

/// `forwardToken` is about a token that was verified.
fn lint_forwarding(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let verifies = |access: &Access| !matches!(access, Access::Deny | Access::Public);
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        let Some(forward) = node.get("forwardToken").filter(|_| !verifies(&rule.access)) else { continue };
        let message = match rule.access {
            Access::Public => {
                "has no effect: no token is verified here, and only a verified one is forwarded. `access: optional` \
                 verifies tokens, and `foreignCredentials: forward` forwards credentials that are not JWTs"
            }
            _ => "has no effect: no request passes here",
        };
        findings.push(Finding::warning("in-vain", format!("{path}.forwardToken"), message, forward.span.clone()));
    }
    let some_verifies = policy.rules().iter().map(|rule| &rule.access).chain([policy.default_access()]).any(verifies);
    if let Some(forward) = tree.get("forwardToken").filter(|_| !some_verifies) {
        let message = "has no effect: no rule verifies a token";
        findings.push(Finding::warning("in-vain", "forwardToken", message, forward.span.clone()));
    }
}
