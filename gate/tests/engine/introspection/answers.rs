//! What answers are worth: nothing but a clear yes is one, and its claims are checked as any token's.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::{ACTIVE, SECOND, TOKEN, ask, beside_jwts, entry, header, world};
use crate::support::{NOW, Outcome, World};

/// What becomes of a token of which its issuer says this, beside that it is active and for `data`.
fn judged(settings: &Value, claims: &Value) -> String {
    let mut answer = json!({"active": true, "aud": "data"});
    crate::support::merge(&mut answer, claims);
    ask(&mut world(settings), TOKEN, "200", &answer.to_string())
}

#[test]
fn nothing_but_a_clear_yes_is_one() {
    for (status, body, expected) in [
        ("200", ACTIVE, "ok"),
        ("200", r#"{"active":false,"aud":"data"}"#, "401 inactive_token"),
        ("200", r#"{"active":false}"#, "401 inactive_token"),
        ("200", r#"{"active":"true","aud":"data"}"#, "503 introspection_unavailable"),
        ("200", r#"{"active":1,"aud":"data"}"#, "503 introspection_unavailable"),
        ("200", r#"{"active":null,"aud":"data"}"#, "503 introspection_unavailable"),
        ("200", r#"{"aud":"data"}"#, "503 introspection_unavailable"),
        ("200", r#"[{"active":true,"aud":"data"}]"#, "503 introspection_unavailable"),
        ("200", r#""active""#, "503 introspection_unavailable"),
        ("200", r#"{"active":true,"aud":"data"} "#, "ok"),
        ("200", r#"{"active":true,"aud":"data"}x"#, "503 introspection_unavailable"),
        ("200", "", "503 introspection_unavailable"),
        ("200", "<html>", "503 introspection_unavailable"),
        ("204", "", "503 introspection_unavailable"),
        ("201", ACTIVE, "503 introspection_unavailable"),
        ("302", ACTIVE, "503 introspection_unavailable"),
        ("400", ACTIVE, "503 introspection_unavailable"),
        ("401", r#"{"error":"invalid_client"}"#, "503 introspection_unavailable"),
        ("403", r#"{"active":false}"#, "503 introspection_unavailable"),
        ("429", ACTIVE, "503 introspection_unavailable"),
        ("500", ACTIVE, "503 introspection_unavailable"),
        ("503", r#"{"active":false}"#, "503 introspection_unavailable"),
        ("2000", ACTIVE, "503 introspection_unavailable"),
    ] {
        assert_eq!(ask(&mut world(&json!({})), TOKEN, status, body), expected, "{status} {body}");
    }
}

#[test]
fn members_that_occur_twice_spoil_an_answer() {
    for body in [
        r#"{"active":true,"active":true,"aud":"data"}"#,
        r#"{"active":false,"active":true,"aud":"data"}"#,
        r#"{"active":true,"\u0061ctive":true,"aud":"data"}"#,
        r#"{"active":true,"sub":"alice","sub":"admin","aud":"data"}"#,
        r#"{"active":true,"a":{"b":1,"b":2},"aud":"data"}"#,
    ] {
        assert_eq!(ask(&mut world(&json!({})), TOKEN, "200", body), "503 introspection_unavailable", "{body}");
    }
}

#[test]
fn an_answer_that_is_too_large_is_none() {
    let sized = |octets: usize| {
        let body = format!(r#"{{"active":true,"aud":"data","x":"{}"}}"#, "a".repeat(octets));
        let padding = octets - (body.len() - octets);
        format!(r#"{{"active":true,"aud":"data","x":"{}"}}"#, "a".repeat(padding))
    };
    let mut accepted = world(&json!({}));
    assert_eq!(sized(65_536).len(), 65_536);
    assert_eq!(ask(&mut accepted, TOKEN, "200", &sized(65_536)), "ok");
    assert_eq!(ask(&mut world(&json!({})), TOKEN, "200", &sized(65_537)), "503 introspection_unavailable");
    accepted.with_token("gt-other-one-of-its");
    assert_eq!(accepted.fetches[0].max_body_bytes, 65_537, "no more is read");
}

#[test]
fn dates_are_checked_and_an_end_has_no_margin() {
    for (claims, expected) in [
        (json!({"exp": NOW + 1}), "ok"),
        (json!({"exp": NOW}), "401 expired"),
        (json!({"exp": NOW - 1}), "401 expired"),
        (json!({"exp": "soon"}), "401 bad_claim"),
        (json!({"exp": -1}), "401 bad_claim"),
        (json!({"exp": null}), "ok"),
        (json!({"nbf": NOW + 60}), "ok"),
        (json!({"nbf": NOW + 61}), "401 not_yet_valid"),
        (json!({"iat": NOW + 61}), "401 not_yet_valid"),
        (json!({"iat": []}), "401 bad_claim"),
    ] {
        assert_eq!(judged(&json!({}), &claims), expected, "{claims}");
    }
}

#[test]
fn the_issuer_is_this_one_where_the_answer_names_one() {
    for (claims, expected) in [
        (json!({"iss": "https://data.example.com"}), "ok"),
        (json!({"iss": null}), "ok"),
        (json!({"iss": "https://data.example.com/"}), "401 unknown_issuer"),
        (json!({"iss": "https://idp.example.com"}), "401 unknown_issuer"),
        (json!({"iss": ["https://data.example.com"]}), "401 bad_claim"),
    ] {
        assert_eq!(judged(&json!({}), &claims), expected, "{claims}");
    }
}

#[test]
fn the_audience_is_asked_for_unless_it_is_switched_off() {
    for (audiences, claims, expected) in [
        (json!(["data"]), json!({"aud": ["x", "data"]}), "ok"),
        (json!(["data"]), json!({"aud": "other"}), "401 wrong_audience"),
        (json!(["data"]), json!({"aud": null}), "401 wrong_audience"),
        (json!(["data"]), json!({"aud": 1}), "401 bad_claim"),
        (json!("any"), json!({"aud": null}), "ok"),
        (json!("any"), json!({"aud": 1}), "401 bad_claim"),
    ] {
        assert_eq!(judged(&json!({"audiences": audiences}), &claims), expected, "{audiences} {claims}");
    }
}

#[test]
fn a_token_that_gives_no_access_is_of_the_wrong_type() {
    for (claims, expected) in [
        (json!({"token_type": "Bearer"}), "ok"),
        (json!({"token_type": "bearer"}), "ok"),
        (json!({"token_type": "refresh_token"}), "401 wrong_type"),
        (json!({"token_type": "N_A"}), "401 wrong_type"),
        (json!({"token_type": "DPoP"}), "401 wrong_type"),
        (json!({"token_type": ["Bearer"]}), "401 bad_claim"),
    ] {
        assert_eq!(judged(&json!({}), &claims), expected, "{claims}");
    }
}

#[test]
fn scopes_and_groups_are_read_as_configured() {
    let rules = json!([
        {"match": {"paths": ["/x"]}, "access": {"scopes": {"all": ["write"]}}}, {"access": "authenticated"},
    ]);
    let settings = json!({"scopeClaims": ["permissions"], "grants": {"scopes": ["read", "write"]}});
    let mut world = World::new(&beside_jwts(&[entry("gaf", &settings)], &json!({"rules": rules})));
    let answer =
        |permissions: &str| format!(r#"{{"active":true,"aud":"data","scope":"write","permissions":{permissions}}}"#);
    assert_eq!(ask(&mut world, "gt-1", "200", &answer(r#"["write"]"#)), "ok");
    assert_eq!(ask(&mut world, "gt-2", "200", &answer(r#"["read"]"#)), "403 insufficient_scope");
    assert_eq!(ask(&mut world, "gt-3", "200", &answer("7")), "401 bad_claim");
}

#[test]
fn claims_are_found_under_the_names_that_answers_have() {
    let settings = json!({
        "claims": {"subject": "username", "exp": "expires"}, "scopeClaims": ["scopes"],
    });
    let mut world = world(&settings);
    assert_eq!(world.with_token(TOKEN).summary(), "waiting");
    let id = world.last();
    world.answer(
        "200",
        &json!({"active": true, "aud": "data", "sub": "admin", "username": "bob", "expires": NOW + 9}).to_string(),
    );
    assert_eq!(world.resumed[&id].seen("x-auth-request-user"), ["bob"]);
    world.pass(9 * SECOND);
    assert_eq!(world.with_token(TOKEN).summary(), "401 expired");
}

#[test]
fn a_token_may_be_its_own_credential() {
    let settings = json!({
        "style": "self", "client": null, "endpoint": "https://api.example.com/user", "audiences": "any",
        "claims": {"subject": "id"}, "match": {"pattern": "gh[a-z]_[0-9A-Za-z]+"},
    });
    let mut world = world(&settings);
    assert_eq!(world.with_token("gho_16C7e42F292c6912E7710c838347Ae178B4a").summary(), "waiting");
    let id = world.last();
    let fetch = world.fetches[0].clone();
    assert_eq!((fetch.method, fetch.path.as_str(), fetch.body.as_slice()), ("GET", "/user", b"".as_slice()));
    assert_eq!(header(&fetch, "authorization"), Some("Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a"));
    assert!(header(&fetch, "user-agent").is_some());
    world.answer("200", r#"{"login":"octocat","id":583231,"token_type":"session"}"#);
    assert_eq!(world.resumed[&id].seen("x-auth-request-user"), ["583231"]);
    for (token, status, body, expected) in [
        ("gho_1", "401", "", "401 inactive_token"),
        ("gho_2", "401", r#"{"message":"Bad credentials"}"#, "401 inactive_token"),
        ("gho_3", "403", r#"{"id":1}"#, "503 introspection_unavailable"),
        ("gho_4", "404", "", "503 introspection_unavailable"),
        ("gho_5", "200", "[]", "503 introspection_unavailable"),
        ("gho_6", "200", r#"{"id":1,"id":2}"#, "503 introspection_unavailable"),
        ("gho_7", "200", r#"{"id":1,"active":false}"#, "401 inactive_token"),
        ("gho_8", "200", r#"{"id":1,"iss":"https://evil.example.com"}"#, "401 unknown_issuer"),
    ] {
        assert_eq!(ask(&mut world, token, status, body), expected, "{token}");
    }
}

#[test]
fn an_answer_about_a_bad_token_is_a_challenge() {
    let mut world = world(&json!({}));
    world.with_token(TOKEN);
    let id = world.last();
    world.answer("200", r#"{"active":false}"#);
    let outcome = &world.resumed[&id];
    let challenge = outcome.header("www-authenticate").expect("is there");
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
    assert!(!reply.body.contains("gt-"), "nothing of the token is shown");
}
