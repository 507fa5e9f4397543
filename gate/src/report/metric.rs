//! What operators can count and measure.

use crate::policy::{CredentialSource, Issuer, Policy, UpstreamCredential};
use crate::report::{LoginFailure, Reason, SessionEnd};

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
    /// Histogram: what answers of introspection endpoints took, in milliseconds.
    IntrospectionMilliseconds,
    /// Counter: lookups of tokens that their issuer answered, whatever it said of them.
    IntrospectionsAnswered(usize),
    /// Counter: lookups of tokens without a proper answer.
    IntrospectionsFailed(usize),
    /// Gauge: how old the keys are, in seconds.
    KeysAge(usize),
    /// Counter: fetches of keys that failed.
    KeysFailed(usize),
    /// Counter: fetches of keys that succeeded.
    KeysFetched(usize),
    /// Gauge: keys that can be used.
    KeysUsable(usize),
    /// Counter: logins that failed.
    LoginsFailed(LoginFailure),
    /// Counter: browsers that were sent to a provider.
    LoginsStarted,
    /// Counter: logins that made a session.
    LoginsSucceeded,
    /// Counter: sessions that ended, as far as the gate saw it.
    SessionsEnded(SessionEnd),
    /// Counter: refreshes of sessions that failed.
    SessionsRefreshFailed,
    /// Counter: sessions whose claims were fetched again.
    SessionsRefreshed,
    /// Histogram: what answers of token endpoints took, in milliseconds.
    TokenEndpointMilliseconds,
    /// Counter: tokens that were known already.
    TokensCached,
    /// Counter: tokens whose signature was checked.
    TokensVerified,
    /// Counter: credentials for the upstream that were there already, by index.
    UpstreamCached(usize),
    /// Counter: credentials for the upstream that could not be had.
    UpstreamFailed(usize),
    /// Counter: credentials for the upstream that were made.
    UpstreamMinted(usize),
}

/// How a proxy keeps a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It is set.
    Gauge,
    /// Values are added to it.
    Histogram,
}

impl Metric {
    /// The counters and histograms of `policy`: they are there from the start, so that no first event goes unseen.
    /// Gauges have no value before there is something to measure.
    pub(crate) fn defined_at_start(policy: &Policy) -> Vec<Self> {
        let mut metrics = vec![Self::Allowed, Self::TokensCached, Self::TokensVerified];
        metrics.extend(Reason::ALL.map(Self::Denied));
        if policy.may_audit() {
            metrics.extend(Reason::ALL.map(Self::Audited));
        }
        for (index, issuer) in policy.issuers.iter().enumerate() {
            if issuer.is_fetched() {
                metrics.extend([Self::KeysFailed(index), Self::KeysFetched(index)]);
            }
            if issuer.is_introspected() {
                metrics.extend([Self::IntrospectionsAnswered(index), Self::IntrospectionsFailed(index)]);
            }
        }
        if policy.issuers.iter().any(Issuer::is_fetched) {
            metrics.push(Self::CalloutMilliseconds);
        }
        for index in 0..policy.upstream.credentials.len() {
            metrics.extend([Self::UpstreamCached(index), Self::UpstreamFailed(index), Self::UpstreamMinted(index)]);
        }
        if policy.issuers.iter().any(Issuer::is_introspected) {
            metrics.push(Self::IntrospectionMilliseconds);
        }
        if policy.browser.is_some() {
            metrics.extend([Self::LoginsStarted, Self::LoginsSucceeded]);
            metrics.extend(LoginFailure::ALL.map(Self::LoginsFailed));
            metrics.extend([Self::SessionsRefreshed, Self::SessionsRefreshFailed]);
            metrics.extend(SessionEnd::ALL.map(Self::SessionsEnded));
        }
        let is_exchanged = |found: &UpstreamCredential| matches!(found.source(), CredentialSource::Exchange(_));
        if policy.browser.is_some() || policy.upstream.credentials.iter().any(is_exchanged) {
            metrics.push(Self::TokenEndpointMilliseconds);
        }
        metrics
    }

    /// The gauges of `policy`, for hosts that must know of all metrics at the start.
    pub(crate) fn gauges(policy: &Policy) -> Vec<Self> {
        let issuers = policy.issuers.iter().enumerate().filter(|(_, issuer)| issuer.is_fetched());
        issuers.flat_map(|(index, _)| [Self::KeysAge(index), Self::KeysUsable(index)]).collect()
    }

    /// How a proxy keeps it.
    pub fn kind(self) -> MetricKind {
        match self {
            Self::CalloutMilliseconds | Self::IntrospectionMilliseconds | Self::TokenEndpointMilliseconds => {
                MetricKind::Histogram
            }
            Self::KeysAge(_) | Self::KeysUsable(_) => MetricKind::Gauge,
            Self::Allowed
            | Self::Audited(_)
            | Self::Denied(_)
            | Self::IntrospectionsAnswered(_)
            | Self::IntrospectionsFailed(_)
            | Self::KeysFailed(_)
            | Self::KeysFetched(_)
            | Self::LoginsFailed(_)
            | Self::LoginsStarted
            | Self::LoginsSucceeded
            | Self::SessionsEnded(_)
            | Self::SessionsRefreshFailed
            | Self::SessionsRefreshed
            | Self::TokensCached
            | Self::TokensVerified
            | Self::UpstreamCached(_)
            | Self::UpstreamFailed(_)
            | Self::UpstreamMinted(_) => MetricKind::Counter,
        }
    }

    /// What the proxy calls it.
    pub(crate) fn name(self, policy: &Policy) -> String {
        let issuer = |index: usize| policy.issuers.get(index).map_or("", |issuer| &issuer.name);
        let credential = |index: usize| policy.upstream.credentials.get(index).map_or("", |found| &found.name);
        let (name, of) = match self {
            Self::Allowed => ("requests_allowed", ""),
            Self::Audited(reason) => ("requests_audited_", reason.name()),
            Self::CalloutMilliseconds => ("callout_ms", ""),
            Self::Denied(reason) => ("requests_denied_", reason.name()),
            Self::IntrospectionMilliseconds => ("introspection_ms", ""),
            Self::IntrospectionsAnswered(index) => ("introspections_answered_", issuer(index)),
            Self::IntrospectionsFailed(index) => ("introspections_failed_", issuer(index)),
            Self::KeysAge(index) => ("keys_age_seconds_", issuer(index)),
            Self::KeysFailed(index) => ("keys_failed_", issuer(index)),
            Self::KeysFetched(index) => ("keys_fetched_", issuer(index)),
            Self::KeysUsable(index) => ("keys_usable_", issuer(index)),
            Self::LoginsFailed(cause) => ("logins_failed_", cause.name()),
            Self::LoginsStarted => ("logins_started", ""),
            Self::LoginsSucceeded => ("logins_succeeded", ""),
            Self::SessionsEnded(cause) => ("sessions_ended_", cause.name()),
            Self::SessionsRefreshFailed => ("sessions_refresh_failed", ""),
            Self::SessionsRefreshed => ("sessions_refreshed", ""),
            Self::TokenEndpointMilliseconds => ("token_endpoint_ms", ""),
            Self::TokensCached => ("tokens_cached", ""),
            Self::TokensVerified => ("tokens_verified", ""),
            Self::UpstreamCached(index) => ("upstream_cached_", credential(index)),
            Self::UpstreamFailed(index) => ("upstream_failed_", credential(index)),
            Self::UpstreamMinted(index) => ("upstream_minted_", credential(index)),
        };
        ["jotgate_", name, of].concat()
    }
}
