//! What unit tests need of a policy, and of a host.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::policy::Policy;
pub(crate) use crate::random::NoGenerator;
use crate::random::{NoRandomness, Randomness};

/// A generator that counts: no two draws are equal, and each run has the same.
#[derive(Debug, Default)]
pub(crate) struct Counter(Cell<u64>);

impl Randomness for Counter {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.set(self.0.get() + 1);
        for (octet, drawn) in octets.iter_mut().zip(self.0.get().to_le_bytes().iter().cycle()) {
            *octet = *drawn;
        }
        Ok(())
    }
}

/// A policy with one issuer, with `changes` to its configuration.
pub(crate) fn policy(changes: &Value) -> Policy {
    let keys = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
    let mut config = json!({
        "issuers": [{"name": "main", "issuer": "https://idp.example.com", "audiences": ["api"], "keys": keys}],
        "default": "authenticated",
    });
    for (name, value) in changes.as_object().expect("is an object") {
        config[name] = value.clone();
    }
    Policy::parse(config.to_string().as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"))
}
