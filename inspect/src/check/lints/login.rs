//! Logins that do not come to what they are meant for.

use std::time::Duration;

use gate::Policy;
use gate::rules::{Access, Rule, Unauthenticated};

use super::issuers::is_read_on_the_way;
use crate::document::{Member, Node};
use crate::finding::Finding;

const GOOGLE: &str = "https://accounts.google.com";
/// Redeeming a code takes a provider some hundred milliseconds.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
const OFFLINE: &str = "offline_access";

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let browser = policy.browser();
    let logins = browser.map(gate::policy::Browser::logins).unwrap_or_default();
    for ((path, node), login) in logins_of(tree).into_iter().zip(logins) {
        let issuer = policy.issuers().get(login.issuer()).map(gate::policy::Issuer::identifier).unwrap_or_default();
        lint_refresh(tree, node, &path, issuer, findings);
        lint_secret(node, &path, findings);
        lint_endpoints(node, &path, findings);
        lint_teams(tree, node, &path, findings);
    }
    if !logins.is_empty() {
        lint_patience(tree, policy, findings);
    }
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        lint_rule(node, &path, rule, findings);
    }
}

/// The logins, each with its path.
pub(super) fn logins_of(tree: &Node) -> Vec<(String, &Node)> {
    match tree.get("login") {
        Some(node) if node.is_map() => vec![(String::from("login"), node)],
        _ => tree.indexed("login").collect(),
    }
}

/// Without a refresh token nothing is fetched again.
fn lint_refresh(tree: &Node, login: &Node, path: &str, issuer: &str, findings: &mut Vec<Finding>) {
    let scopes = login.get("scopes");
    let asks = scopes.is_some_and(|scopes| scopes.elements().iter().any(|scope| scope.text() == Some(OFFLINE)));
    let has = |name: &str, value: &str| login.find(&["parameters", name]).and_then(Node::text) == Some(value);
    let is_wanted = asks || tree.find(&["session", "refreshAfter"]).is_some();
    let message = if issuer == GOOGLE {
        let is_asked = !asks && has("access_type", "offline") && has("prompt", "consent");
        (is_wanted && !is_asked).then_some(
            "Google gives a refresh token for `parameters: {access_type: offline, prompt: consent}`, and rejects the scope \
             `offline_access`: without one, claims are never fetched again",
        )
    } else {
        let is_github = login.get("provider").and_then(Node::text) == Some("github");
        (is_wanted && !asks && !is_github).then_some(
            "`session.refreshAfter` has no effect without a refresh token, which most issuers give for the scope \
             `offline_access`: add it here",
        )
    };
    if let Some(message) = message {
        let node = scopes.unwrap_or(login);
        findings.push(Finding::warning("no-refresh-token", format!("{path}.scopes"), message, node.span.clone()));
    }
}

/// GitHub shows the teams of a user, which are the groups, for the scope `read:org` alone. The default has it.
fn lint_teams(tree: &Node, login: &Node, path: &str, findings: &mut Vec<Finding>) {
    let Some(scopes) = login.get("scopes") else { return };
    let asks = |name: &str| scopes.elements().iter().any(|scope| scope.text() == Some(name));
    let is_github = login.get("provider").and_then(Node::text) == Some("github");
    let mut access = tree.indexed("rules").filter_map(|(_, rule)| rule.get("access"));
    if is_github && access.any(mentions_groups) && !["read:org", "write:org", "admin:org"].into_iter().any(asks) {
        let message =
            "rules ask for groups, and GitHub names the teams of a user for the scope `read:org` alone: add it";
        findings.push(Finding::warning("no-groups", format!("{path}.scopes"), message, scopes.span.clone()));
    }
}

fn mentions_groups(access: &Node) -> bool {
    let is_there = |member: &Member| member.name == "groups" || mentions_groups(&member.value);
    access.members().iter().any(is_there) || access.elements().iter().any(mentions_groups)
}

/// A login waits for its provider.
fn lint_patience(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(node) = tree.find(&["limits", "waitFor"]).filter(|_| policy.limits().wait_for < LEAST_PATIENCE) else {
        return;
    };
    let message = "logins fail where their provider takes longer to answer than this: with `login`, allow 1s or more";
    findings.push(Finding::warning("no-time", "limits.waitFor", message, node.span.clone()));
}

fn lint_secret(login: &Node, path: &str, findings: &mut Vec<Finding>) {
    if let Some(secret) = login.find(&["client", "secret"]) {
        findings.extend(lint_written_secret(secret, &format!("{path}.client.secret")));
    }
}

/// A secret that is written out.
pub(super) fn lint_written_secret(node: &Node, path: &str) -> Option<Finding> {
    node.text()?;
    let message =
        "whoever reads this file reads the secret: write `{env: NAME}`, and give the plugin's VM that variable";
    Some(Finding::warning("secret-in-file", path, message, node.span.clone()))
}

fn lint_endpoints(login: &Node, path: &str, findings: &mut Vec<Finding>) {
    for member in login.get("endpoints").map(Node::members).unwrap_or_default() {
        if member.value.text().is_some_and(is_read_on_the_way) {
            let message = "this is plain http: anyone on the network path can read codes and tokens; use https";
            let path = format!("{path}.endpoints.{}", member.name);
            findings.push(Finding::warning("plain-http", path, message, member.value.span.clone()));
        }
    }
}

/// Only navigations are sent to log in, and only where a caller is needed.
fn lint_rule(node: &Node, path: &str, rule: &Rule, findings: &mut Vec<Finding>) {
    let written = [("login", node.get("login")), ("unauthenticated", node.get("unauthenticated"))];
    let Some((name, written)) = written.into_iter().find_map(|(name, node)| Some((name, node?))) else { return };
    let navigates = |method: &String| matches!(method.as_str(), "GET" | "HEAD");
    let methods = &rule.matcher.methods;
    let message = match rule.access {
        Access::Deny => "has no effect: no request passes here, whoever sent it",
        Access::Public => "has no effect: no request needs a caller here",
        _ if rule.unauthenticated == Unauthenticated::Login
            && !methods.is_empty()
            && !methods.iter().any(navigates) =>
        {
            "has no effect: a browser is sent to log in where it navigates, with GET or HEAD, and no such request matches"
        }
        _ => return,
    };
    findings.push(Finding::warning("in-vain", format!("{path}.{name}"), message, written.span.clone()));
}

/// Requests of other sites pass.
pub(super) fn lint_cross_site(tree: &Node, findings: &mut Vec<Finding>) {
    let Some(node) = tree.get("crossSite").filter(|node| node.text() == Some("allow")) else { return };
    let message = "any site can have the browser of a user send requests with the user's cookie: list the origins that \
                   may in `crossSite.origins`";
    findings.push(Finding::warning("cross-site-allowed", "crossSite", message, node.span.clone()));
}
