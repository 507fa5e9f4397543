//! The keys that signatures are checked with here, where none are fetched.

use std::cell::Cell;

use gate::explain::trace;
use gate::{Policy, Request, Timestamp};
use jose::Algorithm;
use jose::jwk::{KeySet, Origin};

use super::verifier::Verifier;
use crate::configuration::Loaded;
use crate::document::Node;
use crate::stand_in_keys::stand_in_keys;
use gate::policy::{Issuer, KeySource};

/// Where the keys of an issuer come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyProvenance {
    Configuration,
    Given,
    Unknown,
}

impl KeyProvenance {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Given => "given",
            Self::Unknown => "unknown",
        }
    }
}

/// Gives every issuer keys, so that none are fetched: its own, those of the key set `given`, or one of each kind with
/// the `kid` of the token. Also returns where the keys of each issuer come from.
pub(super) fn settle(
    mut loaded: Loaded,
    given: Option<&str>,
    kid: Option<&str>,
) -> Result<(Loaded, Vec<KeyProvenance>), String> {
    let nodes = loaded.tree.get("issuers").map(Node::elements).unwrap_or_default();
    let variable = |node: &Node| node.find(&["keys", "inline", "env"])?.text().map(String::from);
    let is_unknown = |node: &Node| variable(node).is_some_and(|name| loaded.unknown_variables.contains(&name));
    let unknown: Vec<_> = nodes.iter().map(is_unknown).collect();
    let max = loaded.policy.limits().keys;
    let mut provenance = Vec::new();
    let replace = |index: usize, issuer: &Issuer| {
        let origin = match issuer.keys() {
            // It is never replaced.
            KeySource::Introspected(_) => return Ok(None),
            KeySource::Inline(_) | KeySource::None if unknown.get(index) != Some(&true) => {
                provenance.push(KeyProvenance::Configuration);
                return Ok(None);
            }
            KeySource::Inline(_) if issuer.trust_domain().is_some() => Origin::TrustDomain,
            KeySource::Inline(_) | KeySource::None => Origin::Configuration,
            KeySource::Fetched(settings) => settings.origin,
        };
        let (set, from) = if let Some(text) = given {
            let set = KeySet::from_json(text.as_bytes(), max, origin);
            (set.map_err(|error| error.to_string()), KeyProvenance::Given)
        } else {
            let is_symmetric = |algorithm: &Algorithm| algorithm.is_symmetric();
            let may_have_secret = origin == Origin::Configuration && issuer.algorithms().iter().any(is_symmetric);
            (stand_in_keys(kid, may_have_secret), KeyProvenance::Unknown)
        };
        provenance.push(from);
        set.map(Some).map_err(|error| format!("the keys are no usable key set: {error}"))
    };
    loaded.policy = loaded.policy.with_keys(replace)?;
    Ok((loaded, provenance))
}

/// What the token in a request claims: its `kid`, and the index of its issuer.
pub(super) fn claimed(policy: &Policy, request: &Request<'_>, now: Timestamp) -> (Option<String>, Option<usize>) {
    let verifier = Verifier { trusts: false, keys_unknown: true, assumed_signature: Cell::new(false) };
    trace(policy, request, now, &verifier, None).token.map_or((None, None), |token| (token.kid, token.issuer))
}
