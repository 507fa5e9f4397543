//! Whatever a client sends, the upstream sees the identity headers of the decision and no other.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::support::{Key, Outcome, World, inline};

/// What a server behind the gate may make of a name: case and punctuation do not count.
fn as_read(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .collect()
}

/// Spellings of the gate's names, and of names beside them.
fn name() -> impl Strategy<Value = String> {
    let stem = select(vec![
        "x-auth-request-user",
        "x-auth-request-email",
        "x-auth-request-groups",
        "x-auth-request-token-scopes",
        "x-auth-request-issuer",
        "x-auth-request-",
        "x-auth-request",
        "x-auth-request-client-ip",
        "x-tenant",
        "x-internal-role",
        "authorization",
        "x-api-token",
        "x-other",
        "forwarded",
    ]);
    (stem, vec((0_usize..30, select(vec!['_', '.', '~', '!', '*', '\'', '|', '^', 'X', 'U', '-', '0'])), 0..3))
        .prop_map(|(stem, changes)| {
            let mut name: Vec<char> = stem.chars().collect();
            for (index, character) in changes {
                // Most changes respell the name, some make another one of it.
                if let Some(old) = name.get_mut(index)
                    && (!old.is_ascii_alphanumeric()
                        || !character.is_ascii_alphanumeric()
                        || old.eq_ignore_ascii_case(&character))
                {
                    *old = character;
                }
            }
            name.into_iter().collect()
        })
}

fn config() -> serde_json::Value {
    inline(&json!({
        "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-token"}],
        "credentialConflict": "first",
        "identityHeaders": {"X-Auth-Request-User": "sub", "X-Auth-Request-Email": "$verifiedEmail", "X-Tenant": "tenant"},
        "stripHeaders": ["X-Auth-Request-*", "X-Internal-*"],
        "rules": [
            {"match": {"paths": ["/public"]}, "access": "public"},
            {"match": {"paths": ["/optional"]}, "access": "optional"},
            {"match": {"paths": ["/audited"]}, "access": "deny", "mode": "audit"},
            {"match": {"paths": ["/admitted"]}, "access": {"scopes": {"any": ["s"]}}},
        ],
    }))
}

/// What the upstream reads as identity: names as it may read them, with every value.
fn identity(outcome: &Outcome) -> BTreeMap<String, Vec<String>> {
    let Outcome::Forwarded(headers) = outcome else { return BTreeMap::new() };
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, values) in headers {
        let name = as_read(name);
        if name.starts_with("x-auth-request-") || name.starts_with("x-internal-") || name == "x-tenant" {
            seen.entry(name).or_default().extend(values.iter().cloned());
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_upstream_sees_the_identity_of_the_decision_alone(
        lines in vec((name(), "[ -~]{0,12}"), 0..12),
        path in select(vec!["/public", "/optional", "/audited", "/admitted", "/default"]),
        has_token: bool,
    ) {
        let mut world = World::new(&config());
        let token = format!("Bearer {}", Key::new("a").token(&json!({"scope": "s", "tenant": "acme", "email": "a@b", "email_verified": true})));
        let mut sent: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if has_token {
            sent.insert(0, ("authorization", &token));
        }
        let outcome = world.get(path, &sent);
        let seen = identity(&outcome);
        let of = |name: &str, value: &str| (name.to_string(), vec![value.to_string()]);
        let alice = BTreeMap::from([of("x-auth-request-user", "alice"), of("x-auth-request-email", "a@b"), of("x-tenant", "acme")]);
        let may_be_known = has_token && path != "/public";
        prop_assert!(seen.is_empty() || (may_be_known && seen == alice), "{seen:?}");
        // Another line of a credential's header leaves open which of them is meant.
        let is_alone = !lines.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if may_be_known && is_alone {
            prop_assert_eq!(seen, alice);
        }
    }
}
