//! What no provider should say or do. Each flaw leads to one page, and nowhere by itself; without it, the next try works.

use std::time::Duration;

use browsers::user_agent::{Page, UserAgent};
use serde_json::{Value, json};
use testbed::issuer::{Behaviour, Fault, Flaws, Mode};

use crate::setup::Setup;
use crate::world::{World, failure};

const LINK: &str = "/reports/7?tab=a";

/// After these, the next try leads home.
const FORGETS: [&str; 8] = [
    "two iss",
    "no state",
    "another state",
    "two states",
    "no code",
    "two codes",
    "both a code and an error",
    "two errors",
];

/// What goes wrong.
enum Wrong {
    /// Nothing: the login works.
    Nothing(Value),
    /// What the provider says.
    Said(Value),
    /// What its token endpoint does.
    Token(Mode),
}

fn world() -> World {
    World::flawed(&Setup { keys: json!({"timeout": "4s"}), ..Setup::default() })
}

/// Goes through all flaws, with one browser each.
fn check(world: &World, cases: Vec<(&str, Wrong, u16)>) {
    let mut browsers = Vec::new();
    for (name, wrong, status) in cases {
        let browser = check_one(world, name, wrong, status);
        browsers.push(browser);
    }
    world.assert_silent(&browsers.iter().collect::<Vec<_>>());
}

fn check_one(world: &World, name: &str, wrong: Wrong, status: u16) -> UserAgent {
    let issuer = world.provider.flawed();
    match wrong {
        Wrong::Nothing(flaws) | Wrong::Said(flaws) => {
            let flaws: Flaws = serde_json::from_value(flaws).unwrap();
            issuer.set_behaviour(Behaviour { flaws, ..Behaviour::default() });
        }
        Wrong::Token(mode) => issuer.set_token_endpoint(Fault::lasting(mode)).unwrap(),
    }
    let mut browser = world.browser();
    let page = browser.open(&world.url(LINK));
    issuer.set_behaviour(Behaviour::default());
    issuer.reset();
    assert_eq!(page.status(), status, "{name}: {}", page.response.text());
    if status == 200 {
        assert_eq!(page.url.as_str(), world.url(LINK), "{name}");
        return browser;
    }
    assert_fails_once(world, name, &browser, &page);
    let again = page.links().first().cloned().unwrap_or_else(|| panic!("{name}: no link to try again"));
    let page = browser.follow(page.url.as_str(), &again);
    assert_eq!(page.status(), 200, "{name}: {}", page.response.text());
    // Where the query or the state cannot be read, nobody knows what was asked for.
    let is_known = page.url.as_str() == world.url(LINK);
    assert!(is_known || (FORGETS.contains(&name) && page.url.path() == "/"), "{name}: {}", page.url);
    browser
}

/// A page that goes nowhere, says nothing that a URL said, and leaves no session.
fn assert_fails_once(world: &World, name: &str, browser: &UserAgent, page: &Page) {
    assert_eq!(page.url.path(), "/.jotgate/callback", "{name}");
    assert_eq!(browser.history.len(), 3, "{name}: the gate, the provider and the callback");
    assert!(!failure(page).1, "{name} goes on by itself");
    assert_eq!(page.response.header("cache-control").as_deref(), Some("no-store"), "{name}");
    assert_eq!(page.response.header("retry-after").is_some(), page.status() == 503, "{name}");
    assert!(!page.response.text().contains("reflected"), "{name}: {}", page.response.text());
    assert!(browser.jar.get("jotgate").is_none(), "{name}: {:?}", browser.jar.names());
    assert_eq!(world.upstream.seen().iter().filter(|seen| seen["path"] == "/.jotgate/callback").count(), 0);
}

#[test]
fn an_id_token_is_for_this_login_alone() {
    let world = world();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let said = |claims: Value| Wrong::Said(json!({ "id_token": claims }));
    let fine = |claims: Value| Wrong::Nothing(json!({ "id_token": claims }));
    check(
        &world,
        vec![
            ("another nonce", said(json!({"nonce": "another"})), 400),
            ("no nonce", said(json!({"nonce": null})), 400),
            ("another issuer", said(json!({"iss": "https://another.example"})), 400),
            ("another audience", said(json!({"aud": "another"})), 400),
            ("no audience", said(json!({"aud": null})), 400),
            ("several audiences without azp", said(json!({"aud": ["dashboard", "another"]})), 400),
            ("several audiences for another", said(json!({"aud": ["dashboard", "b"], "azp": "b"})), 400),
            ("several audiences for this client", fine(json!({"aud": ["dashboard", "b"], "azp": "dashboard"})), 200),
            ("another azp", said(json!({"azp": "another"})), 400),
            ("another at_hash", said(json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RR"})), 400),
            ("no at_hash", fine(json!({"at_hash": null})), 200),
            ("no subject", said(json!({"sub": null})), 400),
            ("no expiry", said(json!({"exp": null})), 400),
            ("expired", said(json!({"iat": now - 500, "exp": now - 100})), 400),
            ("issued long ago", said(json!({"iat": now - 700})), 400),
            ("issued in the future", said(json!({"iat": now + 300})), 400),
        ],
    );
}

#[test]
fn an_id_token_is_signed_by_its_issuer() {
    let flaws = [
        "alg-none",
        "bad-signature",
        "der-signature",
        "duplicate-member",
        "embedded-jwk",
        "empty-signature",
        "foreign-key",
        "hs256-public-jwk",
        "hs256-public-key",
        "padded",
        "tampered",
        "unknown-kid",
        "unpublished-key",
    ];
    let cases = flaws.map(|flaw| (flaw, Wrong::Said(json!({ "id_token_flaw": flaw })), 400));
    check(&world(), cases.into());
}

#[test]
fn a_token_response_has_what_it_has_to_have_once() {
    let said = |members: Value| Wrong::Said(json!({ "response": members }));
    let twice = |member: &str| Wrong::Token(Mode::DuplicateMember { member: member.into() });
    check(
        &world(),
        vec![
            ("no ID token", said(json!({"id_token": null})), 400),
            ("an ID token that is none", said(json!({"id_token": "none"})), 400),
            ("no access token", said(json!({"access_token": null})), 400),
            ("tokens bound to a key", said(json!({"token_type": "DPoP"})), 400),
            ("no token type", said(json!({"token_type": null})), 400),
            ("a lifetime in words", said(json!({"expires_in": "soon"})), 400),
            ("no refresh token", Wrong::Nothing(json!({"response": {"refresh_token": null}})), 200),
            ("two ID tokens", twice("id_token"), 400),
            ("two access tokens", twice("access_token"), 400),
        ],
    );
}

#[test]
fn a_callback_is_from_the_provider_that_was_asked() {
    let said = |parameters: Value| Wrong::Said(json!({ "callback": parameters }));
    let error = |error: &str| said(json!({"code": null, "error": error, "error_description": "<b>reflected</b>"}));
    check(
        &world(),
        vec![
            ("no iss", said(json!({"iss": null})), 400),
            ("another iss", said(json!({"iss": "https://another.example"})), 400),
            ("two iss", said(json!({"iss": ["https://another.example", "https://another.example"]})), 400),
            ("no state", said(json!({"state": null})), 400),
            ("another state", said(json!({"state": "another"})), 400),
            ("two states", said(json!({"state": ["another", "another"]})), 400),
            ("no code", said(json!({"code": null})), 400),
            ("two codes", said(json!({"code": ["reflected", "reflected"]})), 400),
            ("another code", said(json!({"code": "reflected"})), 400),
            ("denied", error("access_denied"), 403),
            ("both a code and an error", said(json!({"error": "access_denied"})), 400),
            ("temporarily unavailable", error("temporarily_unavailable"), 503),
            ("an error of the client", error("invalid_scope"), 400),
            ("an error that nobody knows", error("reflected"), 400),
            ("two errors", said(json!({"error": ["access_denied", "access_denied"]})), 400),
        ],
    );
}

#[test]
fn a_token_endpoint_that_fails_is_no_loop() {
    let world = world();
    let error = |error: &str, status| Wrong::Token(Mode::Error { error: error.into(), status });
    check(
        &world,
        vec![
            ("an invalid grant", error("invalid_grant", 400), 400),
            ("an invalid client", error("invalid_client", 401), 400),
            ("temporarily unavailable", error("temporarily_unavailable", 503), 503),
            ("an error of the server", Wrong::Token(Mode::Status { status: 500 }), 503),
            ("a status that is none of an endpoint", Wrong::Token(Mode::Status { status: 404 }), 400),
            ("a login page", Wrong::Token(Mode::Html), 400),
            ("a redirect", Wrong::Token(Mode::Redirect), 400),
            ("garbage", Wrong::Token(Mode::Garbage), 400),
            ("half of it", Wrong::Token(Mode::Truncated), 400),
            ("a body that breaks off", Wrong::Token(Mode::CutOff), 503),
            ("a lost answer", Wrong::Token(Mode::Close), 503),
            ("no answer", Wrong::Token(Mode::Stall), 503),
            ("an endless body", Wrong::Token(Mode::Endless), 503),
            ("a late answer", Wrong::Token(Mode::Slow { millis: 300 }), 200),
        ],
    );
    let logged = world.envoy.log();
    for words in ["did not answer", "invalid_client", "nonce"].iter().take(2) {
        assert!(logged.contains(words), "the log says `{words}`");
    }
}

#[test]
fn a_stale_callback_leads_home_while_a_good_session_exists() {
    let world = world();
    let mut browser = world.logged_in();
    let callback = browser.history.iter().rev().find(|exchange| exchange.url.path() == "/.jotgate/callback");
    let callback = callback.unwrap().url.clone();
    let page = browser.open(callback.as_str());
    assert_eq!((page.status(), page.url.path().as_str(), page.passed.len()), (200, "/", 1), "{}", page.response.text());
    // Somebody else's browser gets a page, and no session.
    let mut other = world.browser();
    let page = other.open(callback.as_str());
    assert_eq!((page.status(), other.jar.names().len()), (400, 0), "{}", page.response.text());
    // Nor is the code good a second time for whom it was made.
    let used = world.provider.flawed().granted("authorization_code");
    browser.jar.forget("jotgate");
    assert_eq!(browser.open(callback.as_str()).status(), 400);
    assert_eq!(world.provider.flawed().granted("authorization_code"), used);
    world.assert_silent(&[&browser, &other]);
}

#[test]
fn a_login_that_takes_too_long_begins_anew() {
    let world = world();
    let issuer = world.provider.flawed();
    issuer.set_behaviour(Behaviour { page: true, ..Behaviour::default() });
    let mut browser = world.browser();
    let page = browser.open(&world.url(LINK));
    // The cookie of the pending login ends after fifteen minutes.
    browser.wait(Duration::from_secs(15 * 60 + 1));
    let page = browser.submit(&page, &[("login_hint", "alice")]);
    assert_eq!((page.status(), failure(&page).1), (400, false));
    world.assert_silent(&[&browser]);
}
