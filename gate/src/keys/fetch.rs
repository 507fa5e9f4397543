//! A fetch of a key set: what is asked, and what an answer is worth.

use std::fmt;
use std::time::Duration;

use jose::jwk::{KeySet, KeySetError, Origin};

use crate::config::{FetchSettings, Limits};

/// Names a fetch, so that its answer finds back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FetchId(pub(crate) u64);

/// A request for a key set that the host should make: `GET`, no body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fetch {
    /// Names the fetch in [`crate::Gate::handle_fetch`].
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

/// An answer, as far as the host read it.
#[derive(Clone, Copy, Debug)]
pub struct FetchResponse<'r> {
    /// The value of `:status`.
    pub status: &'r [u8],
    /// The body, or more of it than [`Fetch::max_body_bytes`].
    pub body: &'r [u8],
}

/// Why a fetch brought no keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchFailure {
    /// The host did not send the request.
    NotSent {
        /// The host's status code.
        status: u32,
    },
    /// No answer came in time.
    NoAnswer,
    /// The answer was not 200.
    Status(String),
    /// The body is no usable key set.
    Keys(KeySetError),
    /// The body is longer than is accepted.
    TooLong {
        /// What is accepted, in bytes.
        max: usize,
    },
}

impl Fetch {
    pub(crate) fn new(id: FetchId, settings: &FetchSettings, limits: &Limits) -> Self {
        Self {
            id,
            cluster: settings.cluster.clone(),
            scheme: if settings.uri.is_https { "https" } else { "http" },
            authority: settings.uri.authority.clone(),
            path: settings.uri.path.clone(),
            timeout: settings.timeout,
            max_body_bytes: limits.key_set_bytes.saturating_add(1),
        }
    }
}

/// The keys in an answer. Hosts answer for issuers that cannot be reached, too: the status comes first.
pub(crate) fn read(response: FetchResponse<'_>, limits: &Limits) -> Result<KeySet, FetchFailure> {
    if response.status != b"200" {
        let status = String::from_utf8_lossy(response.status).chars().filter(char::is_ascii_digit).take(3).collect();
        return Err(FetchFailure::Status(status));
    }
    if response.body.len() > limits.key_set_bytes {
        return Err(FetchFailure::TooLong { max: limits.key_set_bytes });
    }
    KeySet::from_json(response.body, limits.keys, Origin::Issuer).map_err(FetchFailure::Keys)
}

impl FetchFailure {
    /// Whether this is no news to those who know of `other`: the same kind of failure, whatever its details.
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl std::error::Error for FetchFailure {}

impl fmt::Display for FetchFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent { status } => {
                write!(
                    formatter,
                    "the proxy did not send the request (status {status}): is there a cluster of that name?"
                )
            }
            Self::NoAnswer => formatter.write_str("no answer came in time"),
            Self::Status(status) if status.is_empty() => formatter.write_str("the answer has no status"),
            Self::Status(status) => write!(formatter, "expected status 200, found {status}"),
            Self::Keys(error) => write!(formatter, "the answer is no usable key set: {error}"),
            Self::TooLong { max } => write!(formatter, "the answer is longer than `limits.keySetBytes` ({max} bytes)"),
        }
    }
}
