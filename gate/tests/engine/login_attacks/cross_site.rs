//! Requests that another site makes a browser send.

use serde_json::json;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{NAVIGATION, SESSION, Scene, body, is_forwarded, lines};
use crate::browser::status;
use crate::support::Outcome;

/// What browsers say of a request that a page elsewhere made.
const ELSEWHERE: [&[(&str, &str)]; 7] = [
    &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    &[("sec-fetch-site", "same-site"), ("origin", "https://blog.example.com")],
    &[("sec-fetch-site", "cross-site"), ("origin", "null")],
    &[("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "http://dash.example.com")],
];

#[test]
fn a_session_does_nothing_for_another_site() {
    let mut scene = Scene::logged_in(&json!({}));
    for elsewhere in ELSEWHERE {
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND"] {
            let outcome = scene.browser.request(&mut scene.world, method, "/app", elsewhere);
            assert_eq!(outcome.summary(), "403 cross_site_request", "{method} {elsewhere:?}");
        }
        let overriding = [elsewhere, &[("x-http-method-override", "DELETE")]].concat();
        let outcome = scene.browser.request(&mut scene.world, "GET", "/app", &overriding);
        assert_eq!(outcome.summary(), "403 cross_site_request", "{elsewhere:?}");
        let upgrade = [elsewhere, &[("connection", "Upgrade"), ("upgrade", "websocket")]].concat();
        let outcome = scene.browser.request(&mut scene.world, "GET", "/app", &upgrade);
        assert_eq!(outcome.summary(), "403 cross_site_request", "{elsewhere:?}");
        let extended = [elsewhere, &[(":protocol", "websocket")]].concat();
        let outcome = scene.browser.request(&mut scene.world, "CONNECT", "/app", &extended);
        assert_eq!(outcome.summary(), "403 cross_site_request", "{elsewhere:?}");
        // A link is.
        assert!(is_forwarded(&scene.browser.request(&mut scene.world, "GET", "/app", elsewhere)));
    }
    for own in [&[("sec-fetch-site", "same-origin")][..], &[("origin", "https://dash.example.com")]] {
        assert!(is_forwarded(&scene.browser.request(&mut scene.world, "POST", "/app", own)));
    }
}

/// The same for a token in a cookie, with no login at all.
#[test]
fn a_token_in_a_cookie_does_nothing_for_another_site() {
    let mut scene = Scene::new(&json!({"credentials": [{"session": true}, {"cookie": "token"}]}));
    let token = scene.provider.key.token(&json!({}));
    scene.browser.cookies.insert("token".into(), token);
    assert!(is_forwarded(&scene.fetch("/app")));
    for elsewhere in ELSEWHERE {
        let outcome = scene.browser.request(&mut scene.world, "POST", "/app", elsewhere);
        assert_eq!(outcome.summary(), "403 cross_site_request", "{elsewhere:?}");
    }
}

#[test]
fn a_rule_for_everybody_knows_no_caller_from_another_site() {
    let rules = json!([{"name": "optional", "access": "optional"}]);
    let mut scene = Scene::new(&json!({"rules": rules}));
    scene.browser.log_in(&mut scene.world, &mut scene.provider, "/.jotgate/login");
    assert_eq!(scene.fetch("/app").seen("x-auth-request-user"), ["alice"]);
    for elsewhere in ELSEWHERE {
        let outcome = scene.browser.request(&mut scene.world, "POST", "/app", elsewhere);
        assert!(!is_forwarded(&outcome) || outcome.seen("x-auth-request-user").is_empty(), "{outcome:?}");
    }
}

/// In audit mode it passes, and not as somebody: an ambiguous path changes nothing about that.
#[test]
fn where_refusals_are_audited_another_site_has_no_caller() {
    let rules = json!([{"match": {"paths": ["/denied"]}, "access": "deny"}, {"match": {"paths": ["/app"]}, "access": "authenticated"}]);
    let changes = json!({"credentials": [{"session": true}, {"cookie": "token"}], "rules": rules, "default": "deny"});
    let mut scene = Scene::logged_in(&changes);
    let mut audit = crate::browser::login(&changes);
    audit["mode"] = json!("audit");
    scene.world.reconfigure(&audit);
    let by_token =
        crate::browser::Browser { cookies: [("token".to_string(), scene.provider.key.token(&json!({})))].into() };
    for browser in [scene.browser.clone(), by_token] {
        scene.browser = browser;
        for path in ["/app", "//app", "/app;x", "/denied", "/nowhere"] {
            let own = scene.browser.request(&mut scene.world, "POST", path, &[("sec-fetch-site", "same-origin")]);
            assert_eq!(own.seen("x-auth-request-user"), ["alice"], "{path}");
            for elsewhere in ELSEWHERE {
                let outcome = scene.browser.request(&mut scene.world, "POST", path, elsewhere);
                assert!(is_forwarded(&outcome), "{path} {elsewhere:?}");
                assert!(outcome.seen("x-auth-request-user").is_empty(), "{path} {elsewhere:?}");
            }
        }
    }
}

#[test]
fn nobody_is_logged_out_by_another_site() {
    let mut scene = Scene::logged_in(&json!({}));
    let before = scene.browser.cookies.clone();
    for elsewhere in ELSEWHERE {
        let outcome = scene.browser.request(&mut scene.world, "POST", "/.jotgate/logout", elsewhere);
        assert_eq!(outcome.summary(), "403 cross_site_request", "{elsewhere:?}");
        for method in ["GET", "HEAD"] {
            let navigation = [elsewhere, &NAVIGATION[..2]].concat();
            let outcome = scene.browser.request(&mut scene.world, method, "/.jotgate/logout?rd=%2F", &navigation);
            assert_eq!(status(&outcome), 200, "{method} {elsewhere:?}");
            assert_eq!(lines(&outcome, "set-cookie"), [""; 0]);
            assert!(body(&outcome).contains("method=\"post\""));
        }
    }
    for (method, more) in [
        ("GET", &[][..]),
        ("GET", &[("sec-fetch-site", "none"), ("sec-fetch-site", "none")]),
        ("GET", &[("sec-fetch-site", "same-origin, none")]),
        ("GET", &[("x-http-method-override", "POST"), ("sec-fetch-site", "cross-site")]),
        ("GET", &[("referer", "https://dash.example.com/")]),
    ] {
        let outcome = scene.browser.request(&mut scene.world, method, "/.jotgate/logout", more);
        assert_eq!(status(&outcome), 200, "{more:?}");
    }
    for method in ["PUT", "DELETE", "OPTIONS", "CONNECT", "post"] {
        let outcome = scene.browser.request(&mut scene.world, method, "/.jotgate/logout", &[]);
        assert_eq!(status(&outcome), 405, "{method}");
    }
    assert_eq!(scene.browser.cookies, before);
    assert!(is_forwarded(&scene.fetch("/app")), "still logged in");
    assert_eq!(scene.world.metrics.get("jotgate_sessions_ended_logout").copied().unwrap_or_default(), 0);
}

/// A page of another site learns nothing: browsers let it read no answer that does not say so.
#[test]
fn no_answer_may_be_read_by_another_site() {
    let mut scene = Scene::logged_in(&json!({}));
    let elsewhere = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
    ];
    for path in
        ["/.jotgate/session", "/.jotgate/check", "/.jotgate/check?path=/app", "/.jotgate/login", "/.jotgate/logout"]
    {
        let outcome = scene.browser.request(&mut scene.world, "GET", path, &elsewhere);
        let Outcome::Replied(reply) = &outcome else { panic!("{path}: {outcome:?}") };
        assert!(!reply.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{path}");
        assert!(!reply.body.is_empty() || reply.headers.iter().all(|(name, _)| *name != "content-type"));
    }
    // Nor loaded as a script: no JSON text is one, and its type is not to be guessed.
    let outcome = scene.fetch("/.jotgate/session");
    assert_eq!(outcome.header("content-type"), Some("application/json"));
    assert_eq!(outcome.header("x-content-type-options"), Some("nosniff"));
    assert!(!body(&outcome).contains(&scene.browser.cookies[SESSION]));
    for secret in ["access-1", "refresh-1", "eyJ"] {
        assert!(!body(&outcome).contains(secret));
    }
}

/// No page of the gate may be framed, nor run anything.
#[test]
fn pages_are_in_no_frame_and_run_nothing() {
    let mut scene = Scene::new(&json!({}));
    scene.world = crate::browser::world(&super::two_logins(), &mut scene.provider);
    scene.browser.cookies.clear();
    let form = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "same-origin")];
    let pages = [
        scene.go("/.jotgate/login"),
        scene.go("/.jotgate/callback?code=c&state=x"),
        scene.browser.request(&mut scene.world, "GET", "/.jotgate/logout", &[("sec-fetch-site", "cross-site")]),
        scene.browser.request(&mut scene.world, "POST", "/app", &form),
    ];
    for page in pages {
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{page:?}");
        let policy = page.header("content-security-policy").expect("has a policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(directive), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert!(!body(&page).contains("<script") && !body(&page).contains(" on"), "{}", body(&page));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
}
