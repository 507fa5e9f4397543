//! What is kept of each attempt, and what no input may do.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::{LOGIN_COOKIE, NAVIGATION, SESSION, Scene, encode, is_forwarded, makes_session, send};
use crate::browser::{Browser, HOST, login, status};
use crate::support::{ISSUER, Outcome};

/// What the engine holds, by the length of what it shows of itself: without requests under way, that must not grow.
fn size(scene: &Scene) -> usize {
    format!("{:?}", scene.world.gate()).len()
}

#[test]
fn a_navigation_leaves_nothing_behind() {
    let mut scene = Scene::new(&json!({}));
    scene.go("/app");
    let before = size(&scene);
    for index in 0..400 {
        let outcome = send(&mut scene.world, "GET", &format!("/app/{index}"), HOST, &NAVIGATION);
        assert_eq!(status(&outcome), 303);
        scene.world.cancel(scene.world.last());
    }
    assert!(size(&scene) < before + 200, "{} after {before}", size(&scene));
}

#[test]
fn a_wrong_cookie_leaves_nothing_behind() {
    let mut scene = Scene::logged_in(&json!({}));
    scene.fetch("/app");
    let good = scene.browser.cookies[SESSION].clone();
    let before = size(&scene);
    for index in 0..400 {
        let cookie = format!("{SESSION}={index:0>8}{}; {LOGIN_COOKIE}={index:0>43}", &good[8..]);
        send(&mut scene.world, "GET", "/app", HOST, &[("cookie", &cookie)]);
        scene.world.cancel(scene.world.last());
    }
    assert!(size(&scene) < before + 200, "{} after {before}", size(&scene));
    assert!(is_forwarded(&scene.fetch("/app")));
}

/// A state costs a request, and a callback is a callout: the number of those is bounded, and so is what is kept.
#[test]
fn a_flood_of_callbacks_is_bounded_and_passes() {
    let mut scene = Scene::logged_in(&json!({}));
    let victim = scene.browser.clone();
    scene.browser = Browser::default();
    scene.world.pass(Duration::from_secs(1));
    scene.provider.serve(&mut scene.world);
    let before = size(&scene);
    let mut waiting = 0;
    for index in 0..700 {
        let state = scene.begin("/app")["state"].clone();
        let back = format!("/.jotgate/callback?code=c{index}&state={state}&iss={}", encode(ISSUER));
        let outcome = scene.browser.navigate(&mut scene.world, &back);
        match outcome {
            Outcome::Waiting => waiting += 1,
            // One more is told to come again.
            _ => assert_eq!((status(&outcome), outcome.header("retry-after").is_some()), (503, true), "{outcome:?}"),
        }
    }
    assert!(waiting <= 512 && scene.world.fetches.len() <= 512, "{waiting}, {}", scene.world.fetches.len());
    // Who is logged in does not notice.
    let mut other = victim.clone();
    scene.as_browser(&mut other, |scene| assert!(is_forwarded(&scene.browser.fetch(&mut scene.world, "/app"))));
    // The clients go, and their answers come after that.
    scene.world.waiting.clone().into_iter().for_each(|id| scene.world.cancel(id.0));
    while !scene.world.fetches.is_empty() {
        scene.world.answer("400", r#"{"error":"invalid_grant"}"#);
    }
    // What nobody asked for makes way for what somebody asks for.
    let mut person = Browser::default();
    scene.as_browser(&mut person, |scene| assert_eq!(scene.log_in(), "/app"));
    scene.world.pass(Duration::from_secs(61));
    scene.provider.serve(&mut scene.world);
    assert!(size(&scene) < before + 8_000, "{} after {before}", size(&scene));
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let outcome = scene.browser.navigate(&mut scene.world, &back);
    assert!(matches!(outcome, Outcome::Waiting));
    assert!(scene.world.fetches[0].max_body_bytes <= 65_537);
    let outcome = scene.answer_with(outcome, |_, fetch| Some(("200", "a".repeat(fetch.max_body_bytes * 3))));
    assert_eq!(status(&outcome), 400);
}

/// The provider does not answer: whoever waits is told so in time.
#[test]
fn a_provider_that_never_answers_holds_nobody_for_ever() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let outcome = scene.browser.navigate(&mut scene.world, &back);
    assert!(matches!(outcome, Outcome::Waiting));
    let id = scene.world.last();
    scene.world.pass(Duration::from_secs(6));
    let outcome = scene.world.resumed.remove(&id).expect("is decided");
    assert_eq!((status(&outcome), outcome.header("retry-after").is_some()), (503, true));
}

/// Parts of what browsers send, good and bad, from which requests are made.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::from("GOODSESSION")),
        Just(String::from("GOODSTATE")),
        Just(String::from("GOODLOGIN")),
        Just(String::from(SESSION)),
        Just(String::from("__Host-jotgate.1")),
        Just(String::from(LOGIN_COOKIE)),
        "[=;,&?%\"\\\\ \t\r\n./:#@+-]{1,3}",
        "[a-zA-Z0-9_-]{1,50}",
        "\\PC{0,4}",
        Just(String::from("code=")),
        Just(String::from("&state=")),
        Just(String::from("&iss=https%3A%2F%2Fidp.example.com")),
        Just(String::from("error=")),
        Just(String::from("returnTo=")),
        Just(String::from("path=")),
        Just("A".repeat(3_900)),
    ]
}

fn parts() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 0..8).prop_map(|parts| parts.concat())
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/.jotgate/callback",
        "/.jotgate/login",
        "/.jotgate/logout",
        "/.jotgate/check",
        "/.jotgate/session",
        "/app",
        "/public",
    ])
}

thread_local! {
    /// Somebody who is logged in, and somebody half way there: their cookies, and the state.
    static TEXTS: BTreeMap<&'static str, String> = {
        let mut scene = Scene::new(&json!({}));
        let query = scene.begin("/app");
        let cookie = scene.browser.cookies[LOGIN_COOKIE].clone();
        scene.log_in();
        let session = scene.browser.cookies[SESSION].clone();
        BTreeMap::from([("GOODSESSION", session), ("GOODSTATE", query["state"].clone()), ("GOODLOGIN", cookie)])
    };
}

fn fill(text: &str) -> String {
    TEXTS.with(|texts| texts.iter().fold(text.to_string(), |text, (name, value)| text.replace(name, value)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever comes, nothing panics, only a good session is let in, and only a token endpoint's answer makes one.
    #[test]
    fn no_request_does_what_it_should_not(
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "CONNECT"]),
        path in path(),
        query in parts(),
        cookies in parts(),
        site in prop::sample::select(vec!["none", "same-origin", "cross-site", "x"]),
    ) {
        let mut scene = Scene::new(&json!({}));
        let (query, cookies) = (fill(&query), fill(&cookies));
        let target = format!("{path}?{query}");
        let more = [("cookie", &*cookies), ("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let outcome = send(&mut scene.world, method, &target, HOST, &more);
        let session = TEXTS.with(|texts| texts["GOODSESSION"].clone());
        match &outcome {
            Outcome::Forwarded(headers) => {
                prop_assert!(path == "/public" || cookies.contains(&session), "{target} {cookies}");
                let seen = headers.get("cookie").cloned().unwrap_or_default().concat();
                let names = seen.split(';').map(|pair| pair.split('=').next().unwrap_or_default().trim());
                prop_assert!(names.into_iter().all(|name| name != SESSION && name != LOGIN_COOKIE), "{seen}");
            }
            Outcome::Replied(reply) => {
                prop_assert!(!makes_session(&outcome), "{outcome:?}");
                for (name, value) in &reply.headers {
                    prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{name}: {value}");
                }
                prop_assert!(!reply.body.contains("<script"));
            }
            Outcome::Waiting => {}
        }
    }

    /// Whatever the provider answers, nothing panics, and what is not a good answer makes no session.
    #[test]
    fn no_answer_of_a_provider_does_what_it_should_not(
        status_line in prop::sample::select(vec!["200", "400", "401", "302", "500", "", "x", "99999"]),
        body in prop_oneof![
            parts(),
            Just(String::from("{}")),
            "\\{\"(access_token|id_token|token_type|error)\":(\"[a-zA-Z.]{0,9}\"|[0-9]{1,30}|null|\\[\\]|\\{\\})\\}",
            prop::collection::vec("\"(access_token|id_token|token_type|refresh_token|expires_in)\":(\"[a-zA-Z.]{0,9}\"|-?[0-9]{1,30}|null)", 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
            (1_usize..2_000).prop_map(|depth| "[".repeat(depth)),
            (1_usize..2_000).prop_map(|depth| "{\"a\":".repeat(depth)),
        ],
    ) {
        let mut scene = Scene::of(&login(&json!({})));
        let back = scene.way_back();
        let outcome = scene.go_with(&back, |_, fetch| (fetch.path == "/token").then(|| (status_line, body.clone())));
        prop_assert!(matches!(status(&outcome), 400 | 503), "{outcome:?}");
        prop_assert!(!makes_session(&outcome));
    }
}
