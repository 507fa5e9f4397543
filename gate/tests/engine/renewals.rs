//! Sessions that are refreshed and sealed anew, by several VMs of one proxy.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, HOST, Provider, SECRET, login, status};
use crate::support::{Key, NOW, Store, World, merge};
use gate::Timestamp;

/// Two VMs of one proxy, and a browser that is logged in by the first.
fn two_vms(session: &Value) -> ([World; 2], Provider, Browser) {
    vms(session, false)
}

/// Likewise, perhaps with claims of the userinfo endpoint.
fn vms(session: &Value, userinfo: bool) -> ([World; 2], Provider, Browser) {
    let (store, mut provider, mut browser) = (Store::default(), Provider::new(), Browser::default());
    let mut settings = json!({"secrets": [SECRET], "publicUrl": format!("https://{HOST}")});
    merge(&mut settings, session);
    let mut config = login(&json!({"session": settings}));
    config["login"]["userinfo"] = json!(userinfo);
    provider.userinfo = json!({"sub": "alice"});
    let mut worlds = [1, 2].map(|seed| World::beside(&store, &config, Timestamp::from_secs(NOW), seed));
    pass(&mut worlds, &mut provider, Duration::ZERO);
    browser.log_in(&mut worlds[0], &mut provider, "/app");
    (worlds, provider, browser)
}

/// Time passes, with a provider that answers at once.
fn pass(worlds: &mut [World; 2], provider: &mut Provider, duration: Duration) {
    for world in worlds {
        world.holds_responses = true;
        world.pass(duration);
        provider.serve(world);
    }
}

/// The session that a response brings.
fn cookie(lines: &[(String, String)]) -> Option<&str> {
    lines.iter().find(|(name, _)| name == "set-cookie").map(|(_, line)| line.as_str())
}

#[test]
fn a_late_response_takes_no_newer_session_away() {
    for (sent_at, is_sealed) in [(200, false), (290, false), (301, false)] {
        let (mut worlds, mut provider, mut browser) = two_vms(&json!({"idle": "6m"}));
        pass(&mut worlds, &mut provider, Duration::from_secs(sent_at));
        assert_eq!(status(&browser.fetch(&mut worlds[0], "/slow")), 200);
        let slow = worlds[0].last();
        // The issuer is not reached by this VM; the other one refreshes the session.
        worlds[0].fetches.clear();
        pass(&mut worlds, &mut provider, Duration::from_secs(340 - sent_at));
        assert_eq!(status(&browser.fetch(&mut worlds[1], "/app")), 200);
        provider.serve(&mut worlds[1]);
        let lines = worlds[1].respond(worlds[1].last(), &[(":status", "200")]);
        browser.set_cookie(cookie(&lines).expect("has a cookie"));
        let lines = worlds[0].respond(slow, &[(":status", "200")]);
        assert_eq!(cookie(&lines).is_some(), is_sealed, "sent at {sent_at}");
    }
}

#[test]
fn a_session_that_is_used_is_sealed_anew() {
    for sent_at in [100, 299] {
        let (mut worlds, mut provider, mut browser) = two_vms(&json!({"idle": "6m"}));
        pass(&mut worlds, &mut provider, Duration::from_secs(sent_at));
        assert_eq!(status(&browser.fetch(&mut worlds[0], "/app")), 200);
        let lines = worlds[0].respond(worlds[0].last(), &[(":status", "200")]);
        assert!(cookie(&lines).is_some(), "at {sent_at}");
    }
}

#[test]
fn a_session_that_is_used_while_its_issuer_is_away_is_not_idle() {
    // Wholly, or for claims alone.
    for gives_tokens in [false, true] {
        let (mut worlds, mut provider, mut browser) = vms(&json!({"idle": "6m"}), gives_tokens);
        for minute in 1..=20 {
            for world in &mut worlds {
                world.pass(Duration::from_mins(1));
                while !world.fetches.is_empty() {
                    world.fail();
                }
            }
            let world = &mut worlds[minute % 2];
            let mut outcome = browser.fetch(world, "/app");
            let id = world.last();
            while let Some(fetch) = world.fetches.first().cloned() {
                if !gives_tokens || fetch.path == "/userinfo" {
                    world.fail();
                } else {
                    world.fetches.remove(0);
                    let (status, body) = provider.answer(&fetch, world);
                    world.answer_to(&fetch, [(":status", status)], &body);
                }
            }
            outcome = world.resumed.remove(&id).unwrap_or(outcome);
            assert_eq!(status(&outcome), 200, "in minute {minute}, with tokens: {gives_tokens}");
            let lines = world.respond(id, &[(":status", "200")]);
            browser.keep_lines(&lines);
        }
        provider.serve(&mut worlds[0]);
    }
}

#[test]
fn a_vm_that_failed_to_refresh_finds_what_another_vm_got() {
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({"outage": "0s"}));
    for world in &mut worlds {
        world.pass(Duration::from_secs(601));
        provider.serve(world);
    }
    let old = browser.clone();
    let denied = browser.fetch(&mut worlds[0], "/app");
    let id = worlds[0].last();
    worlds[0].answer("503", "");
    let denied = worlds[0].resumed.remove(&id).unwrap_or(denied);
    assert_eq!(denied.summary(), "401 missing_token", "there is no time for an outage");
    let outcome = browser.fetch(&mut worlds[1], "/app");
    assert_eq!(status(&browser.finish(&mut worlds[1], &mut provider, outcome)), 200);
    browser = old;
    worlds[0].pass(Duration::from_millis(50));
    let outcome = browser.fetch(&mut worlds[0], "/app");
    let outcome = worlds[0].resumed.remove(&worlds[0].last()).unwrap_or(outcome);
    assert_eq!(status(&outcome), 200, "though it would not ask itself, yet");
    assert_eq!(provider.asked.iter().filter(|asked| asked["grant_type"] == "refresh_token").count(), 1);
}

/// An issuer that gives tokens and then no claims has used the refresh token up: the one that it gave is what counts.
#[test]
fn tokens_that_came_without_claims_are_kept() {
    let (mut worlds, mut provider, mut browser) = vms(&json!({}), true);
    pass(&mut worlds, &mut provider, Duration::from_secs(301));
    // Whichever VM it was: nobody asks again at once.
    for (vm, seconds, answers, refreshes) in
        [(0, 0, false, 1), (1, 0, false, 1), (1, 3, false, 2), (0, 0, false, 2), (0, 5, true, 3)]
    {
        pass(&mut worlds, &mut provider, Duration::from_secs(seconds));
        let world = &mut worlds[vm];
        for _ in 0..4 {
            assert_eq!(status(&browser.fetch(world, "/app")), 200);
            while !world.fetches.is_empty() {
                let fetch = world.fetches.remove(0);
                let (status, body) = provider.answer(&fetch, world);
                let status = if fetch.path == "/userinfo" && !answers { "503" } else { status };
                world.answer_to(&fetch, [(":status", status)], &body);
            }
        }
        let asked = provider.asked.iter().filter(|asked| asked.contains_key("refresh_token")).count();
        assert_eq!(asked, refreshes, "VM {vm} after {seconds} s");
    }
    let used = provider.asked.iter().filter_map(|asked| asked.get("refresh_token")).collect::<Vec<_>>();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-3"]);
    let counted = |name: &str| worlds.iter().filter_map(|world| world.metrics.get(name)).sum::<u64>();
    assert_eq!([counted("jotgate_sessions_refreshed"), counted("jotgate_sessions_refresh_failed")], [1, 2]);
}

/// A refresh token is used once: no other VM asks with it while an issuer that is slow may still answer.
#[test]
fn a_slow_issuer_is_asked_by_one_vm() {
    let (store, mut provider, mut browser) = (Store::default(), Provider::new(), Browser::default());
    let mut config = login(&json!({}));
    config["issuers"][0]["keys"]["timeout"] = json!("18s");
    let mut worlds = [1, 2].map(|seed| World::beside(&store, &config, Timestamp::from_secs(NOW), seed));
    pass(&mut worlds, &mut provider, Duration::ZERO);
    browser.log_in(&mut worlds[0], &mut provider, "/app");
    pass(&mut worlds, &mut provider, Duration::from_secs(301));
    assert_eq!(status(&browser.fetch(&mut worlds[0], "/app")), 200);
    let asked = |world: &World| world.fetches.iter().filter(|fetch| fetch.path == "/token").count();
    for world in &mut worlds {
        world.pass(Duration::from_secs(21));
        world.fetches.retain(|fetch| fetch.path == "/token");
    }
    assert_eq!(status(&browser.fetch(&mut worlds[1], "/app")), 200);
    worlds[1].pass(Duration::from_millis(100));
    provider.serve_those(&mut worlds[1], |fetch| fetch.path != "/token");
    assert_eq!([asked(&worlds[0]), asked(&worlds[1])], [1, 0]);
}

#[test]
fn a_flood_of_requests_that_are_denied_rarely_looks_at_what_is_shared() {
    for wait_for in ["5s", "0s"] {
        let config = login(&json!({"limits": {"waitFor": wait_for}}));
        let (store, mut provider, mut browser) = (Store::default(), Provider::new(), Browser::default());
        let mut world = World::beside(&store, &login(&json!({})), Timestamp::from_secs(NOW), 1);
        world.pass(Duration::ZERO);
        provider.serve(&mut world);
        browser.log_in(&mut world, &mut provider, "/app");
        world.reconfigure(&config);
        world.pass(Duration::from_mins(40));
        provider.serve(&mut world);
        browser.fetch(&mut world, "/app");
        while !world.fetches.is_empty() {
            world.answer("503", "");
        }
        let before = store.stored().reads;
        for _ in 0..50 {
            let outcome = browser.fetch(&mut world, "/app");
            let outcome = world.resumed.remove(&world.last()).unwrap_or(outcome);
            assert_eq!(outcome.summary(), "401 missing_token");
        }
        let reads = store.stored().reads - before;
        assert!(reads <= 2, "{reads}");
    }
}

#[test]
fn tokens_wait_for_the_key_that_checks_them() {
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({}));
    pass(&mut worlds, &mut provider, Duration::from_secs(601));
    provider.key = Key::new("next");
    for second in 0..40 {
        for world in &mut worlds {
            world.pass(Duration::from_secs(1));
            let outcome = browser.fetch(world, "/app");
            let id = world.last();
            while let Some(fetch) = world.fetches.pop() {
                let (status, body) = provider.answer(&fetch, world);
                match second < 25 && fetch.path == "/jwks" {
                    true => world.fail_fetch(&fetch),
                    false => world.answer_to(&fetch, [(":status", status)], &body),
                }
            }
            let outcome = world.resumed.remove(&id).unwrap_or(outcome);
            assert!(second < 39 || status(&outcome) == 200, "{outcome:?}");
        }
    }
    assert_eq!(provider.asked.iter().filter(|asked| asked["grant_type"] == "refresh_token").count(), 1);
    for world in &mut worlds {
        let lines = world.respond(world.last(), &[(":status", "200")]);
        assert!(cookie(&lines).is_some());
    }
}

#[test]
fn a_refresh_goes_on_under_another_configuration() {
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({}));
    pass(&mut worlds, &mut provider, Duration::from_secs(301));
    assert_eq!(status(&browser.fetch(&mut worlds[0], "/app")), 200);
    assert_eq!(worlds[0].fetches.iter().filter(|fetch| fetch.path == "/token").count(), 1);
    worlds[0].reconfigure(&login(&json!({"realm": "another"})));
    provider.serve(&mut worlds[0]);
    for world in &mut worlds {
        assert_eq!(status(&browser.fetch(world, "/app")), 200);
        provider.serve(world);
        let lines = world.respond(world.last(), &[(":status", "200")]);
        assert!(cookie(&lines).is_some());
    }
    assert_eq!(provider.asked.iter().filter(|asked| asked["grant_type"] == "refresh_token").count(), 1);
}

/// A WebSocket of the session, in this VM.
fn open_socket(browser: &mut Browser, world: &mut World) -> u64 {
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("origin", "https://dash.example.com")];
    assert_eq!(status(&browser.request(world, "GET", "/socket", &upgrade)), 200);
    let socket = world.last();
    world.respond(socket, &[(":status", "101"), ("upgrade", "websocket")]);
    socket
}

#[test]
fn web_sockets_of_a_revoked_session_stay_while_it_has_time() {
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({}));
    let socket = open_socket(&mut browser, &mut worlds[0]);
    pass(&mut worlds, &mut provider, Duration::from_secs(301));
    provider.refresh_token = None;
    assert_eq!(status(&browser.fetch(&mut worlds[0], "/app")), 200);
    pass(&mut worlds, &mut provider, Duration::from_secs(10));
    assert!(!worlds[0].is_closed(socket), "its claims still count");
    pass(&mut worlds, &mut provider, Duration::from_mins(5));
    assert!(worlds[0].is_closed(socket));
}

#[test]
fn web_sockets_of_a_revoked_session_without_time_end_in_all_vms() {
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({}));
    let sockets = [0, 1].map(|index| open_socket(&mut browser, &mut worlds[index]));
    pass(&mut worlds, &mut provider, Duration::from_secs(601));
    assert!((0..2).all(|index| !worlds[index].is_closed(sockets[index])), "nobody has asked the issuer");
    provider.refresh_token = None;
    browser.fetch(&mut worlds[0], "/app");
    provider.serve(&mut worlds[0]);
    pass(&mut worlds, &mut provider, Duration::from_secs(3));
    assert!((0..2).all(|index| worlds[index].is_closed(sockets[index])));
}
