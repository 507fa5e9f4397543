//! Logging in, as a browser sees it.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use gate::Timestamp;

use crate::browser::{Browser, HOST, Provider, SECRET, logged_in, login, start, status, world};
use crate::support::{NOW, Outcome, Store, World};

#[test]
fn a_browser_logs_in_and_lands_where_it_wanted_to_go() {
    let mut provider = Provider::new();
    let mut world = world(&login(&json!({})), &mut provider);
    let mut browser = Browser::default();
    let outcome = browser.navigate(&mut world, "/app?tab=1");
    let query = start(&browser.finish(&mut world, &mut provider, outcome));
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], "dashboard");
    assert_eq!(query["redirect_uri"], "https://dash.example.com/.jotgate/callback");
    assert_eq!(query["scope"], "openid offline_access");
    assert_eq!(query["code_challenge_method"], "S256");
    let back = provider.authorize(&query);
    let outcome = browser.navigate(&mut world, &back);
    let outcome = browser.finish(&mut world, &mut provider, outcome);
    assert_eq!((status(&outcome), outcome.header("location")), (303, Some("/app?tab=1")));
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-jotgate"]);
    let outcome = browser.navigate(&mut world, "/app?tab=1");
    assert_eq!(status(&outcome), 200, "{outcome:?}");
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(outcome.seen("cookie"), [""; 0]);
}

#[test]
fn scripts_get_a_challenge_and_forms_a_page() {
    let mut provider = Provider::new();
    let mut world = world(&login(&json!({})), &mut provider);
    let mut browser = Browser::default();
    let outcome = browser.fetch(&mut world, "/app");
    assert_eq!(outcome.summary(), "401 missing_token");
    let Outcome::Replied(reply) = &outcome else { panic!("is answered") };
    let body: Value = serde_json::from_str(&reply.body).expect("is JSON");
    assert_eq!(body["login"], "/.jotgate/login");
    let navigation =
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "same-origin")];
    let outcome = browser.request(&mut world, "POST", "/app", &navigation);
    assert_eq!((status(&outcome), outcome.header("content-type")), (401, Some("text/html; charset=utf-8")));
    let outcome =
        browser.request(&mut world, "GET", "/app", &[("authorization", "Bearer x.y.z"), navigation[0], navigation[1]]);
    assert_eq!(outcome.summary(), "401 malformed_token", "a bad bearer token is never a redirect");
}

#[test]
fn a_browser_that_there_is_no_room_for_gets_a_page() {
    let mut world = World::new(&login(&json!({"limits": {"waiting": 0}})));
    let outcome = Browser::default().navigate(&mut world, "/app");
    assert_eq!((status(&outcome), outcome.header("content-type")), (503, Some("text/html; charset=utf-8")));
    assert!(outcome.header("retry-after").is_some());
}

#[test]
fn a_session_is_refreshed_early_and_nobody_waits_for_it() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    world.pass(Duration::from_secs(301));
    provider.serve(&mut world);
    let outcome = browser.fetch(&mut world, "/app");
    assert_eq!(status(&outcome), 200);
    let old = browser.cookies.clone();
    let first = world.last();
    provider.serve(&mut world);
    assert_eq!(provider.asked.last().expect("was asked")["grant_type"], "refresh_token");
    let lines = world.respond(first, &[(":status", "200"), ("set-cookie", "app=1; Path=/")]);
    assert_eq!(lines.iter().filter(|(name, _)| name == "set-cookie").count(), 2, "{lines:?}");
    assert_eq!(
        lines.iter().find(|(name, _)| name == "cache-control").map(|(_, value)| value.as_str()),
        Some("private")
    );
    let cookies: Vec<_> =
        lines.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect();
    assert_eq!(cookies[0], "app=1; Path=/", "the application's own comes first");
    cookies[1..].iter().for_each(|line| browser.set_cookie(line));
    assert_ne!(browser.cookies, old);
    // Whoever still has the old cookie gets the same successor.
    let mut late = Browser { cookies: old };
    assert_eq!(status(&late.fetch(&mut world, "/app")), 200);
    let lines = world.respond(world.last(), &[(":status", "200")]);
    let line = lines.iter().find(|(name, _)| name == "set-cookie").expect("has a cookie");
    late.set_cookie(&line.1);
    assert_eq!(late.cookies, browser.cookies);
    let asked = provider.asked.len();
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    provider.serve(&mut world);
    assert_eq!(provider.asked.len(), asked, "one refresh");
}

#[test]
fn a_response_waits_a_moment_for_the_cookie_that_is_being_made() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    world.pass(Duration::from_secs(301));
    provider.serve(&mut world);
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    let id = world.last();
    world.respond(id, &[(":status", "200")]);
    assert_eq!(world.response(id), None, "it is held");
    provider.serve(&mut world);
    let lines = world.response(id).expect("goes on");
    assert!(lines.iter().any(|(name, _)| name == "set-cookie"), "{lines:?}");
    // A provider that does not answer holds nobody up for long.
    browser.keep_lines(&lines);
    world.pass(Duration::from_secs(301));
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    let id = world.last();
    world.respond(id, &[(":status", "200")]);
    assert_eq!(world.response(id), None);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.response(id), Some(vec![(String::from(":status"), String::from("200"))]));
}

#[test]
fn a_session_past_its_claims_waits_for_the_refresh() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    world.pass(Duration::from_secs(601));
    provider.serve(&mut world);
    let outcome = browser.fetch(&mut world, "/app");
    assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
    let outcome = browser.finish(&mut world, &mut provider, outcome);
    assert_eq!(status(&outcome), 200);
    // The issuer says no: the session is over.
    world.pass(Duration::from_secs(601));
    provider.refresh_token = None;
    let mut late = browser.clone();
    let outcome = browser.fetch(&mut world, "/app");
    let outcome = browser.finish(&mut world, &mut provider, outcome);
    assert_eq!(outcome.summary(), "401 missing_token");
    let outcome = late.navigate(&mut world, "/app");
    assert_eq!(status(&late.finish(&mut world, &mut provider, outcome)), 303);
}

#[test]
fn a_session_outlives_an_outage_of_its_issuer_for_a_while() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    world.pass(Duration::from_secs(601));
    provider.serve(&mut world);
    let outcome = browser.fetch(&mut world, "/app");
    assert!(matches!(outcome, Outcome::Waiting));
    let id = world.last();
    while !world.fetches.is_empty() {
        world.answer("503", "");
    }
    assert_eq!(status(&world.resumed.remove(&id).expect("is decided")), 200);
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    world.fetches.clear();
    world.pass(Duration::from_secs(899));
    world.fetches.clear();
    let outcome = browser.fetch(&mut world, "/app");
    let id = world.last();
    while !world.fetches.is_empty() {
        world.answer("503", "");
    }
    let outcome = world.resumed.remove(&id).unwrap_or(outcome);
    assert_eq!(outcome.summary(), "401 missing_token", "after `outage` it is over");
}

#[test]
fn a_logout_ends_the_session_here_and_at_the_provider() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    let cross_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let outcome = browser.request(&mut world, "GET", "/.jotgate/logout", &cross_site);
    assert_eq!(status(&outcome), 200, "a page with a button");
    assert_eq!(
        browser.request(&mut world, "POST", "/.jotgate/logout", &cross_site).summary(),
        "403 cross_site_request"
    );
    let outcome = browser.request(&mut world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
    let outcome = browser.finish(&mut world, &mut provider, outcome);
    assert_eq!(status(&outcome), 303);
    let location = outcome.header("location").expect("leads on");
    assert!(location.starts_with("https://idp.example.com/logout?client_id=dashboard&post_logout_redirect_uri=https%3A%2F%2Fdash.example.com%2F&state="), "{location}");
    assert!(browser.cookies.is_empty());
    provider.serve(&mut world);
    assert_eq!(provider.refresh_token, None, "it is revoked");
}

#[test]
fn a_web_socket_ends_with_its_session_whichever_worker_has_it() {
    let (config, mut provider, store) = (login(&json!({})), Provider::new(), Store::default());
    let mut worker = || {
        let mut world = World::beside(&store, &config, Timestamp::from_secs(NOW), 1);
        world.holds_responses = true;
        world.pass(Duration::ZERO);
        provider.serve(&mut world);
        world.pass(Duration::from_secs(1));
        world
    };
    let (mut one, mut other) = (worker(), worker());
    let mut browser = Browser::default();
    browser.log_in(&mut one, &mut provider, "/app");
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("origin", "https://dash.example.com")];
    assert_eq!(status(&browser.request(&mut other, "GET", "/socket", &upgrade)), 200);
    let socket = other.last();
    other.respond(socket, &[(":status", "101"), ("upgrade", "websocket")]);
    other.pass(Duration::from_secs(10));
    assert!(!other.is_closed(socket));
    let outcome = browser.request(&mut one, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
    browser.finish(&mut one, &mut provider, outcome);
    other.pass(Duration::from_secs(3));
    assert!(other.is_closed(socket), "within a few seconds");
}

#[test]
fn a_web_socket_ends_when_its_session_would() {
    let (mut world, _, mut browser) = logged_in(&login(&json!({"session": {
        "secrets": [SECRET], "publicUrl": "https://dash.example.com", "lifetime": "1h", "refreshAfter": "5m",
    }})));
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("origin", "https://dash.example.com")];
    assert_eq!(status(&browser.request(&mut world, "GET", "/socket", &upgrade)), 200);
    let socket = world.last();
    world.respond(socket, &[(":status", "101"), ("upgrade", "websocket")]);
    world.pass(Duration::from_secs(3590));
    assert!(!world.is_closed(socket));
    world.pass(Duration::from_secs(15));
    assert!(world.is_closed(socket));
}

/// A refresh without an ID token is normal (OpenID Connect Core 1.0 §12.2).
#[test]
fn a_claim_that_userinfo_says_no_more_is_no_claim_any_more() {
    let mut provider = Provider::new();
    let mut config = login(&json!({"rules": [{"name": "ops", "access": {"groups": {"any": ["ops"]}}}]}));
    config["login"]["userinfo"] = json!(true);
    let mut world = world(&config, &mut provider);
    provider.userinfo = json!({"sub": "alice", "groups": ["ops"]});
    provider.renews_id_token = false;
    let mut browser = Browser::default();
    browser.log_in(&mut world, &mut provider, "/app");
    assert_eq!(status(&browser.fetch(&mut world, "/app")), 200);
    for (userinfo, expected) in [
        (json!({"sub": "alice"}), 403),
        (json!({"sub": "alice", "groups": ["ops"]}), 200),
        (json!({"sub": "alice", "groups": ["dev"]}), 403),
    ] {
        provider.userinfo = userinfo;
        world.pass(Duration::from_secs(601));
        provider.serve(&mut world);
        let outcome = browser.fetch(&mut world, "/app");
        let outcome = browser.finish(&mut world, &mut provider, outcome);
        assert_eq!(status(&outcome), expected, "{}", provider.userinfo);
        let lines = match outcome {
            Outcome::Forwarded(_) => world.respond(world.last(), &[(":status", "200")]),
            _ => Vec::new(),
        };
        browser.keep_lines(&lines);
    }
}

/// The session is sealed anew, or refreshed, for a request that is under way while its user logs out.
#[test]
fn a_response_that_is_under_way_undoes_no_logout() {
    for seconds in [250, 301] {
        let settings = json!({"secrets": [SECRET], "publicUrl": format!("https://{HOST}"), "idle": "16m"});
        let (mut world, mut provider, mut browser) = logged_in(&login(&json!({"session": settings})));
        world.pass(Duration::from_secs(seconds));
        provider.serve(&mut world);
        let mut tab = browser.clone();
        let slow = [0; 2].map(|_| {
            assert_eq!(status(&tab.fetch(&mut world, "/slow")), 200);
            world.last()
        });
        provider.serve(&mut world);
        let brings_cookie = |lines: &[(String, String)]| lines.iter().any(|(name, _)| name == "set-cookie");
        assert!(brings_cookie(&world.respond(slow[0], &[(":status", "200")])), "after {seconds} s");
        let outcome = browser.request(&mut world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
        assert_eq!(status(&outcome), 303);
        assert!(!brings_cookie(&world.respond(slow[1], &[(":status", "200")])), "after {seconds} s");
    }
}

#[test]
fn a_logout_keeps_nobody_waiting_who_waits_for_the_refresh() {
    let (mut world, mut provider, mut browser) = logged_in(&login(&json!({})));
    world.pass(Duration::from_secs(601));
    provider.serve(&mut world);
    let mut tab = browser.clone();
    assert!(matches!(tab.fetch(&mut world, "/app"), Outcome::Waiting));
    let waiting = world.last();
    let outcome = browser.request(&mut world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
    assert_eq!(status(&outcome), 303);
    world.pass(Duration::ZERO);
    assert_eq!(world.resumed.remove(&waiting).expect("is decided").summary(), "401 missing_token");
}
