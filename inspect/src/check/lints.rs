//! What the plugin takes, and what may not be meant.

mod deployment;
mod email;
mod grants;
mod issuers;
mod proxy;
mod rules;

use gate::Policy;

use crate::document::Node;
use crate::finding::Finding;
use crate::locate::Deployment;

/// The warnings: what each is called, and what it warns of.
pub const LINTS: [(&str, &str); 28] = [
    ("any-audience", "an issuer's tokens are taken whomever they are for"),
    ("any-issuer", "a rule asks for groups, scopes or claims that several issuers can give"),
    ("audit", "`mode: audit` for all: nothing is refused"),
    ("audit-bypass", "a rule of `mode: enforce` under `mode: audit` for all can be got around"),
    ("basic-challenge", "a rule has browsers ask for a password, and nobody reads it"),
    ("clock-skew", "expired tokens count for minutes"),
    ("escaped-pattern", "a pattern holds an escape that many servers decode"),
    ("fails-open", "requests pass when the plugin cannot run"),
    ("filter-before", "an HTTP filter before the gate acts on requests that nobody has checked"),
    ("filter-behind", "an HTTP filter behind the gate can change what was decided on"),
    ("forged-peer", "`trustedProxies` are compared with an address that clients can write"),
    ("forward-proxy", "keys come from whatever host a document names"),
    ("held-bodies", "a listener that holds much of the bodies of requests that wait"),
    ("in-vain", "something that the plugin passes over: an algorithm without a key, or a key that is none"),
    ("istio-cluster", "a cluster whose name is none that Istio gives"),
    ("no-expiration", "tokens without `exp` count for ever"),
    ("open-default", "requests that no rule matches pass without a token"),
    ("outside-grants", "`groupScopes` names what the issuer's `grants` drop"),
    ("plain-http", "keys or tokens come over plain http"),
    ("public-first", "a public rule takes what a later rule protects"),
    ("raw-claim", "a header or rule reads groups or scopes from a claim that `grants` do not bound"),
    ("raw-host", "routes see a host as the client wrote it, and rules name hosts"),
    ("raw-path", "routes see a path as the client wrote it"),
    ("shared-subject", "the upstream cannot tell the users of several issuers apart"),
    ("silent-email", "`$verifiedEmail` of an issuer that never says whether an address is verified"),
    ("trusted-by-all", "whoever sends a request can make up its address"),
    ("unknown-cluster", "a cluster that the proxy does not have"),
    ("unverified-email", "a test of `email` that does not ask whether it is verified"),
];

/// The warnings about a configuration.
pub(super) fn lint(tree: Option<&Node>, policy: Option<&Policy>, deployment: &Deployment<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    deployment::lint(tree, deployment, &mut findings);
    if let (Some(tree), Some(policy)) = (tree, policy) {
        proxy::lint(tree, policy, &deployment.chain, &mut findings);
        rules::lint(tree, policy, &mut findings);
        grants::lint(tree, policy, &mut findings);
        email::lint(tree, policy, &mut findings);
        issuers::lint(tree, policy, &mut findings);
    }
    findings
}
