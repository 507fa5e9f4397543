//! E-mail addresses that users may have made up, and those that are never sent.

use gate::Policy;
use gate::identity::IdentityValue;

use crate::document::{Content, Node};
use crate::finding::Finding;
use gate::http::HttpUri;
use gate::policy::Issuer;

/// Hosts of issuers that write no `email_verified`, and the domains below them: Microsoft Entra.
const SILENT: [&str; 6] = [
    "ciamlogin.com",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
    "sts.chinacloudapi.cn",
];

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for ((path, node), issuer) in tree.indexed("issuers").zip(policy.issuers()) {
        let is_asked =
            policy.identity_headers().iter().any(|header| header.values.contains(&IdentityValue::VerifiedEmail));
        // `trustEmail: false` is a decision.
        if let (true, true, None) = (is_asked, is_silent(issuer.identifier()), node.get("trustEmail")) {
            let message = "this issuer writes no `email_verified`, so that `$verifiedEmail` has no value: set \
                           `trustEmail: true` if only your administrators can set the addresses in its tokens, or \
                           `false` to do without them";
            let span = node.get("issuer").unwrap_or(node).span.clone();
            findings.push(Finding::warning("silent-email", format!("{path}.issuer"), message, span));
        }
    }
    lint_text(tree, policy, findings);
    if !policy.issuers().iter().all(Issuer::trusts_email) {
        for (path, node) in tree.indexed("rules") {
            lint_rule(node, &path, findings);
        }
    }
}

/// Some issuers write `email_verified` as text, which is not `true`.
fn lint_text(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let issuers = policy.issuers().iter().filter(|issuer| writes_text(issuer.identifier()));
    let issuers: Vec<_> = issuers.map(Issuer::name).collect();
    for (path, rule) in tree.indexed("rules") {
        let Some(access) = rule.get("access") else { continue };
        let named: Vec<_> =
            access.get("issuers").map(Node::elements).unwrap_or_default().iter().filter_map(Node::text).collect();
        let Some(issuer) = issuers.iter().find(|issuer| named.is_empty() || named.contains(issuer)) else { continue };
        let mut claims = Vec::new();
        collect_claims(access, &format!("{path}.access"), &mut claims);
        for (_, path, node) in claims.into_iter().filter(|(name, ..)| *name == "email_verified") {
            if node.get("equals").unwrap_or(node).content == Content::Bool(true) {
                let message = format!(
                    "the issuer `{issuer}` writes this claim as text, which is not `true`: its tokens never meet this. \
                     Write `{{in: [true, \"true\"]}}`"
                );
                findings.push(Finding::warning("email-as-text", path, message, node.span.clone()));
            }
        }
    }
}

/// Whether an issuer is known to write `email_verified` as text: Amazon Cognito, and Apple.
fn writes_text(issuer: &str) -> bool {
    let Ok(uri) = HttpUri::parse(issuer) else { return false };
    let host = uri.host().to_ascii_lowercase();
    let is_cognito = host.starts_with("cognito-idp.") && host.contains(".amazonaws.com");
    is_cognito || host == "appleid.apple.com"
}

/// Whether an issuer is known to write no `email_verified`: Microsoft Entra, or AD FS by its path.
fn is_silent(issuer: &str) -> bool {
    // A placeholder is for a tenant.
    let Ok(uri) = HttpUri::parse(&issuer.replace(['{', '}'], "")) else { return false };
    let host = uri.host().to_ascii_lowercase();
    let is_below = |known: &&str| host.strip_suffix(*known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    SILENT.iter().any(is_below) || issuer.ends_with("/adfs") || issuer.ends_with("/adfs/services/trust")
}

/// Many issuers let users enter any address.
fn lint_rule(rule: &Node, path: &str, findings: &mut Vec<Finding>) {
    let Some(access) = rule.get("access") else { return };
    let mut claims = Vec::new();
    collect_claims(access, &format!("{path}.access"), &mut claims);
    let is_verified = claims.iter().any(|(name, ..)| *name == "email_verified");
    for (_, path, node) in claims.into_iter().filter(|(name, ..)| *name == "email" && !is_verified) {
        let message = "some issuers let users enter any address: ask for `email_verified: true` as well";
        findings.push(Finding::warning("unverified-email", path, message, node.span.clone()));
    }
}

/// The claims that are tested, each with its path.
fn collect_claims<'n>(access: &'n Node, path: &str, claims: &mut Vec<(&'n str, String, &'n Node)>) {
    for member in access.members() {
        let path = format!("{path}.{}", member.name);
        match member.name.as_str() {
            "claims" => {
                let named = member.value.members().iter();
                claims.extend(named.map(|claim| (claim.name.as_str(), format!("{path}.{}", claim.name), &claim.value)));
                let listed = member.value.elements().iter().enumerate();
                claims.extend(listed.filter_map(|(index, entry)| {
                    let claim = entry.get("claim")?;
                    let name = claim.text().or_else(|| claim.elements().first()?.text())?;
                    Some((name, format!("{path}[{index}]"), entry))
                }));
            }
            "not" => collect_claims(&member.value, &path, claims),
            "anyOf" | "allOf" => {
                for (index, element) in member.value.elements().iter().enumerate() {
                    collect_claims(element, &format!("{path}[{index}]"), claims);
                }
            }
            _ => {}
        }
    }
}
