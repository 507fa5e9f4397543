//! An upstream, an Envoy with the plugin before it, and what a test needs to look at them.

use std::net::SocketAddr;
use std::sync::LazyLock;

use browsers::user_agent::UserAgent;
use real_envoy::http::{Request, Response};
use real_envoy::{Bootstrap, Envoy, Port, SharedEnvoy};
use serde_json::{Value, json};
use testbed::upstream::Upstream;

use crate::ledger::Ledger;
use crate::shared::{self, KEYS};

/// The gate's secret at those whom it asks, with what a form has to encode.
pub(crate) const CLIENT_SECRET: &str = "s3cret+of/the=gate%&:";
const SESSION_SECRET: &str = "a session secret of no fewer than 32 octets";

static SHARED: LazyLock<SharedEnvoy> = LazyLock::new(|| shared::start(with_environment));

fn with_environment(bootstrap: Bootstrap) -> Bootstrap {
    shared::environment(bootstrap, &[("CLIENT_SECRET", CLIENT_SECRET), ("SESSION_SECRET", SESSION_SECRET)])
}

/// Listeners and clusters of that configuration, without the plugin.
pub(crate) fn add(bootstrap: &Bootstrap) -> Envoy {
    SHARED.add(bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) struct World {
    pub(crate) upstream: Upstream,
    pub(crate) envoy: Envoy,
    /// The origin that people know.
    pub(crate) origin: String,
}

impl World {
    /// The plugin with a configuration that may depend on the origin, and these clusters.
    pub(crate) fn start(config: impl FnOnce(&str) -> Value, clusters: &[(&str, SocketAddr)]) -> Self {
        Self::with(config, clusters, |bootstrap| bootstrap)
    }

    /// The same with changes of Envoy's configuration.
    pub(crate) fn with(
        config: impl FnOnce(&str) -> Value,
        clusters: &[(&str, SocketAddr)],
        change: impl FnOnce(Bootstrap) -> Bootstrap,
    ) -> Self {
        let port = Port::reserve().unwrap();
        let origin = format!("http://localhost:{}", port.number());
        let upstream = Upstream::start(0).unwrap();
        let bootstrap = Bootstrap::new(upstream.address());
        let add = |bootstrap: Bootstrap, (name, address): &(&str, SocketAddr)| bootstrap.cluster(name, *address);
        let bootstrap = clusters.iter().fold(bootstrap, add).plugin(&config(&origin).to_string());
        let bootstrap = change(with_environment(bootstrap));
        let envoy = SHARED.add_at(&bootstrap, [("gateway", port)]).unwrap_or_else(|error| panic!("{error}"));
        Self { upstream, envoy, origin }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        let authority = self.origin.trim_start_matches("http://");
        request.clone().header("host", authority).send(self.envoy.address("gateway")).unwrap()
    }

    /// Nothing that was written since has a secret: neither the log nor metrics, what the administration interface
    /// shows, the access log, nor the gate's own answers. What the upstream may see is the test's to say. Every test
    /// ends with it.
    pub(crate) fn assert_silent(
        &self,
        secrets: impl IntoIterator<Item = (String, String)>,
        browsers: &[&UserAgent],
        answers: &[&Response],
    ) {
        let mut ledger = Ledger::default();
        ledger.add("client secret", CLIENT_SECRET);
        ledger.add("session secret", SESSION_SECRET);
        for key in KEYS.iter() {
            ledger.add("private key", key.private_jwk().unwrap()["d"].as_str().unwrap());
        }
        ledger.add_all(secrets);
        for browser in browsers {
            ledger.add_browser(browser);
        }
        assert!(ledger.len() > 4, "secrets were used");
        ledger.assert_absent("the log", &self.envoy.log());
        for path in ["/stats", "/clusters", "/listeners", "/runtime"] {
            ledger.assert_absent(path, &self.envoy.admin_get(path).unwrap().text());
        }
        // The paths of logins have a code, which is Envoy's to write.
        for mut entry in self.envoy.access_log(0) {
            entry["path"] = Value::Null;
            ledger.assert_absent("the access log", &entry.to_string());
        }
        for answer in answers {
            ledger.assert_absent("an answer of the gate", &answer.text());
        }
    }
}

/// An issuer of JWTs, in a configuration.
pub(crate) fn issuer(name: &str, identifier: &str, cluster: &str, audience: &str) -> Value {
    let keys = json!({"discovery": {}, "cluster": cluster});
    json!({"name": name, "issuer": identifier, "audiences": [audience], "keys": keys})
}

/// Sessions, and logins at an issuer, in a configuration; with the tokens that sessions keep.
pub(crate) fn with_login(mut config: Value, issuer: &str, origin: &str, keep: &[&str]) -> Value {
    let client = json!({"id": "dashboard", "authentication": "none"});
    config["login"] = json!({"issuer": issuer, "client": client, "scopes": ["openid", "email"]});
    config["session"] = json!({"secrets": [{"env": "SESSION_SECRET"}], "publicUrl": origin, "keep": keep});
    config
}
