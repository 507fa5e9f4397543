//! What is asked of an issuer, and what its answer is worth.

use std::fmt;

use jose::jwk::{KeySet, KeySetError, Origin};

use super::discovery::{self, DiscoveryError, Target};
use crate::callout::{Callout, CalloutFailure, CalloutHeader, CalloutId, USER_AGENT};
use crate::http::Response;
use crate::policy::{Discovery, FetchSettings, Limits};

/// Why a fetch brought no keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FetchFailure {
    /// The discovery document leads to no key set.
    Discovery(DiscoveryError),
    /// The body is no usable key set.
    Keys(KeySetError),
    /// No answer came in time.
    NoAnswer,
    /// The host did not send the request.
    NotSent {
        /// The host's status code.
        status: u32,
    },
    /// The answer was not 200.
    Status(String),
    /// The body is longer than is accepted.
    TooLong {
        /// What is accepted, in bytes.
        max: usize,
    },
}

impl From<CalloutFailure> for FetchFailure {
    fn from(failure: CalloutFailure) -> Self {
        match failure {
            CalloutFailure::NoAnswer => Self::NoAnswer,
            CalloutFailure::NotSent { status } => Self::NotSent { status },
        }
    }
}

/// The request for a document of an issuer.
pub(crate) fn callout(id: CalloutId, target: &Target, settings: &FetchSettings, limits: &Limits) -> Callout {
    Callout {
        id,
        cluster: target.cluster.clone(),
        method: "GET",
        scheme: target.uri.scheme(),
        authority: target.uri.authority.clone(),
        path: target.uri.path.clone(),
        headers: headers(target, settings),
        body: Vec::new(),
        timeout: settings.timeout,
        max_body_bytes: limits.key_set_bytes.saturating_add(1),
    }
}

/// What is configured goes to the configured cluster: another host may have nothing to do with the issuer.
fn headers(target: &Target, settings: &FetchSettings) -> Vec<CalloutHeader> {
    let configured = settings.headers.iter().filter(|_| target.cluster == settings.cluster);
    let configured = configured.map(|header| CalloutHeader::new(&header.name, &header.value));
    let mut headers: Vec<_> = configured.collect();
    for (name, value) in [("user-agent", USER_AGENT), ("accept", "application/jwk-set+json, application/json")] {
        if !headers.iter().any(|header| header.name == name) {
            headers.insert(0, CalloutHeader::new(name, value));
        }
    }
    headers
}

/// The keys in an answer.
pub(crate) fn read_keys(response: &Response<'_>, origin: Origin, limits: &Limits) -> Result<KeySet, FetchFailure> {
    let body = read_body(response, limits)?;
    KeySet::from_json(body, limits.keys, origin).map_err(FetchFailure::Keys)
}

/// The location of the key set that an answer names.
pub(crate) fn read_discovery(
    response: &Response<'_>,
    discovery: &Discovery,
    cluster: &str,
    limits: &Limits,
) -> Result<Target, FetchFailure> {
    let body = read_body(response, limits)?;
    discovery::read(body, discovery, cluster).map_err(FetchFailure::Discovery)
}

/// Hosts answer for issuers that cannot be reached, too: the status comes first.
fn read_body<'r>(response: &Response<'r>, limits: &Limits) -> Result<&'r [u8], FetchFailure> {
    if response.status() != b"200" {
        let status = String::from_utf8_lossy(response.status()).chars().filter(char::is_ascii_digit).take(3).collect();
        return Err(FetchFailure::Status(status));
    }
    match response.body().len() > limits.key_set_bytes {
        true => Err(FetchFailure::TooLong { max: limits.key_set_bytes }),
        false => Ok(response.body()),
    }
}

impl FetchFailure {
    /// The kind of failure, whatever its details: another of the same kind is no news.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Discovery(_) => 1,
            Self::Keys(_) => 2,
            Self::NoAnswer => 3,
            Self::NotSent { .. } => 4,
            Self::Status(_) => 5,
            Self::TooLong { .. } => 6,
        }
    }
}

impl std::error::Error for FetchFailure {}

impl fmt::Display for FetchFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery(error) => write!(formatter, "the document is unusable: {error}"),
            Self::Keys(error) => write!(formatter, "the answer is no usable key set: {error}"),
            Self::NoAnswer => formatter.write_str("no answer came in time"),
            Self::NotSent { status } => {
                write!(
                    formatter,
                    "the proxy did not send the request (status {status}): is there a cluster of that name?"
                )
            }
            Self::Status(status) if status.is_empty() => formatter.write_str("the answer has no status"),
            Self::Status(status) => write!(formatter, "expected status 200, found {status}"),
            Self::TooLong { max } => write!(formatter, "the answer is longer than `limits.keySetBytes` ({max} bytes)"),
        }
    }
}
