//! One of the runnable configurations, with an issuer and an upstream of its own.

use std::sync::OnceLock;

use real_envoy::http::{Request, Response};
pub(crate) use real_envoy::verdict::{refused, verdict};
use real_envoy::{Builder, Envoy};
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::{Algorithm, SigningKey};
use testbed::upstream::Upstream;

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) envoy: Envoy,
}

impl World {
    /// Starts `envoy-config/<scenario>.yaml`. `issuer` is the `iss` of tokens; by default the URL where they come from.
    pub(crate) fn new(scenario: &str, issuer: Option<&str>, audience: &str) -> Self {
        Self::with(scenario, issuer, audience, |builder| builder)
    }

    /// Likewise, with some of the file changed.
    pub(crate) fn with(
        scenario: &str,
        issuer: Option<&str>,
        audience: &str,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let options =
            Options { issuer: issuer.map(str::to_string), audience: audience.to_string(), ..Options::default() };
        let (issuer, upstream) = (Issuer::start(options).unwrap(), Upstream::start(0).unwrap());
        let builder = Envoy::runnable(&format!("envoy-config/{scenario}.yaml")).unwrap();
        let builder = builder.port("issuer", issuer.address()).port("upstream", upstream.address());
        let builder = with_secrets(builder);
        let envoy = change(builder).start().unwrap();
        Self { issuer, upstream, envoy }
    }

    /// The URL of a path, for browsers.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.address("gateway").port())
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.envoy.address("gateway")).unwrap()
    }

    /// A good token, changed.
    pub(crate) fn token(&self, request: &TokenRequest) -> String {
        self.issuer.token(request).unwrap()
    }

    /// A good token with these scopes.
    pub(crate) fn scoped(&self, scopes: &str) -> String {
        self.token(&TokenRequest { scope: Some(scopes.into()), ..TokenRequest::subject("alice") })
    }
}

/// The secrets of those who log people in, and of those who sign.
pub(crate) fn with_secrets(builder: Builder) -> Builder {
    let key = SigningKey::generate(Algorithm::ES256).private_jwk().unwrap().to_string();
    let builder = builder.env("OIDC_CLIENT_SECRET", "a secret of the client").env("SIGNING_KEY", &key);
    builder.env("JOTGATE_SESSION_SECRET", &"a secret ".repeat(8)).env("NONCE_SECRET", &"a secret ".repeat(8))
}

/// A world for all tests that want it and change nothing in it: starting Envoy is what takes time. It ends with the
/// process.
pub(crate) struct Shared(OnceLock<World>);

impl Shared {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The one that others have, or a new one.
    pub(crate) fn get(&'static self, start: impl FnOnce() -> World) -> &'static World {
        self.0.get_or_init(start)
    }
}
