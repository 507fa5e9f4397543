//! Sessions that are refreshed and sealed anew, by several VMs of one proxy.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, HOST, Provider, SECRET, login, status};
use crate::support::{NOW, Store, World, merge};
use gate::Timestamp;

/// Two VMs of one proxy, and a browser that is logged in by the first.
fn two_vms(session: &Value) -> ([World; 2], Provider, Browser) {
    let (store, mut provider, mut browser) = (Store::default(), Provider::new(), Browser::default());
    let mut settings = json!({"secrets": [SECRET], "publicUrl": format!("https://{HOST}")});
    merge(&mut settings, session);
    let config = login(&json!({"session": settings}));
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
    let (mut worlds, mut provider, mut browser) = two_vms(&json!({"idle": "6m"}));
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
        while !world.fetches.is_empty() {
            world.fail();
        }
        outcome = world.resumed.remove(&id).unwrap_or(outcome);
        assert_eq!(status(&outcome), 200, "in minute {minute}");
        let lines = world.respond(id, &[(":status", "200")]);
        lines.iter().filter(|(name, _)| name == "set-cookie").for_each(|(_, line)| browser.set_cookie(line));
    }
    provider.serve(&mut worlds[0]);
}
