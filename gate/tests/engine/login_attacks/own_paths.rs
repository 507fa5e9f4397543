//! `check`, `session`, and what looks like an own path.

use std::time::Duration;

use serde_json::json;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{NAVIGATION, SESSION, Scene, encode, is_forwarded, lines, send};
use crate::browser::{Browser, HOST, SECRET, status};
use crate::support::Outcome;

/// What a check answers about a path, as this browser asks.
fn check(scene: &mut Scene, path: &str, method: &str) -> u16 {
    let outcome = scene.fetch(&format!("/.jotgate/check?path={}&method={}", encode(path), encode(method)));
    let Outcome::Replied(reply) = &outcome else { panic!("{path}: {outcome:?}") };
    assert_eq!((&*reply.body, lines(&outcome, "set-cookie").len()), ("", 0), "{path}: it says yes or no");
    assert!(!reply.headers.iter().any(|(name, _)| matches!(*name, "location" | "www-authenticate")), "{path}");
    reply.status
}

fn rules() -> serde_json::Value {
    json!({"rules": [
        {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
        {"name": "denied", "match": {"paths": ["/denied/**"]}, "access": "deny"},
        {"name": "ops", "match": {"paths": ["/ops/**"]}, "access": {"groups": {"any": ["ops"]}}},
        {"name": "other-host", "match": {"hosts": ["admin.example.com"], "paths": ["/admin"]}, "access": "public"},
        {"name": "all", "access": "authenticated"},
    ]})
}

/// It says what would become of a request, no better and no worse, and of this host's alone.
#[test]
fn a_check_says_what_would_become_of_the_request() {
    for logged_in in [false, true] {
        let mut scene = if logged_in { Scene::logged_in(&rules()) } else { Scene::new(&rules()) };
        for path in [
            "/public",
            "/public?x=//evil.example",
            "/denied/x",
            "/ops/x",
            "/app",
            "/admin",
            "/public/../ops/x",
            "/public/..%2fops/x",
            "/ops/../public",
            "/public//",
            "//public",
            "/public%00",
            "/public;x",
            "/%70ublic",
            "/\\public",
            "public",
            "*",
            "https://admin.example.com/admin",
            "//admin.example.com/admin",
            "http://dash.example.com/public",
            "/public\r\nx: y",
            "/p\u{fc}blic",
            "/public#fragment",
        ] {
            for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "CONNECT", "get", "GET\r\n"] {
                let said = check(&mut scene, path, method);
                let own = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")];
                let really = scene.browser.request(&mut scene.world, method, path, &own);
                let expected = match status(&really) {
                    200 => 200,
                    401 => 401,
                    _ => 403,
                };
                assert_eq!(said, expected, "{method} {path}, logged in: {logged_in}: {really:?}");
            }
        }
    }
}

/// A token in the path that is asked about is the asker's own, and a session counts for it as for any other request.
#[test]
fn a_check_lends_nobody_a_credential() {
    let credentials =
        json!([{"session": true}, {"header": "authorization", "scheme": "Bearer"}, {"query": "access_token"}]);
    let mut scene = Scene::new(&json!({"credentials": credentials}));
    let token = scene.provider.key.token(&json!({}));
    assert_eq!(check(&mut scene, "/app", "GET"), 401);
    assert_eq!(check(&mut scene, &format!("/app?access_token={token}"), "GET"), 200);
    assert_eq!(check(&mut scene, "/app?access_token=x.y.z", "GET"), 401);
    assert_eq!(check(&mut scene, "/app", "GET"), 401, "nothing is remembered of it");
    // Other places are those of the request that came.
    let outcome =
        send(&mut scene.world, "GET", "/.jotgate/check?path=%2Fapp", HOST, &[("authorization", "Bearer x.y.z")]);
    assert_eq!(status(&outcome), 401);
}

/// Nothing is done by asking whether it may be.
#[test]
fn a_check_does_nothing() {
    let mut scene = Scene::logged_in(&json!({}));
    let before = scene.browser.cookies.clone();
    let metrics = scene.world.metrics.clone();
    for path in [
        "/.jotgate/logout",
        "/.jotgate/logout?rd=/",
        "/.jotgate/login?prompt=login",
        "/.jotgate/callback?code=c&state=x",
        "/.jotgate/session",
        "/.jotgate/check",
    ] {
        for method in ["GET", "POST", "HEAD"] {
            assert_eq!(check(&mut scene, path, method), 200, "{path}: they are for everybody");
        }
    }
    assert!(scene.world.fetches.is_empty());
    assert_eq!(scene.browser.cookies, before);
    assert!(is_forwarded(&scene.fetch("/app")), "still logged in");
    for name in ["logins_started", "logins_failed_state", "sessions_ended_logout", "sessions_refreshed"] {
        let name = format!("jotgate_{name}");
        assert_eq!(scene.world.metrics.get(&name), metrics.get(&name), "{name}");
    }
    // A session that is due is not refreshed by it.
    scene.world.pass(Duration::from_secs(301));
    scene.provider.serve(&mut scene.world);
    assert_eq!(check(&mut scene, "/app", "GET"), 200);
    assert_eq!(status(&scene.browser.fetch(&mut scene.world, "/.jotgate/check")), 200);
    scene.provider.serve(&mut scene.world);
    assert_eq!(scene.redemptions(), 1);
}

/// Each level of a check of a check would be a call of its own: a query has room for thousands.
#[test]
fn a_check_of_a_check_has_an_end() {
    let paths = json!({"session": {
        "secrets": [SECRET], "publicUrl": "https://dash.example.com", "paths": {"check": "/c"},
    }});
    let mut scene = Scene::new(&paths);
    for depth in [2, 100, 2_000] {
        let nested = "/c?path=".repeat(depth);
        for path in ["/public", "/app", "/c", ""] {
            let outcome = scene.fetch(&format!("{nested}{path}"));
            assert!(matches!(status(&outcome), 200 | 401), "{depth}: {outcome:?}");
        }
    }
    let escaped = (0..6).fold(String::from("/app"), |path, _| format!("/c?path={}", encode(&path)));
    assert_eq!(status(&scene.fetch(&escaped)), 200);
}

#[test]
fn no_rule_changes_what_an_own_path_is() {
    for (mode, access) in [
        ("enforce", json!("deny")),
        ("enforce", json!("public")),
        ("audit", json!("deny")),
        ("audit", json!("authenticated")),
    ] {
        let own = json!(["/.jotgate/**", "/.jotgate/login", "/.jotgate/callback", "/.jotgate/session", "/**"]);
        let rules = json!([{"name": "own", "match": {"paths": own}, "access": access, "mode": mode}]);
        let mut scene = Scene::new(&json!({"rules": rules, "mode": mode, "default": "deny"}));
        scene.browser.log_in(&mut scene.world, &mut scene.provider, "/.jotgate/login");
        assert!(scene.is_logged_in());
        for (method, path) in [
            ("GET", "/.jotgate/login"),
            ("GET", "/.jotgate/session"),
            ("GET", "/.jotgate/check"),
            ("GET", "/.jotgate/callback"),
            ("HEAD", "/.jotgate/callback"),
            ("DELETE", "/.jotgate/session"),
            ("GET", "/.jotgate/logout"),
            ("POST", "/.jotgate/logout"),
        ] {
            let mut browser = scene.browser.clone();
            let outcome = scene.as_browser(&mut browser, |scene| {
                let outcome = scene.browser.request(&mut scene.world, method, path, &NAVIGATION);
                scene.answer_with(outcome, |_, _| None)
            });
            assert!(matches!(outcome, Outcome::Replied(_)), "{mode} {access}: {method} {path}: {outcome:?}");
        }
    }
}

/// In audit mode everything passes, so a request must not pass with somebody's identity that it would not have had.
#[test]
fn in_audit_mode_nobody_is_redirected_nor_taken_for_another() {
    let rules = json!([{"name": "all", "access": {"groups": {"any": ["ops"]}}}]);
    let mut scene = Scene::new(&json!({"rules": rules, "mode": "audit"}));
    let outcome = scene.go("/app");
    assert_eq!(outcome.seen("x-auth-request-user"), [""; 0]);
    scene.browser.log_in(&mut scene.world, &mut scene.provider, "/.jotgate/login");
    assert_eq!(scene.fetch("/app").seen("x-auth-request-user"), ["alice"]);
    let elsewhere = [("sec-fetch-site", "cross-site"), ("x-auth-request-user", "root")];
    let outcome = scene.browser.request(&mut scene.world, "POST", "/app", &elsewhere);
    assert_eq!(outcome.seen("x-auth-request-user"), [""; 0], "what would be refused has no caller");
    let outcome = scene.browser.request(&mut scene.world, "POST", "/.jotgate/logout", &elsewhere);
    assert!(!is_forwarded(&outcome) || outcome.seen("cookie").is_empty());
    scene.browser.cookies.insert(SESSION.into(), String::from("forged"));
    let outcome = scene.browser.request(&mut scene.world, "GET", "/app", &[("x-auth-request-user", "root")]);
    assert_eq!(outcome.seen("x-auth-request-user"), [""; 0]);
}

#[test]
fn other_methods_of_own_paths_do_nothing() {
    let mut scene = Scene::logged_in(&json!({}));
    let before = scene.browser.cookies.clone();
    for path in ["/.jotgate/login", "/.jotgate/check", "/.jotgate/session"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "head", ""] {
            let outcome = scene.browser.request(&mut scene.world, method, path, &NAVIGATION);
            assert_eq!((status(&outcome), lines(&outcome, "allow")), (405, vec!["GET, HEAD"]), "{method} {path}");
        }
        let outcome = scene.browser.request(&mut scene.world, "HEAD", path, &NAVIGATION);
        assert!(matches!(status(&outcome), 200 | 303), "{path}: {outcome:?}");
    }
    assert_eq!(scene.browser.cookies, before);
}

/// Where `login` and `callback` are one path, what looks like an answer is one, and never begins another login.
#[test]
fn one_path_for_login_and_callback_knows_them_apart() {
    let mut scene = Scene::new(&json!({"session": {
        "secrets": [SECRET], "publicUrl": "https://dash.example.com",
        "paths": {"login": "/login", "callback": "/login"},
    }}));
    let query = scene.begin("/login?rd=%2Fapp");
    assert_eq!(query["redirect_uri"], "https://dash.example.com/login");
    for answer in
        ["code=c", "error=access_denied", "state=x", "code", "error", "state", "code=c&rd=%2Fapp", "a=b&code=c"]
    {
        let outcome = scene.go(&format!("/login?{answer}"));
        assert_eq!(status(&outcome), 400, "{answer}: it does not begin anew: {outcome:?}");
    }
    let back = scene.provider.authorize(&query).replace("/.jotgate/callback", "/login");
    assert_eq!(lines(&scene.go(&back), "location"), ["/app"]);
    assert!(scene.is_logged_in());
    // Nobody returns to it: that would go on for ever.
    let mut other = Browser::default();
    scene.as_browser(&mut other, |scene| {
        let query = scene.begin("/login?rd=%2Flogin%3Fa%3Db");
        let back = scene.provider.authorize(&query).replace("/.jotgate/callback", "/login");
        assert_eq!(lines(&scene.go(&back), "location"), ["/"]);
    });
}
