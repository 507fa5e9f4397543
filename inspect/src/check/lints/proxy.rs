//! What a proxy does around the gate, as far as the file shows it.

use gate::Policy;
use gate::policy::CertificateSource;

use crate::document::Node;
use crate::finding::Finding;
use crate::locate::{Chain, Filter, either, says};

/// Filters that answer requests, hand them to others or run code on them.
const ACTORS: [&str; 14] = [
    "api_key_auth",
    "basic_auth",
    "cache",
    "composite",
    "dynamic_modules",
    "ext_authz",
    "ext_proc",
    "golang",
    "grpc_json_transcoder",
    "jwt_authn",
    "lua",
    "oauth2",
    "rbac",
    "wasm",
];

/// Filters that can change what was decided on.
const EDITORS: [&str; 11] = [
    "composite",
    "credential_injector",
    "dynamic_modules",
    "ext_authz",
    "ext_proc",
    "golang",
    "grpc_http1_reverse_bridge",
    "grpc_json_transcoder",
    "header_mutation",
    "lua",
    "wasm",
];

pub(super) fn lint(tree: &Node, policy: &Policy, chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    if let Some(manager) = chain.manager {
        lint_path(manager, findings);
        lint_host(tree, policy, manager, findings);
        lint_peer(policy, manager, findings);
    }
    lint_bodies(chain, findings);
    findings.extend(chain.before.iter().filter_map(lint_before));
    findings.extend(chain.after.iter().filter_map(lint_after));
    findings.extend(chain.after.iter().filter(|filter| filter.kind == "cors").map(lint_cors));
}

fn is_on(manager: &Node, snake: &str, camel: &str) -> bool {
    either(manager, snake, camel).is_some_and(|node| says(node, "true"))
}

fn lint_path(manager: &Node, findings: &mut Vec<Finding>) {
    if !is_on(manager, "normalize_path", "normalizePath") {
        let message = "Envoy matches routes with the path as the client wrote it, and the gate decides on its canonical form: write \
                       `normalize_path: true`";
        let node = either(manager, "normalize_path", "normalizePath").unwrap_or(manager);
        findings.push(Finding::warning("raw-path", "", message, node.span.clone()));
    }
}

fn lint_host(tree: &Node, policy: &Policy, manager: &Node, findings: &mut Vec<Finding>) {
    if !policy.dimensions().looks_at_hosts() {
        return;
    }
    let strips_port = is_on(manager, "strip_any_host_port", "stripAnyHostPort")
        || is_on(manager, "strip_matching_host_port", "stripMatchingHostPort");
    let strips_dot = is_on(manager, "strip_trailing_host_dot", "stripTrailingHostDot");
    let (what, settings) = match (strips_port || names_port(tree), strips_dot) {
        (true, true) => return,
        (true, false) => ("a trailing dot is", "`strip_trailing_host_dot: true`"),
        (false, true) => ("a port that no rule names is", "`strip_any_host_port: true`"),
        (false, false) => (
            "a trailing dot and a port that no rule names are",
            "`strip_any_host_port: true` and `strip_trailing_host_dot: true`",
        ),
    };
    let message = format!(
        "rules name hosts, and Envoy matches its routes with the host as the client wrote it: {what} rejected with 400 \
         by the gate; to have Envoy remove that before routes and rules see it, write {settings}"
    );
    findings.push(Finding::warning("raw-host", "", message, manager.span.clone()));
}

/// `trustedProxies` are compared with the address that Envoy reports.
fn lint_peer(policy: &Policy, manager: &Node, findings: &mut Vec<Finding>) {
    let hops = either(manager, "xff_num_trusted_hops", "xffNumTrustedHops").filter(|hops| !says(hops, "0"));
    let is_peer = is_on(manager, "use_remote_address", "useRemoteAddress") && hops.is_none();
    let names_certificates = matches!(policy.sender_constraint().mtls(), CertificateSource::Header { .. });
    if is_peer || (policy.trusted_proxies().is_empty() && !names_certificates) {
        return;
    }
    let message = "`trustedProxies` are compared with an address that Envoy takes from `X-Forwarded-For`, which clients can \
                   write: set `use_remote_address: true` and no `xff_num_trusted_hops`";
    findings.push(Finding::warning("forged-peer", "", message, hops.unwrap_or(manager).span.clone()));
}

/// Whether a rule is for a port, which Envoy must then leave where it is.
fn names_port(tree: &Node) -> bool {
    tree.indexed("rules").any(|(_, rule)| {
        let hosts = rule.find(&["match", "hosts"]).map(Node::elements).unwrap_or_default();
        hosts.iter().filter_map(Node::text).any(|host| host.rsplit(']').next().is_some_and(|end| end.contains(':')))
    })
}

fn lint_bodies(chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    let Some(listener) = chain.listener else { return };
    if either(listener, "per_connection_buffer_limit_bytes", "perConnectionBufferLimitBytes").is_none() {
        let message = "Envoy buffers 1 MiB and more of the body of each request that waits for keys: write \
                       `per_connection_buffer_limit_bytes: 32768`";
        findings.push(Finding::warning("held-bodies", "", message, listener.span.clone()));
    }
}

fn lint_before(filter: &Filter<'_>) -> Option<Finding> {
    let kind = ACTORS.iter().find(|kind| **kind == filter.kind)?;
    let message = format!(
        "`{kind}` runs before the gate and gets unverified requests, with identity headers as the client wrote them: put \
         it after the gate, unless that is intended"
    );
    Some(Finding::warning("filter-before", "", message, filter.node.span.clone()))
}

/// Envoy's filter adds its headers to the answers of the filters after it, and of the upstream.
fn lint_cors(filter: &Filter<'_>) -> Finding {
    let message = "`cors` is after the gate, so that the gate's answers have no `Access-Control-Allow-Origin`, and scripts \
                   in browsers cannot read a 401: put it before the gate";
    Finding::warning("cors-behind", "", message, filter.node.span.clone())
}

fn lint_after(filter: &Filter<'_>) -> Option<Finding> {
    let kind = EDITORS.iter().find(|kind| **kind == filter.kind)?;
    let message = format!(
        "`{kind}` runs after the gate and can change the method, host, path or headers that were decided on: have it leave \
         these as they are, or put it before the gate"
    );
    Some(Finding::warning("filter-behind", "", message, filter.node.span.clone()))
}
