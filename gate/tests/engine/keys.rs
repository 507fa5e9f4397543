//! The life of keys: fetched, refreshed, kept through trouble; and the requests that wait for them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::json;

use crate::support::{Key, NOW, World, fetched, key_set};
use gate::Timestamp;

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    World::new(&fetched(&json!({}), &json!({})))
}

/// With keys that were fetched.
fn settled() -> World {
    let mut world = world();
    world.answer_keys(&[&Key::new("a")]);
    world
}

/// A token that stays good.
fn token(kid: &'static str) -> String {
    Key::new(kid).token(&json!({"exp": NOW * 2}))
}

#[test]
fn keys_are_fetched_as_soon_as_there_is_a_policy() {
    let world = world();
    let [fetch] = world.fetches.as_slice() else { panic!("{:?}", world.fetches) };
    assert_eq!(
        (fetch.cluster.as_str(), fetch.scheme, fetch.authority.as_str(), fetch.path.as_str()),
        ("idp", "https", "idp.example.com", "/jwks")
    );
    assert_eq!(fetch.timeout, 5 * SECOND);
}

#[test]
fn requests_that_arrive_before_the_keys_wait_for_them() {
    let mut world = world();
    for _ in 0..3 {
        assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    }
    assert_eq!(world.get("/public", &[]).summary(), "ok", "public routes never wait");
    assert_eq!(world.get("/x", &[]).summary(), "401 missing_token", "nor do requests without a token");
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed.len(), 3);
    assert!(world.resumed.values().all(|outcome| outcome.summary() == "ok"));
    assert!(world.fetches.is_empty());
}

#[test]
fn no_request_waits_longer_than_the_limit() {
    let mut world = World::new(&fetched(&json!({"timeout": "60s"}), &json!({"waitFor": "2s"})));
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    let id = world.last();
    world.pass(SECOND);
    assert!(world.resumed.is_empty());
    world.pass(SECOND);
    let outcome = &world.resumed[&id];
    assert_eq!((outcome.summary().as_str(), outcome.header("retry-after")), ("503 keys_unavailable", Some("1")));
}

#[test]
fn no_more_requests_wait_than_the_limit() {
    let mut world = World::new(&fetched(&json!({}), &json!({"waiting": 2})));
    let outcomes: Vec<_> = (0..4).map(|_| world.with_token(&token("a")).summary()).collect();
    assert_eq!(outcomes, ["waiting", "waiting", "503 overloaded", "503 overloaded"]);
    world.cancel(1);
    assert_eq!(world.with_token(&token("a")).summary(), "waiting", "a cancelled request makes room");
}

#[test]
fn without_news_in_time_the_answer_is_503_at_once() {
    let mut world = world();
    for _ in 0..4 {
        world.fail();
        world.pass(Duration::from_secs(9));
    }
    // The fifth try is under way; it fails, and the sixth is 16 to 18 seconds off.
    world.fail();
    let outcome = world.with_token(&token("a"));
    assert_eq!(outcome.summary(), "503 keys_unavailable");
    let retry_after: u64 = outcome.header("retry-after").and_then(|text| text.parse().ok()).expect("is a number");
    assert!((16..=18).contains(&retry_after), "{retry_after}");
}

#[test]
fn requests_wait_on_when_another_try_is_due_in_time() {
    let mut world = world();
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    world.answer("503", "no healthy upstream");
    assert!(world.resumed.is_empty(), "the next try is a second off");
    world.pass(Duration::from_millis(1100));
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed[&1].summary(), "ok");
}

#[test]
fn failures_back_off_up_to_half_a_minute() {
    let mut world = world();
    let mut delays = Vec::new();
    for _ in 0..8 {
        world.fail();
        let failed = world.now;
        while world.fetches.is_empty() {
            world.pass(Duration::from_millis(100));
        }
        delays.push(world.now.since(failed).as_secs_f64());
    }
    for (delay, expected) in delays.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
        assert!((expected..=expected * 1.1 + 0.1).contains(delay), "{delays:?}");
    }
}

#[test]
fn keys_are_refreshed_in_the_background() {
    let mut world = settled();
    world.pass_until_fetch();
    let age = world.now.since(Timestamp::from_secs(NOW)).as_secs();
    assert!((300..330).contains(&age), "{age}: `refreshAfter`, and up to a tenth of it more");
    assert_eq!(world.fetches.len(), 1);
    assert_eq!(world.with_token(&token("a")).summary(), "ok", "while the old keys do");
    world.answer_keys(&[&Key::new("b")]);
    assert_eq!(world.with_token(&token("b")).summary(), "ok");
    assert_ne!(world.with_token(&token("a")).summary(), "ok", "a key that left the set is gone");
}

#[test]
fn a_bad_answer_never_costs_good_keys() {
    let good = key_set(&[&Key::new("b")]);
    let too_long = format!("{good}{}", " ".repeat(300_000));
    for (status, body) in [
        ("500", good.as_str()),
        ("404", &good),
        ("204", &good),
        ("206", &good),
        ("304", ""),
        ("", &good),
        ("200x", &good),
        ("200", ""),
        ("200", "<html>login</html>"),
        ("200", "{\"keys\":["),
        ("200", "{}"),
        ("200", "[]"),
        ("200", "{\"keys\":null}"),
        ("200", "{\"keys\":[]}"),
        ("200", "{\"keys\":[null,1,\"x\",[]]}"),
        ("200", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"),
        ("200", &too_long),
    ] {
        let mut world = settled();
        world.pass_until_fetch();
        world.answer(status, body);
        assert_eq!(world.with_token(&token("a")).summary(), "ok", "{status} {}", &body[..body.len().min(30)]);
        assert!(world.log.last().is_some_and(|line| line.contains("stay in use")), "{:?}", world.log);
    }
}

#[test]
fn keys_are_used_until_they_are_too_stale() {
    let mut world =
        World::new(&fetched(&json!({"refreshAfter": "60s", "maxStale": "120s"}), &json!({"waitFor": "0s"})));
    world.answer_keys(&[&Key::new("a")]);
    let fail_for = |world: &mut World, seconds| {
        for _ in 0..seconds {
            world.pass(SECOND);
            while !world.fetches.is_empty() {
                world.answer("500", "");
            }
        }
    };
    fail_for(&mut world, 180);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
    fail_for(&mut world, 1);
    assert_eq!(world.with_token(&token("a")).summary(), "503 keys_unavailable");
    world.pass_until_fetch();
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
}

#[test]
fn trouble_is_logged_once_per_change_of_state() {
    let mut world = settled();
    assert_eq!(world.log.len(), 1, "{:?}", world.log);
    for (status, lines) in [("500", 2), ("500", 2), ("502", 2), ("200", 3), ("200", 3)] {
        world.pass_until_fetch();
        world.answer(status, "");
        assert_eq!(world.log.len(), lines, "{:?}", world.log);
    }
    world.pass_until_fetch();
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.log.len(), 4, "{:?}", world.log);
    assert!(
        world.log[1].contains(
            "keys of issuer `main`: not fetched from cluster `idp`: expected status 200, found 500; 1 keys of"
        ),
        "{:?}",
        world.log
    );
}

#[test]
fn keys_are_fetched_again_before_they_are_too_stale() {
    for seed in 0..12 {
        let mut world = World::seeded(&fetched(&json!({"refreshAfter": "24h", "maxStale": "1h"}), &json!({})), seed);
        world.answer_keys(&[&Key::new("a")]);
        world.pass_until_fetch();
        assert_eq!(world.with_token(&token("a")).summary(), "ok", "seed {seed}");
    }
}

/// Proxies carry out the answers of one call each inside the one before.
#[test]
fn a_crowd_is_resumed_some_at_a_time_without_delay() {
    let mut world = World::new(&fetched(&json!({}), &json!({})));
    let first = world.last() + 1;
    for _ in 0..100 {
        assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    }
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed.keys().copied().collect::<Vec<_>>(), (first..first + 32).collect::<Vec<_>>());
    // A cancelled request is not resumed, and takes no slot.
    for gone in [first + 32, first + 40] {
        world.cancel(gone);
    }
    for resumed in [64, 96, 98] {
        assert!(world.gate().next_timeout().is_some_and(|next| next <= world.now), "the next is due at once");
        world.tick();
        assert_eq!(world.resumed.len(), resumed);
    }
    assert!(world.gate().next_timeout().is_some_and(|next| next > world.now), "no request waits any more");
    assert!(world.resumed.values().all(|outcome| outcome.summary() == "ok"));
}

/// Proxies hold the request in whose call they answer another one.
#[test]
fn no_request_is_resumed_in_the_call_of_another() {
    let mut world = World::new(&fetched(&json!({}), &json!({})));
    for _ in 0..100 {
        assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    }
    world.answer_keys(&[&Key::new("a")]);
    for resumed in [64, 96, 100] {
        let before = world.resumed.len();
        assert_eq!(world.get("/public", &[]).summary(), "ok");
        assert_eq!(world.resumed.len(), before);
        world.tick();
        assert_eq!(world.resumed.len(), resumed);
    }
}

#[test]
fn an_unknown_kid_triggers_one_fetch_per_cooldown() {
    let mut world = settled();
    for _ in 0..50 {
        assert_eq!(world.with_token(&token("b")).summary(), "waiting");
    }
    assert_eq!(world.fetches.len(), 1);
    assert_eq!(world.with_token(&token("a")).summary(), "ok", "known keys never wait");
    world.answer_keys(&[&Key::new("a")]);
    world.pass(Duration::ZERO);
    assert!(world.resumed.values().all(|outcome| outcome.summary() == "401 unknown_key"));
    assert_eq!(world.resumed.len(), 50);
    for _ in 0..50 {
        assert_eq!(world.with_token(&token("b")).summary(), "401 unknown_key", "the miss is remembered");
    }
    assert!(world.fetches.is_empty());
    world.pass(Duration::from_secs(30));
    assert_eq!(world.with_token(&token("b")).summary(), "waiting");
    world.answer_keys(&[&Key::new("a"), &Key::new("b")]);
    assert_eq!(world.resumed.values().last().map(crate::support::Outcome::summary).as_deref(), Some("ok"));
}

#[test]
fn an_unknown_kid_triggers_a_fetch_even_if_no_request_waits() {
    let mut world = World::new(&fetched(&json!({}), &json!({"waitFor": "0s"})));
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("b")).summary(), "401 unknown_key");
    assert_eq!(world.fetches.len(), 1);
    world.answer_keys(&[&Key::new("a"), &Key::new("b")]);
    assert_eq!(world.with_token(&token("b")).summary(), "ok");
}

#[test]
fn an_unknown_kid_is_refused_when_its_fetch_fails() {
    let mut world = settled();
    assert_eq!(world.with_token(&token("b")).summary(), "waiting");
    let id = world.last();
    world.answer("500", "");
    assert_eq!(world.resumed[&id].summary(), "401 unknown_key");
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
}

#[test]
fn an_answer_that_comes_too_late_is_ignored() {
    let mut world = world();
    let late = world.fetches.remove(0);
    world.pass(Duration::from_secs(8));
    assert_eq!(world.fetches.len(), 1, "the first fetch was given up");
    let body = key_set(&[&Key::new("b")]);
    world.answer_to(&late, [(":status", "200")], &body);
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
}

#[test]
fn a_host_without_timers_fetches_on_demand() {
    let mut world = settled();
    world.now = world.now.after(Duration::from_secs(400));
    assert!(world.fetches.is_empty());
    assert_eq!(world.with_token(&token("a")).summary(), "ok");
    assert_eq!(world.fetches.len(), 1);
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let month = Duration::from_hours(24 * 30);
    let back =
        |world: &mut World| world.now = Timestamp::from_secs(world.now.since_epoch().as_secs() - month.as_secs());

    let mut world = settled();
    back(&mut world);
    assert_eq!(world.with_token(&Key::new("a").token(&json!({"iat": null}))).summary(), "ok");
    let start = world.now;
    world.pass_until_fetch();
    assert!(world.now.since(start) < Duration::from_secs(331), "{:?}", world.now.since(start));

    let mut world = World::new(&fetched(&json!({"timeout": "60s"}), &json!({})));
    assert_eq!(world.with_token(&Key::new("a").token(&json!({"iat": null}))).summary(), "waiting");
    let id = world.last();
    back(&mut world);
    world.tick();
    world.pass(5 * SECOND);
    assert_eq!(world.resumed[&id].summary(), "503 keys_unavailable");

    let mut world = self::world();
    world.fail();
    back(&mut world);
    world.tick();
    world.pass(2 * SECOND);
    assert_eq!(world.fetches.len(), 1);
}

#[test]
fn an_answer_may_shorten_the_time_to_the_next_refresh_and_never_lengthen_it() {
    let body = key_set(&[&Key::new("a")]);
    for (cache_control, expires, expected) in [
        ("max-age=60", "", 60),
        ("max-age=1", "", 30),
        ("no-store", "", 30),
        ("max-age=86400", "", 300),
        ("max-age=odd", "", 300),
        ("", "Sun, 06 Nov 1994 08:51:07 GMT", 90),
        ("", "odd", 300),
    ] {
        let mut world = world();
        let headers = [
            (":status", "200"),
            ("cache-control", cache_control),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("expires", expires),
        ];
        world.answer_with(headers, &body);
        world.pass_until_fetch();
        let age = world.now.since(Timestamp::from_secs(NOW)).as_secs();
        assert!((expected..=expected + expected / 10).contains(&age), "{cache_control} {expires}: {age}");
    }
}

#[test]
fn the_age_of_keys_is_reported_while_their_issuer_fails() {
    let mut world = settled();
    assert_eq!(world.metrics.get("jotgate_keys_age_seconds_main"), Some(&0));
    for minute in 1..=30 {
        for _ in 0..60 {
            world.pass(SECOND);
            while !world.fetches.is_empty() {
                world.fail();
            }
        }
        let age = world.metrics.get("jotgate_keys_age_seconds_main").copied().unwrap_or_default();
        assert!((minute * 60 - 16..=minute * 60).contains(&age), "{age} after {minute} minutes");
        assert_eq!(world.metrics.get("jotgate_keys_usable_main"), Some(&1));
    }
}

/// Anybody can make up an issuer's `kid`, and any issuer can stall.
#[test]
fn waiting_slots_are_divided_among_issuers() {
    let mut config = fetched(&json!({}), &json!({"waiting": 8}));
    let mut other = config["issuers"][0].clone();
    other["name"] = json!("other");
    other["issuer"] = json!("https://other.example.com");
    config["issuers"].as_array_mut().expect("is a list").push(other);
    let mut world = World::new(&config);
    let other = Key::new("a").token(&json!({"iss": "https://other.example.com"}));
    let outcomes =
        |world: &mut World, token: &str| (0..6).filter(|_| world.with_token(token).summary() == "waiting").count();
    assert_eq!(outcomes(&mut world, &token("a")), 4, "as many as are left free");
    assert_eq!(outcomes(&mut world, &other), 2);

    let mut world = World::new(&config);
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(outcomes(&mut world, &token("junk")), 4);
    assert_eq!(outcomes(&mut world, &other), 2);
    assert_eq!(world.with_token(&token("a")).summary(), "ok");

    let mut world = World::new(&fetched(&json!({}), &json!({"waiting": 8})));
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(outcomes(&mut world, &token("junk")), 4, "half of all, also with one issuer");
}

#[test]
fn a_new_configuration_takes_over_waiting_requests_and_keys() {
    let config = fetched(&json!({}), &json!({}));
    let mut changed = config.clone();
    changed["realm"] = json!("other");
    let mut world = World::new(&config);
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    assert_eq!(world.with_token(&token("a")).summary(), "waiting");
    world.reconfigure(&changed);
    assert!(world.resumed.is_empty(), "they wait for the keys of the new one");
    assert_eq!(world.fetches.len(), 1, "which are on their way");
    world.answer_keys(&[&Key::new("a")]);
    assert!(world.resumed.values().all(|outcome| outcome.summary() == "ok"));
    assert_eq!(world.resumed.len(), 2);

    world.reconfigure(&config);
    assert_eq!(world.with_token(&token("a")).summary(), "ok", "the keys are the same");
    assert!(world.fetches.is_empty());

    assert_eq!(world.with_token(&token("b")).summary(), "waiting");
    let id = world.last();
    world.reconfigure(&crate::support::inline(&json!({"default": "deny"})));
    assert_eq!(world.resumed[&id].summary(), "403 no_rule");
}
