//! A value that a test does not apply to opens nothing: neither the test nor its negation holds.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::support::{Key, World, inline};

fn with(access: &Value, claims: &Value) -> String {
    let config = inline(&json!({"rules": [{"name": "only", "access": access}], "default": "deny"}));
    World::new(&config).with_token(&Key::new("a").token(claims)).summary()
}

/// How a test and its negation come out for a value of the claim `c`.
fn both(test: &Value, value: &Value) -> (String, String) {
    let access = json!({"claims": {"c": test}});
    let claims = json!({"c": value});
    (with(&access, &claims), with(&json!({"not": access}), &claims))
}

const DENIED: &str = "403 access_denied";

#[test]
fn neither_a_test_nor_its_negation_holds_for_a_value_of_another_type() {
    let (list, object) = (json!(["x"]), json!({"x": 1}));
    for (test, values) in [
        (json!("x"), vec![&list, &object, &json!(1), &json!(true), &json!([])]),
        (json!({"equals": 1}), vec![&list, &object, &json!("1"), &json!([1])]),
        (json!({"equals": true}), vec![&json!("true"), &json!(1), &json!([true])]),
        (json!({"in": ["x", "y"]}), vec![&list, &object, &json!(1)]),
        (json!({"any": ["x"]}), vec![&object, &json!([{"x": "x"}]), &json!([["x"]]), &json!([1]), &json!(1)]),
        (json!({"all": ["x"]}), vec![&object, &json!([{}]), &json!(["y", {}]), &json!(true)]),
        (
            json!({"domain": ["x"]}),
            vec![
                &json!("a@x."),
                &json!("A <a@x>"),
                &json!("a@x "),
                &json!("@x"),
                &json!(["a@x"]),
                &object,
                &json!(1),
                &json!("a@y@x"),
                &json!("a@x@y"),
            ],
        ),
        (json!({"matches": "x*"}), vec![&json!(1), &object, &json!(true), &json!([1]), &json!([["x"]])]),
    ] {
        for value in values {
            assert_eq!(both(&test, value), (DENIED.into(), DENIED.into()), "{test} {value}");
        }
    }
}

#[test]
fn values_of_a_known_type_are_true_or_false() {
    for (test, value, holds) in [
        (json!("x"), json!("x"), true),
        (json!("x"), json!("y"), false),
        (json!({"in": ["x", 1]}), json!(2), false),
        (json!({"any": ["x"]}), json!("x"), true),
        (json!({"any": ["x"]}), json!("y"), false),
        (json!({"any": ["x"]}), json!([]), false),
        (json!({"any": ["x"]}), json!(["y", null]), false),
        (json!({"any": ["x"]}), json!(["x", {}]), true),
        (json!({"all": ["x"]}), json!("x"), true),
        (json!({"all": ["x", "y"]}), json!("x"), false),
        (json!({"domain": ["x"]}), json!("alice"), false),
        (json!({"matches": "x*"}), json!(["y", "x1"]), true),
        (json!({"matches": "x*"}), json!(["y"]), false),
        (json!({"matches": "x*"}), json!([]), false),
        (json!({"exists": true}), json!({}), true),
        (json!({"exists": true}), json!([]), true),
    ] {
        let expected = if holds { ("ok".into(), DENIED.into()) } else { (DENIED.into(), "ok".into()) };
        assert_eq!(both(&test, &value), expected, "{test} {value}");
    }
    // The support merges null as "absent": as text.
    for test in [json!("x"), json!({"any": ["x"]}), json!({"matches": "*"}), json!({"exists": true})] {
        assert_eq!(both(&test, &Value::Null), (DENIED.into(), "ok".into()), "{test}: what is absent is no value");
        let null = json!({"c": {"d": null}});
        let access = json!({"claims": {"c.d": test}});
        assert_eq!(
            (with(&access, &null), with(&json!({"not": access}), &null)),
            (DENIED.into(), "ok".into()),
            "{test}"
        );
    }
}

#[test]
fn undecided_is_kept_through_all_any_and_not() {
    let undecided = json!({"claims": {"c": "x"}});
    let (yes, no) = (json!({"claims": {"t": true}}), json!({"claims": {"t": false}}));
    let scope = json!({"scopes": {"all": ["s"]}});
    let claims = json!({"c": ["x"], "t": true});
    for (access, expected) in [
        (json!({"anyOf": [undecided, yes]}), "ok"),
        (json!({"anyOf": [undecided, no]}), DENIED),
        (json!({"allOf": [undecided, yes]}), DENIED),
        (json!({"not": {"not": undecided}}), DENIED),
        (json!({"not": {"anyOf": [undecided, no]}}), DENIED),
        (json!({"not": {"anyOf": [undecided, yes]}}), DENIED),
        (json!({"not": {"allOf": [undecided, yes]}}), DENIED),
        (json!({"not": {"allOf": [undecided, no]}}), "ok"),
        (json!({"not": {"claims": {"c": "x", "t": false}}}), "ok"),
        (json!({"anyOf": [{"not": undecided}, yes]}), "ok"),
        (json!({"anyOf": [{"not": undecided}, {"not": {"not": undecided}}]}), DENIED),
        // Only what scopes alone would change is insufficient_scope.
        (json!({"allOf": [undecided, scope]}), DENIED),
        (json!({"anyOf": [undecided, scope]}), "403 insufficient_scope"),
        (json!({"allOf": [{"not": undecided}, scope]}), DENIED),
        (json!({"anyOf": [{"not": undecided}, scope]}), "403 insufficient_scope"),
        (json!({"not": {"allOf": [undecided, scope]}}), "ok"),
        (json!({"not": {"anyOf": [undecided, scope]}}), DENIED),
    ] {
        assert_eq!(with(&access, &claims), expected, "{access}");
    }
}

#[test]
fn a_name_with_dots_that_is_written_as_a_path_opens_nothing() {
    let claims = json!({
        "kubernetes.io": {"namespace": "default"}, "https://shop.example.com/roles": ["admin"], "wlcg.groups": ["/ops"],
        "a": {"b.c": 1}, "text": "x", "list": [{"d": 1}], "none": [], "null": null,
    });
    for (path, test) in [
        ("kubernetes.io.namespace", json!("default")),
        ("kubernetes.io.namespace", json!("other")),
        ("https://shop.example.com/roles", json!({"any": ["guest"]})),
        ("wlcg.groups", json!({"matches": "/x*"})),
        ("wlcg.groups", json!({"exists": true})),
        ("a.b.c", json!(2)),
        // Nothing is below a value that is no object.
        ("text.d", json!(1)),
        ("list.d", json!(2)),
    ] {
        let access = json!({"claims": {path: test}});
        assert_eq!(with(&access, &claims), DENIED, "{access}");
        assert_eq!(with(&json!({"not": access}), &claims), DENIED, "not {access}");
    }
    for path in ["kubernetes.io.node", "kubernetes.example", "wlcg.group", "a.b.d", "a.d", "none.d", "b.c"] {
        let access = json!({"claims": {path: "x"}});
        assert_eq!(with(&json!({"not": access}), &claims), "ok", "{path} is absent for certain");
    }
    let exact = json!({"claims": [{"claim": ["kubernetes.io", "namespace"], "equals": "default"}]});
    assert_eq!((with(&exact, &claims), with(&json!({"not": exact}), &claims)), ("ok".into(), DENIED.into()));
    let names = json!({"claims": [{"claim": ["kubernetes", "io", "namespace"], "equals": "default"}]});
    assert_eq!(with(&json!({"not": names}), &claims), "ok", "names in a list are what they are");
}

#[test]
fn groups_can_be_asked_for_by_a_pattern() {
    let team = json!({"groups": {"matches": "/team/*"}});
    let not = json!({"not": {"groups": {"matches": "/ext/*"}}});
    for (groups, is_team, is_inside) in [
        (json!(["/team/a", "/ext/b"]), true, false),
        (json!(["/other", "/team/"]), true, true),
        (json!("/team/a"), true, true),
        (json!(["/Team/a", "/ext"]), false, true),
        (json!([]), false, true),
        (Value::Null, false, true),
    ] {
        let claims = json!({"groups": groups});
        let expected = |holds| if holds { "ok" } else { DENIED };
        assert_eq!(with(&team, &claims), expected(is_team), "{claims}");
        assert_eq!(with(&not, &claims), expected(is_inside), "{claims}");
    }
    let mut config = inline(&json!({"rules": [{"access": team}]}));
    config["issuers"][0]["grants"] = json!({"groups": ["/ext/*"]});
    let token = Key::new("a").token(&json!({"groups": ["/team/a"]}));
    assert_eq!(World::new(&config).with_token(&token).summary(), DENIED, "`grants` drop it");
}

#[test]
fn names_whose_claim_is_not_absent_for_certain_are_not_known_to_be_missing() {
    let verdict = |issuer: &Value, access: &Value, claims: &Value| {
        let mut config = inline(&json!({"rules": [{"name": "only", "access": access}], "default": "deny"}));
        super::support::merge(&mut config["issuers"][0], issuer);
        World::new(&config).with_token(&Key::new("a").token(claims)).summary()
    };
    let of_groups = |issuer: Value| (issuer, json!({"groups": {"any": ["banned"]}}));
    let of_scopes = |issuer: Value| (issuer, json!({"scopes": {"any": ["banned"]}}));
    for ((issuer, asked), unclear) in [
        (of_groups(json!({"groupsClaim": "realm.roles"})), json!({"realm.roles": ["banned"]})),
        (of_groups(json!({"groupsClaim": "realm.roles"})), json!({"realm": [{"roles": ["banned"]}]})),
        (of_groups(json!({"groupsClaim": "realm.roles"})), json!({"realm": "{\"roles\":[\"banned\"]}"})),
        (of_groups(json!({"groupsClaim": {"claim": "realm.of", "member": "name"}})), json!({"realm.of": []})),
        (of_scopes(json!({"scopeClaims": ["scope", "realm.scope"]})), json!({"realm.scope": "banned"})),
        (of_scopes(json!({"groupsClaim": "a.b", "groupScopes": {"banned": ["x"]}})), json!({"a.b": ["x"]})),
        (
            (json!({"audienceClaims": ["aud", "a.b"]}), json!({"audiences": {"any": ["banned"]}})),
            json!({"a.b": "banned"}),
        ),
    ] {
        assert_eq!(verdict(&issuer, &asked, &unclear), DENIED.replace("access_denied", reason(&asked)), "{asked}");
        assert_eq!(verdict(&issuer, &json!({"not": asked}), &unclear), DENIED, "{issuer} {unclear}");
        for absent in [json!({}), json!({"realm": null}), json!({"realm": {}}), json!({"realm": []})] {
            assert_eq!(verdict(&issuer, &json!({"not": asked}), &absent), "ok", "{issuer} {absent}");
        }
    }
}

#[test]
fn a_claim_behind_something_else_than_an_object_may_exist() {
    let exists = json!({"claims": {"c.d": {"exists": true}}});
    for value in [json!([{"d": 1}]), json!("{\"d\":1}"), json!(1)] {
        let claims = json!({"c": value});
        assert_eq!(with(&exists, &claims), DENIED, "{claims}");
        assert_eq!(with(&json!({"not": exists}), &claims), DENIED, "{claims}");
    }
    for claims in [json!({}), json!({"c": null}), json!({"c": []}), json!({"c": {"d": null}})] {
        assert_eq!(with(&json!({"not": exists}), &claims), "ok", "{claims}");
    }
}

fn reason(asked: &Value) -> &'static str {
    if asked.get("scopes").is_some() { "insufficient_scope" } else { "access_denied" }
}
