//! An API behind another: `exchange.yaml`.

use real_envoy::http::Request;
use serde_json::json;
use testbed::issuer::{Fault, Mode, TokenRequest};
use testbed::verify::verified_claims;

use crate::world::{Shared, World, refused, verdict};

fn world() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| World::new("exchange", None, "gateway"))
}

#[test]
fn each_service_gets_a_token_for_itself() {
    let world = world();
    let request = TokenRequest { groups: Some(vec!["accounting".into()]), ..TokenRequest::subject("bob") };
    let own = world.token(&request);
    for (path, audience, scope) in
        [("/orders/7", "orders", json!("orders:read")), ("/billing/1", "billing", json!(null))]
    {
        let response = world.send(&Request::get(path).bearer(&own));
        let token = response.seen("authorization").concat();
        let token = token.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{}", response.text()));
        let claims = verified_claims(token, &world.issuer.key_set()).unwrap();
        let said = json!([claims["sub"], claims["aud"], claims.get("scope").cloned().unwrap_or_default()]);
        assert_eq!(said, json!(["bob", audience, scope]));
        // Sent on to the gateway, it is of no use.
        assert_eq!(verdict(&world.send(&Request::get("/orders/7").bearer(token))), refused(401, "wrong_audience"));
    }
}

#[test]
fn nothing_is_exchanged_for_who_is_refused() {
    let world = world();
    let before = world.issuer.exchanges().len();
    let alice = world.token(&TokenRequest::subject("alice"));
    assert_eq!(verdict(&world.send(&Request::get("/billing/1").bearer(&alice))), refused(403, "access_denied"));
    assert_eq!(verdict(&world.send(&Request::get("/orders/7"))), refused(401, "missing_token"));
    let public = world.send(&Request::get("/public/page").bearer(&alice));
    assert_eq!((public.status, public.seen("authorization").len()), (200, 0));
    let asked = world.issuer.exchanges();
    assert!(asked[before..].iter().all(|sent| sent["subject_token"] != alice));
}

#[test]
fn what_the_issuer_refuses_is_refused_here() {
    let world = World::new("exchange", None, "gateway");
    let fault = Fault::lasting(Mode::Error { error: "invalid_target".into(), status: 400 });
    world.issuer.set_exchange(fault).unwrap();
    let carol = world.token(&TokenRequest::subject("carol"));
    let answer = world.send(&Request::get("/orders/7").bearer(&carol));
    assert_eq!(verdict(&answer), refused(403, "upstream_credential_denied"));
}
