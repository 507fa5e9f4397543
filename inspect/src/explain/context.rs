//! What the steps of an explanation are made of.

use gate::explain::Trace;
use gate::rules::Access;
use gate::{Policy, Request};

use super::keys::KeyProvenance;
use super::question::Question;
use crate::configuration::Loaded;
use crate::engine::Decided;

/// All that steps are put into words by.
pub(super) struct Context<'c> {
    pub(super) loaded: &'c Loaded,
    pub(super) policy: &'c Policy,
    pub(super) trace: &'c Trace,
    pub(super) request: &'c Request<'c>,
    /// Where the keys of the token's issuer come from.
    pub(super) provenance: Option<KeyProvenance>,
    /// A signature that counts cannot be checked.
    pub(super) is_undecided: bool,
    /// In that case: what is decided if it is good.
    pub(super) if_signed: Option<&'c Decided>,
    pub(super) question: &'c Question,
}

impl Context<'_> {
    pub(super) fn rule_name(&self, rule: usize) -> String {
        self.policy.rules().get(rule).map(|rule| rule.name.to_string()).unwrap_or_default()
    }

    /// The rule, or the default.
    pub(super) fn decides(&self, rule: Option<usize>) -> String {
        match rule.and_then(|rule| self.policy.rules().get(rule)) {
            Some(rule) => format!("the rule `{}`", rule.name),
            None => String::from("the default"),
        }
    }

    pub(super) fn issuer_name(&self, issuer: usize) -> Option<String> {
        self.policy.issuers().get(issuer).map(|issuer| issuer.name().to_string())
    }

    pub(super) fn asked(&self, rule: Option<usize>) -> &Access {
        rule.and_then(|rule| self.policy.rules().get(rule)).map_or(self.policy.default_access(), |rule| &rule.access)
    }
}
