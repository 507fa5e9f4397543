//! What unit tests need of a policy.

use serde_json::{Value, json};

use crate::policy::Policy;

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
