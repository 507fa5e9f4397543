//! Where cookies come from, and where they go to.

use std::time::Duration;

use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{LOGIN_COOKIE, SESSION, Scene, is_forwarded, lines, send};
use crate::browser::{Browser, HOST, SECRET, status};
use crate::support::{Key, Outcome};

/// Rules of every kind, and credentials of every kind beside the session.
fn everything(mode: &str) -> Value {
    json!({
        "mode": mode, "corsPreflight": "pass", "forwardToken": true,
        "credentials": [
            {"session": true}, {"header": "authorization", "scheme": "Bearer"}, {"cookie": "app"}, {"query": "access_token"},
        ],
        "rules": [
            {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
            {"name": "foreign", "match": {"paths": ["/foreign"]}, "access": "optional", "foreignCredentials": "forward"},
            {"name": "foreign-public", "match": {"paths": ["/foreign-public"]}, "access": "public", "foreignCredentials": "forward"},
            {"name": "optional", "match": {"paths": ["/optional"]}, "access": "optional"},
            {"name": "denied", "match": {"paths": ["/denied"]}, "access": "deny"},
            {"name": "scopes", "match": {"paths": ["/scopes"]}, "access": {"scopes": {"all": ["none-has-it"]}}},
            {"name": "all", "match": {"paths": ["/**"]}, "access": "authenticated"},
        ],
    })
}

/// How a request may spell a cookie that some server takes for one of the gate's.
fn spellings(name: &str, text: &str) -> Vec<String> {
    vec![
        format!("{name}={text}"),
        format!("a=1; {name}={text}; b=2"),
        format!("{name}=\"{text}\""),
        format!("{name} = {text}"),
        format!(" {name}\t={text}"),
        format!("a=1;{name}={text}"),
        format!("a=1, {name}={text}"),
        format!("a=1 {name}={text}"),
        format!("a=\"1\"{name}={text}"),
        format!("a=1; \"{name}\"={text}"),
        format!("{name}={text}; {name}={text}; {name}={text}"),
        format!("app=x; {name}={text}"),
        format!("app=\"x; {name}={text}\""),
    ]
}

/// Whatever becomes of a request, the gate's own cookies are for the gate alone.
#[test]
fn the_upstream_sees_no_cookie_of_the_gate() {
    for mode in ["enforce", "audit"] {
        let mut scene = Scene::new(&everything(mode));
        // In audit mode nobody is redirected who did not ask for it.
        scene.browser.log_in(&mut scene.world, &mut scene.provider, "/.jotgate/login");
        let session = scene.browser.cookies[SESSION].clone();
        let secrets = [session.clone(), String::from("PLANTED-TEXT")];
        let names = [SESSION, LOGIN_COOKIE, "__Host-jotgate.1", "__Host-jotgate.2", "__Host-jotgate.9"];
        let mut forwarded = 0;
        let lines_of = names.iter().flat_map(|name| secrets.iter().flat_map(|text| spellings(name, text)));
        for (index, cookies) in lines_of.enumerate() {
            let requests = [
                ("GET", "/public"),
                ("GET", "/foreign"),
                ("GET", "/foreign-public"),
                ("GET", "/optional"),
                ("GET", "/denied"),
                ("GET", "/scopes"),
                ("GET", "/app"),
                ("POST", "/app"),
                ("OPTIONS", "/app"),
                ("GET", "/a//b"),
                ("GET", "/a/%2e%2e/b"),
                ("POST", "/.jotgate/logout"),
            ];
            let kinds: [&[(&str, &str)]; 6] = [
                &[],
                &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
                &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-fetch-site", "same-origin")],
                &[("origin", "https://evil.example"), ("access-control-request-method", "POST")],
                &[("authorization", "Bearer x.y.z")],
                &[("authorization", "Basic Zm9vOmJhcg==")],
            ];
            for (place, (method, path)) in requests.into_iter().enumerate() {
                // Every path meets every kind, with one spelling or another.
                let kind = kinds[(index + place) % kinds.len()];
                let mut more = kind.to_vec();
                more.push(("cookie", &cookies));
                let outcome = send(&mut scene.world, method, path, HOST, &more);
                if let Outcome::Forwarded(headers) = &outcome {
                    forwarded += 1;
                    let seen = format!("{headers:?}");
                    let holds = secrets.iter().any(|secret| seen.contains(secret));
                    assert!(!holds, "{mode} {method} {path} {kind:?} {cookies}: {seen}");
                }
                scene.world.cancel(scene.world.last());
            }
        }
        assert!(forwarded > 400, "{forwarded} were forwarded in {mode}");
    }
}

/// The token that the session keeps is another matter: that is asked for.
#[test]
fn a_kept_token_takes_the_place_of_what_the_client_sent() {
    let mut config = everything("enforce");
    config["session"] = json!({"secrets": [SECRET], "publicUrl": "https://dash.example.com", "keep": ["accessToken"]});
    let mut scene = Scene::logged_in(&config);
    assert_eq!(scene.fetch("/app").seen("authorization"), ["Bearer access-1"]);
    let headers = [("authorization", "Digest username=root"), ("sec-fetch-site", "same-origin")];
    let outcome = scene.browser.request(&mut scene.world, "GET", "/app", &headers);
    assert_eq!(outcome.seen("authorization"), ["Bearer access-1"]);
    for path in ["/public", "/optional"] {
        let outcome = scene.fetch(path);
        assert!(outcome.seen("authorization").iter().all(|value| path == "/optional" && value == "Bearer access-1"));
    }
}

/// `mod_auth_openidc`, CVE-2024-24814 and CVE-2023-28625: a number of parts that the client chose took time and memory
/// without bound, and a header with nothing but the own cookies ended the process.
#[test]
fn the_number_of_parts_is_not_the_clients_choice() {
    let mut scene = Scene::logged_in(&json!({}));
    let session = scene.browser.cookies[SESSION].clone();
    let many: Vec<_> = (0..2_000).map(|index| format!("{SESSION}.{index}={}", "A".repeat(20))).collect();
    for cookies in [
        many.join("; "),
        format!("{SESSION}=99999999; {SESSION}_chunks=99999999; {SESSION}.99999999=a"),
        format!("{SESSION}="),
        SESSION.to_string(),
        format!("{SESSION}.1="),
        String::from(";;;;;;"),
        String::from("="),
        format!("{SESSION}={}", "A".repeat(60_000)),
        format!("{SESSION}={}; {SESSION}.1={}", "A".repeat(3_900), "A".repeat(3_900)),
    ] {
        let outcome = send(&mut scene.world, "GET", "/app", HOST, &[("cookie", &cookies)]);
        assert_eq!(outcome.summary(), "401 missing_token");
        let outcome = send(&mut scene.world, "GET", "/public", HOST, &[("cookie", &cookies)]);
        assert!(outcome.seen("cookie").iter().all(|line| !line.contains(&format!("{SESSION}="))), "{cookies:.80}");
    }
    // Beside all that, a session is still found.
    let cookies = format!("{}; {SESSION}={session}", many.join("; "));
    assert!(is_forwarded(&send(&mut scene.world, "GET", "/app", HOST, &[("cookie", &cookies)])));
}

/// A sibling subdomain can plant a cookie of this name where it has no `__Host-` prefix. It does not put the real one
/// out, as long as it is one of few.
#[test]
fn a_planted_cookie_does_not_hide_the_session() {
    let mut scene = Scene::logged_in(&json!({}));
    let session = scene.browser.cookies[SESSION].clone();
    let planted =
        |count: usize| (0..count).map(|index| format!("{SESSION}=planted{index}; ")).collect::<Vec<_>>().concat();
    for count in 0..4 {
        let cookies = format!("{}{SESSION}={session}", planted(count));
        let outcome = send(&mut scene.world, "GET", "/app", HOST, &[("cookie", &cookies)]);
        assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "behind {count}");
        assert_eq!(outcome.seen("cookie"), [""; 0]);
    }
}

fn check_lines(lines: &[impl AsRef<str>]) {
    for line in lines {
        check_line(line.as_ref());
    }
}

/// What a line must have so that a browser keeps it, or lets go of it (RFC 6265bis §4.1.3.2).
fn check_line(line: &str) {
    let (pair, attributes) = line.split_once("; ").expect("has attributes");
    let attributes: Vec<_> = attributes.split("; ").collect();
    let name = pair.split_once('=').expect("is a pair").0;
    assert!(attributes.contains(&"HttpOnly") && attributes.contains(&"Path=/"), "{line}");
    assert!(attributes.iter().any(|attribute| attribute.starts_with("SameSite=")), "{line}");
    if name.starts_with("__") {
        assert!(attributes.contains(&"Secure"), "{line}");
    }
    if name.starts_with("__Host-") {
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{line}");
    }
    assert!(line.len() <= 4_096 + 200 && pair.len() <= 4_096, "{line}");
    assert!(line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{line}");
}

/// Envoy, CVE-2025-55162: a sign-out that did not say `Secure` deleted no cookie with a prefix.
#[test]
fn a_logout_deletes_what_a_login_made() {
    let session = |cookie: Value| json!({"session": {"secrets": [SECRET], "publicUrl": "https://dash.example.com", "cookie": cookie}});
    for changes in [
        json!({}),
        session(json!({"persistent": true})),
        session(json!({"sameSite": "none"})),
        session(json!({"name": "__Secure-dash", "domain": "example.com"})),
        session(json!({"name": "dash"})),
    ] {
        let mut scene = Scene::new(&changes);
        let back = scene.way_back();
        let made = scene.go(&back);
        let made: Vec<String> = lines(&made, "set-cookie").into_iter().map(String::from).collect();
        check_lines(&made);
        let outcome =
            scene.browser.request(&mut scene.world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
        let outcome = scene.answer_with(outcome, |_, _| None);
        let deleted = lines(&outcome, "set-cookie");
        check_lines(&deleted);
        assert_eq!(scene.browser.cookies.len(), 0, "{changes}: {:?}", scene.browser.cookies);
        let kind = |line: &str| {
            let mut parts: Vec<_> = line.split("; ").map(String::from).collect();
            parts.retain(|part| !part.starts_with("Max-Age") && !part.starts_with("Expires"));
            parts[0] = parts[0].split('=').next().unwrap_or_default().to_string();
            parts
        };
        for line in made.iter().filter(|line| !line.contains("Max-Age=0")) {
            assert!(deleted.iter().any(|deleted| kind(deleted) == kind(line)), "{line} by {deleted:?}");
        }
        assert!(deleted.iter().all(|line| line.contains("Max-Age=0")));
    }
}

/// A cookie in a response that a shared cache may store would be everybody's.
#[test]
fn no_shared_cache_gets_a_cookie() {
    let responses: [(&[(&str, &str)], bool); 17] = [
        (&[], true),
        (&[("cache-control", "no-store")], true),
        (&[("cache-control", "private, max-age=60")], true),
        (&[("cache-control", "max-age=60")], true),
        (&[("cache-control", "public")], false),
        (&[("cache-control", "PUBLIC, max-age=60")], false),
        (&[("cache-control", "max-age=60"), ("cache-control", "s-maxage=60")], false),
        (&[("cache-control", "private, public")], false),
        (&[("cache-control", "no-store, s-maxage=1")], false),
        // For one field alone, the response itself is not private (RFC 9111 §5.2.2.7).
        (&[("cache-control", "private=\"x-user\", max-age=60")], true),
        // What is for caches of others only (RFC 9213), which look at nothing else then.
        (&[("cdn-cache-control", "max-age=60")], false),
        (&[("Cloudflare-CDN-Cache-Control", "max-age=60")], false),
        (&[("surrogate-control", "max-age=60")], false),
        (&[("cache-control", "private"), ("cdn-cache-control", "max-age=60")], false),
        (&[("x-accel-expires", "60")], false),
        (&[("cdn-cache-control", "no-store")], true),
        (&[("x-accel-expires", "0")], true),
    ];
    for (response, gets_it) in responses {
        let mut scene = Scene::logged_in(&json!({"session": {
            "secrets": [SECRET], "publicUrl": "https://dash.example.com", "idle": "2m",
        }}));
        scene.world.pass(Duration::from_mins(1));
        scene.provider.serve(&mut scene.world);
        assert!(is_forwarded(&scene.fetch("/app")));
        let mut all = vec![(":status", "200")];
        all.extend(response);
        let answer = scene.world.respond(scene.world.last(), &all);
        let cookies: Vec<_> = answer.iter().filter(|(name, _)| name == "set-cookie").collect();
        assert_eq!(cookies.len(), usize::from(gets_it), "{response:?}");
        check_lines(&cookies.iter().map(|(_, line)| line).collect::<Vec<_>>());
        if gets_it {
            let directives: Vec<_> = answer
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("cache-control"))
                .flat_map(|(_, value)| value.split(',').map(|directive| directive.trim().to_ascii_lowercase()))
                .collect();
            assert!(directives.iter().any(|word| word == "private" || word == "no-store"), "{response:?}: {answer:?}");
        }
    }
}

#[test]
fn an_answer_of_the_gate_is_stored_by_nobody() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    for path in [
        "/app",
        "/.jotgate/login",
        "/.jotgate/session",
        "/.jotgate/check",
        "/.jotgate/logout",
        &back,
        "/.jotgate/callback",
    ] {
        let outcome = scene.go(path);
        assert_eq!(lines(&outcome, "cache-control"), ["no-store"], "{path}");
        assert!(matches!(status(&outcome), 200 | 303 | 400 | 401), "{path}");
        check_lines(&lines(&outcome, "set-cookie"));
    }
}

/// Somebody may have set it for all of the domain: a login would lead back to it, without end.
#[test]
fn a_bad_token_in_a_cookie_takes_no_session_away() {
    let rules = json!([
        {"match": {"paths": ["/optional"]}, "access": "optional"},
        {"access": "authenticated"},
    ]);
    for credentials in
        [json!([{"session": true}, {"cookie": "token"}]), json!([{"cookie": "token"}, {"session": true}])]
    {
        let mut scene = Scene::logged_in(&json!({"credentials": credentials, "rules": rules}));
        let key = &scene.provider.key;
        let bad = [
            key.token(&json!({"exp": 1})),
            key.token(&json!({"iss": "https://evil.example"})),
            // It is bound to a key, and a cookie comes with no proof.
            key.token(&json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}})),
            // Its key was withdrawn, or never there.
            Key::new("gone").token(&json!({})),
            "x".into(),
        ];
        for token in bad {
            scene.browser.cookies.insert("token".into(), token.clone());
            for path in ["/app", "/optional"] {
                for outcome in [scene.go(path), scene.fetch(path)] {
                    assert!(is_forwarded(&outcome), "{token} {path}: {outcome:?}");
                    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "{token} {path}");
                    assert!(!outcome.seen("cookie").concat().contains("token="), "{token} {path}");
                }
            }
            for check in ["/.jotgate/check", "/.jotgate/check?path=/app", "/.jotgate/check?path=/optional"] {
                assert_eq!(status(&scene.fetch(check)), 200, "{token} {check}");
            }
            let mut other = Browser { cookies: [("token".to_string(), token)].into() };
            scene.as_browser(&mut other, |scene| {
                assert_eq!((status(&scene.go("/app")), status(&scene.fetch("/optional"))), (303, 401));
                for check in ["/.jotgate/check", "/.jotgate/check?path=/app"] {
                    assert_eq!(status(&scene.fetch(check)), 401, "{check}");
                }
            });
        }
    }
}
