//! An issuer, an upstream, and an Envoy with the plugin between them.

use std::sync::LazyLock;

use real_envoy::http::{Request, Response};
pub(crate) use real_envoy::verdict::{refused, verdict};
use real_envoy::{Bootstrap, Envoy, SharedEnvoy};
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::upstream::Upstream;

/// For tests that look neither at the log nor at metrics: starting an Envoy is what takes time.
static SHARED: LazyLock<SharedEnvoy> = LazyLock::new(|| SharedEnvoy::start().unwrap_or_else(|error| panic!("{error}")));

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) envoy: Envoy,
}

impl World {
    /// In the Envoy that tests share, with the usual configuration, changed at its top level.
    pub(crate) fn shared(changes: &Value) -> Self {
        Self::shared_with(changes, |bootstrap| bootstrap)
    }

    pub(crate) fn shared_with(changes: &Value, change: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let issuer = Issuer::start(Options::default()).unwrap();
        let config = config(&issuer, changes);
        Self::add(issuer, |bootstrap| change(bootstrap.plugin(&config.to_string())))
    }

    pub(crate) fn add(issuer: Issuer, change: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let upstream = Upstream::start(0).unwrap();
        let envoy = add(&change(Bootstrap::new(upstream.address()).cluster("issuer", issuer.address())));
        Self { issuer, upstream, envoy }
    }

    /// In an Envoy of its own, with the usual configuration, changed at its top level.
    pub(crate) fn new(changes: &Value) -> Self {
        Self::with(changes, |bootstrap| bootstrap)
    }

    pub(crate) fn with(changes: &Value, change: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let issuer = Issuer::start(Options::default()).unwrap();
        let config = config(&issuer, changes);
        Self::start(issuer, |bootstrap| change(bootstrap.plugin(&config.to_string())))
    }

    pub(crate) fn start(issuer: Issuer, change: impl FnOnce(Bootstrap) -> Bootstrap) -> Self {
        let upstream = Upstream::start(0).unwrap();
        let bootstrap = change(Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()));
        let envoy = Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"));
        Self { issuer, upstream, envoy }
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.envoy.address("gateway")).unwrap()
    }

    /// A good token, changed.
    pub(crate) fn token(&self, request: &TokenRequest) -> String {
        self.issuer.token(request).unwrap()
    }

    pub(crate) fn alice(&self) -> String {
        self.token(&TokenRequest { scope: Some("read".into()), ..TokenRequest::subject("alice") })
    }

    /// What this token gets on a path that needs one.
    pub(crate) fn verdict(&self, token: &str) -> (u16, String) {
        verdict(&self.send(&Request::get("/x").bearer(token)))
    }

    /// The gate still works.
    pub(crate) fn assert_good_passes(&self) {
        assert_eq!(self.verdict(&self.alice()), (200, String::new()));
    }
}

/// Adds listeners to the Envoy that tests share.
pub(crate) fn add(bootstrap: &Bootstrap) -> Envoy {
    SHARED.add(bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

/// Public below `/public`, scopes for writing, tokens for all else.
pub(crate) fn config(issuer: &Issuer, changes: &Value) -> Value {
    let mut config = json!({
        "issuers": [{
            "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
            "keys": {"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer"},
        }],
        "rules": [
            {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
            {"name": "write", "match": {"methods": ["POST", "PUT"]}, "access": {"scopes": {"all": ["write"]}}},
            {"name": "rest", "access": "authenticated"},
        ],
    });
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// Changes with which a token may stand in every location.
pub(crate) fn every_location() -> Value {
    json!({
        "credentials": [
            {"header": "authorization", "scheme": "Bearer"},
            {"header": "x-api-token"},
            {"cookie": "session"},
            {"query": "access_token"},
            {"basic": true},
            {"websocketProtocol": "jotgate.bearer."},
        ],
        "rules": [
            {"match": {"paths": ["/public/**"]}, "access": "public"},
            {"match": {"paths": ["/keeps"]}, "access": "authenticated", "forwardToken": true},
            {"access": "authenticated"},
        ],
    })
}
