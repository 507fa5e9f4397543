//! Credentials for the upstream: what requests get in place of their callers' own.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::BTreeSet;
use std::time::Duration;

use jose::base64url;
use jose::jwk::{Candidates, KeySet, Origin};
use jose::jws::EncodedToken;
use jose::signature::{CheckedBy, Software};
use serde_json::{Value, json};

use crate::browser::{logged_in, login, status};
use crate::introspection::{TOKEN as OPAQUE, entry as introspected};
use crate::support::{ISSUER, Key, NOW, Outcome, World, inline, merge};

/// RFC 7515 A.3.
pub(crate) const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
/// RFC 8037 A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
pub(crate) const P256_KID: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";
const ED25519_KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
pub(crate) const JWKS: &str = "/.well-known/jwks.json";

/// A token that the gate signs, with `changes` to how.
pub(crate) fn signed(changes: &Value) -> Value {
    let mut token =
        json!({"issuer": "https://gate.example.com", "audience": "orders", "keys": [{"env": "P256"}], "jwks": JWKS});
    merge(&mut token, changes);
    token
}

/// A configuration with these credentials, the first of which all rules use, with `changes` to its top level.
pub(crate) fn config(credentials: &Value, changes: &Value) -> Value {
    let mut config = inline(&json!({"upstreamCredentials": credentials, "upstream": credentials[0]["name"]}));
    merge(&mut config, changes);
    config
}

pub(crate) fn with_token(token: &Value) -> World {
    World::new(&config(&json!([{"name": "internal", "token": signed(token)}]), &json!({})))
}

/// What stands behind `Bearer` in the one line of `authorization`.
pub(crate) fn bearer(outcome: &Outcome) -> String {
    let lines = outcome.seen("authorization");
    assert_eq!(lines.len(), 1, "{outcome:?}");
    lines[0].strip_prefix("Bearer ").expect("has the scheme").to_string()
}

/// The variables of the plugin's VM.
pub(crate) fn variable(name: &str) -> Option<String> {
    let keys = [("ED25519", ED25519), ("P256", P256)];
    keys.into_iter().find(|(known, _)| *known == name).map(|(_, key)| key.to_string())
}

/// A counter of credentials.
pub(crate) fn count(world: &World, name: &str) -> u64 {
    world.metrics.get(&format!("jotgate_upstream_{name}")).copied().unwrap_or_default()
}

/// Header and claims of a token, unchecked.
pub(crate) fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| base64url::decode(part.as_bytes()).expect("is base64url"));
    let mut part = || serde_json::from_slice(&parts.next().expect("is there")).expect("is JSON");
    (part(), part())
}

pub(crate) fn claims(outcome: &Outcome) -> Value {
    read(&bearer(outcome)).1
}

pub(crate) fn jwks(world: &mut World) -> String {
    match world.get(JWKS, &[]) {
        Outcome::Replied(reply) => reply.body,
        other => panic!("not replied: {other:?}"),
    }
}

/// Whether the keys of `set` verify `token`.
pub(crate) fn verifies(token: &str, set: &str) -> bool {
    let keys = KeySet::from_json(set.as_bytes(), 100, Origin::Issuer).expect("is a key set");
    let encoded = EncodedToken::decode(token.as_bytes()).expect("is a JWS");
    let token = encoded.parse().expect("is a JWT");
    let kid = token.kid().expect("has one").to_string();
    match keys.candidates(Some(&kid), token.algorithm().expect("is known"), CheckedBy::Module) {
        Candidates::Keys(keys) => token.verify(&keys, &Software).is_ok(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_token_says_who_calls_and_the_served_keys_verify_it() {
    for (key, alg, kid) in [("P256", "ES256", P256_KID), ("ED25519", "EdDSA", ED25519_KID)] {
        let mut world = with_token(&json!({
            "keys": [{"env": key}],
            "claims": [
                "sub", "email", "groups", "absent",
                {"name": "scope", "from": "$scopes"}, {"name": "teams", "from": "$groups"},
                {"name": "verified", "from": "$verifiedEmail"}, {"name": "from", "from": "$issuer"},
                {"name": "deep", "from": "a.b"}, {"name": "org", "value": {"id": [1, "acme"]}},
            ],
        }));
        let outcome = world.with_token(&Key::new("a").token(&json!({
            "jti": "t-1", "email": "a@example.com", "groups": ["x", "y"], "scope": "b a", "a": {"b": {"c": 1.50}},
            "act": {"sub": "someone", "act": {"sub": "else"}},
        })));
        let token = bearer(&outcome);
        let (header, mut claims) = read(&token);
        assert_eq!(header, json!({"alg": alg, "typ": "JWT", "kid": kid}));
        let jti = claims.as_object_mut().expect("is an object").remove("jti").expect("is there");
        assert_eq!(base64url::decode(jti.as_str().expect("is text").as_bytes()).expect("is base64url").len(), 16);
        assert_eq!(
            claims,
            json!({
                "iss": "https://gate.example.com", "aud": "orders", "iat": NOW, "exp": NOW + 300, "sub": "alice",
                "act": {"iss": ISSUER, "jti": "t-1"}, "email": "a@example.com", "groups": ["x", "y"],
                "scope": "a b", "teams": ["x", "y"], "from": ISSUER, "deep": {"c": 1.50}, "org": {"id": [1, "acme"]},
            })
        );
        let set = jwks(&mut world);
        assert!(verifies(&token, &set));
        assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "identity headers are there as ever");
    }
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn another_implementation_verifies_the_token() {
    use jwt_compact::alg::{Ed25519, Es256};
    use jwt_compact::jwk::JsonWebKey;
    use jwt_compact::{Algorithm, AlgorithmExt as _, UntrustedToken};

    fn judge<A: Algorithm>(algorithm: &A, token: &str, jwk: &Value) -> bool
    where
        A::VerifyingKey: for<'k> TryFrom<&'k JsonWebKey<'k>>,
    {
        let jwk: JsonWebKey<'_> = serde_json::from_value(jwk.clone()).expect("is a JWK");
        let Ok(key) = A::VerifyingKey::try_from(&jwk) else { panic!("is a key of the algorithm") };
        let token = UntrustedToken::new(token).expect("is a token");
        algorithm.validator::<serde_json::Map<String, Value>>(&key).validate(&token).is_ok()
    }
    for key in ["P256", "ED25519"] {
        let mut world = with_token(&json!({"keys": [{"env": key}]}));
        let token = bearer(&world.with_token(&Key::new("a").token(&json!({}))));
        let set: Value = serde_json::from_str(&jwks(&mut world)).expect("is JSON");
        let check = |token: &str| match key {
            "P256" => judge(&Es256, token, &set["keys"][0]),
            _ => judge(&Ed25519, token, &set["keys"][0]),
        };
        assert!(check(&token));
        let mut forged = token.clone().into_bytes();
        let middle = forged.len() / 2;
        forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
        assert!(!check(str::from_utf8(&forged).expect("is ASCII")));
    }
}

#[test]
fn a_token_is_never_good_for_longer_than_its_callers() {
    let mut world = with_token(&json!({"lifetime": "1h"}));
    for (exp, expected) in [(NOW + 100, NOW + 100), (NOW + 3600, NOW + 3600), (NOW + 7200, NOW + 3600)] {
        let outcome = world.with_token(&Key::new("a").token(&json!({"exp": exp})));
        assert_eq!(claims(&outcome)["exp"], json!(expected), "{exp}");
    }
}

#[test]
fn a_token_is_used_for_half_its_life() {
    let mut world = with_token(&json!({}));
    let own = Key::new("a").token(&json!({}));
    let first = bearer(&world.with_token(&own));
    world.pass(Duration::from_secs(149));
    assert_eq!(bearer(&world.with_token(&own)), first);
    world.pass(Duration::from_secs(1));
    let second = bearer(&world.with_token(&own));
    assert_ne!(second, first);
    assert_eq!(read(&second).1["exp"], json!(NOW + 450));
    assert_eq!(count(&world, "minted_internal"), 2);
    assert_eq!(count(&world, "cached_internal"), 1);
    assert_eq!(count(&world, "failed_internal"), 0);
}

#[test]
fn tokens_of_callers_and_audiences_are_never_mixed() {
    let credentials = json!([
        {"name": "orders", "token": signed(&json!({}))},
        {"name": "stock", "token": signed(&json!({"audience": ["stock", "all"]}))},
    ]);
    let rules = json!([
        {"name": "stock", "match": {"paths": ["/stock"]}, "access": "authenticated", "upstream": "stock"},
        {"name": "none", "match": {"paths": ["/none"]}, "access": "authenticated", "upstream": []},
        {"name": "rest", "access": "authenticated"},
    ]);
    let mut world = World::new(&config(&credentials, &json!({"rules": rules})));
    let tokens = ["alice", "bob"].map(|sub| Key::new("a").token(&json!({"sub": sub})));
    // The same caller by another token.
    let again = Key::new("a").token(&json!({"sub": "alice", "jti": "2"}));
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        for (own, sub) in [(&tokens[0], "alice"), (&tokens[1], "bob"), (&again, "alice")] {
            for (path, audience) in [("/orders", json!("orders")), ("/stock", json!(["stock", "all"]))] {
                let outcome = world.get(path, &[("authorization", &format!("Bearer {own}"))]);
                let claims = claims(&outcome);
                assert_eq!((&claims["sub"], &claims["aud"]), (&json!(sub), &audience), "{path}");
                seen.insert(bearer(&outcome));
            }
        }
    }
    assert_eq!(seen.len(), 6, "each is made once");
    let outcome = world.get("/none", &[("authorization", &format!("Bearer {again}"))]);
    assert_eq!(outcome.seen("authorization"), [""; 0]);
}

/// The text of an opaque token stays when its issuer says something else of it.
#[test]
fn a_token_says_of_its_caller_what_the_issuer_said_last() {
    let token = signed(&json!({"lifetime": "1h", "claims": ["groups"]}));
    let mut config = config(&json!([{"name": "internal", "token": token}]), &json!({}));
    config["introspection"] = json!([introspected("gaf", &json!({}))]);
    let mut world = World::new(&config);
    for groups in [json!(["ops"]), json!([])] {
        assert_eq!(world.with_token(OPAQUE).summary(), "waiting");
        let id = world.last();
        world.answer("200", &json!({"active": true, "aud": "data", "sub": "alice", "groups": groups}).to_string());
        assert_eq!(claims(&world.resumed[&id])["groups"], groups);
        assert_eq!(claims(&world.with_token(OPAQUE))["groups"], groups);
        world.pass(Duration::from_mins(1));
    }
}

#[test]
fn no_client_can_send_a_credential_that_is_made_here() {
    let credentials = json!([
        {"name": "internal", "header": "X-Internal", "token": signed(&json!({}))},
        {"name": "main", "scheme": "Gate", "token": signed(&json!({}))},
    ]);
    let rules = json!([
        {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
        {"name": "optional", "match": {"paths": ["/optional"]}, "access": "optional", "upstream": []},
        {"name": "own", "match": {"paths": ["/own"]}, "access": "authenticated", "upstream": [], "forwardToken": true},
        {"name": "both", "access": "authenticated", "upstream": ["internal", "main"]},
    ]);
    let mut world = World::new(&config(&credentials, &json!({"rules": rules})));
    let spelled = ["x-internal", "X_Internal", "x.internal", "x-internal"].map(|name| (name, "forged"));
    let own = format!("Bearer {}", Key::new("a").token(&json!({})));
    for path in ["/public", "/optional"] {
        for authorization in ["Gate forged", "gate  forged", "Basic Zm9yZ2VkOg==", "forged"] {
            let mut headers = spelled.to_vec();
            headers.extend([("authorization", authorization), ("AUTHORIZATION_", "forged"), ("x-other", "kept")]);
            let outcome = world.get(path, &headers);
            for name in ["authorization", "x-internal", "X_Internal", "x.internal"] {
                assert_eq!(outcome.seen(name), [""; 0], "{path} {authorization} {name}");
            }
            assert_eq!(outcome.seen("x-other"), ["kept"]);
        }
    }
    let mut headers = spelled.to_vec();
    headers.push(("authorization", &own));
    let outcome = world.get("/x", &headers);
    assert_eq!(outcome.seen("x-internal").len(), 1);
    assert!(outcome.seen("x-internal")[0].starts_with("ey"), "without a scheme");
    assert_eq!(outcome.seen("authorization").len(), 1);
    assert!(outcome.seen("authorization")[0].starts_with("Gate ey"));
    for name in ["X_Internal", "x.internal"] {
        assert_eq!(outcome.seen(name), [""; 0]);
    }
    let outcome = world.get("/own", &headers);
    assert_eq!(outcome.seen("authorization"), [own.as_str()], "a token that was verified may pass");
    assert_eq!(outcome.seen("x-internal"), [""; 0]);
}

#[test]
fn a_made_credential_wins_over_a_forwarded_token() {
    let mut world =
        World::new(&config(&json!([{"name": "a", "token": signed(&json!({}))}]), &json!({"forwardToken": true})));
    let own = Key::new("a").token(&json!({}));
    assert_ne!(bearer(&world.with_token(&own)), own);
}

#[test]
fn refused_requests_make_nothing() {
    let rules = json!([{"name": "a", "access": {"groups": {"any": ["admins"]}}}]);
    let mut world =
        World::new(&config(&json!([{"name": "internal", "token": signed(&json!({}))}]), &json!({"rules": rules})));
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "403 access_denied");
    assert_eq!(world.get("/x", &[]).summary(), "401 missing_token");
    assert_eq!(count(&world, "minted_internal"), 0);
}

#[test]
fn in_audit_mode_it_is_made_where_the_caller_is_certain() {
    let rules = json!([
        {"name": "admins", "match": {"paths": ["/admins"]}, "access": {"groups": {"any": ["admins"]}}},
        {"name": "own", "match": {"paths": ["/own"]}, "access": {"groups": {"any": ["admins"]}}, "upstream": []},
        {"name": "rest", "access": "authenticated"},
    ]);
    let credentials = json!([{"name": "internal", "token": signed(&json!({}))}]);
    let mut world = World::new(&config(&credentials, &json!({"mode": "audit", "rules": rules})));
    let own = format!("Bearer {}", Key::new("a").token(&json!({})));
    let outcome = world.get("/admins", &[("authorization", &own)]);
    assert_eq!(world.reported().0, "jotgate_requests_audited_access_denied");
    assert_eq!(claims(&outcome)["sub"], "alice");
    assert_eq!(count(&world, "minted_internal"), 1);
    for path in ["/own", "//own"] {
        let outcome = world.get(path, &[("authorization", &own)]);
        assert_eq!(
            outcome.seen("authorization"),
            [own.as_str()],
            "the credential of a certain caller passes as it came"
        );
    }
    for forged in ["Bearer forged", "Bearer a.b.c", "Basic Zm9yZ2VkOg==", "forged"] {
        let outcome = world.get("/x", &[("authorization", forged)]);
        assert!(world.reported().0.starts_with("jotgate_requests_audited_"));
        assert_eq!(outcome.seen("authorization"), [""; 0], "{forged}");
    }
    let outcome = world.get("/own", &[("authorization", &own), ("authorization", "Bearer forged")]);
    assert_eq!(outcome.seen("authorization"), [""; 0]);
}

#[test]
fn the_first_key_signs_and_all_are_published() {
    let published = json!({"env": "P256", "use": "publish"});
    for (keys, kid) in [
        (json!([{"env": "P256"}, {"env": "ED25519"}]), P256_KID),
        (json!([{"env": "ED25519"}, {"env": "P256"}]), ED25519_KID),
        (json!([published, {"env": "ED25519"}, {"env": "P256"}]), ED25519_KID),
    ] {
        let config = config(&json!([{"name": "internal", "token": signed(&json!({"keys": keys}))}]), &json!({}));
        let mut world = World::new(&config);
        let token = bearer(&world.with_token(&Key::new("a").token(&json!({}))));
        assert_eq!(read(&token).0["kid"], kid);
        let set = jwks(&mut world);
        assert!(verifies(&token, &set));
        let set: Value = serde_json::from_str(&set).expect("is JSON");
        let kids: BTreeSet<_> = set["keys"]
            .as_array()
            .expect("is a list")
            .iter()
            .map(|key| key["kid"].clone())
            .map(|kid| kid.as_str().expect("is text").to_string())
            .collect();
        assert_eq!(kids.len(), 2);
        assert!(set["keys"].as_array().expect("is a list").iter().all(|key| key.get("d").is_none()), "{set}");
    }
}

#[test]
fn keys_are_served_before_rules_where_rules_match() {
    let rules =
        json!([{"name": "a", "match": {"hosts": ["api.example.com", "*.b.example.com"]}, "access": "authenticated"}]);
    let credentials = json!([
        {"name": "one", "token": signed(&json!({}))},
        {"name": "two", "token": signed(&json!({"keys": [{"env": "ED25519"}, {"env": "P256"}]}))},
        {"name": "three", "token": signed(&json!({"keys": [{"env": "ED25519"}], "jwks": null}))},
    ]);
    let config = |rules: &Value| World::new(&config(&credentials, &json!({"rules": rules})));
    let mut world = config(&rules);
    let send = |world: &mut World, method: &str, authority: &str| {
        world.send(&[(":method", method), (":path", JWKS), (":authority", authority)])
    };
    for (method, authority, expected) in [
        ("GET", "api.example.com", 200),
        ("HEAD", "API.example.com:443", 200),
        ("GET", "x.b.example.com", 200),
        ("POST", "api.example.com", 405),
        ("OPTIONS", "api.example.com", 405),
        ("GET", "other.example.com", 401),
    ] {
        let outcome = send(&mut world, method, authority);
        assert_eq!(status(&outcome), expected, "{method} {authority}");
        if expected == 200 {
            assert_eq!(outcome.header("content-type"), Some("application/jwk-set+json"));
            assert_eq!(outcome.header("cache-control"), Some("public, max-age=300"));
        }
    }
    let set: Value = serde_json::from_str(&jwks(&mut world)).expect("is JSON");
    assert_eq!(set["keys"].as_array().map(Vec::len), Some(2), "each key once: {set}");
    let mut world = config(&json!([{"name": "a", "access": "authenticated"}]));
    assert_eq!(status(&send(&mut world, "GET", "other.example.com")), 200);
    assert_eq!(world.get("/.well-known/jwks.json/", &[]).summary(), "401 missing_token");
    let rejected = world.get("/a/../.well-known/jwks.json", &[]);
    assert_ne!(status(&rejected), 200);
}

/// A login whose session keeps these tokens, and whose rules use the credential `source`.
pub(crate) fn session(keep: &Value, source: &Value) -> Value {
    let mut credential = json!({"name": "kept"});
    merge(&mut credential, source);
    let mut config = login(&json!({"upstreamCredentials": [credential], "upstream": "kept"}));
    config["session"]["keep"] = keep.clone();
    config
}

#[test]
fn the_session_hands_out_what_it_keeps() {
    for (header, expected) in [("authorization", "Bearer access-1"), ("x-token", "access-1")] {
        let source = json!({"header": header, "session": "accessToken"});
        let (mut world, _, mut browser) = logged_in(&session(&json!(["accessToken"]), &source));
        let headers = if header == "x-token" { vec![("x_token", "forged"), ("x-token", "forged")] } else { Vec::new() };
        let outcome = browser.request(&mut world, "GET", "/app", &headers);
        assert_eq!(outcome.seen(header), [expected]);
        assert_eq!(count(&world, "minted_kept"), 1);
    }
    let (mut world, provider, mut browser) = logged_in(&session(&json!(["idToken"]), &json!({"session": "idToken"})));
    let outcome = browser.fetch(&mut world, "/app");
    assert_eq!(bearer(&outcome), provider.id_token(NOW));
}

#[test]
fn a_caller_without_a_session_gets_no_kept_token() {
    let (mut world, ..) = logged_in(&session(&json!(["accessToken"]), &json!({"session": "accessToken"})));
    let outcome = world.with_token(&Key::new("a").token(&json!({})));
    assert_eq!(outcome.summary(), "403 upstream_credential_denied");
    assert_eq!(count(&world, "failed_kept"), 1);
}

#[test]
fn a_session_has_a_token_signed_until_it_ends() {
    let claims_of = |changes: &Value| {
        let mut config = session(
            &json!([]),
            &json!({"token": signed(&json!({"claims": ["email", "department"], "lifetime": "24h"}))}),
        );
        merge(&mut config["session"], changes);
        let (mut world, _, mut browser) = logged_in(&config);
        claims(&browser.fetch(&mut world, "/app"))
    };
    let found = claims_of(&json!({"lifetime": "2h"}));
    assert_eq!((&found["sub"], &found["email"]), (&json!("alice"), &json!("a@example.com")));
    assert_eq!(found["act"], json!({"iss": ISSUER}));
    assert_eq!(found["exp"], json!(NOW + 7200));
}

#[test]
fn a_session_keeps_the_claims_that_tokens_have() {
    let mut config =
        session(&json!([]), &json!({"token": signed(&json!({"claims": [{"name": "unit", "from": "org.unit"}]}))}));
    config["upstream"] = json!(["kept"]);
    let mut provider = crate::browser::Provider::new();
    provider.changes = json!({"org": {"unit": "blue"}, "jti": "id-1"});
    let mut world = crate::browser::world(&config, &mut provider);
    let mut browser = crate::browser::Browser::default();
    browser.log_in(&mut world, &mut provider, "/app");
    let found = claims(&browser.fetch(&mut world, "/app"));
    assert_eq!(found["unit"], "blue");
    assert_eq!(found["act"], json!({"iss": ISSUER, "jti": "id-1"}));
}

#[test]
fn nothing_of_a_credential_is_logged() {
    let mut world = with_token(&json!({}));
    let outcome = world.with_token(&Key::new("a").token(&json!({})));
    let token = bearer(&outcome);
    let d = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
    let signature = token.rsplit('.').next().expect("has one");
    let shown = format!("{:?}{:?}{:?}", world.log, world.requests_log, world.gate());
    assert!(!shown.contains(d) && !shown.contains(signature));
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn wrong_credentials_are_errors_with_their_path() {
    let token = |changes: Value| {
        let mut token = signed(&json!({}));
        merge(&mut token, &changes);
        config(&json!([{"name": "a", "token": token}]), &json!({}))
    };
    let credentials = |credentials: Value| config(&credentials, &json!({}));
    let good = || signed(&json!({}));
    let mut kept = session(&json!([]), &json!({"session": "accessToken"}));
    let mut own_path = session(&json!([]), &json!({"token": signed(&json!({"jwks": "/.jotgate/login"}))}));
    kept["upstream"] = json!([]);
    own_path["upstream"] = json!([]);
    let configs = [
        token(json!({"issuer": "", "audience": [], "lifetime": "25h", "keys": [], "jwks": "jwks", "else": 1})),
        token(json!({"issuer": null, "audience": null, "keys": null, "lifetime": "500ms", "jwks": "/a?b"})),
        token(
            json!({"keys": ["hunter2", {"env": "ABSENT"}, {"env": "WRONG"}, 1, {"env": "P256", "use": "both", "else": 1}]}),
        ),
        token(json!({"keys": [{"env": "P256", "use": "publish"}], "jwks": "/.well-known/oauth-protected-resource/a"})),
        token(json!({"keys": [{"env": "ENCRYPTED"}, {"env": "RSA"}]})),
        token(json!({"claims": [
            "iss", "act", {"name": "sub", "from": "email"}, {"name": "exp", "value": 1}, "a.b", "$groups", "email", "email",
            {"name": "x"}, {"name": "x", "from": "a", "value": 1}, {"name": "t", "from": "$token"}, {"name": "r", "from": "$rule"},
            {"name": "i", "from": "$clientIp"}, {"name": "c", "from": "$claims"}, 1,
        ]})),
        credentials(json!([{"name": "a"}, {"name": "b", "token": good(), "session": "idToken"}])),
        credentials(
            json!([{"name": "a", "token": good()}, {"name": "a", "token": good()}, {"name": "a b", "token": good()}]),
        ),
        credentials(json!([
            {"name": "b", "header": "Cookie", "token": good()},
            {"name": "c", "header": "a b", "scheme": "Two words", "token": good()},
        ])),
        config(
            &json!([
                {"name": "a", "header": "X-Auth-Request_User", "token": good()},
                {"name": "e", "header": "x_token", "token": good()},
            ]),
            &json!({"credentials": [{"header": "x-token"}]}),
        ),
        credentials(json!([{"name": "a", "session": "accessToken"}])),
        config(
            &json!([{"name": "a", "token": good()}, {"name": "b", "token": good()}]),
            &json!({"upstream": ["a", "b"]}),
        ),
        config(
            &json!([{"name": "a", "token": good()}]),
            &json!({"rules": [
                {"name": "r", "access": "public", "upstream": "c"},
            ]}),
        ),
        config(
            &json!([{"name": "a", "token": good()}]),
            &json!({"rules": [
                {"name": "r", "access": "public", "foreignCredentials": "forward"},
            ]}),
        ),
        config(
            &json!([{"name": "a", "header": "x-a", "token": good()}]),
            &json!({"rules": [
                {"name": "r", "match": {"headers": {"x_a": "1"}}, "access": "public"},
            ]}),
        ),
        kept,
        own_path,
    ];
    let env = |name: &str| match name {
        "WRONG" => Some(String::from("hunter2")),
        "ENCRYPTED" => {
            Some(String::from("-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2\n-----END ENCRYPTED PRIVATE KEY-----\n"))
        }
        "RSA" => Some(String::from(r#"{"kty": "RSA", "d": "hunter2"}"#)),
        name => variable(name),
    };
    let errors = configs.map(|config| match gate::Policy::parse(config.to_string().as_bytes(), &env) {
        Ok(_) => format!("no errors: {config}"),
        Err(errors) => errors.to_string(),
    });
    let errors = errors.join("\n\n");
    assert!(!errors.contains("hunter2"));
    insta::assert_snapshot!(errors);
}

#[test]
fn without_randomness_nothing_is_signed_and_nothing_passes() {
    let now = gate::Timestamp::from_secs(NOW);
    let config = config(&json!([{"name": "internal", "token": signed(&json!({}))}]), &json!({}));
    let mut gate = gate::Gate::new(crate::support::policy(&config), now, 1);
    let own = format!("Bearer {}", Key::new("a").token(&json!({})));
    let lines: Vec<gate::HeaderLine<'_>> =
        vec![(b":method", b"GET"), (b":path", b"/x"), (b":authority", b"a"), (b"authorization", own.as_bytes())];
    match gate.handle_request(gate::RequestId(1), &gate::Request::new(&lines), crate::support::at(now)) {
        gate::Decision::Reply(reply, _) => {
            assert_eq!(reply.status, 503);
            assert!(reply.body.contains("upstream_credential_unavailable"));
            assert!(reply.headers.contains(&("retry-after", String::from("1"))));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_that_its_issuer_judges_anew_has_another_one_signed() {
    use crate::introspection::{TOKEN, ask, beside_jwts, entry};

    let token = signed(&json!({"claims": [{"name": "scope", "from": "$scopes"}]}));
    let changes = json!({"upstreamCredentials": [{"name": "internal", "token": token}], "upstream": "internal"});
    let mut world = World::new(&beside_jwts(&[entry("gaf", &json!({}))], &changes));
    let mut answered = |scope: &str| {
        let answer = json!({"active": true, "sub": "alice", "scope": scope, "aud": "data", "jti": "o-1"});
        assert_eq!(ask(&mut world, TOKEN, "200", &answer.to_string()), "ok");
        let outcome = world.with_token(TOKEN);
        world.pass(Duration::from_secs(61));
        claims(&outcome)
    };
    let found = answered("read write");
    assert_eq!((&found["sub"], &found["scope"]), (&json!("alice"), &json!("read write")));
    assert_eq!(found["act"], json!({"iss": "https://data.example.com", "jti": "o-1"}));
    assert_eq!(answered("read")["scope"], "read", "what was taken from the caller is in no token");
}
