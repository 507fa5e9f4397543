//! The keys of an issuer: those that sign, and those that are published.

use serde::Deserialize;
use serde_json::Value;

use crate::error::BadRequest;
use crate::keys::{Algorithm, SigningKey, jwk_set};

/// How keys are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// The keys published until now stay published.
    pub keep: bool,
    /// The new keys are published at once. If not, they sign already, and the old ones stay published.
    pub publish: bool,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { keep: false, publish: true }
    }
}

#[derive(Debug)]
pub(super) struct Ring {
    signing: Vec<SigningKey>,
    published: Vec<SigningKey>,
}

impl Ring {
    pub(super) fn new(algorithms: &[Algorithm]) -> Self {
        let signing: Vec<SigningKey> = algorithms.iter().copied().map(SigningKey::generate).collect();
        Self { published: signing.clone(), signing }
    }

    pub(super) fn signing(&self) -> &[SigningKey] {
        &self.signing
    }

    /// The key for that `alg`, or the first.
    pub(super) fn signing_key(&self, alg: Option<&str>) -> Result<SigningKey, BadRequest> {
        let Some(alg) = alg else {
            return self.signing.first().cloned().ok_or_else(|| BadRequest::new("the issuer has no keys"));
        };
        let fits = |key: &&SigningKey| key.algorithm().name() == alg;
        self.signing.iter().find(fits).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.signing.iter().map(|key| key.algorithm().name()).collect();
            BadRequest::new(format!("no key for `{alg}`, there are {}", names.join(", ")))
        })
    }

    pub(super) fn published(&self) -> Value {
        jwk_set(&self.published)
    }

    pub(super) fn rotate(&mut self, keys: Vec<SigningKey>, rotation: Rotation) {
        if !rotation.keep && rotation.publish {
            self.published.clear();
        }
        self.signing = keys;
        if rotation.publish {
            self.publish();
        }
    }

    pub(super) fn publish(&mut self) {
        for key in &self.signing {
            if !self.published.iter().any(|known| known.kid() == key.kid()) {
                self.published.push(key.clone());
            }
        }
    }
}
