//! The keys that signatures are checked with here, where no issuer is asked.

use std::cell::Cell;

use gate::explain::trace;
use gate::policy::KeySource;
use gate::{Policy, Request, Timestamp};
use jose::Algorithm;
use jose::jwk::{KeyMaterial, KeySet, Origin};
use jose::signature::{CheckedBy, SignatureVerifier, Software};

use crate::document::Node;
use crate::load::Loaded;
use crate::stand_ins::stand_ins;

/// Where the keys of an issuer come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Configuration,
    Given,
    Unknown,
}

impl Source {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Given => "given",
            Self::Unknown => "unknown",
        }
    }
}

/// Checks signatures, unless it is told to trust them or has no keys to check them with.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) trusts: bool,
    /// The keys of the token's issuer are not known.
    pub(super) is_in_the_dark: bool,
    /// Whether a decision depends on a signature that it could not check.
    pub(super) had_to_guess: Cell<bool>,
}

impl SignatureVerifier for Judge {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self.trusts, self.is_in_the_dark) {
            (true, _) => true,
            (false, true) => {
                self.had_to_guess.set(true);
                false
            }
            (false, false) => Software.verify(key, algorithm, message, signature),
        }
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

/// Gives every issuer keys, so that none are fetched: its own, those of the key set `given`, or one of each kind that
/// goes by the `kid` of the token and that nobody signs with.
pub(super) fn settle(loaded: &mut Loaded, given: Option<&str>, kid: Option<&str>) -> Result<Vec<Source>, String> {
    let nodes = loaded.tree.get("issuers").map(Node::elements).unwrap_or_default();
    let variable = |node: &Node| node.find(&["keys", "inline", "env"])?.text().map(String::from);
    let is_unknown = |node: &Node| variable(node).is_some_and(|name| loaded.unknown_variables.contains(&name));
    let unknown: Vec<_> = nodes.iter().map(is_unknown).collect();
    let max = loaded.policy.limits.keys;
    let mut sources = Vec::new();
    for (issuer, is_unknown) in loaded.policy.issuers.iter_mut().zip(unknown) {
        let origin = match issuer.keys {
            KeySource::Inline(_) if !is_unknown => {
                sources.push(Source::Configuration);
                continue;
            }
            KeySource::Inline(_) => Origin::Configuration,
            KeySource::Fetched(_) => Origin::Issuer,
        };
        let (set, source) = if let Some(text) = given {
            (KeySet::from_json(text.as_bytes(), max, origin).map_err(|error| error.to_string()), Source::Given)
        } else {
            let is_symmetric = |algorithm: &Algorithm| algorithm.is_symmetric();
            let may_have_secret = origin == Origin::Configuration && issuer.algorithms.iter().any(is_symmetric);
            (stand_ins(kid, may_have_secret), Source::Unknown)
        };
        issuer.keys = KeySource::Inline(set.map_err(|error| format!("the keys are no usable key set: {error}"))?);
        sources.push(source);
    }
    Ok(sources)
}

/// What the token in a request says of itself: its `kid`, and the place of its issuer.
pub(super) fn claimed(policy: &Policy, request: &Request<'_>, now: Timestamp) -> (Option<String>, Option<usize>) {
    let judge = Judge { trusts: false, is_in_the_dark: true, had_to_guess: Cell::new(false) };
    trace(policy, request, now, &judge).token.map_or((None, None), |token| (token.kid, token.issuer))
}
