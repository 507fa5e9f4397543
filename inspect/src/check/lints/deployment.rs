//! What does not fit where the plugin runs.

use super::login::logins_of;
use crate::document::Node;
use crate::finding::Finding;
use crate::locate::Deployment;

pub(super) fn lint(tree: Option<&Node>, deployment: &Deployment<'_>, findings: &mut Vec<Finding>) {
    if let Some(node) = deployment.fails_open {
        let message = "every request passes unchecked when the plugin cannot run: let it be reloaded, or fail closed";
        findings.push(Finding::warning("fails-open", "", message, node.span.clone()));
    }
    for (path, issuer) in tree.into_iter().flat_map(|tree| tree.indexed("issuers")) {
        for name in ["cluster", "jwksCluster"] {
            if let Some(node) = issuer.find(&["keys", name]) {
                findings.extend(lint_cluster(node, &format!("{path}.keys.{name}"), deployment));
            }
        }
    }
    for (path, entry) in tree.into_iter().flat_map(|tree| tree.indexed("introspection")) {
        if let Some(node) = entry.get("cluster") {
            findings.extend(lint_cluster(node, &format!("{path}.cluster"), deployment));
        }
    }
    for (path, login) in tree.into_iter().flat_map(logins_of) {
        for names in [&["cluster"][..], &["clusters", "api"]] {
            if let Some(node) = login.find(names) {
                findings.extend(lint_cluster(node, &format!("{path}.{}", names.join(".")), deployment));
            }
        }
    }
}

fn lint_cluster(node: &Node, path: &str, deployment: &Deployment<'_>) -> Option<Finding> {
    let name = node.text()?;
    if deployment.forward_proxies.contains(name) {
        let message = format!(
            "`{name}` is a dynamic forward proxy, which goes to any host that it is asked for, so that a discovery \
             document decides where callouts go: name a cluster with endpoints of its own"
        );
        return Some(Finding::warning("forward-proxy", path, message, node.span.clone()));
    }
    match &deployment.clusters {
        Some(clusters) if !clusters.contains(name) => {
            let known: Vec<_> = clusters.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "this proxy has no cluster `{name}`, so that callouts to it fail: it has {}",
                if known.is_empty() { String::from("none") } else { known.join(", ") }
            );
            Some(Finding::warning("unknown-cluster", path, message, node.span.clone()))
        }
        None if deployment.is_istio && name.split('|').count() != 4 => {
            let message = format!(
                "Istio names clusters `outbound|PORT||HOST`, not `{name}`: for an issuer outside the mesh, \
                 `outbound|443||idp.example.com` and a ServiceEntry for that host"
            );
            Some(Finding::warning("istio-cluster", path, message, node.span.clone()))
        }
        _ => None,
    }
}
