#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use ureq::Agent;

use crate::encoding::base64url;
use crate::issuer::{Authentication, Behaviour, Client, Fault, Flaws, Issuer, Mode, Options, Refresh};
use crate::keys::{Algorithm, SigningKey};
use crate::mint::{mint, object};

const CALLBACK: &str = "http://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[test]
fn a_login_gives_tokens_that_belong_together() {
    let issuer = issuer(Authentication::None);
    let (_, callback) = callback(&issuer, &[("login_hint", "bob")]);
    assert_eq!((callback["state"].as_str(), callback["iss"].as_str()), ("s 1", issuer.issuer()));
    let (status, tokens) = redeem(&issuer, &callback["code"], &[("client_id", "app")]);
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")));
    let claims = claims(&tokens["id_token"]);
    let expected = json!([issuer.issuer(), "app", "bob", "n-1", "alice@example.com"]);
    assert_eq!(json!([claims["iss"], claims["aud"], claims["sub"], claims["nonce"], claims["email"]]), expected);
    let hash = Sha256::digest(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["at_hash"], base64url(&hash[..16]));
    assert_eq!(userinfo(&issuer, &tokens["access_token"]).1["sub"], "bob");
    assert_eq!((issuer.granted("authorization_code"), issuer.count("/oauth/token")), (1, 1));
    let used = [&callback["code"], VERIFIER, tokens["refresh_token"].as_str().unwrap(), "s 1", "n-1"];
    let secrets = issuer.secrets();
    assert!(used.iter().all(|used| secrets.iter().any(|(_, value)| value == used)));
}

#[test]
fn discovery_names_every_endpoint() {
    let metadata = object(json!({"end_session_endpoint": null, "extra": 1}));
    let issuer = Issuer::start(Options { metadata, algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
    let uri = format!("{}/.well-known/openid-configuration", issuer.url());
    let document = json(agent().get(uri).call().unwrap()).1;
    for (name, path) in [("token_endpoint", "/oauth/token"), ("revocation_endpoint", "/oauth/revoke")] {
        assert_eq!(document[name], format!("{}{path}", issuer.url()));
    }
    assert_eq!((document.get("end_session_endpoint"), &document["extra"]), (None, &json!(1)));
}

#[test]
fn an_authorization_request_is_checked() {
    let known = Client { redirect_uris: vec![CALLBACK.into()], ..Client::new("app", Authentication::None) };
    let issuer = start(vec![known]);
    assert_eq!(authorize(&issuer, &[]).0, 303);
    for (name, value) in [
        ("client_id", "other"),
        ("redirect_uri", "http://app.example/callback/"),
        ("response_type", "token"),
        ("code_challenge", ""),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("scope", "email"),
    ] {
        assert_eq!(authorize(&issuer, &[(name, value)]).0, 400, "{name}={value}");
    }
    let twice = format!("{}/authorize?state=1&state=2", issuer.url());
    assert_eq!(agent().get(twice).call().unwrap().status(), 400);
}

#[test]
fn a_page_asks_for_the_name() {
    let issuer = issuer(Authentication::None);
    issuer.set_behaviour(Behaviour { page: true, ..Behaviour::default() });
    let (status, _, page) = authorize(&issuer, &[("state", "<\"&>")]);
    assert!(status == 200 && page.contains("value=\"&lt;&quot;&amp;>\""), "{page}");
    let mut fields = request(&[]);
    fields.insert("login_hint", "carol");
    let response = agent().post(format!("{}/authorize", issuer.url())).send_form(fields).unwrap();
    let code = query(response.headers()["location"].to_str().unwrap())["code"].clone();
    let tokens = redeem(&issuer, &code, &[("client_id", "app")]).1;
    assert_eq!(claims(&tokens["id_token"])["sub"], "carol");
}

#[test]
fn a_code_is_good_once_and_only_for_whom_it_was_made() {
    let issuer = issuer(Authentication::None);
    for wrong in [[("code_verifier", "another")], [("redirect_uri", "http://app.example/")]] {
        let (_, callback) = callback(&issuer, &[]);
        let (status, body) = redeem(&issuer, &callback["code"], &[("client_id", "app"), wrong[0]]);
        assert_eq!((status, body), (400, json!({"error": "invalid_grant"})));
    }
    let (_, callback) = callback(&issuer, &[]);
    let (_, tokens) = redeem(&issuer, &callback["code"], &[("client_id", "app")]);
    assert_eq!(redeem(&issuer, &callback["code"], &[("client_id", "app")]).0, 400);
    assert_eq!(refresh(&issuer, &tokens["refresh_token"]).0, 400, "the second use has ended the login");
    assert_eq!((issuer.granted("authorization_code"), issuer.refused("authorization_code")), (1, 3));
}

#[test]
fn a_client_authenticates_by_its_own_method_alone() {
    let basic = format!("Basic {}", STANDARD.encode("app:s%25+e"));
    let post = [("client_id", "app"), ("client_secret", "s% e")];
    for (authentication, good) in
        [(Authentication::Basic("s% e".into()), 0), (Authentication::Post("s% e".into()), 1), (Authentication::None, 2)]
    {
        let issuer = issuer(authentication);
        let statuses = [(Some(&basic), &post[..0]), (None, &post[..]), (None, &post[..1])].map(|(header, fields)| {
            let (_, callback) = callback(&issuer, &[]);
            redeem_with(&issuer, &callback["code"], header.map(String::as_str), fields).0
        });
        let expected = [0, 1, 2].map(|method| if method == good { 200 } else { 401 });
        assert_eq!(statuses, expected);
    }
}

#[test]
fn an_assertion_is_checked_and_good_once() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm);
        let issuer = issuer(Authentication::PrivateKey(Box::new(key.clone())));
        let now = crate::clock::now();
        let send = |key: &SigningKey, change: Value| {
            let claims = object(json!({
                "iss": "app", "sub": "app", "aud": issuer.issuer(), "jti": "1", "iat": now, "exp": now + 60,
            }));
            let assertion = mint(key, &object(json!({})), &crate::mint::merge(claims, &object(change)));
            let (_, callback) = callback(&issuer, &[]);
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            redeem(&issuer, &callback["code"], &[("client_assertion_type", kind), ("client_assertion", &assertion)]).0
        };
        assert_eq!([send(&key, json!({})), send(&key, json!({}))], [200, 401]);
        let endpoint = format!("{}/oauth/token", issuer.url());
        assert_eq!(send(&key, json!({"jti": "2", "aud": endpoint})), 200);
        for bad in [json!({"aud": "https://other"}), json!({"exp": now - 1}), json!({"sub": "b"}), json!({"jti": null})]
        {
            assert_eq!(
                send(&key, crate::mint::merge(object(json!({"jti": "3"})), &object(bad.clone())).into()),
                401,
                "{bad}"
            );
        }
        assert_eq!(send(&SigningKey::generate(algorithm), json!({"jti": "4"})), 401);
    }
}

#[test]
fn a_refresh_token_rotates_and_a_replay_ends_the_login() {
    let issuer = issuer(Authentication::None);
    let first = log_in(&issuer)["refresh_token"].clone();
    let (status, tokens) = refresh(&issuer, &first);
    assert_eq!((status, claims(&tokens["id_token"]).get("nonce")), (200, None));
    let second = tokens["refresh_token"].clone();
    assert_ne!(first, second);
    assert_eq!(refresh(&issuer, &first).0, 400);
    assert_eq!(refresh(&issuer, &second).0, 400, "the family is revoked");
    assert_eq!(userinfo(&issuer, &tokens["access_token"]).0, 401);
}

#[test]
fn grace_and_fixed_tokens_forgive_a_replay() {
    let issuer = issuer(Authentication::None);
    issuer.set_behaviour(Behaviour { grace_ms: 60_000, ..Behaviour::default() });
    let first = log_in(&issuer)["refresh_token"].clone();
    assert_eq!([refresh(&issuer, &first).0, refresh(&issuer, &first).0], [200, 200]);
    issuer.set_behaviour(Behaviour { ends_replayed: false, ..Behaviour::default() });
    let first = log_in(&issuer)["refresh_token"].clone();
    let second = refresh(&issuer, &first).1["refresh_token"].clone();
    assert_eq!([refresh(&issuer, &first).0, refresh(&issuer, &second).0], [400, 200]);
    issuer.set_behaviour(Behaviour { refresh: Refresh::Fixed, ..Behaviour::default() });
    let first = log_in(&issuer)["refresh_token"].clone();
    let (status, tokens) = refresh(&issuer, &first);
    assert_eq!((status, tokens.get("refresh_token"), refresh(&issuer, &first).0), (200, None, 200));
    issuer.set_behaviour(Behaviour { refresh: Refresh::None, ..Behaviour::default() });
    assert_eq!(log_in(&issuer).get("refresh_token"), None);
}

#[test]
fn a_revoked_login_is_over() {
    let issuer = issuer(Authentication::None);
    let revoke = |token: &Value| {
        let fields = [("client_id", "app"), ("token", token.as_str().unwrap())];
        agent().post(format!("{}/oauth/revoke", issuer.url())).send_form(fields).unwrap().status().as_u16()
    };
    let tokens = log_in(&issuer);
    assert_eq!(revoke(&json!("unknown")), 200);
    assert_eq!((revoke(&tokens["refresh_token"]), issuer.granted("revocation")), (200, 2));
    assert_eq!(refresh(&issuer, &tokens["refresh_token"]).0, 400);
    let tokens = log_in(&issuer);
    issuer.revoke_all();
    assert_eq!(refresh(&issuer, &tokens["refresh_token"]).0, 400);
}

#[test]
fn a_logout_goes_on_to_where_the_client_asks() {
    let issuer = issuer(Authentication::None);
    let logout = |query: &str| {
        let response = agent().get(format!("{}/logout?{query}", issuer.url())).call().unwrap();
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), location)
    };
    let location = Some("http://app.example/?state=1+2".to_owned());
    assert_eq!(logout("client_id=app&post_logout_redirect_uri=http://app.example/&state=1%202"), (303, location));
    assert_eq!(logout("client_id=other&post_logout_redirect_uri=http://app.example/"), (200, None));
}

#[test]
fn flaws_are_in_what_the_provider_says() {
    let issuer = issuer(Authentication::None);
    let flawed = |flaws: Value| {
        let flaws: Flaws = serde_json::from_value(flaws).unwrap();
        issuer.set_behaviour(Behaviour { flaws, ..Behaviour::default() });
    };
    flawed(json!({"callback": {"iss": null, "state": ["a", "b"], "error": "access_denied"}}));
    let (location, callback) = callback(&issuer, &[]);
    assert!(location.contains("state=a&state=b") && !location.contains("iss="), "{location}");
    assert_eq!(callback["error"], "access_denied");
    flawed(json!({
        "id_token": {"nonce": "x", "azp": "y"}, "refreshed_id_token": {"sub": "z"}, "response": {"token_type": "DPoP"},
        "refreshed_response": {"id_token": null}, "userinfo": {"sub": "m"},
    }));
    let tokens = log_in(&issuer);
    let claims = claims(&tokens["id_token"]);
    assert_eq!(json!([claims["nonce"], claims["azp"], tokens["token_type"]]), json!(["x", "y", "DPoP"]));
    assert_eq!(userinfo(&issuer, &tokens["access_token"]).1["sub"], "m");
    assert_eq!(refresh(&issuer, &tokens["refresh_token"]).1.get("id_token"), None);
    flawed(json!({"id_token_flaw": "alg-none"}));
    assert!(log_in(&issuer)["id_token"].as_str().unwrap().ends_with('.'));
}

#[test]
fn behaviour_is_set_over_http() {
    let issuer = issuer(Authentication::None);
    let set = |body: &str| agent().post(format!("{}/control/provider", issuer.url())).send(body).unwrap().status();
    assert_eq!(set(r#"{"user": {"sub": "dave", "email": null}, "refresh": "none"}"#), 204);
    let tokens = log_in(&issuer);
    let claims = claims(&tokens["id_token"]);
    assert_eq!((&claims["sub"], claims.get("email"), tokens.get("refresh_token")), (&json!("dave"), None, None));
    assert_eq!(set(r#"{"usr": {}}"#), 400);
}

#[test]
fn an_answer_may_be_lost_after_the_work_was_done() {
    let issuer = issuer(Authentication::None);
    let tokens = log_in(&issuer);
    issuer.set_token_endpoint(Fault::times(Mode::Close, 1)).unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", "app")];
    let fields = fields.into_iter().chain([("refresh_token", tokens["refresh_token"].as_str().unwrap())]);
    assert!(agent().post(format!("{}/oauth/token", issuer.url())).send_form(fields).is_err());
    assert_eq!(issuer.granted("refresh_token"), 1);
    assert_eq!(refresh(&issuer, &tokens["refresh_token"]).0, 400, "it was rotated");
}

#[test]
fn the_token_endpoint_fails_in_every_way() {
    let issuer = issuer(Authentication::None);
    let (_, callback) = callback(&issuer, &[]);
    let fail = |mode| {
        issuer.set_token_endpoint(Fault::times(mode, 1)).unwrap();
        redeem(&issuer, &callback["code"], &[("client_id", "app")])
    };
    let error = Mode::Error { error: "temporarily_unavailable".into(), status: 503 };
    assert_eq!(fail(error), (503, json!({"error": "temporarily_unavailable"})));
    assert_eq!(fail(Mode::Status { status: 500 }), (500, Value::Null));
    // The code has not been used until now.
    issuer.set_token_endpoint(Fault::times(Mode::DuplicateMember { member: "id_token".into() }, 1)).unwrap();
    let fields = [("client_id", "app"), ("code", &callback["code"]), ("grant_type", "authorization_code")];
    let fields = fields.into_iter().chain([("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]);
    let mut response = agent().post(format!("{}/oauth/token", issuer.url())).send_form(fields).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    assert_eq!(text.matches("\"id_token\"").count(), 2, "{text}");
    issuer.set_token_endpoint(Fault::lasting(Mode::Endless)).unwrap();
    let (_, callback) = self::callback(&issuer, &[]);
    let fields = [("client_id", "app"), ("code", &callback["code"]), ("grant_type", "authorization_code")];
    let fields = fields.into_iter().chain([("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]);
    let mut response = agent().post(format!("{}/oauth/token", issuer.url())).send_form(fields).unwrap();
    assert!(response.body_mut().with_config().limit(100_000).read_to_vec().is_err());
    assert!(issuer.set_userinfo(Fault::lasting(Mode::EmptySet)).is_err(), "a mode of another document");
    issuer.reset();
    assert_eq!(userinfo(&issuer, &json!("unknown")), (401, json!({"error": "invalid_token"})));
}

fn issuer(authentication: Authentication) -> Issuer {
    start(vec![Client::new("app", authentication)])
}

fn start(clients: Vec<Client>) -> Issuer {
    Issuer::start(Options { clients, algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap()
}

fn request<'a>(changes: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
    let usual = [
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s 1"),
        ("nonce", "n-1"),
        // Of RFC 7636 App. B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    usual.into_iter().chain(changes.iter().copied()).collect()
}

/// Status, location and body.
fn authorize(issuer: &Issuer, changes: &[(&str, &str)]) -> (u16, String, String) {
    let query = serde_urlencoded::to_string(request(changes)).unwrap();
    let mut response = agent().get(format!("{}/authorize?{query}", issuer.url())).call().unwrap();
    let location = response.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), location, response.body_mut().read_to_string().unwrap())
}

/// Where the browser is sent to, and the parameters there.
fn callback(issuer: &Issuer, changes: &[(&str, &str)]) -> (String, BTreeMap<String, String>) {
    let (status, location, _) = authorize(issuer, changes);
    assert!(status == 303 && location.starts_with(CALLBACK), "{status} {location}");
    let parameters = query(&location);
    (location, parameters)
}

fn query(location: &str) -> BTreeMap<String, String> {
    serde_urlencoded::from_str(location.split_once('?').unwrap().1).unwrap()
}

fn redeem(issuer: &Issuer, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    redeem_with(issuer, code, None, changes)
}

fn redeem_with(issuer: &Issuer, code: &str, header: Option<&str>, changes: &[(&str, &str)]) -> (u16, Value) {
    let usual =
        [("code", code), ("grant_type", "authorization_code"), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let fields: BTreeMap<&str, &str> = usual.into_iter().chain(changes.iter().copied()).collect();
    let request = agent().post(format!("{}/oauth/token", issuer.url()));
    json(
        header
            .iter()
            .fold(request, |request, value| request.header("authorization", *value))
            .send_form(fields)
            .unwrap(),
    )
}

fn log_in(issuer: &Issuer) -> Value {
    let (_, callback) = callback(issuer, &[]);
    let (status, tokens) = redeem(issuer, &callback["code"], &[("client_id", "app")]);
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn refresh(issuer: &Issuer, token: &Value) -> (u16, Value) {
    let fields = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token.as_str().unwrap())];
    json(agent().post(format!("{}/oauth/token", issuer.url())).send_form(fields).unwrap())
}

fn userinfo(issuer: &Issuer, access_token: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {}", access_token.as_str().unwrap());
    json(agent().get(format!("{}/userinfo", issuer.url())).header("authorization", bearer).call().unwrap())
}

fn json(mut response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let body = response.body_mut().read_to_string().unwrap_or_default();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap_or_default())
}

fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
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
