#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use ureq::Agent;

use super::*;
use crate::flaws::Flaw;
use crate::keys::Algorithm;

#[test]
fn discovery_leads_to_the_keys_that_sign() {
    let issuer = es256();
    let document = get_json(&issuer, "/.well-known/openid-configuration");
    assert_eq!(document["issuer"], issuer.url());
    assert_eq!(document["jwks_uri"], format!("{}/jwks", issuer.url()));
    let token = get(&issuer, "/token?sub=bob&scope=a+b").1;
    let kid = &json_part(&token, 0)["kid"];
    assert_eq!(kid, &get_json(&issuer, "/jwks")["keys"][0]["kid"]);
    let claims = json_part(&token, 1);
    assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&issuer.url().into(), &"bob".into(), &"demo".into()));
    assert_eq!(claims["scope"], "a b");
}

#[test]
fn an_issuer_with_a_path_answers_below_it() {
    let issuer = Issuer::start(Options {
        issuer: Some("https://idp.example.com/realms/main/".into()),
        algorithms: vec![Algorithm::EdDSA],
        ..Options::default()
    });
    let issuer = issuer.unwrap();
    let document = get_json(&issuer, "/realms/main/.well-known/openid-configuration");
    assert_eq!(document["issuer"], "https://idp.example.com/realms/main/");
    assert_eq!(document["jwks_uri"], "https://idp.example.com/realms/main/jwks");
    assert_eq!(get(&issuer, "/realms/main/jwks").0, 200);
    assert_eq!(get(&issuer, "/jwks").0, 200);
}

#[test]
fn tokens_are_what_was_asked_for() {
    let issuer = es256();
    let body = br#"{"groups": ["ops"], "aud": ["a", "b"], "lifetime": -60, "typ": "at+jwt", "kid": "k",
        "claims": {"email": "a@example.com", "jti": null}, "header": {"x": 1}}"#;
    let token = post(&issuer, "/token", body).1;
    let (header, mut claims) = (json_part(&token, 0), json_part(&token, 1));
    assert_eq!(header, json!({"alg": "ES256", "kid": "k", "typ": "at+jwt", "x": 1}));
    let times = claims.as_object_mut().unwrap();
    let (start, end) = (times.remove("iat").unwrap(), times.remove("exp").unwrap());
    assert_eq!(start.as_i64().unwrap() - end.as_i64().unwrap(), 60);
    let expected = json!({
        "iss": issuer.url(), "sub": "alice", "aud": ["a", "b"], "groups": ["ops"], "email": "a@example.com",
    });
    assert_eq!(claims, expected);
}

#[test]
fn what_cannot_be_done_is_a_bad_request() {
    let issuer = es256();
    let (status, message) = get(&issuer, "/token?alg=PS512");
    assert_eq!((status, message.as_str()), (400, "no key for `PS512`, there are ES256\n"));
    assert_eq!(get(&issuer, "/token?subject=alice").0, 400);
    assert_eq!(post(&issuer, "/control/jwks", b"{\"mode\": \"odd\"}").0, 400);
    assert_eq!(post(&issuer, "/control/jwks", b"{\"mode\": \"wrong_issuer\"}").0, 400);
    assert_eq!(post(&issuer, "/control/discovery", b"{\"mode\": \"empty_set\"}").0, 400);
    assert_eq!(post(&issuer, "/control/discovery", b"{\"mode\": \"status\", \"status\": 100}").0, 400);
    assert_eq!(post(&issuer, "/control/rotate?quietly=true", b"").0, 400);
}

#[test]
fn flaws_are_available_by_name() {
    let issuer = es256();
    let token = get(&issuer, "/token?flaw=alg-none").1;
    assert_eq!(json_part(&token, 0)["alg"], "none");
    let request = TokenRequest { flaw: Flaw::Hs256PublicKey, ..TokenRequest::default() };
    assert_eq!(json_part(&issuer.token(&request).unwrap(), 0)["alg"], "HS256");
}

#[test]
fn rotation_replaces_keeps_or_hides() {
    let issuer = es256();
    let first = published(&issuer);
    let (_, answer) = post(&issuer, "/control/rotate", b"");
    let second = published(&issuer);
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), json!({"kids": second}));
    assert_ne!(first, second);
    post(&issuer, "/control/rotate?keep=true", b"");
    let third = published(&issuer);
    assert_eq!((third.len(), &third[0]), (2, &second[0]));
    let hidden = issuer.rotate(Rotation { keep: false, publish: false });
    assert_eq!(published(&issuer), third);
    assert_eq!(json_part(&get(&issuer, "/token").1, 0)["kid"], hidden[0]);
    post(&issuer, "/control/publish", b"");
    assert!(published(&issuer).contains(&hidden[0]));
}

#[test]
fn a_fault_lasts_as_long_as_it_should() {
    let issuer = es256();
    post(&issuer, "/control/jwks", br#"{"mode": "status", "status": 503, "times": 2}"#);
    let statuses: Vec<u16> = (0..3).map(|_| get(&issuer, "/jwks").0).collect();
    assert_eq!(statuses, [503, 503, 200]);
    issuer.set_jwks(Fault::lasting(Mode::Status { status: 404 })).unwrap();
    assert_eq!((get(&issuer, "/jwks").0, get(&issuer, "/jwks").0), (404, 404));
    assert_eq!(get(&issuer, "/.well-known/openid-configuration").0, 200);
    post(&issuer, "/control/reset", b"");
    assert_eq!(get(&issuer, "/jwks").0, 200);
}

#[test]
fn documents_fail_in_every_way() {
    let issuer = es256();
    let good = get(&issuer, "/jwks").1;
    let jwks = |mode| {
        issuer.set_jwks(Fault::times(mode, 1)).unwrap();
        get(&issuer, "/jwks")
    };
    assert!(jwks(Mode::Html).1.starts_with("<!doctype html>"));
    assert_eq!(jwks(Mode::Truncated).1.as_bytes(), &good.as_bytes()[..good.len() / 2]);
    assert_eq!(jwks(Mode::EmptySet).1, r#"{"keys":[]}"#);
    assert_eq!(jwks(Mode::Oversize { bytes: 300_000 }).1.len(), 300_000);
    assert_eq!(jwks(Mode::Redirect).0, 302);
    assert!(!jwks(Mode::NoUsableKey).1.contains("es256-"));
    assert!(jwks(Mode::OddKeys).1.contains("es256-"));
    assert_eq!(jwks(Mode::Garbage).0, 200);
    let text = Mode::Body { body: "[]".into(), content_type: "text/plain".into() };
    assert_eq!(jwks(text).1, "[]");
    let discovery = |mode| {
        issuer.set_discovery(Fault::times(mode, 1)).unwrap();
        get_json(&issuer, "/.well-known/openid-configuration")
    };
    assert_eq!(discovery(Mode::WrongIssuer)["issuer"], "https://other.example");
    assert_eq!(discovery(Mode::NoJwksUri).get("jwks_uri"), None);
    let foreign = Mode::ForeignJwksUri { uri: "https://a.example/b".into() };
    assert_eq!(discovery(foreign)["jwks_uri"], "https://a.example/b");
}

#[test]
fn connections_fail_in_every_way() {
    let issuer = es256();
    let jwks = |mode| {
        let limit = Duration::from_secs(if mode == Mode::Stall { 1 } else { 30 });
        issuer.set_jwks(Fault::times(mode, 1)).unwrap();
        let jwks = agent().get(format!("{}/jwks", issuer.url()));
        let response = jwks.config().timeout_global(Some(limit)).build().call();
        response.and_then(|mut response| response.body_mut().read_to_string())
    };
    assert!(jwks(Mode::Close).is_err());
    assert!(jwks(Mode::CutOff).is_err());
    assert!(jwks(Mode::Stall).is_err_and(|error| matches!(error, ureq::Error::Timeout(_))));
    assert!(jwks(Mode::Slow { millis: 10 }).is_ok());
}

#[test]
fn requests_are_counted_by_path() {
    let issuer = es256();
    get(&issuer, "/jwks?a=b");
    get(&issuer, "/jwks");
    get(&issuer, "/nowhere");
    assert_eq!(get_json(&issuer, "/control/stats"), json!({"/jwks": 2, "/nowhere": 1}));
    assert_eq!((issuer.count("/jwks"), issuer.count("/token")), (2, 0));
    post(&issuer, "/control/reset", b"");
    assert_eq!(get_json(&issuer, "/control/stats"), json!({}));
}

#[test]
fn cache_control_is_sent_when_set() {
    let issuer = Issuer::start(Options {
        algorithms: vec![Algorithm::EdDSA],
        cache_control: Some("max-age=60".into()),
        ..Options::default()
    });
    let issuer = issuer.unwrap();
    let response = agent().get(format!("{}/jwks", issuer.url())).call().unwrap();
    assert_eq!(response.headers()["cache-control"], "max-age=60");
}

fn es256() -> Issuer {
    Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap()
}

fn published(issuer: &Issuer) -> Vec<String> {
    let set = get_json(issuer, "/jwks");
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn get_json(issuer: &Issuer, path: &str) -> Value {
    serde_json::from_str(&get(issuer, path).1).unwrap()
}

fn get(issuer: &Issuer, path: &str) -> (u16, String) {
    let mut response = agent().get(format!("{}{path}", issuer.url())).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap_or_default())
}

fn post(issuer: &Issuer, path: &str, body: &[u8]) -> (u16, String) {
    let mut response = agent().post(format!("{}{path}", issuer.url())).send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// Answers any status, and follows nothing.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().new_agent()
}

fn json_part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
