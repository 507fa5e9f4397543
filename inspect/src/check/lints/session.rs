//! Sessions that more than their browser and the gate get to see, or that cannot be used as configured.

use gate::Policy;
use gate::http::{CanonicalPath, HttpUri};
use gate::identity::IdentityValue;
use gate::policy::{OwnPaths, SameSite, SessionSettings};
use gate::rules::{PathPattern, Rule};

use super::login::lint_written_secret;
use crate::document::Node;
use crate::finding::Finding;
use crate::locate::{Chain, either, says};

pub(super) fn lint(tree: &Node, policy: &Policy, chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    let (Some(node), Some(browser)) = (tree.get("session"), policy.browser()) else { return };
    let session = browser.session();
    for (index, secret) in node.get("secrets").map(Node::elements).unwrap_or_default().iter().enumerate() {
        findings.extend(lint_written_secret(secret, &format!("session.secrets[{index}]")));
    }
    lint_cookie(node, session, findings);
    lint_kept(tree, policy, session, findings);
    lint_own_paths(tree, policy, session, findings);
    if let (Some(manager), Some(url)) = (chain.manager, node.get("publicUrl")) {
        findings.extend(lint_public_url(url, session.public_url().uri(), manager));
    }
}

fn lint_cookie(node: &Node, session: &SessionSettings, findings: &mut Vec<Finding>) {
    let same_site = node.find(&["cookie", "sameSite"]).filter(|_| session.cookie().same_site() == SameSite::None);
    if let Some(node) = same_site {
        let message = "browsers send the session with requests from any site, and `crossSite` is all that stops those: \
                       only pages in frames of other sites need it";
        findings.push(Finding::warning("same-site-none", "session.cookie.sameSite", message, node.span.clone()));
    }
    if let Some(node) = node.find(&["cookie", "domain"]).filter(|node| node.text().is_some()) {
        let message = "every host of this domain gets the session, and can use it and put another in its place: without \
                       `domain` only the host of `publicUrl` does";
        findings.push(Finding::warning("wide-cookie", "session.cookie.domain", message, node.span.clone()));
    }
}

/// A session has no token where none is kept.
fn lint_kept(tree: &Node, policy: &Policy, session: &SessionSettings, findings: &mut Vec<Finding>) {
    if session.keep().is_any() {
        return;
    }
    let mut warn = |path: String, node: &Node| {
        let message = "a session has no token, so that nothing is sent to the upstream for it: name the token that it \
                       keeps in `session.keep`";
        findings.push(Finding::warning("unkept-token", path, message, node.span.clone()));
    };
    let forwards = |node: &&Node| says(node, "true");
    if let Some(node) = tree.get("forwardToken").filter(forwards) {
        warn(String::from("forwardToken"), node);
    }
    for (path, rule) in tree.indexed("rules") {
        if let Some(node) = rule.get("forwardToken").filter(forwards) {
            warn(format!("{path}.forwardToken"), node);
        }
    }
    let sends_token = |name: &str| {
        let mut headers = policy.identity_headers().iter();
        headers.any(|header| header.name.eq_ignore_ascii_case(name) && header.values.contains(&IdentityValue::Token))
    };
    for header in tree.get("identityHeaders").map(Node::members).unwrap_or_default() {
        if sends_token(&header.name) {
            warn(format!("identityHeaders.{}", header.name), &header.value);
        }
    }
}

/// Rules that name what the gate answers itself.
fn lint_own_paths(tree: &Node, policy: &Policy, session: &SessionSettings, findings: &mut Vec<Finding>) {
    let uri = session.public_url().uri();
    let is_there = |rule: &Rule| {
        let hosts = &rule.matcher.hosts;
        hosts.is_empty() || hosts.iter().any(|host| host.names(uri.authority.as_bytes()))
    };
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()).filter(|(_, rule)| is_there(rule)) {
        let written = node.find(&["match", "paths"]).map(Node::elements).unwrap_or_default();
        for (index, (pattern, written)) in rule.matcher.paths.iter().zip(written).enumerate() {
            let Some(own) = own_path_of(pattern, written.text().unwrap_or_default(), session.paths()) else { continue };
            let message = format!(
                "the gate answers `{own}` itself on `{}`, before any rule: `session.paths` has others for it",
                uri.authority
            );
            let path = format!("{path}.match.paths[{index}]");
            findings.push(Finding::warning("own-path", path, message, written.span.clone()));
        }
    }
}

/// The own path that a pattern is about: itself, or all that is beside it. Wider patterns are about others.
fn own_path_of<'p>(pattern: &PathPattern, text: &str, paths: &'p OwnPaths) -> Option<&'p str> {
    let is_about = |own: &str| match text.strip_suffix("/**") {
        Some(above) => own.rsplit_once('/').is_some_and(|(parent, _)| !parent.is_empty() && parent == above),
        None => !text.contains(['*', '{']),
    };
    let takes = |own: &str| CanonicalPath::strict(own.as_bytes()).is_ok_and(|path| pattern.matches(&path));
    paths.all().into_iter().map(|(_, own)| own).find(|own| is_about(own) && takes(own))
}

/// Whether some virtual host takes the host of the public URL, as far as the routes are in the file.
fn lint_public_url(node: &Node, uri: &HttpUri, manager: &Node) -> Option<Finding> {
    let routes = either(manager, "route_config", "routeConfig")?;
    let hosts = either(routes, "virtual_hosts", "virtualHosts")?;
    let is_on = |node: Option<&Node>| node.is_some_and(|node| says(node, "true"));
    let ignores_port = is_on(either(routes, "ignore_port_in_host_matching", "ignorePortInHostMatching"))
        || is_on(either(manager, "strip_any_host_port", "stripAnyHostPort"));
    let host = if ignores_port { uri.host() } else { &uri.authority };
    let domains = hosts.elements().iter().filter_map(|host| host.get("domains")).flat_map(Node::elements);
    let domains: Vec<_> = domains.filter_map(Node::text).collect();
    if domains.iter().any(|domain| takes_host(domain, host)) {
        return None;
    }
    let known: Vec<_> = domains.iter().map(|domain| format!("`{domain}`")).collect();
    let message = format!(
        "no virtual host of this listener has the host `{host}`, so that browsers that logged in find nothing there: it \
         has {}",
        if known.is_empty() { String::from("none") } else { known.join(", ") }
    );
    Some(Finding::warning("unserved-url", "session.publicUrl", message, node.span.clone()))
}

/// A domain of a virtual host: a host, with a `*` at one of its ends at most.
fn takes_host(domain: &str, host: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
        (Some(end), _) => host.ends_with(end) && host.len() > end.len(),
        (None, Some(start)) => host.starts_with(start) && host.len() > start.len(),
        (None, None) => domain == host,
    }
}
