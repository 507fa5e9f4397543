//! Introspection and token exchange.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::{Value, json};
use ureq::Agent;

use crate::issuer::{Authentication, Behaviour, Client, Fault, Flaws, Issuer, Mode, Options, TokenRequest};
use crate::keys::Algorithm;
use crate::mint::object;
use crate::verify::verified_claims;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn issuer(authentication: Authentication) -> Issuer {
    let clients = vec![Client::new("gate", authentication)];
    Issuer::start(Options { clients, algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap()
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

fn post(issuer: &Issuer, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let mut response = agent().post(format!("{}{path}", issuer.url())).send_form(fields.iter().copied()).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

fn get(issuer: &Issuer, token: &str) -> (u16, Value) {
    let request = agent().get(format!("{}/auth/api/v1/token-info", issuer.url()));
    let mut response = request.header("authorization", format!("Bearer {token}")).call().unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

fn introspect(issuer: &Issuer, token: &str) -> (u16, Value) {
    post(issuer, "/oauth/introspect", &[("client_id", "gate"), ("client_secret", "s"), ("token", token)])
}

fn opaque(issuer: &Issuer, lifetime: i64) -> String {
    let request = TokenRequest { opaque: Some("gt-".into()), lifetime: Some(lifetime), ..TokenRequest::subject("bob") };
    issuer.token(&request).unwrap()
}

#[test]
fn a_token_that_only_the_issuer_can_read_says_what_a_jwt_would() {
    let issuer = issuer(Authentication::Post("s".into()));
    let token = opaque(&issuer, 600);
    assert!(token.starts_with("gt-") && !token.contains('.'), "{token}");
    let (status, answer) = introspect(&issuer, &token);
    let said = json!([status, answer["active"], answer["sub"], answer["aud"]]);
    assert_eq!(said, json!([200, true, "bob", "demo"]));
    assert_eq!(get(&issuer, &token).1["sub"], "bob");
    assert!(issuer.secrets().iter().any(|(_, value)| *value == token));
    assert_eq!(issuer.granted("introspection"), 2);
}

#[test]
fn unknown_and_expired_and_revoked_tokens_are_inactive() {
    let issuer = issuer(Authentication::Post("s".into()));
    let revoked = opaque(&issuer, 600);
    issuer.revoke(&revoked);
    for token in ["gt-unknown", &opaque(&issuer, -1), &revoked] {
        assert_eq!(introspect(&issuer, token), (200, json!({"active": false})));
        assert_eq!(get(&issuer, token), (401, json!({"error": "invalid_token"})));
    }
}

#[test]
fn nobody_introspects_but_a_client() {
    let bearer = issuer(Authentication::Bearer("b".into()));
    let token = opaque(&bearer, 600);
    for (secret, expected) in [("b", 200), ("a", 401)] {
        let request = agent().post(format!("{}/oauth/introspect", bearer.url()));
        let response = request.header("authorization", format!("Bearer {secret}")).send_form([("token", &token)]);
        assert_eq!(response.unwrap().status(), expected);
    }
    let post = issuer(Authentication::Post("t".into()));
    assert_eq!(introspect(&post, &opaque(&post, 600)).0, 401);
    assert_eq!((post.granted("introspection"), post.refused("introspection")), (0, 1));
}

#[test]
fn an_introspection_has_flaws_and_fails_on_demand() {
    let issuer = issuer(Authentication::Post("s".into()));
    let token = opaque(&issuer, 600);
    let introspection = object(json!({"active": "true", "iss": "https://other.example"}));
    issuer.set_behaviour(Behaviour { flaws: Flaws { introspection, ..Flaws::default() }, ..Behaviour::default() });
    let answer = introspect(&issuer, &token).1;
    assert_eq!((&answer["active"], &answer["iss"]), (&json!("true"), &json!("https://other.example")));
    issuer.set_introspection(Fault::times(Mode::Status { status: 500 }, 1)).unwrap();
    assert_eq!((introspect(&issuer, &token).0, introspect(&issuer, &token).0), (500, 200));
}

fn exchange(issuer: &Issuer, token: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    let usual = [
        ("grant_type", GRANT),
        ("client_id", "gate"),
        ("client_secret", "s"),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", "orders"),
    ];
    let is_kept = |(name, _): &&(&str, &str)| changes.iter().all(|(other, _)| other != name);
    let fields: Vec<_> = usual.iter().filter(is_kept).chain(changes).copied().collect();
    post(issuer, "/oauth/token", &fields)
}

#[test]
fn a_token_is_exchanged_for_one_with_another_audience() {
    let issuer = issuer(Authentication::Post("s".into()));
    for token in [issuer.token(&TokenRequest::subject("bob")).unwrap(), opaque(&issuer, 600)] {
        let (status, answer) = exchange(&issuer, &token, &[("scope", "a b")]);
        let said = json!([status, answer["issued_token_type"], answer["token_type"]]);
        assert_eq!(said, json!([200, ACCESS_TOKEN, "Bearer"]));
        let claims = verified_claims(answer["access_token"].as_str().unwrap(), &issuer.key_set()).unwrap();
        let expected = json!(["bob", "orders", "a b", {"sub": "gate"}]);
        assert_eq!(json!([claims["sub"], claims["aud"], claims["scope"], claims["act"]]), expected);
    }
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let token = issuer.token(&TokenRequest::subject("bob")).unwrap();
    let resource = [("audience", ""), ("resource", "https://api.example/"), ("requested_token_type", jwt)];
    let (_, answer) = exchange(&issuer, &token, &resource);
    assert_eq!((&answer["issued_token_type"], &answer["token_type"]), (&json!(jwt), &json!("N_A")));
    assert_eq!((issuer.exchanges().len(), issuer.granted(GRANT)), (3, 3));
    assert_eq!(issuer.exchanges()[2]["resource"], "https://api.example/");
    let (status, answer) = exchange(&issuer, &token, &[("audience", "orders"), ("audience", "stock")]);
    let claims = verified_claims(answer["access_token"].as_str().unwrap(), &issuer.key_set()).unwrap();
    assert_eq!((status, &claims["aud"]), (200, &json!(["orders", "stock"])));
    assert_eq!(issuer.exchanges()[3]["audience"], "orders stock");
}

#[test]
fn every_member_of_an_exchange_is_checked() {
    let (issuer, other) = (issuer(Authentication::Post("s".into())), issuer(Authentication::None));
    let token = issuer.token(&TokenRequest::subject("bob")).unwrap();
    let expired = issuer.token(&TokenRequest { lifetime: Some(-1), ..TokenRequest::default() }).unwrap();
    let (opaque, foreign) = (opaque(&issuer, 600), other.token(&TokenRequest::default()).unwrap());
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    for changes in [
        &[("client_secret", "t")][..],
        &[("subject_token", "")],
        &[("subject_token", expired.as_str())],
        &[("subject_token", foreign.as_str())],
        &[("subject_token", opaque.as_str()), ("subject_token_type", id_token)],
        &[("subject_token_type", "access_token")],
        &[("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")],
        &[("resource", "orders")],
        &[("resource", "https://api.example/"), ("resource", "orders")],
        &[("scope", "a"), ("scope", "b")],
        &[("actor_token", "a")],
        &[("unknown", "a")],
    ] {
        let (status, answer) = exchange(&issuer, &token, changes);
        assert!(matches!(status, 400 | 401) && answer["error"].is_string(), "{changes:?}: {status} {answer}");
    }
    assert_eq!((issuer.granted(GRANT), issuer.refused(GRANT)), (0, 11));
}

#[test]
fn an_exchange_has_flaws_and_fails_on_demand() {
    let issuer = issuer(Authentication::Post("s".into()));
    let token = issuer.token(&TokenRequest::default()).unwrap();
    let flaws = Flaws { exchange: object(json!({"token_type": "mac"})), ..Flaws::default() };
    issuer.set_behaviour(Behaviour { flaws, ..Behaviour::default() });
    assert_eq!(exchange(&issuer, &token, &[]).1["token_type"], "mac");
    issuer.set_exchange(Fault::times(Mode::Error { error: "invalid_target".into(), status: 400 }, 1)).unwrap();
    assert_eq!(exchange(&issuer, &token, &[]), (400, json!({"error": "invalid_target"})));
    assert_eq!(exchange(&issuer, &token, &[]).0, 200);
}
