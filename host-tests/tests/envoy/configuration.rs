//! Configurations as Envoy hands them over.

use real_envoy::http::Request;
use real_envoy::{Bootstrap, Envoy};
use serde_json::json;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::upstream::Upstream;

use crate::world::{World, config};

#[test]
fn a_struct_works_as_well_as_a_string() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let config = config(&issuer, &json!({"limits": {"keys": 60}}));
    let world = World::add(issuer, |bootstrap| bootstrap.plugin_struct(&config));
    world.assert_good_passes();
}

/// Envoy refuses to start, and its log has every error.
#[test]
fn every_error_of_a_configuration_is_logged() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let upstream = Upstream::start(0).unwrap();
    let start = |configuration: &str| {
        let bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(configuration);
        match Envoy::start(&bootstrap.text()) {
            // Envoy runs on with a plugin that lets nobody pass, where its policy is to fail closed.
            Ok(envoy) => (Request::get("/public/a").send(envoy.address("gateway")).unwrap().status, envoy.log()),
            Err(error) => (0, error.to_string()),
        }
    };
    let config = config(&issuer, &json!({"rule": [], "default": "anyone", "clientIp": {}})).to_string();
    let (status, log) = start(&config);
    assert_ne!(status, 200);
    for error in [
        "configuration refused: rule: unknown member, expected",
        "configuration refused: default: expected `authenticated`, `deny`, `optional` or `public`, found `anyone`",
        "configuration refused: clientIp: `trustedProxies` is missing",
    ] {
        assert!(log.contains(error), "{error} is not in\n{log}");
    }
    let (status, log) = start("issuers:\n- name: main\n");
    assert_ne!(status, 200);
    assert!(log.contains("give the same YAML as a `google.protobuf.Struct`"), "{log}");
    let (status, _) = start("");
    assert_ne!(status, 200);
}

/// The repository's own example.
#[test]
fn the_quickstart_works() {
    let upstream = Upstream::start(0).unwrap();
    let issuer = Issuer::start(Options { audience: "orders".into(), ..Options::default() }).unwrap();
    let builder = Envoy::runnable("envoy-config/quickstart.yaml").unwrap_or_else(|error| panic!("{error}"));
    let builder = builder.port("issuer", issuer.address()).port("upstream", upstream.address());
    let envoy = builder.start().unwrap_or_else(|error| panic!("{error}"));
    let send = |request: Request| request.send(envoy.address("gateway")).unwrap();
    let token =
        issuer.token(&TokenRequest { scope: Some("orders:write".into()), ..TokenRequest::subject("alice") }).unwrap();
    assert_eq!(send(Request::get("/healthz")).status, 200);
    assert_eq!(send(Request::get("/orders/7")).status, 401);
    assert_eq!(send(Request::new("POST", "/orders/7").bearer(&token)).seen("x-auth-request-user"), ["alice"]);
    let reader = issuer.token(&TokenRequest::subject("bob")).unwrap();
    assert_eq!(send(Request::new("DELETE", "/orders/7").bearer(&reader)).status, 403);
    assert_eq!(send(Request::get("/orders/7").bearer(&reader)).seen("x-auth-request-user"), ["bob"]);
}

/// Two filters with one `vm_id` run in the same VM, each with a configuration of its own.
#[test]
fn two_configurations_can_share_a_vm() {
    let issuer = Issuer::start(Options::default()).unwrap();
    let upstream = Upstream::start(0).unwrap();
    let open = config(
        &issuer,
        &json!({"rules": [], "default": "optional", "identityHeaders": {"X-Second": "sub"}, "stripHeaders": []}),
    );
    let bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", issuer.address());
    // The first keeps the token for the second.
    let first = config(&issuer, &json!({"forwardToken": true})).to_string();
    let envoy = Envoy::start(&bootstrap.plugin(&first).plugin(&open.to_string()).text()).unwrap();
    let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
    let response = Request::get("/x").bearer(&token).send(envoy.address("gateway")).unwrap();
    assert_eq!(
        (response.seen("x-second"), response.seen("x-auth-request-user")),
        (vec!["alice".into()], vec!["alice".into()])
    );
    assert_eq!(Request::get("/x").send(envoy.address("gateway")).unwrap().status, 401);
}
