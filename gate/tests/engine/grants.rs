//! What the tokens of an issuer can give.

#[cfg(not(target_family = "wasm"))]
use proptest::collection::vec;
#[cfg(not(target_family = "wasm"))]
use proptest::prelude::*;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, inline, merge};

const PARTNER: &str = "https://partner.example.com";

/// Two issuers: `main`, and `partner` with `settings`.
fn config(settings: &Value, changes: &Value) -> Value {
    let mut config = inline(changes);
    let mut partner = config["issuers"][0].clone();
    merge(&mut partner, &json!({"name": "partner", "issuer": PARTNER}));
    merge(&mut partner, settings);
    config["issuers"].as_array_mut().expect("is a list").push(partner);
    config
}

fn partner(claims: &Value) -> String {
    let mut claims = claims.clone();
    merge(&mut claims, &json!({"iss": PARTNER}));
    Key::new("a").token(&claims)
}

fn bounded() -> Value {
    json!({"grants": {"groups": ["partner-*"], "scopes": ["partner:*"]}})
}

#[test]
fn a_partner_gives_no_group_or_scope_outside_its_grants() {
    for (access, claims) in [
        (json!({"groups": {"any": ["admins"]}}), json!({"groups": ["admins"]})),
        (json!({"groups": {"any": ["admins"]}}), json!({"groups": "admins"})),
        (json!({"groups": {"all": ["admins", "partner-a"]}}), json!({"groups": ["partner-a", "admins"]})),
        (json!({"scopes": {"any": ["admin"]}}), json!({"scope": "partner:a admin"})),
        (json!({"scopes": {"any": ["admin"]}}), json!({"scp": ["admin"]})),
        (
            json!({"anyOf": [{"scopes": {"all": ["a:b"]}}, {"groups": {"any": ["x"]}}]}),
            json!({"groups": ["x"], "scope": "a:b"}),
        ),
    ] {
        let rules = json!({"rules": [{"access": access}]});
        let verdict = |settings: &Value, token: &str| World::new(&config(settings, &rules)).with_token(token).summary();
        let main = Key::new("a").token(&claims);
        assert_eq!(verdict(&json!({}), &partner(&claims)), "ok", "without grants it gives anything: {access}");
        assert!(verdict(&bounded(), &partner(&claims)).starts_with("403 "), "{access} {claims}");
        assert_eq!(verdict(&bounded(), &main), "ok", "the grants of one issuer bound no other: {access}");
    }
}

#[test]
fn a_star_in_a_grant_is_any_run_and_nothing_else_is_special() {
    let verdict = |grant: &str, group: &str| {
        let settings = json!({"grants": {"groups": [grant]}});
        let rules = json!({"rules": [{"access": {"groups": {"any": [group]}}}]});
        World::new(&config(&settings, &rules)).with_token(&partner(&json!({"groups": [group]}))).summary()
    };
    for (grant, group) in
        [("partner-*", "partner-"), ("partner-*", "partner-a-b"), ("*", "admins"), ("a*b*c", "abc"), ("a", "a")]
    {
        assert_eq!(verdict(grant, group), "ok", "{grant} {group}");
    }
    for (grant, group) in [
        ("partner-*", "partner"),
        ("partner-*", "Partner-a"),
        ("partner-*", " partner-a"),
        ("partner-*", "x-partner-a"),
        ("*-partner", "a-partner-x"),
        ("partner-?", "partner-a"),
        ("partner.a", "partner-a"),
        ("[a]", "a"),
        ("a", "a*"),
    ] {
        assert_eq!(verdict(grant, group), "403 access_denied", "{grant} {group}");
    }
}

#[test]
fn what_is_not_bounded_is_given() {
    let both = json!({"groups": {"any": ["g"]}, "scopes": {"any": ["s"]}});
    let claims = json!({"groups": ["g"], "scope": "s"});
    for (grants, expected) in [
        (json!({"groups": ["g"]}), "ok"),
        (json!({"scopes": ["s"]}), "ok"),
        (json!({"groups": ["g"], "scopes": ["s"]}), "ok"),
        (json!({"groups": []}), "403 access_denied"),
        (json!({"scopes": []}), "403 insufficient_scope"),
        (json!({"groups": [], "scopes": []}), "403 access_denied"),
    ] {
        let config = config(&json!({"grants": grants}), &json!({"rules": [{"access": both}]}));
        assert_eq!(World::new(&config).with_token(&partner(&claims)).summary(), expected, "{grants}");
    }
}

#[test]
fn scopes_from_groups_are_bounded_twice() {
    let scopes = json!({"partner:write": ["partner-ops", "ops"], "admin": ["partner-ops"]});
    let mut settings = bounded();
    merge(&mut settings, &json!({"groupScopes": scopes}));
    let verdict = |scope: &str, groups: &Value| {
        let rules = json!({"rules": [{"access": {"scopes": {"any": [scope]}}}]});
        World::new(&config(&settings, &rules)).with_token(&partner(&json!({"groups": groups}))).summary()
    };
    assert_eq!(verdict("partner:write", &json!(["partner-ops"])), "ok");
    assert_eq!(verdict("partner:write", &json!(["ops"])), "403 insufficient_scope", "a dropped group gives nothing");
    assert_eq!(verdict("admin", &json!(["partner-ops"])), "403 insufficient_scope", "the scope itself is outside");
}

#[test]
fn a_parent_outside_the_grants_gives_no_child() {
    let verdict = |scope: &str| {
        let rules = json!({"scopeMatch": "hierarchical", "rules": [{"access": {"scopes": {"any": ["partner:a:b"]}}}]});
        World::new(&config(&bounded(), &rules)).with_token(&partner(&json!({"scope": scope}))).summary()
    };
    assert_eq!(verdict("partner:a"), "ok");
    for scope in ["partner", "*", "partner*"] {
        assert_eq!(verdict(scope), "403 insufficient_scope", "{scope}");
    }
}

#[test]
fn headers_carry_what_is_granted_and_raw_claims_unchanged() {
    let headers = json!({"X-Groups": "$groups", "X-Scopes": "$scopes", "X-Raw": "groups"});
    let config = config(&bounded(), &json!({"identityHeaders": headers}));
    let claims = json!({"groups": ["admins", "partner-b", "partner-a"], "scope": "admin partner:x"});
    let outcome = World::new(&config).with_token(&partner(&claims));
    assert_eq!(outcome.seen("x-groups"), ["partner-b,partner-a"]);
    assert_eq!(outcome.seen("x-scopes"), ["partner:x"]);
    assert_eq!(outcome.seen("x-raw"), ["admins,partner-b,partner-a"]);
    let outcome = World::new(&config).with_token(&partner(&json!({"groups": ["admins"], "scope": "admin"})));
    assert_eq!((outcome.seen("x-groups").len(), outcome.seen("x-scopes").len()), (0, 0));
}

#[test]
fn claims_that_hold_no_names_are_refused_whatever_is_granted() {
    let config = config(&json!({"grants": {"groups": [], "scopes": []}}), &json!({}));
    assert_eq!(World::new(&config).with_token(&partner(&json!({"scope": 1}))).summary(), "401 bad_claim");
    let bounded = json!({"grants": {"groups": []}, "groupScopes": {"exec": ["ops"]}});
    let config = self::config(&bounded, &json!({}));
    for claims in [json!({"groups": [1]}), json!({"groups": {}})] {
        assert_eq!(World::new(&config).with_token(&partner(&claims)).summary(), "401 bad_claim", "{claims}");
    }
}

#[test]
fn a_group_that_is_dropped_refuses_no_request() {
    let config = config(&bounded(), &json!({}));
    let outcome = World::new(&config).with_token(&partner(&json!({"groups": ["a,b", "partner-a"]})));
    assert_eq!(outcome.seen("x-auth-request-groups"), ["partner-a"]);
}

#[test]
fn only_an_issuer_that_is_trusted_with_it_vouches_for_addresses_without_a_word() {
    let config = config(&json!({"trustEmail": true}), &json!({}));
    let email = |token: &str| World::new(&config).with_token(token).seen("x-auth-request-email");
    let address = json!({"email": "a@example.com"});
    assert_eq!(email(&partner(&address)), ["a@example.com"]);
    assert_eq!(email(&Key::new("a").token(&address)), [""; 0]);
    let verified = json!({"email": "a@example.com", "email_verified": "true"});
    assert_eq!(email(&Key::new("a").token(&verified)), ["a@example.com"]);
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn wrong_grants_are_errors_with_their_path() {
    let errors = |settings: &Value| {
        let config = config(settings, &json!({})).to_string();
        match gate::Policy::parse(config.as_bytes(), &|_| None) {
            Ok(_) => String::from("no errors"),
            Err(errors) => errors.to_string(),
        }
    };
    let all: Vec<_> = [
        json!({"grants": {}}),
        json!({"grants": []}),
        json!({"grants": "partner-*"}),
        json!({"grants": {"groups": "partner-*", "claims": ["a"]}}),
        json!({"grants": {"groups": ["", 1], "scopes": ["a b", "", "*"]}}),
        json!({"grants": {"groups": [], "scopes": []}}),
        json!({"trustEmail": "yes"}),
    ]
    .iter()
    .map(|settings| format!("{settings}\n{}", errors(settings)))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[cfg(not(target_family = "wasm"))]
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c*:]{1,4}", "p(:[ab*]{0,2})?", "p-[a-c]{0,2}", "[!-~]{1,6}", ".{1,4}"]
}

#[cfg(not(target_family = "wasm"))]
proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A second reading of the bounds, which shares no code with the engine's: a prefix, and one exact name.
    #[test]
    fn no_caller_has_more_than_the_issuer_can_grant(
        groups in vec(name(), 0..6),
        scopes in vec(name(), 0..6),
        as_text: bool,
        hierarchical: bool,
    ) {
        let settings = json!({
            "grants": {"groups": ["p-*", "ops"], "scopes": ["p:*", "read"]},
            "groupScopes": {"p:a": ["ops", "a"], "admin": ["ops", "p-a"], "read": ["b"]},
        });
        let config = config(&settings, &json!({
            "scopeMatch": if hierarchical { "hierarchical" } else { "exact" },
            "identityHeaders": {"X-Groups": {"claim": "$groups", "json": true}, "X-Scopes": {"claim": "$scopes", "json": true}},
        }));
        let scope = if as_text { json!(scopes.join(" ")) } else { json!(scopes) };
        let outcome = World::new(&config).with_token(&partner(&json!({"groups": groups, "scope": scope})));
        if outcome.summary() != "401 unrepresentable_claim" {
            let sent = |name: &str| -> Vec<String> {
                outcome.seen(name).first().map(|json| serde_json::from_str(json).expect("is a list")).unwrap_or_default()
            };
            let (sent_groups, sent_scopes) = (sent("x-groups"), sent("x-scopes"));
            prop_assert!(sent_groups.iter().all(|group| group.starts_with("p-") || group == "ops"), "{sent_groups:?}");
            prop_assert!(sent_scopes.iter().all(|scope| scope.starts_with("p:") || scope == "read"), "{sent_scopes:?}");
            let expected: Vec<_> = groups.iter().filter(|group| group.starts_with("p-") || *group == "ops").collect();
            prop_assert!(expected.iter().all(|group| sent_groups.contains(group)), "{sent_groups:?}");
            prop_assert_eq!(sent_scopes.contains(&"p:a".to_string()), scopes_hold(&scope, "p:a") || groups.contains(&"ops".to_string()));
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn scopes_hold(claim: &Value, scope: &str) -> bool {
    match claim {
        Value::String(text) => text.split(' ').any(|found| found == scope),
        claim => claim.as_array().is_some_and(|list| list.iter().any(|found| found == scope)),
    }
}
