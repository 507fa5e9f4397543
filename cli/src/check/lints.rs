//! What the plugin takes, and what may not be meant.

mod email;
mod grants;
mod issuers;
mod rules;
mod surroundings;

use gate::Policy;

use crate::document::Node;
use crate::find::Surroundings;
use crate::finding::Finding;

/// The warnings: what each is called, and what it warns of.
pub const LINTS: [(&str, &str); 18] = [
    ("any-audience", "an issuer's tokens are taken whomever they are for"),
    ("any-issuer", "a rule asks for groups, scopes or claims that several issuers can give"),
    ("audit", "`mode: audit` for all: nothing is refused"),
    ("audit-bypass", "a rule of `mode: enforce` under `mode: audit` for all can be got around"),
    ("basic-challenge", "a rule has browsers ask for a password, and nobody reads it"),
    ("fails-open", "requests pass when the plugin cannot run"),
    ("in-vain", "something that the plugin passes over: an algorithm without a key, or a key that is none"),
    ("istio-cluster", "a cluster whose name is none that Istio gives"),
    ("no-expiration", "tokens without `exp` count for ever"),
    ("open-default", "requests that no rule matches pass without a token"),
    ("outside-grants", "`groupScopes` names what the issuer's `grants` drop"),
    ("plain-http", "keys or tokens come over plain http"),
    ("public-first", "a public rule takes what a later rule protects"),
    ("raw-claim", "a header or rule reads groups or scopes from a claim that `grants` do not bound"),
    ("shared-subject", "the upstream cannot tell the users of several issuers apart"),
    ("silent-email", "`$verifiedEmail` of an issuer that never says whether an address is verified"),
    ("unknown-cluster", "a cluster that the proxy does not have"),
    ("unverified-email", "a test of `email` that does not ask whether it is verified"),
];

/// The warnings about a configuration.
pub(super) fn lint(tree: Option<&Node>, policy: Option<Policy>, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    surroundings::lint(tree, surroundings, &mut findings);
    if let (Some(tree), Some(policy)) = (tree, policy) {
        rules::lint(tree, &policy, &mut findings);
        grants::lint(tree, &policy, &mut findings);
        email::lint(tree, &policy, &mut findings);
        issuers::lint(tree, policy, &mut findings);
    }
    findings
}

/// The elements of a list in the configuration, each with its path.
fn listed<'n>(tree: &'n Node, name: &'static str) -> impl Iterator<Item = (String, &'n Node)> {
    let elements = tree.get(name).map(Node::elements).unwrap_or_default();
    elements.iter().enumerate().map(move |(index, element)| (format!("{name}[{index}]"), element))
}
