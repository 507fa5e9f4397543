//! Likely mistakes in what the plugin accepts.

mod claim_names;
mod credentials;
mod deployment;
mod email;
mod grants;
mod introspection;
mod issuers;
mod login;
mod never;
mod proxy;
mod request_text;
mod rules;
mod sender;
mod session;
mod upstream;
mod upstream_sources;

use gate::Policy;

use crate::document::Node;
use crate::finding::Finding;
use crate::locate::Deployment;

/// The warnings: the name of each, and what it warns of.
pub const LINTS: [(&str, &str); 52] = [
    ("anonymous-upstream", "a rule names a credential for the upstream, and its requests may have no caller"),
    ("any-audience", "tokens of an issuer are accepted for any audience"),
    ("any-issuer", "a rule asks for groups, scopes or claims that several issuers can give"),
    ("audit", "`mode: audit` for all: nothing is denied"),
    ("basic-challenge", "a rule has browsers ask for a password that is never read"),
    ("clock-skew", "expired tokens are accepted for minutes"),
    ("cors-behind", "Envoy's `cors` is after the gate, so that browsers cannot read its answers"),
    ("cross-site-allowed", "pages of any site can have a browser send requests with its cookies"),
    ("dotted-name", "a dotted path to a claim looks like a name with dots in it"),
    ("email-as-text", "a test of `email_verified: true` that tokens of an issuer never meet, since it writes text"),
    ("escaped-pattern", "a pattern holds an escape that many servers decode"),
    ("fails-open", "requests pass when the plugin cannot run"),
    ("filter-before", "an HTTP filter before the gate acts on unverified requests"),
    ("filter-behind", "an HTTP filter after the gate can change what was decided on"),
    ("forged-peer", "`trustedProxies` are compared with an address that clients can write"),
    ("forward-proxy", "keys come from any host that a discovery document names"),
    ("held-bodies", "a listener that buffers much of the bodies of waiting requests"),
    (
        "in-vain",
        "something that has no effect: an algorithm without a key, an unusable or unused key, `forwardToken` where no token is verified, or a login or credential that no rule uses",
    ),
    ("istio-cluster", "a cluster name that Istio does not generate"),
    ("long-lived-token", "a token that the gate signs is good for more than 15 minutes"),
    ("never-accepts", "an issuer or a rule that can accept no token"),
    ("no-expiration", "tokens without `exp` never expire"),
    ("no-groups", "rules ask for groups that GitHub does not name, for want of a scope"),
    ("no-refresh-token", "a login that gets no refresh token, though sessions are to be refreshed"),
    ("no-time", "logins have less time to wait for their provider than it needs"),
    ("open-default", "requests that no rule matches pass without a token"),
    ("open-roles", "every user may choose each of the roles of a cluster"),
    ("outside-grants", "`groupScopes` names what the issuer's `grants` drop"),
    ("own-path", "a rule names a path that the gate answers itself"),
    ("padded-token", "tokens in a header that are padded, and so rejected"),
    ("plain-http", "keys or tokens are fetched over plain http"),
    ("proof-window", "a DPoP proof may be used minutes after it was made"),
    ("public-first", "a public rule matches what a later rule protects"),
    ("raw-claim", "a header, signed token or rule reads groups or scopes from a claim that `grants` do not bound"),
    ("raw-host", "routes match the host as the client wrote it, and rules name hosts"),
    ("raw-path", "routes match the path as the client wrote it"),
    ("request-text", "a claim is compared with a text that looks like a part of the request"),
    ("same-site-none", "browsers send sessions with requests from other sites"),
    ("secret-in-file", "a secret is written in the file"),
    ("shared-subject", "the upstream cannot distinguish the users of several issuers"),
    ("silent-email", "`$verifiedEmail` of an issuer that writes no `email_verified`"),
    ("slow-revocation", "revoked tokens are accepted for minutes"),
    ("spiffe-issuer", "an issuer that is named as SPIFFE's trust domains are"),
    ("stray-tokens", "tokens of others are sent to an introspection endpoint"),
    ("trusted-by-all", "clients can forge the address of a request"),
    ("unbindable", "tokens have to be bound to a sender where browsers or credentials cannot show that they are"),
    ("unkept-token", "a token is sent to the upstream, and sessions keep none"),
    ("unknown-cluster", "a cluster that the proxy does not have"),
    ("unseen-certificate", "tokens have to be bound to a certificate, and the listener asks clients for none"),
    ("unserved-url", "no virtual host of the listener is for `session.publicUrl`"),
    ("unverified-email", "a test of `email` that does not ask whether it is verified"),
    ("wide-cookie", "sessions are sent to every host of a domain"),
];

/// The warnings about a configuration.
pub(super) fn lint(tree: Option<&Node>, policy: Option<&Policy>, deployment: &Deployment<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    deployment::lint(tree, deployment, &mut findings);
    if let (Some(tree), Some(policy)) = (tree, policy) {
        proxy::lint(tree, policy, &deployment.chain, &mut findings);
        rules::lint(tree, policy, &mut findings);
        claim_names::lint(tree, &mut findings);
        request_text::lint(tree, &mut findings);
        grants::lint(tree, policy, &mut findings);
        credentials::lint(tree, policy, &mut findings);
        email::lint(tree, policy, &mut findings);
        issuers::lint(tree, policy, &mut findings);
        introspection::lint(tree, policy, &mut findings);
        never::lint(tree, policy, &mut findings);
        sender::lint(tree, policy, &deployment.chain, &mut findings);
        login::lint(tree, policy, &mut findings);
        login::lint_cross_site(tree, &mut findings);
        session::lint(tree, policy, &deployment.chain, &mut findings);
        upstream::lint(tree, policy, &mut findings);
        upstream_sources::lint(tree, policy, &mut findings);
    }
    findings
}
