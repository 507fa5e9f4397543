//! Tokens that are bound to a client's certificate (RFC 8705), over TLS on which both sides have one.

use std::net::SocketAddr;

use real_envoy::http::{Request, Response};
use real_envoy::verdict::{refused, verdict};
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use test_support::providers::{self, Provider, certificates};

use crate::client::{access_token, registered, token_request};
use crate::world::{World, add, issuer};

const AUDIENCE: &str = "https://api.example.com";

fn pair(certificate: &Value) -> Value {
    let inline = |name: &str| json!({"inline_string": certificate[name]});
    json!([{"certificate_chain": inline("certificate"), "private_key": inline("key")}])
}

fn tls(kind: &str, mut context: Value) -> Value {
    let kind = format!("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{kind}");
    context["@type"] = kind.into();
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}

/// A gateway on which TLS ends, before the provider as well; it tells the provider who its peer was.
fn gateway(provider: &Provider, server: &Value, clients: &[&Value]) -> World {
    let mut main = issuer("idp", &provider.issuer(), "idp", AUDIENCE);
    main["senderConstraint"] = json!({"require": "mtls"});
    let config = json!({
        "issuers": [main],
        "identityHeaders": {"X-Auth-Request-User": "$subject"},
        "rules": [
            {"name": "token", "match": {"paths": ["/token"]}, "access": "public"},
            {"name": "rest", "access": "authenticated"},
        ],
    });
    let trusted: String = clients.iter().filter_map(|client| client["certificate"].as_str()).collect();
    let context = json!({"common_tls_context": {
        "tls_certificates": pair(server),
        "validation_context": {"trusted_ca": {"inline_string": trusted}},
    }});
    let routes = json!([
        {"match": {"path": "/token"}, "route": {"cluster": "idp"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
    ]);
    World::with(
        |_| config,
        &[("idp", provider.address())],
        |bootstrap| {
            bootstrap
                .routes(&routes)
                .listener("filter_chains/0/transport_socket", &tls("DownstreamTlsContext", context))
                .connection_manager("forward_client_cert_details", &json!("SANITIZE_SET"))
                .connection_manager("set_current_client_cert_details", &json!({"cert": true}))
        },
    )
}

/// Somebody's way there: TLS with that certificate, or with none.
fn way(gateway: SocketAddr, certificate: Option<&Value>) -> Envoy {
    let certificates = certificate.map_or_else(|| json!([]), pair);
    let context = json!({"common_tls_context": {"tls_certificates": certificates}, "sni": "localhost"});
    let socket = tls("UpstreamTlsContext", context);
    add(&Bootstrap::new(gateway).cluster_option("upstream", "transport_socket", &socket))
}

fn send(way: &Envoy, request: &Request) -> Response {
    request.send(way.address("gateway")).unwrap()
}

#[test]
fn a_bound_token_is_good_on_connections_with_its_certificate_alone() {
    if !providers::are_installed() {
        return;
    }
    let mut app = registered("app");
    app["bound"] = json!("mtls");
    let options = json!({"clients": [app, registered("loose")], "accessTokens": "jwt", "resource": AUDIENCE});
    let provider = Provider::certified(&options);
    let made = certificates(&["server", "alice", "mallory"]);
    let (alice, mallory) = (&made["alice"], &made["mallory"]);
    let world = gateway(&provider, &made["server"], &[alice, mallory]);
    let address = world.envoy.address("gateway");
    let [alice, mallory, nobody] = [Some(alice), Some(mallory), None].map(|certificate| way(address, certificate));

    let token = access_token(&send(&alice, &token_request("app")));
    let response = send(&alice, &Request::get("/orders").bearer(&token));
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["app".to_owned()]));
    let loose = access_token(&send(&alice, &token_request("loose")));
    let of_alice = send(&alice, &Request::get("/orders").bearer(&token)).seen("x-forwarded-client-cert").concat();
    assert!(of_alice.contains("Cert="), "{of_alice}");
    let answers = [
        send(&mallory, &Request::get("/orders").bearer(&token)),
        send(&nobody, &Request::get("/orders").bearer(&token)),
        send(&mallory, &Request::get("/orders").bearer(&token).header("x-forwarded-client-cert", &of_alice)),
        // What is bound to nothing is not enough here.
        send(&alice, &Request::get("/orders").bearer(&loose)),
    ];
    for (case, answer) in answers.iter().enumerate() {
        assert_eq!(verdict(answer), refused(401, "proof_missing"), "{case}");
    }
    let secrets = provider.answered().into_iter().flat_map(|answered| answered.secrets);
    let keys = ["alice", "mallory"].map(|name| ("private key".to_owned(), body(&made[name]["key"])));
    world.assert_silent(secrets.chain(keys), &[], &answers.iter().collect::<Vec<_>>());
}

/// The first line of a key, without what stands around it.
fn body(pem: &Value) -> String {
    pem.as_str().unwrap().lines().nth(1).unwrap().to_owned()
}
