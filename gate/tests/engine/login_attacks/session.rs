//! The session: as another credential, for another issuer, after another policy, and what an invalid one gives.

use std::time::Duration;

use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{SESSION, Scene, is_forwarded, lines, send, two_logins};
use crate::browser::{Browser, HOST, login, status, world};
use crate::support::{Outcome, merge};

/// Envoy, CVE-2022-29226: any token in the right header was taken for a checked one.
#[test]
fn a_session_is_a_credential_in_its_own_cookies_alone() {
    let locations = json!([
        {"session": true}, {"header": "authorization", "scheme": "Bearer"}, {"cookie": "other"}, {"query": "access_token"},
        {"header": "x-token"}, {"basic": true},
    ]);
    let mut scene = Scene::logged_in(&json!({"credentials": locations}));
    assert!(is_forwarded(&scene.fetch("/app")), "it is in the cache of what was verified");
    let session = scene.browser.cookies[SESSION].clone();
    let basic = {
        let encoded = jose::base64url::encode(format!("x:{session}").as_bytes()).replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - encoded.len() % 4) % 4);
        format!("Basic {encoded}{padding}")
    };
    for (path, line) in [
        ("/app", ("authorization", format!("Bearer {session}"))),
        ("/app", ("cookie", format!("other={session}"))),
        ("/app", ("cookie", format!("jotgate={session}"))),
        ("/app", ("cookie", format!("{SESSION}.1={session}"))),
        ("/app", ("cookie", format!("{SESSION}-login={session}"))),
        ("/app", ("x-token", session.clone())),
        ("/app", ("authorization", basic)),
        (&*format!("/app?access_token={session}"), ("x-nothing", String::new())),
        (&*format!("/app?{SESSION}={session}"), ("x-nothing", String::new())),
    ] {
        let outcome = send(&mut scene.world, "GET", path, HOST, &[(line.0, &line.1)]);
        assert!(!is_forwarded(&outcome), "{line:?}: {outcome:?}");
        assert!(outcome.summary().starts_with("401 "), "{line:?}");
    }
}

#[test]
fn a_token_is_no_session() {
    let mut scene = Scene::new(&json!({}));
    let token = scene.provider.key.token(&json!({}));
    let bearer = format!("Bearer {token}");
    assert!(is_forwarded(&send(&mut scene.world, "GET", "/app", HOST, &[("authorization", &bearer)])));
    let id_token = scene.provider.id_token(crate::support::NOW);
    for text in [&token, &id_token, &bearer, "alice", "e30", "", "\"\"", "null"] {
        let cookie = format!("{SESSION}={text}");
        let outcome = send(&mut scene.world, "GET", "/app", HOST, &[("cookie", &cookie)]);
        assert_eq!(outcome.summary(), "401 missing_token", "{text}");
        for path in ["/.jotgate/check", "/.jotgate/session", "/.jotgate/logout"] {
            let outcome = send(&mut scene.world, "GET", path, HOST, &[("cookie", &cookie), ("sec-fetch-site", "none")]);
            assert!(!matches!(outcome, Outcome::Waiting), "{path}");
        }
        assert_eq!(status(&send(&mut scene.world, "GET", "/.jotgate/check", HOST, &[("cookie", &cookie)])), 401);
    }
}

#[test]
fn a_session_of_one_issuer_is_none_of_another() {
    let mut scene = Scene::new(&json!({}));
    scene.world = world(&two_logins(), &mut scene.provider);
    scene.log_in();
    assert!(is_forwarded(&scene.fetch("/app")));
    assert_eq!(scene.fetch("/b").summary(), "403 access_denied");
    let outcome = scene.go("/b");
    assert_eq!(outcome.summary(), "403 access_denied", "and no redirect");
}

/// Whoever keeps an old cookie gets what followed it. What the new policy says of it counts, not what the old one said:
/// issuers and logins may have changed places.
#[test]
fn a_successor_is_seen_with_the_eyes_of_the_policy_that_is() {
    let mut config = two_logins();
    let mut scene = Scene::new(&json!({}));
    scene.world = world(&config, &mut scene.provider);
    scene.log_in();
    let old = scene.browser.cookies.clone();
    scene.world.pass(Duration::from_secs(301));
    scene.provider.serve(&mut scene.world);
    assert!(is_forwarded(&scene.fetch("/app")));
    scene.provider.serve(&mut scene.world);
    assert_eq!(scene.redemptions(), 2, "there is a successor");
    let mut stubborn = Browser { cookies: old };
    assert_eq!(scene.as_browser(&mut stubborn, |scene| scene.fetch("/b")).summary(), "403 access_denied");
    let swapped = |list: &Value| json!([list[1], list[0]]);
    let (issuers, logins) = (swapped(&config["issuers"]), swapped(&config["login"]));
    merge(&mut config, &json!({"issuers": issuers, "login": logins}));
    scene.world.reconfigure(&config);
    scene.world.fetches.clear();
    let outcome = scene.browser_of(&mut stubborn, "/b");
    assert_eq!(outcome.summary(), "403 access_denied");
    assert!(scene.world.fetches.is_empty(), "what followed is still known: {:?}", scene.world.fetches);
    // The refresh token goes to its own issuer.
    scene.world.pass(Duration::from_secs(301));
    scene.world.fetches.clear();
    assert!(is_forwarded(&scene.browser_of(&mut stubborn, "/app")));
    assert!(!scene.world.fetches.is_empty(), "a refresh is due");
    assert!(scene.world.fetches.iter().all(|fetch| fetch.cluster == "a"), "{:?}", scene.world.fetches);
}

impl Scene {
    /// A script's request by that browser, without waiting for anything.
    fn browser_of(&mut self, browser: &mut Browser, path: &str) -> Outcome {
        self.as_browser(browser, |scene| scene.browser.fetch(&mut scene.world, path))
    }
}

/// A request is under way when the policy changes: the cookie that its response brings is for the same login.
#[test]
fn a_seal_is_for_the_login_that_the_session_is_of() {
    let mut config = two_logins();
    config["session"]["idle"] = json!("2m");
    let mut scene = Scene::new(&json!({}));
    scene.world = world(&config, &mut scene.provider);
    scene.log_in();
    // No refresh is due: the response brings the same session, sealed anew.
    scene.world.pass(Duration::from_mins(1));
    scene.provider.serve(&mut scene.world);
    assert!(is_forwarded(&scene.fetch("/app")));
    let under_way = scene.world.last();
    let swapped = |list: &Value| json!([list[1], list[0]]);
    let (issuers, logins) = (swapped(&config["issuers"]), swapped(&config["login"]));
    merge(&mut config, &json!({"issuers": issuers, "login": logins}));
    scene.world.reconfigure(&config);
    scene.world.fetches.clear();
    let answer = scene.world.respond(under_way, &[(":status", "200")]);
    let cookies: Vec<_> = answer.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert_eq!(cookies.len(), 1, "{answer:?}");
    scene.browser.set_cookie(&cookies[0].1);
    assert_eq!(scene.browser.fetch(&mut scene.world, "/b").summary(), "403 access_denied");
    assert!(is_forwarded(&scene.browser.fetch(&mut scene.world, "/app")));
}

/// A claim that was not kept must not pass for one that is absent.
#[test]
fn a_not_over_a_claim_that_was_not_kept_admits_nobody() {
    let (with_it, without, none) = ("an ID token with it", "no ID token", "no refresh token");
    for (refresh, expected) in
        [(with_it, "403 access_denied"), (without, "401 missing_token"), (none, "401 missing_token")]
    {
        let refresh_token = refresh != none;
        let mut scene = Scene::new(&json!({}));
        scene.provider.changes = json!({"suspended": true});
        scene.provider.renews_id_token = refresh == with_it;
        let back = scene.way_back();
        scene.go_with(&back, |provider, fetch| {
            let now = crate::support::NOW;
            let mut answer = json!({"access_token": "a", "token_type": "Bearer", "id_token": provider.id_token(now)});
            if refresh_token {
                provider.refresh_token = Some(String::from("refresh"));
                answer["refresh_token"] = json!("refresh");
            }
            (fetch.path == "/token").then(|| ("200", answer.to_string()))
        });
        assert!(is_forwarded(&scene.fetch("/app")));
        let rule = json!({"name": "all", "access": {"not": {"claims": {"suspended": {"equals": true}}}}});
        scene.world.reconfigure(&login(&json!({"rules": [rule]})));
        scene.provider.serve(&mut scene.world);
        let outcome = scene.fetch("/app");
        assert_eq!(outcome.summary(), expected, "{refresh}");
    }
}

/// RFC 6749 §6: a refresh gives no more than the user's consent did. What only other scopes give must not pass for absent.
#[test]
fn a_session_of_other_scopes_is_over() {
    let mut scene = Scene::logged_in(&json!({}));
    let denied = json!({"name": "all", "access": {"not": {"groups": {"any": ["suspended"]}}}});
    let mut config = login(&json!({"rules": [denied]}));
    config["login"]["scopes"] = json!(["openid", "groups"]);
    scene.world.reconfigure(&config);
    scene.world.fetches.clear();
    assert_eq!(scene.browser.fetch(&mut scene.world, "/app").summary(), "401 missing_token");
    assert!(scene.world.fetches.is_empty(), "{:?}", scene.world.fetches);
}

/// With tokens of one, the session is that one's; and a tenant that is accepted no longer has no sessions.
#[test]
fn a_session_is_of_one_tenant_that_is_accepted() {
    let with_tenants = |tenants: &Value| {
        let mut config = login(&json!({}));
        config["issuers"][0]["issuer"] = json!("https://{tenant}.example.com");
        config["issuers"][0]["tenants"] = tenants.clone();
        config["issuers"][0]["keys"] = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
        let endpoint = |name: &str| format!("https://idp.example.com/{name}");
        config["login"]["endpoints"] = json!({"authorization": endpoint("authorize"), "token": endpoint("token")});
        config
    };
    let both = json!(["idp", "other"]);
    let mut scene = Scene::of(&with_tenants(&both));
    scene.provider.changes = json!({"tenant": "idp"});
    scene.log_in();
    assert!(is_forwarded(&scene.fetch("/app")));
    scene.world.reconfigure(&with_tenants(&json!(["other"])));
    assert_eq!(scene.browser.fetch(&mut scene.world, "/app").summary(), "401 missing_token");
    for (tenant, is_good) in [("idp", true), ("other", false)] {
        let mut config = with_tenants(&both);
        config["login"]["claimsFrom"] = json!("accessToken");
        let mut scene = Scene::of(&config);
        scene.provider.changes = json!({"tenant": "idp"});
        let back = scene.way_back();
        scene.go_with(&back, |provider, fetch| {
            let now = crate::support::NOW;
            let iss = format!("https://{tenant}.example.com");
            let access_token = provider.key.token(&json!({"iss": iss, "tenant": tenant}));
            let answer =
                json!({"access_token": access_token, "token_type": "Bearer", "id_token": provider.id_token(now)});
            (fetch.path == "/token").then(|| ("200", answer.to_string()))
        });
        assert_eq!(scene.is_logged_in(), is_good, "{tenant}: {:?}", scene.world.log);
    }
}

#[test]
fn a_header_counts_before_the_session_whatever_it_holds() {
    let mut scene = Scene::logged_in(&json!({}));
    let bob = format!("Bearer {}", scene.provider.key.token(&json!({"sub": "bob"})));
    let send = |scene: &mut Scene, header: &str| {
        scene.browser.request(&mut scene.world, "GET", "/app", &[("authorization", header), super::NAVIGATION[0]])
    };
    let outcome = send(&mut scene, &bob);
    assert_eq!(outcome.seen("x-auth-request-user"), ["bob"]);
    assert_eq!(outcome.seen("cookie"), [""; 0]);
    assert!(!scene.world.reported().1.contains_key("jotgate_session"), "the cookie is not read");
    for header in ["Bearer x.y.z", "Bearer ", "Bearer", "Bearer a b", "Bearer eyJhbGciOiJub25lIn0.e30."] {
        let outcome = send(&mut scene, header);
        assert!(!is_forwarded(&outcome), "{header}: a bad header does not fall back to the session");
    }
    // Another site cannot add the header, so it is no cookie's request.
    let headers = [("authorization", &*bob), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    assert!(is_forwarded(&scene.browser.request(&mut scene.world, "POST", "/app", &headers)));
}

#[test]
fn no_identity_comes_from_a_session_that_does_not_count() {
    let rules = json!([
        {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
        {"name": "optional", "match": {"paths": ["/optional"]}, "access": "optional"},
        {"name": "all", "access": "authenticated"},
    ]);
    let mut scene = Scene::logged_in(&json!({"rules": rules}));
    assert_eq!(scene.fetch("/optional").seen("x-auth-request-user"), ["alice"]);
    assert_eq!(scene.fetch("/public").seen("x-auth-request-user"), [""; 0]);
    let good = scene.browser.cookies[SESSION].clone();
    let claimed = [("x-auth-request-user", "root"), ("x-auth-request-email", "root@example.com")];
    for forged in ["", "x", &good[..good.len() - 1], &good[1..], &good.to_lowercase(), &format!("{good}.")] {
        scene.browser.cookies.insert(SESSION.into(), forged.to_string());
        for path in ["/public", "/optional"] {
            let outcome = scene.browser.request(&mut scene.world, "GET", path, &claimed);
            assert_eq!(outcome.seen("x-auth-request-user"), [""; 0], "{path} {forged}");
            assert_eq!(outcome.seen("x-auth-request-email"), [""; 0]);
            assert_eq!(outcome.seen("cookie"), [""; 0]);
        }
        assert!(!scene.world.reported().1.contains_key("jotgate_session"));
    }
    // Nor from one that is over.
    scene.browser.cookies.insert(SESSION.into(), good);
    scene.world.pass(Duration::from_hours(12));
    scene.world.fetches.clear();
    for path in ["/public", "/optional"] {
        let outcome = scene.browser.request(&mut scene.world, "GET", path, &claimed);
        assert_eq!(outcome.seen("x-auth-request-user"), [""; 0], "{path}");
    }
}

#[test]
fn an_answer_does_not_tell_an_expired_session_from_a_forged_one() {
    let mut scene = Scene::logged_in(&json!({}));
    scene.world.pass(Duration::from_hours(12));
    scene.provider.serve(&mut scene.world);
    let expired = scene.browser.cookies[SESSION].clone();
    let forged = "A".repeat(expired.len());
    let answers = |scene: &mut Scene, path: &str, text: &str, more: &[(&str, &str)]| {
        let cookie = format!("{SESSION}={text}");
        let mut lines = vec![("cookie", &*cookie)];
        lines.extend(more);
        let outcome = send(&mut scene.world, "GET", path, HOST, &lines);
        let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
        (
            reply.status,
            reply.headers.into_iter().filter(|(name, _)| *name != "location").collect::<Vec<_>>(),
            reply.body,
        )
    };
    for path in ["/app", "/.jotgate/check", "/.jotgate/check?path=/app", "/.jotgate/session"] {
        let found = [&expired, &forged].map(|text| answers(&mut scene, path, text, &[]));
        assert_eq!(found[0], found[1], "{path}");
    }
    // What the provider says of itself is asked for again by then.
    scene.as_browser(&mut Browser::default(), |scene| scene.go("/app"));
    let navigation = super::NAVIGATION;
    let [expired, forged] = [&expired, &forged].map(|text| answers(&mut scene, "/app", text, &navigation));
    assert_eq!((expired.0, expired.2), (forged.0, forged.2));
    let names = |lines: &[(&'static str, String)]| lines.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names(&expired.1), names(&forged.1));
}

/// A refresh token is good once; what was asked for twice would end the whole family of tokens.
#[test]
fn a_refresh_token_is_used_once() {
    let mut scene = Scene::logged_in(&json!({}));
    let old = scene.browser.clone();
    scene.world.pass(Duration::from_secs(601));
    scene.provider.serve(&mut scene.world);
    for _ in 0..20 {
        let mut tab = old.clone();
        assert!(matches!(scene.browser_of(&mut tab, "/app"), Outcome::Waiting));
    }
    scene.provider.serve(&mut scene.world);
    assert_eq!(scene.redemptions(), 2, "twenty requests, one refresh");
    let resumed = std::mem::take(&mut scene.world.resumed);
    assert!(resumed.len() == 20 && resumed.values().all(is_forwarded));
    // Later, with the old cookie.
    let mut late = old.clone();
    assert!(is_forwarded(&scene.browser_of(&mut late, "/app")));
    let tokens: Vec<_> = scene.provider.asked.iter().filter_map(|asked| asked.get("refresh_token").cloned()).collect();
    assert_eq!(tokens, ["refresh-1"]);
}

#[test]
fn a_session_that_is_over_stays_over() {
    let mut scene = Scene::logged_in(&json!({"session": {
        "secrets": [crate::browser::SECRET], "publicUrl": "https://dash.example.com", "lifetime": "1h", "idle": "30m",
    }}));
    let cookies = scene.browser.cookies.clone();
    scene.world.pass(Duration::from_secs(1_801));
    scene.provider.serve(&mut scene.world);
    assert_eq!(scene.fetch("/app").summary(), "401 missing_token");
    assert_eq!(scene.browser.cookies, cookies, "and the answer to a script deletes nothing");
    assert_eq!(scene.redemptions(), 1, "it is not refreshed either");
    let outcome = scene.go("/app");
    assert_eq!(status(&outcome), 303);
    assert_eq!(lines(&outcome, "set-cookie").len(), 1);
}
