//! Three issuers, an upstream, and an Envoy whose listener is updated.

use std::collections::BTreeMap;

use real_envoy::{Bootstrap, ChangingEnvoy};
use serde_json::json;
use testbed::issuer::{Authentication, Client, Issuer, Options};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

/// Longer than any request waits: after that, it is cut off with its connection.
const DRAIN: u32 = 10;
/// Before the names of all metrics.
const PREFIX: &str = "wasmcustom.jotgate_";
const CLIENT_SECRET: &str = "a secret of a client";
const SESSION_SECRET: &str = "a session secret of no fewer than 32 octets";

pub(crate) struct World {
    /// Of signed tokens.
    pub(crate) signer: Issuer,
    /// Of tokens that it alone reads.
    pub(crate) reader: Issuer,
    /// At which people log in.
    pub(crate) provider: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) changing: ChangingEnvoy,
}

impl World {
    pub(crate) fn start() -> Self {
        let issuer = |client: &str| {
            let client = Client::new(client, Authentication::Basic(CLIENT_SECRET.into()));
            let algorithms = vec![Algorithm::ES256, Algorithm::EdDSA];
            Issuer::start(Options { clients: vec![client], algorithms, ..Options::default() }).unwrap()
        };
        let (signer, reader, provider) = (issuer("nobody"), issuer("gate"), issuer("dashboard"));
        let upstream = Upstream::start(0).unwrap();
        let bootstrap = bootstrap(&signer, &reader, &provider, &upstream, "http://localhost:1", 0);
        let changing = ChangingEnvoy::start(&bootstrap, |builder| {
            builder.drain_seconds(DRAIN).log_levels("warning", "gate:error")
        });
        let changing = changing.unwrap_or_else(|error| panic!("{error}"));
        Self { signer, reader, provider, upstream, changing }
    }

    /// The origin that people know.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.changing.address().port())
    }

    /// The configuration of that number is the one, soon.
    pub(crate) fn update(&self, number: u64) {
        let Self { signer, reader, provider, upstream, changing } = self;
        changing.update(&bootstrap(signer, reader, provider, upstream, &self.origin(), number)).unwrap();
    }

    /// The counters and gauges of the gate.
    pub(crate) fn counters(&self) -> BTreeMap<String, u64> {
        let stats = self.changing.envoy().stats(PREFIX).unwrap();
        stats.into_iter().map(|(name, value)| (name.trim_start_matches(PREFIX).to_owned(), value)).collect()
    }

    /// The bytes of memory that Envoy holds.
    pub(crate) fn resident(&self) -> u64 {
        self.changing.envoy().resident().unwrap()
    }
}

fn bootstrap(
    signer: &Issuer,
    reader: &Issuer,
    provider: &Issuer,
    upstream: &Upstream,
    origin: &str,
    number: u64,
) -> Bootstrap {
    let config = json!({
        "realm": format!("realm-{number}"),
        "identityHeaders": {"X-Auth-Request-User": "$subject"},
        "issuers": [
            {
                "name": "signer", "issuer": signer.issuer(), "audiences": ["demo"],
                "keys": {
                    "jwksUri": format!("{}/jwks", signer.url()), "cluster": "signer",
                    "refreshAfter": "3s", "unknownKeyCooldown": "1s",
                },
            },
            {
                "name": "provider", "issuer": provider.issuer(), "audiences": ["dashboard"],
                "keys": {"discovery": {}, "cluster": "provider"},
            },
        ],
        "introspection": [{
            "name": "reader", "issuer": reader.issuer(), "endpoint": format!("{}/oauth/introspect", reader.url()),
            "cluster": "reader", "audiences": "any", "match": {"prefix": "gt-"}, "cacheFor": "1s",
            "client": {"id": "gate", "authentication": "basic", "secret": CLIENT_SECRET},
        }],
        "login": {
            "name": "main", "issuer": "provider", "scopes": ["openid"],
            "client": {"id": "dashboard", "authentication": "basic", "secret": CLIENT_SECRET},
        },
        "session": {
            "secrets": [SESSION_SECRET], "publicUrl": origin, "refreshAfter": "3s", "afterLogout": "/public/bye",
        },
        "rules": [
            {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
            {"name": "write", "match": {"methods": ["PUT"]}, "access": {"scopes": {"all": ["write"]}}},
            {"name": "api", "match": {"paths": ["/api/**"]}, "access": "authenticated", "unauthenticated": "challenge"},
            {"name": "rest", "access": "authenticated"},
        ],
    });
    Bootstrap::new(upstream.address())
        .cluster("signer", signer.address())
        .cluster("reader", reader.address())
        .cluster("provider", provider.address())
        .plugin(&config.to_string())
        // It would fill the disk.
        .connection_manager("access_log/0/typed_config/path", &json!("/dev/null"))
}
