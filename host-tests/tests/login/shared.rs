//! One Envoy, of two workers, for all tests of a program: starting one is what takes time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use real_envoy::{Bootstrap, SharedEnvoy};
use serde_json::json;
use testbed::keys::{Algorithm, SigningKey, jwk_set};

/// What the gate may sign with. The plugin finds them in its environment, by their algorithm.
pub(crate) static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [Algorithm::ES256, Algorithm::EdDSA].map(SigningKey::generate));

/// An Envoy whose own configuration lets nothing pass. All listeners share their VMs, so `with_environment` has to be
/// that of each.
pub(crate) fn start(with_environment: fn(Bootstrap) -> Bootstrap) -> SharedEnvoy {
    let keys = json!({"inline": jwk_set([&SigningKey::generate(Algorithm::EdDSA)])});
    let issuer = json!({"name": "nobody", "issuer": "https://nobody", "audiences": ["demo"], "keys": keys});
    let config = json!({"issuers": [issuer], "default": "deny"}).to_string();
    SharedEnvoy::start_with(&config, with_environment, |builder| builder).unwrap_or_else(|error| panic!("{error}"))
}

/// The environment of the plugin: the keys, and these variables.
pub(crate) fn environment(bootstrap: Bootstrap, variables: &[(&str, &str)]) -> Bootstrap {
    let key = |key: &SigningKey| (key.algorithm().name().to_owned(), key.private_jwk().unwrap().to_string());
    let others = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let all: BTreeMap<String, String> = KEYS.iter().map(key).chain(others).collect();
    bootstrap.plugin_option("vm_config/environment_variables", &json!({"key_values": all}))
}
