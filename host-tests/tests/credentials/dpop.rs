//! Tokens that are bound to a key (RFC 9449), from a certified provider.

use real_envoy::http::{Request, Response};
use real_envoy::verdict::{refused, verdict};
use serde_json::{Value, json};
use test_support::providers::{self, Provider};
use testbed::keys::{Algorithm, SigningKey};
use testbed::proof::Proof;

use crate::client::{access_token, registered, token_request};
use crate::world::{World, issuer};

const AUDIENCE: &str = "https://api.example.com";

fn provider(access_tokens: &str) -> Provider {
    let mut app = registered("app");
    app["bound"] = json!("dpop");
    let clients = json!([app, registered("gate")]);
    let options = json!({"clients": clients, "accessTokens": access_tokens, "resource": AUDIENCE, "dpopNonce": true});
    Provider::certified(&options)
}

/// A token of that key, for which the provider wants a nonce first.
fn bound_token(provider: &Provider, key: &SigningKey) -> String {
    let url = format!("{}/token", provider.issuer());
    let ask = |proof: Proof<'_>| {
        let request = token_request("app").header("host", provider.address().to_string());
        request.header("dpop", proof.text()).send(provider.address()).unwrap()
    };
    let first = ask(Proof::new(key, "POST", &url));
    assert_eq!((first.status, &first.json()["error"]), (400, &json!("use_dpop_nonce")), "{}", first.text());
    let nonce = first.header("dpop-nonce").unwrap();
    let second = ask(Proof::new(key, "POST", &url).nonce(&nonce));
    assert_eq!(second.json()["token_type"], "DPoP", "{}", second.text());
    access_token(&second)
}

fn world(provider: &Provider, constraint: &Value) -> World {
    let config = json!({
        "issuers": [issuer("idp", &provider.issuer(), "idp", AUDIENCE)],
        "senderConstraint": constraint,
        "identityHeaders": {"X-Auth-Request-User": "$subject"},
        "rules": [{"name": "rest", "access": "authenticated"}],
    });
    World::start(|_| config, &[("idp", provider.address())])
}

fn with_proof(target: &str, token: &str, proof: &Proof<'_>) -> Request {
    Request::get(target).header("authorization", format!("DPoP {token}")).header("dpop", proof.text())
}

fn challenge(response: &Response) -> String {
    response.head.all("www-authenticate").join(", ")
}

#[test]
fn a_bound_token_comes_with_its_proof_or_not_at_all() {
    if !providers::are_installed() {
        return;
    }
    let provider = provider("jwt");
    let world = world(&provider, &json!({}));
    let (key, other) = (SigningKey::generate(Algorithm::ES256), SigningKey::generate(Algorithm::EdDSA));
    let token = bound_token(&provider, &key);
    let proof = |path: &str| Proof::new(&key, "GET", &world.url(path)).of(&token);
    let good = proof("/orders");
    let response = world.send(&with_proof("/orders?page=2", &token, &good));
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["app".to_owned()]));
    assert_eq!(response.seen("dpop"), [""; 0], "the proof is for the gate");

    let mut answers = Vec::new();
    let mut expect = |case: &str, request: &Request, reason: &str| {
        let answer = world.send(request);
        assert_eq!(verdict(&answer), refused(401, reason), "{case}");
        assert!(challenge(&answer).contains("DPoP"), "{case}: {}", challenge(&answer));
        answers.push(answer);
    };
    expect("as a bearer token", &Request::get("/orders").bearer(&token), "proof_missing");
    expect("the same proof", &with_proof("/orders", &token, &good), "proof_replayed");
    expect("of another key", &with_proof("/orders", &token, &Proof { key: &other, ..proof("/orders") }), "bad_proof");
    expect("for another path", &with_proof("/admin", &token, &proof("/orders")), "bad_proof");
    let post = Proof::new(&key, "POST", &world.url("/orders")).of(&token);
    expect("for another method", &with_proof("/orders", &token, &post), "bad_proof");
    let foreign = Proof::new(&key, "GET", "http://another.example/orders").of(&token);
    expect("for another host", &with_proof("/orders", &token, &foreign), "bad_proof");
    expect("for another token", &with_proof("/orders", &token, &proof("/orders").of("another")), "bad_proof");
    let mut old = proof("/orders");
    old.claims["iat"] = json!(old.claims["iat"].as_u64().unwrap() - 3600);
    expect("of an hour ago", &with_proof("/orders", &token, &old), "bad_proof");
    let twice = with_proof("/orders", &token, &proof("/orders")).header("dpop", proof("/orders").text());
    expect("with another beside it", &twice, "bad_proof");
    let secrets = provider.answered().into_iter().flat_map(|answered| answered.secrets);
    let proofs = [("proof".to_owned(), good.text())];
    world.assert_silent(secrets.chain(proofs), &[], &answers.iter().collect::<Vec<_>>());
}

#[test]
fn a_proof_may_need_a_nonce_of_the_gates() {
    if !providers::are_installed() {
        return;
    }
    let provider = provider("jwt");
    let nonce = json!({"secrets": [{"env": "SESSION_SECRET"}]});
    let world = world(&provider, &json!({"dpop": {"window": "30s", "nonce": nonce}}));
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bound_token(&provider, &key);
    let proof = || Proof::new(&key, "GET", &world.url("/orders")).of(&token);
    let first = world.send(&with_proof("/orders", &token, &proof()));
    assert_eq!(first.status, 401);
    assert!(challenge(&first).contains("error=\"use_dpop_nonce\""), "{}", challenge(&first));
    let nonce = first.header("dpop-nonce").unwrap();
    assert_eq!(world.send(&with_proof("/orders", &token, &proof().nonce(&nonce))).status, 200);
    let made_up = world.send(&with_proof("/orders", &token, &proof().nonce("made-up")));
    assert_eq!(made_up.status, 401);
    let secrets = provider.answered().into_iter().flat_map(|answered| answered.secrets);
    world.assert_silent(secrets, &[], &[&first, &made_up]);
}

/// Who may use a token that only its issuer can read is in the issuer's answer.
#[test]
fn what_introspection_says_is_bound_is_bound() {
    if !providers::are_installed() {
        return;
    }
    let provider = provider("opaque");
    let client = json!({"id": "gate", "authentication": "basic", "secret": {"env": "CLIENT_SECRET"}});
    let config = json!({
        "introspection": [{
            "name": "idp", "issuer": provider.issuer(), "cluster": "idp", "audiences": "any", "client": client,
            "endpoint": format!("{}/token/introspection", provider.issuer()), "claims": {"subject": "client_id"},
        }],
        "rules": [{"name": "rest", "access": "authenticated"}],
    });
    let world = World::start(|_| config, &[("idp", provider.address())]);
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bound_token(&provider, &key);
    let proof = Proof::new(&key, "GET", &world.url("/orders")).of(&token);
    assert_eq!(world.send(&with_proof("/orders", &token, &proof)).status, 200);
    let bearer = world.send(&Request::get("/orders").bearer(&token));
    assert_eq!(verdict(&bearer), refused(401, "proof_missing"));
    let secrets = provider.answered().into_iter().flat_map(|answered| answered.secrets);
    world.assert_silent(secrets, &[], &[&bearer]);
}
