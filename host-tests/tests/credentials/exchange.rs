//! Tokens that are exchanged (RFC 8693), at the testbed: no certified provider has it.

use real_envoy::http::Request;
use real_envoy::verdict::{refused, verdict};
use serde_json::json;
use testbed::issuer::{Authentication, Client, Fault, Issuer, Mode, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::verify::verified_claims;

use crate::world::{CLIENT_SECRET, World, issuer};

fn start() -> (Issuer, World) {
    let client = Client::new("gate", Authentication::Basic(CLIENT_SECRET.into()));
    let options = Options { clients: vec![client], algorithms: vec![Algorithm::ES256], ..Options::default() };
    let main = Issuer::start(options).unwrap();
    let config = json!({
        "issuers": [issuer("main", main.issuer(), "main", "demo")],
        "upstreamCredentials": [{
            "name": "orders",
            "exchange": {
                "issuer": "main",
                "client": {"id": "gate", "authentication": "basic", "secret": {"env": "CLIENT_SECRET"}},
                "audience": ["orders", "stock"], "resource": ["https://orders.example/", "https://stock.example/"],
                "scopes": ["read"],
            },
        }],
        "upstream": "orders",
        "rules": [{"name": "rest", "access": "authenticated"}],
    });
    let world = World::start(|_| config, &[("main", main.address())]);
    (main, world)
}

#[test]
fn the_upstream_gets_a_token_for_it_and_the_endpoint_is_asked_once() {
    let (main, world) = start();
    let own = main.token(&TokenRequest::subject("bob")).unwrap();
    let responses: Vec<_> = (0..8).map(|_| world.send(&Request::get("/orders").bearer(&own))).collect();
    for response in &responses {
        let token = response.seen("authorization").concat();
        let token = token.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{}", response.text()));
        assert_ne!(token, own);
        let claims = verified_claims(token, &main.key_set()).unwrap();
        let said = json!([claims["sub"], claims["aud"], claims["scope"], claims["act"]["sub"]]);
        assert_eq!(said, json!(["bob", ["orders", "stock"], "read", "gate"]));
    }
    // Once in each worker.
    let asked = main.exchanges();
    assert!((1..=2).contains(&asked.len()), "{asked:?}");
    let type_of_subject = asked[0]["subject_token_type"].as_str();
    assert!(matches!(type_of_subject.rsplit(':').next(), Some("access_token" | "jwt")), "{type_of_subject}");
    assert_eq!((asked[0]["subject_token"].as_str(), asked[0]["audience"].as_str()), (own.as_str(), "orders stock"));
    assert_eq!(asked[0]["resource"], "https://orders.example/ https://stock.example/");
    world.assert_silent(main.secrets(), &[], &[]);
}

#[test]
fn a_refusal_is_403_and_a_failure_503() {
    for (mode, expected) in [
        (Mode::Error { error: "invalid_target".into(), status: 400 }, refused(403, "upstream_credential_denied")),
        (Mode::Error { error: "invalid_client".into(), status: 401 }, refused(403, "upstream_credential_denied")),
        (Mode::Status { status: 500 }, refused(503, "upstream_credential_unavailable")),
        (Mode::Stall, refused(503, "upstream_credential_unavailable")),
        (Mode::DuplicateMember { member: "access_token".into() }, refused(503, "upstream_credential_unavailable")),
    ] {
        let (main, world) = start();
        main.set_exchange(Fault::lasting(mode.clone())).unwrap();
        let own = main.token(&TokenRequest::subject("bob")).unwrap();
        let answer = world.send(&Request::get("/orders").bearer(&own));
        assert_eq!(verdict(&answer), expected, "{mode:?}");
        assert_eq!(answer.header("retry-after").is_some(), expected.0 == 503, "{mode:?}");
        assert!(world.upstream.seen().is_empty(), "nothing goes on without its credential");
        let secrets = main.secrets().into_iter().chain([("caller's token".to_owned(), own)]);
        world.assert_silent(secrets, &[], &[&answer]);
    }
}
