//! Tokens that are looked up, where browsers log in as well.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{ACTIVE, TOKEN, beside_jwts, entry};
use crate::support::{Outcome, World};

const INACTIVE: &str = r#"{"active":false}"#;

fn world(rules: &Value) -> World {
    World::new(&beside_jwts(
        &[entry("gaf", &json!({}))],
        &json!({
            "login": {
                "issuer": "main", "client": {"id": "gate", "secret": "s3cret"}, "cluster": "idp",
                "endpoints": {"authorization": "https://idp.example.com/authorize", "token": "https://idp.example.com/token"},
            },
            "session": {"secrets": ["0123456789abcdef0123456789abcdef"], "publicUrl": "https://api.example.com"},
            "credentials": [{"session": true}, {"header": "authorization", "scheme": "Bearer"}, {"cookie": "token"}],
            "rules": rules,
        }),
    ))
}

fn status(outcome: &Outcome) -> u16 {
    let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
    reply.status
}

/// What `lines` come to, once the issuer has answered.
fn after(world: &mut World, path: &str, lines: &[(&str, &str)], answer: (&str, &str)) -> u16 {
    let outcome = world.get(path, lines);
    assert!(waits(&outcome), "{outcome:?}");
    let id = world.last();
    world.answer(answer.0, answer.1);
    status(&world.resumed[&id])
}

fn waits(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Waiting)
}

#[test]
fn a_check_waits_for_what_the_issuer_says() {
    let rules = json!([
        {"match": {"paths": ["/admin"]}, "access": {"scopes": {"all": ["admin"]}}}, {"access": "authenticated"},
    ]);
    let bearer = format!("Bearer {TOKEN}");
    let lines = [("authorization", bearer.as_str())];
    for (path, answer, expected) in [
        ("/.jotgate/check", ("200", ACTIVE), 200),
        ("/.jotgate/check", ("200", INACTIVE), 401),
        ("/.jotgate/check", ("500", ""), 503),
        ("/.jotgate/check?path=%2Fx&method=GET", ("200", ACTIVE), 200),
        ("/.jotgate/check?path=%2Fadmin&method=GET", ("200", ACTIVE), 403),
        ("/.jotgate/check?path=%2Fx&method=GET", ("200", INACTIVE), 401),
        ("/.jotgate/check?path=%2Fx&method=GET", ("500", ""), 503),
    ] {
        let mut world = world(&rules);
        assert_eq!(after(&mut world, path, &lines, answer), expected, "{path} {answer:?}");
        assert_eq!(status(&world.get(path, &lines)), expected, "{path} {answer:?}, again");
    }
}

#[test]
fn a_navigation_with_a_bad_token_in_a_cookie_is_sent_to_log_in_and_with_an_uncertain_one_is_not() {
    let cookie = format!("token={TOKEN}");
    let lines = [("cookie", cookie.as_str()), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let rules = json!([{"access": "authenticated"}]);
    assert_eq!(after(&mut world(&rules), "/x", &lines, ("200", INACTIVE)), 303);
    assert_eq!(after(&mut world(&rules), "/x", &lines, ("500", "")), 503);
}

#[test]
fn a_script_with_a_bad_token_is_refused() {
    let bearer = format!("Bearer {TOKEN}");
    let rules = json!([{"access": "authenticated"}]);
    let lines = [("authorization", bearer.as_str()), ("sec-fetch-mode", "cors")];
    assert_eq!(after(&mut world(&rules), "/x", &lines, ("200", INACTIVE)), 401);
}
