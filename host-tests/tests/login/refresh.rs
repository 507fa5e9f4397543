//! Sessions that stay alive, though their claims do not.

use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use browsers::user_agent::{Url, UserAgent};
use real_envoy::http::{Request, Response, burst};
use serde_json::json;
use test_support::{SOON, eventually};
use testbed::issuer::{Behaviour, Fault, Flaws, Mode, Refresh};

use crate::setup::Setup;
use crate::world::World;

/// A second is as short as it gets.
fn quick() -> Setup {
    Setup { session: json!({"refreshAfter": "1s"}), ..Setup::default() }
}

/// A browser in which somebody logged in early in a second: sessions count whole ones, so that at the end of one their
/// claims are old at once, and the page after the login starts a refresh.
fn logged_in(world: &World) -> UserAgent {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_millis();
    if since > 500 {
        sleep(Duration::from_millis((1000 - since).into()));
    }
    world.logged_in()
}

/// Claims are old now: the next request starts a refresh.
fn grow_old() {
    sleep(Duration::from_millis(1100));
}

/// Claims are so old that requests wait for a refresh.
fn grow_very_old() {
    sleep(Duration::from_millis(2100));
}

/// As many requests at once as a page makes.
fn page_load(world: &World, browser: &UserAgent) -> Vec<Response> {
    let url = Url::parse(&world.url("/data"));
    let cookies = browser.jar.get("jotgate").map(|cookie| format!("jotgate={}", cookie.value)).unwrap();
    let request = |number: usize| {
        let request = Request::get(&format!("/data/{number}")).header("host", url.authority());
        request.header("cookie", &cookies).header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "cors")
    };
    let requests: Vec<_> = (0..12).map(request).collect();
    burst(world.gateway(), &requests, SOON).into_iter().map(Result::unwrap).collect()
}

fn store(world: &World, browser: &mut UserAgent, response: &Response) {
    for line in response.head.all("set-cookie") {
        browser.jar.store(&Url::parse(&world.origin), &line);
    }
}

/// By strict rotation, two refreshes of one session at the same time would end it.
#[test]
fn parallel_requests_refresh_once_and_the_session_stays() {
    let Some(world) = World::certified(&quick()) else { return };
    let mut browser = logged_in(&world);
    let first = browser.clone();
    for round in 0..4 {
        if round % 2 == 0 {
            grow_old();
        } else {
            grow_very_old();
        }
        let responses = page_load(&world, &browser);
        let statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
        assert_eq!(statuses, [200; 12], "round {round}");
        // Responses come in any order, and some are lost.
        let renewed: Vec<_> = responses.iter().filter(|response| !response.head.all("set-cookie").is_empty()).collect();
        if let Some(response) = renewed.get(round % renewed.len().max(1)) {
            store(&world, &mut browser, response);
        }
    }
    let is_refresh = |answered: &test_support::providers::Answered| answered.grant.as_deref() == Some("refresh_token");
    let provider = world.provider.certified();
    let refreshes: Vec<_> =
        provider.answered().into_iter().filter(is_refresh).map(|answered| answered.status).collect();
    assert!(refreshes.len() >= 3 && refreshes.iter().all(|status| *status == 200), "{refreshes:?}");
    // A tab that slept with the first cookie goes on with the last session.
    assert_eq!(world.fetch(&mut first.clone(), "/late").status, 200);
    assert_eq!(world.fetch(&mut browser, "/last").status, 200);
    world.assert_silent(&[&browser, &first]);
}

#[test]
fn a_new_cookie_rides_on_the_response_to_whoever_has_an_old_one() {
    // On a busy machine, a second may pass between two requests.
    let world = World::flawed(&Setup { session: json!({"refreshAfter": "3s"}), ..Setup::default() });
    let mut browser = logged_in(&world);
    let issuer = world.provider.flawed();
    let before = issuer.granted("refresh_token");
    sleep(Duration::from_millis(6100));
    let start = Instant::now();
    let response = world.fetch(&mut browser, "/x");
    assert_eq!((response.status, issuer.granted("refresh_token")), (200, before + 1));
    assert_eq!(response.head.all("set-cookie").len(), 1, "{:?}", response.head.headers);
    assert!(response.header("cache-control").is_some_and(|value| value.contains("private")));
    // It is fresh again, for two seconds at least.
    let has_none = world.fetch(&mut browser, "/x").head.all("set-cookie").is_empty();
    let granted = issuer.granted("refresh_token");
    assert!(start.elapsed() > Duration::from_secs(2) || (has_none && granted == before + 1), "{has_none} {granted}");
    world.assert_silent(&[&browser]);
}

/// The request goes on at once. Its response may wait for the cookie, and not for long.
#[test]
fn a_refresh_in_time_holds_no_request_up() {
    let (session, keys) = (json!({"refreshAfter": "5s"}), json!({"timeout": "30s"}));
    let world = World::flawed(&Setup { session, keys, ..Setup::default() });
    let mut browser = logged_in(&world);
    let issuer = world.provider.flawed();
    let granted = issuer.granted("refresh_token");
    issuer.set_token_endpoint(Fault::times(Mode::Slow { millis: 8000 }, 1)).unwrap();
    // Sessions count whole seconds: between five and ten of them have passed.
    sleep(Duration::from_millis(5100));
    let (start, before) = (Instant::now(), world.upstream.count());
    thread::scope(|scope| {
        let fetch = scope.spawn(|| (world.fetch(&mut browser, "/x").status, start.elapsed()));
        eventually("the request is there", || world.upstream.count() > before);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        let (status, took) = fetch.join().unwrap();
        assert!(status == 200 && took < Duration::from_secs(7), "{status} {took:?}");
    });
    eventually("a new cookie comes", || !world.fetch(&mut browser, "/x").head.all("set-cookie").is_empty());
    assert_eq!(issuer.granted("refresh_token"), granted + 1);
    world.assert_silent(&[&browser]);
}

#[test]
fn a_provider_without_rotation_or_with_grace_is_fine_as_well() {
    let behaviours = [
        Behaviour { refresh: Refresh::Fixed, ..Behaviour::default() },
        Behaviour { grace_ms: 60_000, ..Behaviour::default() },
        Behaviour { flaws: flaws(json!({"refreshed_response": {"id_token": null}})), ..Behaviour::default() },
    ];
    let world = World::flawed(&quick());
    let mut browsers: Vec<_> = behaviours
        .into_iter()
        .map(|behaviour| {
            world.provider.flawed().set_behaviour(behaviour.clone());
            (behaviour, logged_in(&world))
        })
        .collect();
    // The page after a login refreshes, too, where a second ended between the two.
    grow_very_old();
    let before = world.provider.flawed().granted("refresh_token");
    for round in 0..2 {
        if round > 0 {
            grow_very_old();
        }
        for (behaviour, browser) in &mut browsers {
            world.provider.flawed().set_behaviour(behaviour.clone());
            let response = world.fetch(browser, "/x");
            assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["alice".to_owned()]));
        }
    }
    assert_eq!(world.provider.flawed().granted("refresh_token"), before + 6);
    world.assert_silent(&browsers.iter().map(|(_, browser)| browser).collect::<Vec<_>>());
}

#[test]
fn a_refreshed_id_token_is_of_the_same_person() {
    let world = World::flawed(&quick());
    let issuer = world.provider.flawed();
    let cases = [
        json!({"sub": "mallory"}),
        json!({"iss": "https://another.example"}),
        json!({"aud": "another"}),
        json!({"nonce": "another"}),
    ];
    let mut browsers: Vec<_> = cases.iter().map(|_| logged_in(&world)).collect();
    grow_very_old();
    for (claims, browser) in cases.iter().zip(&mut browsers) {
        issuer
            .set_behaviour(Behaviour { flaws: flaws(json!({ "refreshed_id_token": claims })), ..Behaviour::default() });
        let response = world.fetch(browser, "/x");
        // Whether it goes on for a while or is over, nobody becomes somebody else.
        assert!(matches!(response.status, 200 | 401), "{claims}: {}", response.text());
        assert!(response.status == 401 || response.seen("x-auth-request-user") == ["alice"], "{claims}");
        assert!(response.head.all("set-cookie").is_empty(), "{claims}");
    }
    world.assert_silent(&browsers.iter().collect::<Vec<_>>());
}

#[test]
fn an_outage_of_the_provider_is_survived() {
    let world = World::flawed(&quick());
    let mut browser = logged_in(&world);
    let issuer = world.provider.flawed();
    issuer.set_token_endpoint(Fault::lasting(Mode::Status { status: 503 })).unwrap();
    grow_very_old();
    assert_eq!(world.fetch(&mut browser, "/x").status, 200);
    issuer.reset();
    // After a back-off, there are fresh claims.
    eventually("a refresh", || {
        assert_eq!(world.fetch(&mut browser, "/x").status, 200);
        issuer.granted("refresh_token") > 0
    });
    world.assert_silent(&[&browser]);
}

#[test]
fn a_session_that_the_provider_has_ended_is_over() {
    let setup = Setup { session: json!({"refreshAfter": "1s", "outage": "0s"}), ..Setup::default() };
    let world = World::flawed(&setup);
    let issuer = world.provider.flawed();
    issuer.set_behaviour(Behaviour { lifetime: 2, ..Behaviour::default() });
    let mut browser = logged_in(&world);
    issuer.revoke_all();
    sleep(Duration::from_secs(3));
    let response = world.fetch(&mut browser, "/x");
    // Clocks differ by `clockSkew` at most, so claims are good a little longer; then it is over.
    assert!(matches!(response.status, 200 | 401), "{}", response.text());
    assert!(response.head.all("set-cookie").is_empty(), "never does the answer to a script delete a cookie");
    issuer.set_behaviour(Behaviour::default());
    let page = browser.open(&world.url("/x"));
    assert_eq!(page.status(), 200, "a navigation logs in again: {}", page.response.text());
    world.assert_silent(&[&browser]);
}

fn flaws(value: serde_json::Value) -> Flaws {
    serde_json::from_value(value).unwrap()
}
