//! What operators can count and measure.

use crate::policy::Policy;
use crate::report::Reason;

/// A metric. Issuers by index.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Metric {
    /// Counter: requests that passed.
    Allowed,
    /// Counter: requests that would have been refused, were it not for audit mode.
    Audited(Reason),
    /// Histogram: what callouts took, in milliseconds.
    CalloutMilliseconds,
    /// Counter: requests that were refused.
    Denied(Reason),
    /// Gauge: how old the keys are, in seconds.
    KeysAge(usize),
    /// Counter: fetches of keys that failed.
    KeysFailed(usize),
    /// Counter: fetches of keys that succeeded.
    KeysFetched(usize),
    /// Gauge: keys that can be used.
    KeysUsable(usize),
    /// Counter: tokens that were known already.
    TokensCached,
    /// Counter: tokens whose signature was checked.
    TokensVerified,
}

impl Metric {
    /// What the proxy calls it.
    pub(crate) fn name(self, policy: &Policy) -> String {
        let issuer = |index: usize| policy.issuers.get(index).map_or("", |issuer| &issuer.name);
        let (name, of) = match self {
            Self::Allowed => ("requests_allowed", ""),
            Self::Audited(reason) => ("requests_audited_", reason.name()),
            Self::CalloutMilliseconds => ("callout_ms", ""),
            Self::Denied(reason) => ("requests_denied_", reason.name()),
            Self::KeysAge(index) => ("keys_age_seconds_", issuer(index)),
            Self::KeysFailed(index) => ("keys_failed_", issuer(index)),
            Self::KeysFetched(index) => ("keys_fetched_", issuer(index)),
            Self::KeysUsable(index) => ("keys_usable_", issuer(index)),
            Self::TokensCached => ("tokens_cached", ""),
            Self::TokensVerified => ("tokens_verified", ""),
        };
        ["jotgate_", name, of].concat()
    }
}
