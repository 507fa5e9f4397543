//! One Envoy, of two workers, for all tests of a program: starting one is what takes time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use real_envoy::{Bootstrap, SharedEnvoy};
use serde_json::json;
use testbed::keys::{Algorithm, SigningKey};

/// What the gate may sign with. The plugin finds them in its environment, by their algorithm.
pub(crate) static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [Algorithm::ES256, Algorithm::EdDSA].map(SigningKey::generate));

/// All its listeners share their VMs, so `with_environment` has to be that of each.
pub(crate) fn start(with_environment: fn(Bootstrap) -> Bootstrap) -> SharedEnvoy {
    SharedEnvoy::start_with(with_environment, |builder| builder).unwrap_or_else(|error| panic!("{error}"))
}

/// The environment of the plugin: the keys, and these variables.
pub(crate) fn environment(bootstrap: Bootstrap, variables: &[(&str, &str)]) -> Bootstrap {
    let key = |key: &SigningKey| (key.algorithm().name().to_owned(), key.private_jwk().unwrap().to_string());
    let others = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let all: BTreeMap<String, String> = KEYS.iter().map(key).chain(others).collect();
    bootstrap.plugin_option("vm_config/environment_variables", &json!({"key_values": all}))
}
