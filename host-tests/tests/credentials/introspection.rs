//! Tokens that only their issuer can read: at a certified provider, and at one with flaws.

use std::time::{Duration, Instant};

use real_envoy::http::{Request, Response, burst};
use real_envoy::verdict::{refused, verdict};
use serde_json::{Value, json};
use test_support::eventually;
use test_support::providers::{self, Answered, Provider};
use testbed::issuer::{Authentication, Behaviour, Client, Fault, Flaws, Issuer, Mode, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::mint::object;

use crate::client::{basic, bearer_token, registered};
use crate::world::{CLIENT_SECRET, World};

const SOON: Duration = Duration::from_secs(20);

/// Whoever may `read` may read, and whoever may `write` has `/admin`.
fn config(entry: &Value) -> Value {
    json!({
        "introspection": [entry],
        "identityHeaders": {"X-Auth-Request-User": "$subject", "X-Auth-Request-Issuer": "$issuer"},
        "rules": [
            {"name": "admin", "match": {"paths": ["/admin/**"]}, "access": {"scopes": {"all": ["write"]}}},
            {"name": "rest", "access": {"scopes": {"all": ["read"]}}},
        ],
    })
}

fn entry(issuer: &str, endpoint: &str) -> Value {
    json!({
        "name": "idp", "issuer": issuer, "endpoint": endpoint, "cluster": "idp", "audiences": "any",
        "client": {"id": "gate", "authentication": "basic", "secret": {"env": "CLIENT_SECRET"}},
        "cacheFor": "1s",
    })
}

#[test]
fn a_certified_provider_says_what_its_tokens_are_good_for() {
    if !providers::are_installed() {
        return;
    }
    let provider = Provider::certified(&json!({"clients": [registered("gate"), registered("app")]}));
    let endpoint = format!("{}/token/introspection", provider.issuer());
    let mut entry = entry(&provider.issuer(), &endpoint);
    entry["claims"] = json!({"subject": "client_id"});
    let world = World::start(|_| config(&entry), &[("idp", provider.address())]);
    let token = bearer_token(provider.address(), "app");
    assert!(!token.contains('.'), "{token}");
    let get = |path: &str| world.send(&Request::get(path).bearer(&token));
    let response = get("/orders");
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["app".to_owned()]));
    assert_eq!(response.seen("x-auth-request-issuer"), [provider.issuer()]);
    // The rule is judged for each request, whatever was asked before.
    let poor = get("/admin/users");
    assert_eq!(verdict(&poor), refused(403, "insufficient_scope"));
    let unknown = world.send(&Request::get("/orders").bearer("made-up-by-somebody"));
    assert_eq!(verdict(&unknown), refused(401, "inactive_token"));
    // Each worker asks once, though all ask at once: once in a second, that is.
    let another = bearer_token(provider.address(), "app");
    let is_about_it = |one: &&Answered| one.secrets.iter().any(|(_, value)| *value == another);
    let asked = || {
        let answered = provider.answered();
        answered.iter().filter(|one| one.endpoint.as_deref() == Some("introspection")).filter(is_about_it).count()
    };
    let start = Instant::now();
    let requests: Vec<_> = (0..24).map(|number| Request::get(&format!("/{number}")).bearer(&another)).collect();
    let statuses: Vec<_> =
        burst(world.envoy.address("gateway"), &requests, SOON).into_iter().map(|it| it.unwrap().status).collect();
    assert_eq!(statuses, [200; 24]);
    let seconds = 1 + usize::try_from(start.elapsed().as_secs()).unwrap();
    eventually("the question is logged", || asked() > 0);
    assert!(asked() <= 2 * seconds, "{} in {seconds} s", asked());
    // What is revoked is gone as soon as it is asked for anew.
    let revocation = Request::new("POST", "/token/revocation").header("authorization", basic("app"));
    let revocation = revocation.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(revocation.body(format!("token={token}")).send(provider.address()).unwrap().status, 200);
    std::thread::sleep(Duration::from_millis(1100));
    let revoked = get("/orders");
    assert_eq!(verdict(&revoked), refused(401, "inactive_token"));
    let secrets: Vec<_> = provider.answered().into_iter().flat_map(|answered| answered.secrets).collect();
    world.assert_silent(secrets, &[], &[&poor, &unknown, &revoked]);
}

fn flawed() -> (Issuer, World) {
    let client = Client::new("gate", Authentication::Basic(CLIENT_SECRET.into()));
    let options = Options { clients: vec![client], algorithms: vec![Algorithm::ES256], ..Options::default() };
    let issuer = Issuer::start(options).unwrap();
    let entry = entry(issuer.issuer(), &format!("{}/oauth/introspect", issuer.url()));
    let world = World::start(|_| config(&entry), &[("idp", issuer.address())]);
    (issuer, world)
}

fn opaque(issuer: &Issuer, claims: Value) -> String {
    let (opaque, scope) = (Some("gt-".into()), Some("read".into()));
    issuer.token(&TokenRequest { opaque, scope, claims: object(claims), ..TokenRequest::default() }).unwrap()
}

#[test]
fn only_a_plain_yes_is_a_yes() {
    let (issuer, world) = flawed();
    let mut answers: Vec<Response> = Vec::new();
    for (introspection, expected) in [
        (json!({"active": false}), refused(401, "inactive_token")),
        (json!({"active": "true"}), refused(503, "introspection_unavailable")),
        (json!({"active": 1}), refused(503, "introspection_unavailable")),
        (json!({"active": null}), refused(503, "introspection_unavailable")),
        (json!({"iss": "https://other.example"}), refused(401, "unknown_issuer")),
        (json!({"exp": 1}), refused(401, "expired")),
        (json!({"padding": "a".repeat(2_000_000)}), refused(503, "introspection_unavailable")),
    ] {
        let case: String = introspection.to_string().chars().take(40).collect();
        let flaws = Flaws { introspection: object(introspection), ..Flaws::default() };
        issuer.set_behaviour(Behaviour { flaws, ..Behaviour::default() });
        let answer = world.send(&Request::get("/orders").bearer(&opaque(&issuer, json!({}))));
        assert_eq!(verdict(&answer), expected, "{case}");
        answers.push(answer);
        // After one that made no sense, nothing is asked for a while.
        std::thread::sleep(Duration::from_millis(if expected.0 == 503 { 2200 } else { 0 }));
    }
    issuer.set_behaviour(Behaviour::default());
    assert_eq!(world.send(&Request::get("/orders").bearer(&opaque(&issuer, json!({})))).status, 200);
    world.assert_silent(issuer.secrets(), &[], &answers.iter().collect::<Vec<_>>());
}

#[test]
fn an_issuer_that_fails_or_stalls_is_503_and_not_a_yes() {
    for mode in [
        Mode::Status { status: 500 },
        Mode::Stall,
        Mode::DuplicateMember { member: "active".into() },
        Mode::Html,
        Mode::CutOff,
    ] {
        let (issuer, world) = flawed();
        let token = opaque(&issuer, json!({}));
        issuer.set_introspection(Fault::lasting(mode.clone())).unwrap();
        let answer = world.send(&Request::get("/orders").bearer(&token));
        assert_eq!(verdict(&answer), refused(503, "introspection_unavailable"), "{mode:?}");
        assert!(answer.header("retry-after").is_some(), "{mode:?}");
        world.assert_silent(issuer.secrets(), &[], &[&answer]);
    }
}

/// As GitHub and Gafaelfawr have it: who has a token may ask about it.
#[test]
fn a_token_may_speak_for_itself() {
    let issuer = Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
    let mut entry = entry(issuer.issuer(), &format!("{}/auth/api/v1/token-info", issuer.url()));
    entry["client"].take();
    entry.as_object_mut().unwrap().remove("client");
    entry["style"] = json!("self");
    entry["match"] = json!({"prefix": "gt-"});
    entry["claims"] = json!({"subject": "username"});
    let world = World::start(|_| config(&entry), &[("idp", issuer.address())]);
    let token = opaque(&issuer, json!({"sub": null, "username": "some-user"}));
    let response = world.send(&Request::get("/orders").bearer(&token));
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["some-user".to_owned()]));
    let unknown = world.send(&Request::get("/orders").bearer("gt-unknown-to-anybody"));
    assert_eq!(verdict(&unknown), refused(401, "inactive_token"));
    world.assert_silent(issuer.secrets(), &[], &[&unknown]);
}
