//! One of the runnable configurations, with an issuer and an upstream of its own.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use real_envoy::http::{Request, Response};
pub(crate) use real_envoy::verdict::{refused, verdict};
use real_envoy::{Builder, Envoy};
use testbed::issuer::{Issuer, Options, TokenRequest};
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
        let envoy = change(builder).start().unwrap();
        Self { issuer, upstream, envoy }
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

/// A world for all tests that want it at the same time and change nothing in it: starting Envoy is what takes time.
pub(crate) struct Shared(Mutex<Weak<World>>);

impl Shared {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The one that others have, or a new one. It ends with the last who has it.
    pub(crate) fn get(&self, start: impl FnOnce() -> World) -> Arc<World> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(start());
            *shared = Arc::downgrade(&world);
            world
        })
    }
}
