//! A token that comes again gets the verdict that it would get without being known.

use std::time::Duration;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, NOW, World, before, fetched, inline};
use gate::Timestamp;

/// How many signatures were checked, and how many tokens were known.
fn counts(world: &World) -> (u64, u64) {
    let count = |name| world.metrics.get(name).copied().unwrap_or_default();
    (count("jotgate_tokens_verified"), count("jotgate_tokens_cached"))
}

#[test]
fn a_cached_token_gives_the_same_headers() {
    let mut world = World::new(&inline(&json!({"identityHeaders": {"X-User": "sub", "X-Path-Rule": "$rule"}})));
    let token = Key::new("a").token(&json!({}));
    let first = world.with_token(&token);
    let again = world.with_token(&token);
    assert_eq!((first.seen("x-user"), again.seen("x-user")), (vec!["alice".to_string()], vec!["alice".to_string()]));
    assert_eq!(counts(&world), (1, 1));
    assert_eq!(world.reported().1["jotgate_subject"], "alice");
    assert_eq!(world.with_token(&Key::new("a").token(&json!({"sub": "bob"}))).seen("x-user"), ["bob"]);
    assert_eq!(counts(&world), (2, 1));
}

#[test]
fn what_differs_in_one_byte_is_another_token() {
    let mut world = World::new(&inline(&json!({})));
    let token = Key::new("a").token(&json!({}));
    assert_eq!(world.with_token(&token).summary(), "ok");
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("is ASCII");
        assert_ne!(world.with_token(&changed).summary(), "ok", "{index}");
    }
    assert_ne!(world.with_token(&token[..token.len() - 1]).summary(), "ok");
    assert_ne!(world.with_token(&format!("{token}A")).summary(), "ok");
    assert_eq!(counts(&world).1, 0);
}

#[test]
fn a_known_token_expires_and_begins_as_any_other() {
    let mut world = World::new(&inline(&json!({})));
    let token = Key::new("a").token(&json!({"iat": NOW, "nbf": NOW, "exp": NOW + 100}));
    let at = |world: &mut World, seconds: u64| {
        world.now = Timestamp::from_secs(seconds);
        world.with_token(&token).summary()
    };
    assert_eq!(at(&mut world, NOW), "ok");
    assert_eq!(at(&mut world, NOW + 159), "ok");
    assert_eq!(counts(&world), (1, 1));
    assert_eq!(at(&mut world, NOW + 160), "401 expired");
    assert_eq!(at(&mut world, NOW), "ok");
    assert_eq!(at(&mut world, NOW - 60), "ok");
    assert_eq!(at(&mut world, NOW - 61), "401 not_yet_valid");
}

#[test]
fn fractions_of_dates_are_kept() {
    let mut world = World::new(&inline(&json!({})));
    let token = Key::new("a").token(&json!({"exp": 1_800_000_000.5, "iat": null}));
    let mut at = |millis: u64| {
        world.now = Timestamp::from_nanos(millis * 1_000_000);
        world.with_token(&token).summary()
    };
    let skewed = (NOW + 60) * 1000;
    assert_eq!(
        (at(skewed - 1).as_str(), at(skewed + 499).as_str(), at(skewed + 500).as_str()),
        ("ok", "ok", "401 expired")
    );
}

#[test]
fn a_key_that_leaves_takes_its_tokens_along() {
    let mut world = World::new(&fetched(&json!({"refreshAfter": "60s"}), &json!({})));
    world.answer_keys(&[&Key::new("a"), &Key::new("b")]);
    let (a, b) = (Key::new("a").token(&json!({})), Key::new("b").token(&json!({})));
    for _ in 0..2 {
        assert_eq!((world.with_token(&a).summary(), world.with_token(&b).summary()), ("ok".into(), "ok".into()));
    }
    assert_eq!(counts(&world), (2, 2));
    // The same keys again: nothing is forgotten.
    world.pass_until_fetch();
    world.answer_keys(&[&Key::new("a"), &Key::new("b")]);
    assert_eq!(world.with_token(&a).summary(), "ok");
    assert_eq!(counts(&world), (2, 3));
    world.pass_until_fetch();
    world.answer_keys(&[&Key::new("b")]);
    assert_ne!(world.with_token(&a).summary(), "ok");
    assert_eq!(world.with_token(&b).summary(), "ok");
}

#[test]
fn without_usable_keys_no_cached_token_is_accepted() {
    let mut world = World::new(&fetched(&json!({"refreshAfter": "60s", "maxStale": "60s"}), &json!({"waitFor": "0s"})));
    world.answer_keys(&[&Key::new("a")]);
    let token = Key::new("a").token(&json!({}));
    assert_eq!(world.with_token(&token).summary(), "ok");
    world.now = world.now.after(Duration::from_mins(5));
    assert_eq!(world.with_token(&token).summary(), "503 keys_unavailable");
}

#[test]
fn another_configuration_decides_anew() {
    let with = |access: Value| inline(&json!({"rules": [{"access": access}], "identityHeaders": {"X-User": "sub"}}));
    let mut world = World::new(&with(json!("authenticated")));
    let token = Key::new("a").token(&json!({"tier": "gold"}));
    assert_eq!(world.with_token(&token).summary(), "ok");
    world.reconfigure(&with(json!({"claims": {"tier": "gold"}})));
    assert_eq!(world.with_token(&token).summary(), "ok");
    let mut config = with(json!("authenticated"));
    config["issuers"][0]["audiences"] = json!(["other"]);
    world.reconfigure(&config);
    assert_eq!(world.with_token(&token).summary(), "401 wrong_audience");
}

#[test]
fn nothing_is_remembered_where_there_is_no_room() {
    let mut world = World::new(&inline(&json!({"limits": {"tokenCacheBytes": 0}})));
    let token = Key::new("a").token(&json!({}));
    for _ in 0..3 {
        assert_eq!(world.with_token(&token).summary(), "ok");
    }
    assert_eq!(counts(&world), (3, 0));
}

#[test]
fn a_token_in_use_stays_through_a_flood() {
    let mut world = World::new(&inline(&json!({"limits": {"tokenCacheBytes": 40_000}})));
    let steady = Key::new("a").token(&json!({}));
    let once = Key::new("a").token(&json!({"sub": "once"}));
    world.with_token(&once);
    for number in 0..200 {
        assert_eq!(world.with_token(&Key::new("a").token(&json!({"sub": format!("flood {number}")}))).summary(), "ok");
        assert_eq!(world.with_token(&steady).summary(), "ok");
    }
    assert_eq!(counts(&world), (202, 199));
    world.with_token(&once);
    assert_eq!(counts(&world), (203, 199), "an unused token is forgotten");
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use std::sync::LazyLock;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Pass(u64),
        SetBack(u64),
        Rotate(Vec<&'static str>),
        Send { token: usize, path: usize, forged: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => (0_u64..400).prop_map(Step::Pass),
            1 => (0_u64..400).prop_map(Step::SetBack),
            1 => vec(proptest::sample::select(vec!["a", "b", "c"]), 1..3).prop_map(Step::Rotate),
            8 => (0_usize..12, 0_usize..4, any::<bool>()).prop_map(|(token, path, forged)| Step::Send { token, path, forged }),
        ]
    }

    fn config(bytes: usize) -> Value {
        let mut config = fetched(
            &json!({"refreshAfter": "60s", "maxStale": "200s", "unknownKeyCooldown": "1s"}),
            &json!({"tokenCacheBytes": bytes, "waitFor": "0s"}),
        );
        config["rules"] = json!([
            {"name": "gold", "match": {"paths": ["/gold"]}, "access": {"claims": {"tier": "gold"}}},
            {"name": "read", "match": {"paths": ["/read"]}, "access": {"scopes": {"any": ["read"]}}},
            {"name": "audited", "match": {"paths": ["/audited"]}, "access": "deny", "mode": "audit"},
            {"name": "rest", "access": "authenticated"},
        ]);
        config["identityHeaders"] = json!({"X-User": "sub", "X-Rule": "$rule", "X-Tier": "tier"});
        config
    }

    static TOKENS: LazyLock<Vec<String>> = LazyLock::new(tokens);

    fn tokens() -> Vec<String> {
        let keys = ["a", "b", "c"].map(Key::new);
        let claims = [
            json!({"exp": NOW + 300, "tier": "gold"}),
            json!({"exp": NOW + 900, "nbf": NOW + 50}),
            json!({"sub": "bob", "exp": NOW + 5000, "scope": "read"}),
            json!({"sub": "carol", "exp": null}),
        ];
        keys.iter().flat_map(|key| claims.iter().map(|claims| key.token(claims))).collect()
    }

    fn run(bytes: usize, steps: &[Step]) -> (Vec<String>, u64) {
        let (mut world, mut published) = (World::new(&config(bytes)), vec!["a"]);
        let mut outcomes = Vec::new();
        for step in steps {
            while !world.fetches.is_empty() {
                let keys: Vec<_> = published.iter().map(|kid| Key::new(kid)).collect();
                world.answer_keys(&keys.iter().collect::<Vec<_>>());
            }
            match step {
                Step::Pass(seconds) => world.pass(Duration::from_secs(*seconds)),
                Step::SetBack(seconds) => {
                    world.now = before(world.now, Duration::from_secs(*seconds));
                    world.tick();
                }
                Step::Rotate(keys) => published.clone_from(keys),
                Step::Send { token, path, forged } => {
                    let path = ["/gold", "/read", "/audited", "/x"][*path];
                    let mut headers = vec![("authorization", format!("Bearer {}", TOKENS[*token]))];
                    if *forged {
                        headers.push(("x-user", String::from("admin")));
                    }
                    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    outcomes.push(format!("{:?}", world.get(path, &headers)));
                }
            }
        }
        (outcomes, counts(&world).1)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_cache_changes_no_verdict(steps in vec(step(), 1..50)) {
            let (without, known) = run(0, &steps);
            prop_assert_eq!(known, 0);
            for bytes in [3000, 1_000_000] {
                prop_assert_eq!(&run(bytes, &steps).0, &without, "{} bytes", bytes);
            }
        }
    }

    #[test]
    fn the_property_is_about_tokens_that_are_known() {
        let send = Step::Send { token: 2, path: 3, forged: false };
        assert_eq!(run(1_000_000, &[send.clone(), send]).1, 1);
    }
}
