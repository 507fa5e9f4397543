//! The query that a browser comes back with, its path and its method.

use serde_json::json;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{NAVIGATION, Scene, body, encode, failed_as, is_forwarded, lines, makes_session, send};
use crate::browser::{HOST, status};
use crate::support::{ISSUER, Outcome};

/// RFC 6749 §3.1: of two, one reader takes the first, another the last.
#[test]
fn no_parameter_occurs_twice() {
    let mut scene = Scene::new(&json!({}));
    let state = scene.begin("/app")["state"].clone();
    let iss = encode(ISSUER);
    for more in [
        "code=d",
        "code=c",
        "code=",
        "cod%65=d",
        "state=x",
        &format!("state={state}"),
        "st%61te=",
        "iss=https%3A%2F%2Fidp.example.com",
        "is%73=x",
        "error=access_denied",
        "error=a&error=b",
    ] {
        for query in
            [format!("code=c&state={state}&iss={iss}&{more}"), format!("{more}&code=c&state={state}&iss={iss}")]
        {
            failed_as(&scene.go(&format!("/.jotgate/callback?{query}")), 400);
        }
    }
}

/// Envoy, CVE-2023-27496: a callback without `state` ended the process.
#[test]
fn a_callback_that_lacks_something_is_an_error_and_no_more() {
    let mut scene = Scene::new(&json!({}));
    let state = scene.begin("/app")["state"].clone();
    let iss = encode(ISSUER);
    let long = "a".repeat(20_000);
    let many = "a=1&".repeat(100);
    for query in [
        "",
        "?",
        "?&&&=&=",
        "?code=c",
        "?error=access_denied",
        "?state=",
        "?code=c&state=",
        &format!("?state={state}"),
        &format!("?state={state}&iss={iss}"),
        &format!("?code=&state={state}&iss={iss}"),
        &format!("?code&state={state}&iss={iss}"),
        &format!("?code=c&error=a&state={state}&iss={iss}"),
        &format!("?code=%&state={state}&iss={iss}"),
        &format!("?code=%zz&state={state}&iss={iss}"),
        &format!("?code=%ff&state={state}&iss={iss}"),
        &format!("?code=%00&state={state}&iss={iss}"),
        &format!("?code=a%0d%0ax&state={state}&iss={iss}"),
        &format!("?code=%e2%80%a8&state={state}&iss={iss}"),
        &format!("?code=c&state={state}%00&iss={iss}"),
        &format!("?code=c&state={state}&iss={iss}%00"),
        &format!("?code=c&state={state}&iss={iss}&x={long}"),
        &format!("?{many}code=c&state={state}&iss={iss}"),
        &format!("?code=c;state={state};iss={iss}"),
        &format!("?code=c&state[]={state}&iss={iss}"),
        &format!("?Code=c&State={state}&iss={iss}"),
    ] {
        failed_as(&scene.go(&format!("/.jotgate/callback{query}")), 400);
    }
    assert_eq!(scene.redemptions(), 0);
}

#[test]
fn an_error_of_the_provider_is_shown_by_its_kind_alone() {
    for (error, expected) in [
        ("access_denied", 403),
        ("temporarily_unavailable", 503),
        ("server_error", 503),
        ("invalid_scope", 400),
        ("<script>alert(1)</script>", 400),
        ("login_required\r\nSet-Cookie: a=b", 400),
    ] {
        let mut scene = Scene::new(&json!({}));
        let state = scene.begin("/app")["state"].clone();
        let description = encode("</p><script>alert(1)</script>");
        let path = format!(
            "/.jotgate/callback?error={}&error_description={description}&error_uri=https%3A%2F%2Fevil.example&state={state}&iss={}",
            encode(error),
            encode(ISSUER)
        );
        let outcome = scene.go(&path);
        failed_as(&outcome, expected);
        let shown = body(&outcome);
        assert!(!shown.contains("script") && !shown.contains("evil") && !shown.contains(&state), "{shown}");
        assert_eq!(shown.matches("<a ").count(), 1, "one link");
        let log = scene.world.log.join("\n");
        assert!(!log.contains("script") && !log.contains("evil") && !log.contains(&state), "{log}");
        assert!(!scene.world.log.iter().any(|line| line.contains('\n') || line.contains('\r')));
    }
}

#[test]
fn the_callback_is_a_get() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    for method in ["HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "get", "", "GET "] {
        let outcome = scene.browser.request(&mut scene.world, method, &back, &NAVIGATION);
        assert_eq!(status(&outcome), 405, "{method}: {outcome:?}");
        assert_eq!(lines(&outcome, "allow"), ["GET"]);
    }
    let outcome = scene.browser.request(
        &mut scene.world,
        "POST",
        &back,
        &[("x-http-method-override", "GET"), ("x-method-override", "GET"), NAVIGATION[0], NAVIGATION[1]],
    );
    assert_eq!(status(&outcome), 405);
    assert_eq!(scene.redemptions(), 0);
    assert!(scene.world.fetches.is_empty());
    assert!(makes_session(&scene.go(&back)), "none of them used it up");
}

/// What is not the path is none of the gate's: it goes by the rules, and never makes a session.
#[test]
fn only_the_path_itself_is_the_callback() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let query = back.strip_prefix("/.jotgate/callback").expect("is the path");
    for path in [
        "/.jotgate//callback",
        "//.jotgate/callback",
        "/.jotgate/callback/",
        "/.jotgate/callback;a=b",
        "/.jotgate/callback/x",
        "/.JOTGATE/callback",
        "/.jotgate/Callback",
        "/x/../.jotgate/callback",
        "/.jotgate/./callback",
        "/.jotgate%2fcallback",
        "/.jotgate/%63allback%00",
        "/.jotgate\\callback",
        "/.jotgate/callback%3f",
        "/public",
        "https://evil.example/.jotgate/callback",
        ".jotgate/callback",
    ] {
        let outcome = scene.browser.request(&mut scene.world, "GET", &format!("{path}{query}"), &NAVIGATION);
        assert!(!matches!(outcome, Outcome::Waiting), "{path}: the code is not redeemed");
        match &outcome {
            Outcome::Replied(_) => assert!(!makes_session(&outcome), "{path}"),
            _ => assert_eq!(path, "/public"),
        }
    }
    assert_eq!(scene.redemptions(), 0);
    // Spellings of the path itself, and of its host.
    for (path, host) in [
        ("/.jotgate/%63allback", HOST),
        ("/%2Ejotgate/callback", HOST),
        ("/.jotgate/callback", "DASH.example.com"),
        ("/.jotgate/callback", "dash.example.com:443"),
    ] {
        let cookie = format!("{}={}", super::LOGIN_COOKIE, scene.browser.cookies[super::LOGIN_COOKIE]);
        let more = [NAVIGATION[0], NAVIGATION[1], ("cookie", &*cookie)];
        let outcome = send(&mut scene.world, "GET", &format!("{path}{query}"), host, &more);
        let is_own = matches!(outcome, Outcome::Waiting) || matches!(status(&outcome), 400);
        assert!(is_own, "{path} on {host}: {outcome:?}");
        scene.world.cancel(scene.world.last());
    }
}

#[test]
fn other_hosts_have_no_own_paths() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let cookie = format!("{}={}", super::LOGIN_COOKIE, scene.browser.cookies[super::LOGIN_COOKIE]);
    for host in [
        "evil.example",
        "dash.example.com.evil.example",
        "evil.example:443",
        "xdash.example.com",
        "dash.example.com.",
        "dash.example.com@evil.example",
        "",
        "[::1]",
    ] {
        for path in [&*back, "/.jotgate/login", "/.jotgate/logout", "/.jotgate/session", "/.jotgate/check"] {
            let more = [
                ("cookie", &*cookie),
                ("x-forwarded-host", HOST),
                ("host", HOST),
                ("forwarded", "host=dash.example.com"),
            ];
            let outcome = send(&mut scene.world, "GET", path, host, &more);
            assert!(!is_forwarded(&outcome) && !matches!(outcome, Outcome::Waiting), "{host} {path}");
            assert!(
                matches!(&*outcome.summary(), "401 missing_token" | "400 ambiguous_request"),
                "{host} {path}: {outcome:?}"
            );
        }
    }
    assert_eq!(scene.redemptions(), 0);
}

#[test]
fn an_upgrade_of_the_callback_switches_nothing() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-fetch-site", "cross-site")];
    for path in ["/.jotgate/login", "/.jotgate/logout", "/.jotgate/session", "/.jotgate/check"] {
        let outcome = scene.browser.request(&mut scene.world, "GET", path, &upgrade);
        assert!(matches!(status(&outcome), 200 | 303 | 401), "{path}: {outcome:?}");
        assert!(matches!(outcome, Outcome::Replied(_)));
    }
    let outcome = scene.browser.request(&mut scene.world, "GET", &back, &upgrade);
    let outcome = scene.answer_with(outcome, |_, _| None);
    assert_eq!(status(&outcome), 303, "it is answered like any other");
}
