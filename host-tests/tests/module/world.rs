//! An issuer, an upstream, and an Envoy with the module between them.

use real_envoy::http::Request;
use real_envoy::verdict::verdict;
use real_envoy::{Bootstrap, Envoy, Gate};
use serde_json::json;
use testbed::issuer::{Fault, Issuer, Options, TokenRequest};
use testbed::upstream::Upstream;

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) envoy: Envoy,
    _upstream: Upstream,
}

impl World {
    pub(crate) fn start(workers: usize, fault: Option<Fault>) -> Self {
        let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
        if let Some(fault) = fault {
            issuer.set_jwks(fault).unwrap();
        }
        let bootstrap = bootstrap(&issuer, &upstream, "jotgate");
        let envoy = Envoy::builder(&bootstrap.text()).concurrency(workers).start();
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { issuer, envoy, _upstream: upstream }
    }

    pub(crate) fn good(&self) -> Request {
        Request::get("/x").bearer(&self.issuer.token(&TokenRequest::subject("alice")).unwrap())
    }

    pub(crate) fn verdict(&self, request: &Request) -> (u16, String) {
        verdict(&request.send(self.envoy.address("gateway")).unwrap())
    }
}

pub(crate) fn bootstrap(issuer: &Issuer, upstream: &Upstream, realm: &str) -> Bootstrap {
    let config = json!({
        "realm": realm,
        "limits": {"waitFor": "30s"},
        "issuers": [{
            "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
            "keys": {"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer"},
        }],
        "rules": [{"access": "authenticated"}],
    });
    Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config.to_string())
}

pub(crate) fn is_module() -> bool {
    Gate::under_test() == Gate::Module
}
