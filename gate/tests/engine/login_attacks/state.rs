//! The login under way: login CSRF (RFC 6749 §10.12), code injection (RFC 9700 §4.5), mix-up (RFC 9700 §4.4), replay.

use std::time::Duration;

use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use jose::Hash;
use jose::base64url;

use super::{LOGIN_COOKIE, SESSION, Scene, body, encode, failed_as, lines, two_logins};
use crate::browser::{Browser, login, status, world};
use crate::support::{ISSUER, merge};

/// A victim that follows an attacker's callback would work in the attacker's account.
#[test]
fn a_callback_is_of_no_use_in_another_browser() {
    let mut scene = Scene::new(&json!({}));
    let attack = scene.way_back();
    let mut victim = Browser::default();
    scene.as_browser(&mut victim, |scene| {
        failed_as(&scene.go(&attack), 400);
        scene.begin("/app");
        assert!(scene.browser.cookies.contains_key(LOGIN_COOKIE));
        failed_as(&scene.go(&attack), 400);
    });
    assert_eq!(scene.redemptions(), 0, "no code is sent to the provider for it");
}

#[test]
fn a_strange_callback_changes_nothing_for_who_is_logged_in() {
    let mut scene = Scene::logged_in(&json!({}));
    let before = scene.browser.cookies.clone();
    let mut attacker = Browser::default();
    let attack = scene.as_browser(&mut attacker, Scene::way_back);
    let outcome = scene.go(&attack);
    assert_eq!((status(&outcome), lines(&outcome, "location")), (303, vec!["/"]));
    assert_eq!(scene.browser.cookies, before);
    assert_eq!(scene.redemptions(), 1);
}

/// The attacker has a code of their own, and the victim's state: the provider sees another code verifier than the
/// attacker's, and where it does not look at it, the ID token has another nonce.
#[test]
fn a_code_of_another_attempt_does_not_fit() {
    let mut scene = Scene::new(&json!({}));
    let victims = scene.begin("/app");
    let mut attacker = Browser::default();
    let attackers = scene.as_browser(&mut attacker, |scene| scene.begin("/app"));
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(victims[name], attackers[name], "{name}");
    }
    scene.provider.nonce.clone_from(&attackers["nonce"]);
    let back = format!("/.jotgate/callback?code=c&state={}&iss={}", victims["state"], encode(ISSUER));
    failed_as(&scene.go(&back), 400);
    let verifier = &scene.provider.asked[0]["code_verifier"];
    let challenge = base64url::encode(&Hash::Sha256.digest(&[verifier.as_bytes()]));
    assert_eq!(challenge, victims["code_challenge"]);
}

#[test]
fn each_attempt_of_one_browser_has_secrets_of_its_own() {
    let mut scene = Scene::new(&json!({}));
    let first = scene.begin("/app");
    let cookie = scene.browser.cookies[LOGIN_COOKIE].clone();
    let second = scene.begin("/app");
    assert_eq!(scene.browser.cookies[LOGIN_COOKIE], cookie, "its tabs share the cookie");
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(first[name], second[name], "{name}");
    }
    // The nonce of one attempt in the other.
    scene.provider.nonce.clone_from(&first["nonce"]);
    let back = format!("/.jotgate/callback?code=c&state={}&iss={}", second["state"], encode(ISSUER));
    failed_as(&scene.go(&back), 400);
}

#[test]
fn a_callback_counts_once() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let before = scene.browser.cookies.clone();
    assert_eq!(status(&scene.go(&back)), 303);
    assert!(!scene.browser.cookies.contains_key(LOGIN_COOKIE), "it is deleted");
    let session = scene.browser.cookies.clone();
    // The back button.
    let outcome = scene.go(&back);
    assert_eq!((status(&outcome), lines(&outcome, "location")), (303, vec!["/"]));
    assert_eq!((&scene.browser.cookies, scene.redemptions()), (&session, 1));
    // Whoever finds the address later, in a history or a log.
    let mut thief = Browser::default();
    scene.as_browser(&mut thief, |scene| failed_as(&scene.go(&back), 400));
    assert_eq!(scene.redemptions(), 1);
    scene.world.pass(Duration::from_secs(2));
    // A browser that kept the login cookie: the provider has the last word on the code.
    let mut stubborn = Browser { cookies: before };
    scene.as_browser(&mut stubborn, |scene| {
        let denied = json!({"error": "invalid_grant"}).to_string();
        failed_as(&scene.go_with(&back, |_, fetch| (fetch.path == "/token").then(|| ("400", denied.clone()))), 400);
        assert!(!scene.is_logged_in());
    });
}

/// A provider that sees a code twice takes back what it gave for it (RFC 6749 §4.1.2).
#[test]
fn a_code_is_redeemed_once_however_often_it_comes() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    for _ in 0..5 {
        let outcome = scene.browser.navigate(&mut scene.world, &back);
        assert!(matches!(outcome, crate::support::Outcome::Waiting));
    }
    scene.provider.serve(&mut scene.world);
    assert_eq!(scene.redemptions(), 1);
    let resumed = std::mem::take(&mut scene.world.resumed);
    assert!(resumed.len() == 5 && resumed.values().all(super::makes_session), "{resumed:?}");
}

#[test]
fn a_login_has_a_quarter_of_an_hour() {
    for (seconds, expected) in [(899, 303), (901, 400)] {
        let mut scene = Scene::new(&json!({}));
        let back = scene.way_back();
        scene.world.pass(Duration::from_secs(seconds));
        scene.provider.serve(&mut scene.world);
        assert_eq!(status(&scene.go(&back)), expected, "after {seconds} s");
    }
}

#[test]
fn a_session_is_no_state_and_a_state_no_session() {
    let mut scene = Scene::new(&json!({}));
    let state = scene.begin("/app")["state"].clone();
    let cookie = scene.browser.cookies[LOGIN_COOKIE].clone();
    scene.log_in();
    let session = scene.browser.cookies[SESSION].clone();
    scene.browser.cookies.remove(SESSION);
    scene.browser.cookies.insert(LOGIN_COOKIE.into(), cookie.clone());
    for text in [&session, &cookie, "", "a", &"A".repeat(2_000), &format!("{state}="), &format!("{state}%00")] {
        failed_as(&scene.go(&format!("/.jotgate/callback?code=c&state={text}&iss={}", encode(ISSUER))), 400);
    }
    assert_eq!(scene.redemptions(), 1);
    for text in [&state, &cookie, &format!("{session}="), &format!("{session}A")] {
        scene.browser.cookies.insert(SESSION.into(), text.clone());
        assert_eq!(scene.fetch("/app").summary(), "401 missing_token");
    }
}

/// The same secret seals for many deployments: what one of them sealed opens in no other.
#[test]
fn what_another_deployment_sealed_does_not_open() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let half_way = scene.browser.clone();
    scene.go(&back);
    let session = scene.browser.clone();
    assert!(scene.is_logged_in());
    let client = |id: &str| json!({"id": id, "secret": "client-secret"});
    let with_login = |changes: Value| {
        let mut login = login(&json!({}))["login"].clone();
        merge(&mut login, &changes);
        json!({"login": login})
    };
    let secrets = |secret: &str| json!({"session": {"secrets": [secret], "publicUrl": "https://dash.example.com"}});
    let other_url =
        json!({"session": {"secrets": [crate::browser::SECRET], "publicUrl": "https://dash.example.com:8443"}});
    for (changes, opens) in [
        (json!({}), true),
        (with_login(json!({"client": client("other")})), false),
        (with_login(json!({"name": "other"})), false),
        (secrets("another secret of 32 octets, or more"), false),
        (other_url, false),
    ] {
        let mut other = Scene::of(&login(&changes));
        other.browser = session.clone();
        assert_eq!(super::is_forwarded(&other.fetch("/app")), opens, "{changes}");
        other.browser = half_way.clone();
        other.provider.nonce.clone_from(&scene.provider.nonce);
        let outcome = other.go(&back);
        assert_eq!(status(&outcome) == 303, opens, "{changes}: {outcome:?}");
    }
}

/// RFC 9207 §1: the provider of one login has the browser come back with the code of another.
#[test]
fn two_providers_are_not_mixed_up() {
    let mut scene = Scene::new(&json!({}));
    scene.world = world(&two_logins(), &mut scene.provider);
    let begin = scene.begin("/.jotgate/login?login=a&returnTo=%2Fapp");
    let state = &begin["state"];
    for iss in ["https://other.example.com", "https://idp.example.com/", "HTTPS://idp.example.com", "idp.example.com"] {
        failed_as(&scene.go(&format!("/.jotgate/callback?code=c&state={state}&iss={}", encode(iss))), 400);
    }
    // Its metadata says that it always sends one.
    failed_as(&scene.go(&format!("/.jotgate/callback?code=c&state={state}")), 400);
    failed_as(&scene.go(&format!("/.jotgate/callback?error=access_denied&state={state}")), 400);
    assert_eq!(scene.redemptions(), 0);
    // The right one: the code goes to the provider of this login, with its secret.
    let back = scene.provider.authorize(&begin);
    let outcome = scene.browser.navigate(&mut scene.world, &back);
    let asked: Vec<_> = scene.world.fetches.iter().map(|fetch| (fetch.cluster.clone(), fetch.path.clone())).collect();
    assert_eq!(asked, [("a".to_string(), "/token".to_string())]);
    let authorization = scene.world.fetches[0].headers.iter().find(|header| header.name == "authorization");
    let credentials = base64url_of("dashboard:secret-of-a");
    assert_eq!(authorization.map(|header| header.value.clone()), Some(format!("Basic {credentials}")));
    scene.answer_with(outcome, |_, _| None);
    assert!(scene.is_logged_in());
}

/// Standard base64 of a text without padding characters or any of the two that differ.
fn base64url_of(text: &str) -> String {
    let encoded = base64url::encode(text.as_bytes());
    assert!(!encoded.contains(['-', '_']));
    let padding = "=".repeat((4 - encoded.len() % 4) % 4);
    encoded + &padding
}

/// Express OpenID Connect, CVE-2021-41246: whoever planted a session before the login had the victim's after it.
#[test]
fn a_login_makes_another_session() {
    let mut scene = Scene::logged_in(&json!({}));
    scene.go("/app");
    let old = scene.browser.cookies.clone();
    let (_, before) = scene.world.reported();
    let back = {
        let query = scene.begin("/.jotgate/login?prompt=login&returnTo=%2Fapp");
        assert_eq!(query["prompt"], "login");
        scene.provider.authorize(&query)
    };
    scene.provider.changes = json!({"sub": "bob"});
    assert_eq!(status(&scene.go(&back)), 303);
    assert_ne!(scene.browser.cookies[SESSION], old[SESSION]);
    assert_eq!(scene.fetch("/app").seen("x-auth-request-user"), ["bob"]);
    let (_, after) = scene.world.reported();
    assert_ne!(before.get("jotgate_session"), after.get("jotgate_session"), "by its name in access logs");
    // The planted one stays what it was.
    let mut attacker = Browser { cookies: old };
    let outcome = scene.as_browser(&mut attacker, |scene| scene.fetch("/app"));
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
}

/// Nothing of the state can be read: neither where the login leads, nor for whom it is.
#[test]
fn a_state_is_sealed() {
    let mut scene = Scene::new(&json!({}));
    let query = scene.begin("/very/secret/place?with=query");
    let octets = base64url::decode(query["state"].as_bytes()).expect("is base64url");
    let cookie = base64url::decode(scene.browser.cookies[LOGIN_COOKIE].as_bytes()).expect("is base64url");
    for part in [&b"secret"[..], b"place", b"main", &cookie, &Hash::Sha256.digest(&[&cookie])] {
        assert!(!octets.windows(part.len()).any(|window| window == part));
    }
    let outcome = scene.go("/app");
    let location = lines(&outcome, "location")[0];
    let verifier = scene.provider.asked.len();
    assert_eq!((body(&outcome), verifier), ("", 0));
    assert!(!location.contains("code_verifier") && !location.contains(&scene.browser.cookies[LOGIN_COOKIE]));
}

/// What only some parsers take for the login cookie is not it, and whatever else bears its name does not keep the real
/// one from being found.
#[test]
fn a_login_cookie_has_its_exact_name() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let cookie = scene.browser.cookies[LOGIN_COOKIE].clone();
    let forged = "A".repeat(43);
    for (cookies, expected) in [
        (format!("__host-jotgate-login={cookie}"), 400),
        (format!("__Host-jotgate-login[]={cookie}"), 400),
        (format!("x=1, __Host-jotgate-login={cookie}"), 400),
        (format!("__Host-jotgate_login={cookie}"), 400),
        (format!("__Host-jotgate-login={cookie}="), 400),
        (format!("__Host-jotgate-login={forged}"), 400),
        (format!("__Host-jotgate-login={forged}; __Host-jotgate-login={cookie}"), 0),
        (format!("__Host-jotgate-login=\"{cookie}\""), 0),
    ] {
        let mut lines = super::NAVIGATION.to_vec();
        lines.push(("cookie", &cookies));
        let outcome = super::send(&mut scene.world, "GET", &back, crate::browser::HOST, &lines);
        assert_eq!(status(&outcome), expected, "{cookies}");
        scene.world.cancel(scene.world.last());
    }
}
