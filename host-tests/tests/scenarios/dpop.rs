//! Tokens that are bound to a key: `dpop.yaml`.

use real_envoy::http::{Request, Response};
use serde_json::json;
use testbed::issuer::TokenRequest;
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::object;
use testbed::proof::{Proof, thumbprint};

use crate::world::{Shared, World, refused, verdict};

fn world() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| World::new("dpop", None, "payments"))
}

/// A token that may pay, bound to that key.
fn bound(world: &World, key: &SigningKey) -> String {
    let claims = object(json!({"cnf": {"jkt": thumbprint(key)}}));
    world.token(&TokenRequest { scope: Some("pay".into()), claims, ..TokenRequest::subject("alice") })
}

/// Sends a request with a proof, and once more with the nonce that is asked for.
fn send(world: &World, method: &str, path: &str, token: &str, key: &SigningKey) -> Response {
    let proof = || Proof::new(key, method, &world.url(path)).of(token);
    let authority = world.url("").replace("http://", "");
    let request = |proof: &Proof<'_>| {
        let request = Request::new(method, path).header("host", &authority);
        request.header("authorization", format!("DPoP {token}")).header("dpop", proof.text())
    };
    let first = world.send(&request(&proof()));
    match first.header("dpop-nonce") {
        Some(nonce) => world.send(&request(&proof().nonce(&nonce))),
        None => first,
    }
}

#[test]
fn a_token_is_of_use_to_who_holds_its_key() {
    let world = world();
    let (key, other) = (SigningKey::generate(Algorithm::ES256), SigningKey::generate(Algorithm::ES256));
    let token = bound(world, &key);
    for (method, path) in [("GET", "/payments/7"), ("POST", "/payments")] {
        let response = send(world, method, path, &token, &key);
        assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["alice".into()]));
        assert_eq!(response.seen("dpop"), [""; 0]);
        assert_eq!(verdict(&send(world, method, path, &token, &other)), refused(401, "bad_proof"));
        let stolen = Request::new(method, path).bearer(&token);
        assert_eq!(verdict(&world.send(&stolen)), refused(401, "proof_missing"));
    }
}

#[test]
fn tokens_that_are_not_bound_may_read_and_not_pay() {
    let world = world();
    let bob = world.scoped("pay");
    assert_eq!(world.send(&Request::get("/payments/7").bearer(&bob)).status, 200);
    let pays = world.send(&Request::new("POST", "/payments").bearer(&bob));
    assert_eq!(verdict(&pays), refused(401, "proof_missing"));
}
