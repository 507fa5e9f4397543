//! Where an issuer's keys come from.

use std::fmt;
use std::time::Duration;

use jose::Algorithm;
use jose::jwk::{KeySet, Origin};

use super::identity::TenantPattern;
use super::introspection::IntrospectionSettings;
use crate::http::HttpUri;
use crate::sealing::SharedName;

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// From the issuer, by callout.
    Fetched(Box<FetchSettings>),
    /// From the configuration.
    Inline(KeySet),
    /// From nowhere: the issuer itself is asked about each of its tokens.
    Introspected(Box<IntrospectionSettings>),
    /// From nowhere: the issuer signs nothing.
    None,
}

/// How keys are fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchSettings {
    /// Where the key set is found.
    pub location: KeySetLocation,
    /// The proxy's name for the upstream that callouts go to.
    pub cluster: String,
    /// Whose keys they are.
    pub origin: Origin,
    /// What callouts to `cluster` carry beside what all of them do.
    pub headers: Vec<KeyHeader>,
    /// How long a callout may take.
    pub timeout: Duration,
    /// The age at which keys are fetched again.
    pub refresh_after: Duration,
    /// How long past `refresh_after` keys are used while the issuer cannot be reached.
    pub max_stale: Duration,
    /// The least time between two extra fetches for unknown keys.
    pub unknown_key_cooldown: Duration,
    /// What the keys go by in the host's shared data; absent: each VM fetches for itself.
    pub share: Option<SharedName>,
}

/// A header of the requests for keys. Its value may be a credential, so that it is not shown.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for KeyHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyHeader").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a key set is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySetLocation {
    /// Where the issuer's discovery document says.
    Discovered(Discovery),
    /// At this URI.
    Known(HttpUri),
}

/// An issuer's discovery document (OIDC Discovery 1.0 §4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    /// What its `issuer` must be, byte for byte.
    pub issuer: String,
    /// Of an issuer with tenants, what it may be as well.
    pub tenants: Option<TenantPattern>,
    /// Its URI.
    pub uri: HttpUri,
    /// Where the proxy reaches it, and the key set with it.
    pub internal_uri: Option<HttpUri>,
    /// The proxy's name for the upstream of a key set on another host.
    pub jwks_cluster: Option<String>,
}

impl KeySource {
    /// Whether a key for `algorithm` is in the configuration.
    pub(super) fn has_key_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Fetched(_) | Self::Introspected(_) | Self::None => false,
            Self::Inline(keys) => keys.keys().iter().any(|key| key.allows(algorithm)),
        }
    }
}

/// What is to be said of keys that only some hosts can verify with.
pub(crate) fn large_keys(keys: &KeySet) -> Option<String> {
    let count = keys.large_keys().count();
    (count > 0).then(|| {
        format!("RSA keys over 4096 bits: {count}, used only where the host verifies, never for PS256 to PS512")
    })
}
