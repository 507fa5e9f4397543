//! Callouts: what is asked, and what an answer is worth.

use std::fmt;
use std::time::Duration;

use jose::jwk::{KeySet, KeySetError, Origin};

use super::discovery::{self, DiscoveryError, Target};
use crate::config::{Discovery, Limits};

/// Names a callout, so that its answer finds back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FetchId(pub(crate) u64);

/// A request for a document of an issuer that the host should make: `GET`, no body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fetch {
    /// Names the callout in [`crate::Gate::handle_fetch`].
    pub id: FetchId,
    /// The proxy's name for the upstream.
    pub cluster: String,
    /// `:scheme`: `http` or `https`. The cluster does the TLS.
    pub scheme: &'static str,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// How long it may take.
    pub timeout: Duration,
    /// How much of the body is of use: a longer one is refused, so one byte more need not be read.
    pub max_body_bytes: usize,
}

/// An answer, as far as the host read it. Headers that it lacks are empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchResponse<'r> {
    /// The value of `:status`.
    pub status: &'r [u8],
    /// The body, or more of it than [`Fetch::max_body_bytes`].
    pub body: &'r [u8],
    /// The value of `Cache-Control`.
    pub cache_control: &'r [u8],
    /// The value of `Date`.
    pub date: &'r [u8],
    /// The value of `Expires`.
    pub expires: &'r [u8],
}

/// Why a fetch brought no keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchFailure {
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

impl Fetch {
    pub(crate) fn new(id: FetchId, target: &Target, timeout: Duration, limits: &Limits) -> Self {
        Self {
            id,
            cluster: target.cluster.clone(),
            scheme: target.uri.scheme(),
            authority: target.uri.authority.clone(),
            path: target.uri.path.clone(),
            timeout,
            max_body_bytes: limits.key_set_bytes.saturating_add(1),
        }
    }
}

/// The keys in an answer.
pub(crate) fn read_keys(response: &FetchResponse<'_>, limits: &Limits) -> Result<KeySet, FetchFailure> {
    let body = read_body(response, limits)?;
    KeySet::from_json(body, limits.keys, Origin::Issuer).map_err(FetchFailure::Keys)
}

/// The place of the key set that an answer names.
pub(crate) fn read_discovery(
    response: &FetchResponse<'_>,
    discovery: &Discovery,
    cluster: &str,
    limits: &Limits,
) -> Result<Target, FetchFailure> {
    let body = read_body(response, limits)?;
    discovery::read(body, discovery, cluster).map_err(FetchFailure::Discovery)
}

/// Hosts answer for issuers that cannot be reached, too: the status comes first.
fn read_body<'r>(response: &FetchResponse<'r>, limits: &Limits) -> Result<&'r [u8], FetchFailure> {
    if response.status != b"200" {
        let status = String::from_utf8_lossy(response.status).chars().filter(char::is_ascii_digit).take(3).collect();
        return Err(FetchFailure::Status(status));
    }
    match response.body.len() > limits.key_set_bytes {
        true => Err(FetchFailure::TooLong { max: limits.key_set_bytes }),
        false => Ok(response.body),
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
            Self::Discovery(error) => write!(formatter, "the document is of no use: {error}"),
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
