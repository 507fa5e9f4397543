//! What sessions and logins come to in corners: failures of providers, audit mode, and several events at once.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, Provider, SECRET, form, login, status, world};
use crate::support::{Outcome, World};

/// A browser that is logged in.
fn logged_in(changes: &Value) -> (World, Provider, Browser) {
    let (mut provider, mut browser) = (Provider::new(), Browser::default());
    let mut world = world(&login(changes), &mut provider);
    browser.log_in(&mut world, &mut provider, "/.jotgate/login?returnTo=/app");
    (world, provider, browser)
}

fn pass(world: &mut World, provider: &mut Provider, seconds: u64) {
    world.pass(Duration::from_secs(seconds));
    provider.serve(world);
}

#[test]
fn what_is_no_discovery_document_is_asked_for_again_soon() {
    for (answered, body) in [("404", ""), ("429", "{}"), ("200", "<html>we will be back")] {
        let (mut provider, mut browser) = (Provider::new(), Browser::default());
        let mut world = world(&login(&json!({})), &mut provider);
        assert!(matches!(browser.navigate(&mut world, "/app"), Outcome::Waiting));
        let id = world.last();
        world.answer(answered, body);
        assert_eq!(status(&world.resumed.remove(&id).expect("is decided")), 503);
        pass(&mut world, &mut provider, 2);
        assert_eq!(browser.log_in(&mut world, &mut provider, "/app"), "/app", "after {answered}");
    }
}

#[test]
fn a_session_that_is_over_is_counted_once_though_its_request_waits() {
    let session = json!({"secrets": [SECRET], "publicUrl": "https://dash.example.com", "lifetime": "30m"});
    let (mut world, mut provider, mut browser) = logged_in(&json!({"session": session}));
    pass(&mut world, &mut provider, 7200);
    let outcome = browser.navigate(&mut world, "/app");
    assert!(matches!(outcome, Outcome::Waiting), "for what the provider says of itself");
    assert_eq!(status(&browser.finish(&mut world, &mut provider, outcome)), 303);
    assert_eq!(world.metrics.get("jotgate_sessions_ended_lifetime"), Some(&1));
}

#[test]
fn a_web_socket_of_an_older_generation_ends_when_the_session_is_revoked() {
    let (mut world, mut provider, mut browser) = logged_in(&json!({}));
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("origin", "https://dash.example.com")];
    assert_eq!(status(&browser.request(&mut world, "GET", "/socket", &upgrade)), 200);
    let socket = world.last();
    world.respond(socket, &[(":status", "101"), ("upgrade", "websocket")]);
    for is_over in [false, true] {
        if is_over {
            provider.refresh_token = None;
        }
        pass(&mut world, &mut provider, 601);
        let outcome = browser.fetch(&mut world, "/app");
        let outcome = browser.finish(&mut world, &mut provider, outcome);
        assert_eq!(status(&outcome), if is_over { 401 } else { 200 });
        pass(&mut world, &mut provider, 5);
        assert_eq!(world.is_closed(socket), is_over);
    }
}

#[test]
fn a_session_that_is_not_renewed_and_has_time_is_one() {
    for mode in ["audit", "enforce"] {
        let (mut world, mut provider, mut browser) = logged_in(&json!({"mode": mode}));
        pass(&mut world, &mut provider, 301);
        provider.refresh_token = None;
        assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
        provider.serve(&mut world);
        let Outcome::Replied(reply) = browser.navigate(&mut world, "/.jotgate/session") else { panic!("is answered") };
        assert!(reply.body.contains(r#""authenticated":true"#), "{}", reply.body);
        let expected = if mode == "audit" { 200 } else { 303 };
        assert_eq!(
            status(&browser.navigate(&mut world, "/app")),
            expected,
            "{mode}: in audit mode nobody is redirected"
        );
        assert_eq!(status(&browser.navigate(&mut world, "/app")), 200);
    }
}

#[test]
fn in_audit_mode_a_browser_that_would_be_refused_gets_the_newest_cookie() {
    let rules = json!([{"name": "ops", "mode": "audit", "access": {"groups": {"any": ["ops"]}}}]);
    let (mut world, mut provider, mut browser) = logged_in(&json!({"rules": rules}));
    pass(&mut world, &mut provider, 301);
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    let id = world.last();
    provider.serve(&mut world);
    let lines = world.respond(id, &[(":status", "200")]);
    assert!(lines.iter().any(|(name, _)| name == "set-cookie"), "{lines:?}");
}

#[test]
fn in_audit_mode_a_logout_that_is_another_sites_goes_nowhere() {
    let (mut world, _, mut browser) = logged_in(&json!({"mode": "audit"}));
    let outcome = browser.request(&mut world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "cross-site")]);
    assert_eq!(outcome.summary(), "403 cross_site_request");
}

#[test]
fn a_login_that_was_late_takes_none_with_it_that_waits_for_the_same() {
    let (mut provider, mut browser) = (Provider::new(), Browser::default());
    let mut world = world(&login(&json!({"limits": {"waitFor": "3s"}})), &mut provider);
    assert!(matches!(browser.navigate(&mut world, "/app"), Outcome::Waiting));
    let first = world.last();
    world.pass(Duration::from_secs(2));
    assert!(matches!(Browser::default().navigate(&mut world, "/app"), Outcome::Waiting));
    let second = world.last();
    world.pass(Duration::from_millis(1_050));
    assert_eq!(status(&world.resumed.remove(&first).expect("is decided")), 503);
    provider.serve(&mut world);
    assert_eq!(status(&world.resumed.remove(&second).expect("is decided")), 303, "the question went on");
}

#[test]
fn a_response_that_was_held_goes_on_once() {
    let (mut world, mut provider, mut browser) = logged_in(&json!({}));
    pass(&mut world, &mut provider, 301);
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    let id = world.last();
    world.pass(Duration::from_secs(19));
    world.respond(id, &[(":status", "200")]);
    assert_eq!(world.response(id), None, "it is held");
    // A busy proxy is late: both the refresh and the response have had their time.
    world.now = world.now.after(Duration::from_secs(3));
    world.tick();
    assert!(world.response(id).is_some());
    assert!(!world.log.iter().any(|line| line.contains("a call to the host failed")), "{:?}", world.log);
}

#[test]
fn a_request_that_waits_for_one_thing_after_another_waits_no_longer() {
    let (mut world, mut provider, mut browser) = logged_in(&json!({"limits": {"waitFor": "3s"}}));
    pass(&mut world, &mut provider, 7200);
    assert!(matches!(browser.navigate(&mut world, "/app"), Outcome::Waiting), "for the refresh");
    let id = world.last();
    world.pass(Duration::from_millis(3_050));
    assert_eq!(status(&world.resumed.remove(&id).expect("is decided")), 503);
}

#[test]
fn a_logout_revokes_the_newest_refresh_token() {
    let (mut world, mut provider, mut browser) = logged_in(&json!({}));
    pass(&mut world, &mut provider, 301);
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    provider.serve(&mut world);
    let newest = provider.refresh_token.clone().expect("is there");
    let outcome = browser.request(&mut world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
    assert_eq!(status(&outcome), 303);
    let revocation = world.fetches.iter().find(|fetch| fetch.path == "/revoke").expect("is sent");
    assert_eq!(form(&revocation.body)["token"], newest);
}

#[test]
fn a_form_on_another_host_leads_to_the_login_where_that_is() {
    let mut world = world(&login(&json!({})), &mut Provider::new());
    let outcome = world.send(&[
        (":method", "POST"),
        (":path", "/app"),
        (":authority", "other.example.com"),
        (":scheme", "https"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "same-origin"),
    ]);
    let Outcome::Replied(reply) = outcome else { panic!("is answered") };
    assert!(reply.body.contains("\"https://dash.example.com/.jotgate/login"), "{}", reply.body);
}
