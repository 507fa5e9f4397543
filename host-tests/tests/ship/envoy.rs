//! Envoy loads the module over HTTP, by its checksum.

use real_envoy::http::Request;
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::raw::{Answer, RawServer};
use testbed::upstream::Upstream;

use crate::files::{read, sha256};

struct World {
    issuer: Issuer,
    upstream: Upstream,
    server: RawServer,
}

impl World {
    /// Where the module is served as these bytes.
    fn serving(module: &[u8]) -> Self {
        let server = RawServer::start().expect("starts");
        server.set("/jotgate.wasm", Answer::response(200, "application/wasm", module));
        let issuer = Issuer::start(Options::default()).expect("starts");
        Self { issuer, upstream: Upstream::start(0).expect("starts"), server }
    }

    fn envoy(&self, checksum: &str) -> Envoy {
        let code = json!({"remote": {
            "http_uri": {"uri": "http://modules.example.com/jotgate.wasm", "cluster": "modules", "timeout": "10s"},
            "sha256": checksum,
            "retry_policy": {"num_retries": 0},
        }});
        let bootstrap = Bootstrap::new(self.upstream.address())
            .cluster("issuer", self.issuer.address())
            .cluster("modules", self.server.address())
            .plugin_struct(&self.config())
            .plugin_option("vm_config/code", &code);
        Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn config(&self) -> Value {
        json!({
            "issuers": [{
                "name": "main", "issuer": self.issuer.issuer(), "audiences": ["demo"],
                "keys": {"jwksUri": format!("{}/jwks", self.issuer.url()), "cluster": "issuer"},
            }],
            "rules": [{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "authenticated"}],
        })
    }
}

fn status(envoy: &Envoy, request: &Request) -> u16 {
    request.send(envoy.address("gateway")).expect("Envoy answers").status
}

#[test]
fn envoy_loads_the_module_over_http() {
    let module = read("jotgate.wasm");
    let world = World::serving(&module);
    let envoy = world.envoy(&sha256(&module));
    let token = world.issuer.token(&TokenRequest::subject("alice")).expect("is minted");
    let answer = Request::get("/x").bearer(&token).send(envoy.address("gateway")).expect("Envoy answers");
    assert_eq!((answer.status, answer.seen("x-auth-request-user")), (200, vec!["alice".to_string()]));
    assert_eq!(status(&envoy, &Request::get("/x")), 401);
    assert_eq!(world.server.count("/jotgate.wasm"), 1);
}

/// What somebody put in its place is not run, and nobody passes.
#[test]
fn another_module_than_the_checksum_names_lets_nobody_pass() {
    let module = read("jotgate.wasm");
    let world = World::serving(&read("jotgate.unstripped.wasm"));
    let envoy = world.envoy(&sha256(&module));
    assert_eq!(status(&envoy, &Request::get("/public")), 503);
    assert!(world.server.count("/jotgate.wasm") > 0);
    assert!(envoy.log().contains("Plugin jotgate failed to load"), "{}", envoy.log());
}
