//! Addresses: open redirects, hosts that a client names, header lines, markup.
//!
//! What a single address may be is the subject of `login/return_to`; here it takes every way to a `Location`.

use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{NAVIGATION, Scene, body, encode, lines, send};
use crate::browser::{HOST, SECRET, form, start, status};
use crate::support::Outcome;

/// oauth2-proxy, GHSA-4mf2, GHSA-5m6c, GHSA-j7px, GHSA-qqxw; `mod_auth_openidc`, CVE-2022-23527 and GHSA-px3c: what a
/// browser takes for another host.
const ELSEWHERE: [&str; 58] = [
    "//evil.example",
    "///evil.example",
    "////evil.example/a",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "/ /evil.example",
    "/\u{0}/evil.example",
    "/\u{b}/evil.example",
    "/\u{c}/evil.example",
    "/\u{85}/evil.example",
    "/\u{a0}/evil.example",
    "/\u{2028}/evil.example",
    "/\u{feff}/evil.example",
    "/./\\evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/a/../\\evil.example",
    "/%2e%2e//evil.example",
    "/.\t./evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "http://dash.example.com/",
    "https://dash.example.com.evil.example/",
    "https://dash.example.com@evil.example/",
    "https://dash.example.com:443@evil.example/",
    "https://dash.example.com:8443/",
    "https://dash.example.com\\@evil.example/",
    "https://dash.example.com#@evil.example/",
    "https://dash.example.com//evil.example",
    "https://dash.example.com/\\evil.example",
    "https://dash.example.com%2eevil.example/",
    "https://evil.example/https://dash.example.com/",
    "https://evil.example?https://dash.example.com/",
    "https://apps.example.com.evil.example/",
    "https://apps.example.com@evil.example/",
    "https://xapps.example.com/",
    "https://sub.apps.example.com/",
    "http://apps.example.com/",
    "https://apps.example.com//evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "?//evil.example",
    "#//evil.example",
];

fn apps() -> Value {
    json!({"session": {
        "secrets": [SECRET], "publicUrl": "https://dash.example.com", "returnTo": ["https://apps.example.com"],
    }})
}

/// Whether a browser on the gate's origin stays on it, or goes to the one that is allowed.
fn is_home(location: &str) -> bool {
    let path = location.strip_prefix("https://apps.example.com").unwrap_or(location);
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[test]
fn no_login_leads_elsewhere() {
    for address in ELSEWHERE {
        for name in ["returnTo", "rd"] {
            let mut scene = Scene::new(&apps());
            let path = format!("/.jotgate/login?{name}={}", encode(address));
            let query = scene.begin(&path);
            let back = scene.provider.authorize(&query);
            let outcome = scene.go(&back);
            assert_eq!((status(&outcome), lines(&outcome, "location")), (303, vec!["/"]), "{name}={address:?}");
            // Somebody who is logged in goes there at once.
            let outcome = scene.go(&path);
            assert_eq!((status(&outcome), lines(&outcome, "location")), (303, vec!["/"]), "{name}={address:?}");
        }
    }
}

/// Written as it is, where a client sends what no browser would.
#[test]
fn no_raw_address_leads_elsewhere() {
    for address in ELSEWHERE {
        let mut scene = Scene::logged_in(&apps());
        let outcome = scene.go(&format!("/.jotgate/login?returnTo={address}"));
        if let Outcome::Replied(reply) = &outcome
            && reply.status == 303
        {
            assert!(is_home(lines(&outcome, "location")[0]), "{address:?}: {outcome:?}");
        }
        let outcome = scene.go(&format!("/.jotgate/login?returnTo=/a&rd={}", encode(address)));
        assert_eq!(lines(&outcome, "location"), ["/a"]);
        for twice in ["returnTo=/a&returnTo=//evil.example", "returnTo=//evil.example&returnTo=/a"] {
            assert_eq!(lines(&scene.go(&format!("/.jotgate/login?{twice}")), "location"), ["/"]);
        }
    }
}

#[test]
fn no_logout_leads_elsewhere() {
    for address in ELSEWHERE {
        for name in ["returnTo", "rd"] {
            let mut scene = Scene::logged_in(&apps());
            let path = format!("/.jotgate/logout?{name}={}", encode(address));
            let outcome = scene.go(&path);
            let location = lines(&outcome, "location")[0].to_string();
            let query = location.strip_prefix("https://idp.example.com/logout?").expect("leads to the provider");
            assert_eq!(form(query.as_bytes())["post_logout_redirect_uri"], "https://dash.example.com/", "{address:?}");
            // Without a session nobody is asked.
            assert_eq!(lines(&scene.go(&path), "location"), ["/"], "{address:?}");
        }
    }
}

/// The page that somebody wanted to see is the one after the login, whatever it is called.
#[test]
fn no_page_leads_elsewhere() {
    for path in ELSEWHERE.into_iter().filter(|path| path.starts_with('/') || path.starts_with("http")) {
        for host in [HOST, "evil.example", "apps.example.com"] {
            let mut scene = Scene::new(&apps());
            let outcome = send(&mut scene.world, "GET", path, host, &NAVIGATION);
            let outcome = scene.browser.finish(&mut scene.world, &mut scene.provider, outcome);
            scene.browser.keep(&outcome);
            if status(&outcome) != 303 {
                continue;
            }
            let query = start(&outcome);
            let back = scene.provider.authorize(&query);
            let outcome = scene.go(&back);
            assert!(is_home(lines(&outcome, "location")[0]), "{path:?} on {host}: {outcome:?}");
        }
    }
}

/// Redirect URIs and origins are of the configuration.
#[test]
fn no_header_chooses_the_redirect_uri() {
    let lies = [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "8080"),
        ("x-forwarded-uri", "//evil.example/"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-original-url", "//evil.example/"),
        ("x-rewrite-url", "//evil.example/"),
        ("forwarded", "host=evil.example;proto=http"),
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        ("x-auth-request-redirect", "https://evil.example/"),
    ];
    for host in ["evil.example", HOST, "dash.example.com:8080", "DASH.EXAMPLE.COM"] {
        let mut scene = Scene::new(&json!({}));
        let more = [&lies[..], &NAVIGATION].concat();
        let outcome = send(&mut scene.world, "GET", "/.jotgate/login?returnTo=%2Fapp", host, &more);
        if host == "evil.example" {
            assert_eq!(outcome.summary(), "401 missing_token", "it has no own paths");
            continue;
        }
        let outcome = scene.browser.finish(&mut scene.world, &mut scene.provider, outcome);
        scene.browser.keep(&outcome);
        let query = start(&outcome);
        assert_eq!(query["redirect_uri"], "https://dash.example.com/.jotgate/callback");
        let Outcome::Replied(reply) = &outcome else { panic!("is answered") };
        assert!(!format!("{reply:?}").contains("evil"), "{reply:?}");
        let back = scene.provider.authorize(&query);
        assert_eq!(lines(&scene.go(&back), "location"), ["/app"]);
        assert_eq!(scene.provider.asked[0]["redirect_uri"], query["redirect_uri"]);
    }
}

/// Response splitting, and markup: whatever comes in by an address, what comes out is of one line, and escaped.
#[test]
fn nothing_of_a_request_becomes_a_line_or_markup() {
    let texts = [
        "/a\r\nSet-Cookie: x=y",
        "/a%0d%0aSet-Cookie: x=y",
        "/a\u{2028}x",
        "/\"><script>alert(1)</script>",
        "/'onmouseover='alert(1)",
        "/a?b=\"><img src=x onerror=alert(1)>",
        "/a?b=%22%3E%3Cscript%3E",
        "/<svg/onload=alert(1)>",
        "/a?b=</style><script>",
        "main\"><script>alert(1)</script>",
    ];
    for text in texts {
        let mut scene = Scene::new(&json!({}));
        scene.world = crate::browser::world(&super::two_logins(), &mut scene.provider);
        let encoded = encode(text);
        for path in [
            format!("/.jotgate/login?returnTo={encoded}"),
            format!("/.jotgate/login?rd={encoded}"),
            format!("/.jotgate/login?login={encoded}"),
            format!("/.jotgate/login?login=a&returnTo={encoded}&prompt={encoded}"),
            format!("/.jotgate/logout?rd={encoded}"),
            format!("/.jotgate/session?callback={encoded}"),
            format!("/.jotgate/check?path={encoded}&method={encoded}"),
            format!("/.jotgate/callback?code={encoded}&state={encoded}"),
            format!("/.jotgate/callback?error={encoded}&error_description={encoded}"),
            format!("/app?q={encoded}"),
        ] {
            let outcome = scene.go(&path);
            let Outcome::Replied(reply) = &outcome else { panic!("{path}: {outcome:?}") };
            for (name, value) in &reply.headers {
                assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{path}: {name}: {value}");
            }
            let lower = body(&outcome).to_ascii_lowercase();
            for markup in ["<script", "<img", "<svg", "onerror=a", "'onmouseover", "\"><"] {
                assert!(!lower.contains(markup), "{path}: {lower}");
            }
            let names: Vec<_> =
                lines(&outcome, "set-cookie").iter().map(|line| line.starts_with("__Host-jotgate")).collect();
            assert!(names.iter().all(|is_own| *is_own));
        }
    }
}
