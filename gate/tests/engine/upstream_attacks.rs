//! What is tried against credentials for the upstream, above all against tokens that the gate signs.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::bound::{proof, send, token};
use crate::browser::{Browser, Provider, logged_in, status, world as world_with};
use crate::introspection::{TOKEN as OPAQUE, entry as introspected};
use crate::support::{ISSUER, Key, NOW, World};
use crate::upstream::{
    JWKS, P256_KID, bearer, claims, config, count, jwks, read, session, signed, verifies, with_token,
};

/// One user, one `sub`: what another session, or its next refresh, says of it is in the token at once.
#[test]
fn no_session_gets_what_was_signed_for_another_state_of_its_user() {
    let source = json!({"token": signed(&json!({"lifetime": "24h", "claims": ["groups"]}))});
    let config = session(&json!([]), &source);
    let mut provider = Provider::new();
    provider.changes = json!({"groups": ["ops"]});
    let mut world = world_with(&config, &mut provider);
    let mut before = Browser::default();
    before.log_in(&mut world, &mut provider, "/app");
    assert_eq!(claims(&before.fetch(&mut world, "/app"))["groups"], json!(["ops"]));
    provider.changes = json!({"groups": ["users"]});
    let mut after = Browser::default();
    after.log_in(&mut world, &mut provider, "/app");
    let found = claims(&after.fetch(&mut world, "/app"));
    assert_eq!((&found["sub"], &found["groups"]), (&json!("alice"), &json!(["users"])));
    assert_eq!(claims(&before.fetch(&mut world, "/app"))["groups"], json!(["ops"]), "its own session goes on");
}

/// What an old configuration had signed is nobody's under a new one, whatever has its index there.
#[test]
fn another_configuration_has_its_own_tokens_signed() {
    let own = Key::new("a").token(&json!({"groups": ["ops"]}));
    let with = |token: &Value| config(&json!([{"name": "internal", "token": signed(token)}]), &json!({}));
    let mut world = World::new(&with(&json!({"claims": ["groups"]})));
    let first = bearer(&world.with_token(&own));
    world.reconfigure(&with(&json!({"audience": "stock", "keys": [{"env": "ED25519"}]})));
    let found = world.with_token(&own);
    assert_ne!(bearer(&found), first);
    assert_eq!((&claims(&found)["aud"], &claims(&found)["groups"]), (&json!("stock"), &Value::Null));
}

/// `clockSkew` lets a token pass that has just ended: what is made of it has ended as well, and is made for it alone.
#[test]
fn no_margin_makes_a_token_outlive_its_callers() {
    let mut world = with_token(&json!({}));
    let own = Key::new("a").token(&json!({"exp": NOW + 10}));
    assert_eq!(claims(&world.with_token(&own))["exp"], NOW + 10);
    world.pass(Duration::from_secs(30));
    for minted in [2, 3] {
        let outcome = world.with_token(&own);
        assert_eq!((outcome.summary().as_str(), &claims(&outcome)["exp"]), ("ok", &json!(NOW + 10)));
        assert_eq!(count(&world, "minted_internal"), minted, "nothing is kept of it");
    }
    world.pass(Duration::from_mins(1));
    assert_eq!(world.with_token(&own).summary(), "401 expired");
    for (exp, expected) in [(json!(1_800_000_100.9), NOW + 100), (json!(9_007_199_254_740_992_u64), NOW + 300)] {
        assert_eq!(claims(&world_at_start().with_token(&Key::new("a").token(&json!({"exp": exp}))))["exp"], expected);
    }
}

fn world_at_start() -> World {
    with_token(&json!({}))
}

/// Whoever's token is no longer good gets nothing that was made of it.
#[test]
fn what_is_kept_is_for_callers_who_are_certain() {
    let mut changed = config(&json!([{"name": "internal", "token": signed(&json!({"lifetime": "1h"}))}]), &json!({}));
    changed["introspection"] = json!([introspected("gaf", &json!({}))]);
    let mut world = World::new(&changed);
    assert_eq!(world.with_token(OPAQUE).summary(), "waiting");
    world.answer("200", r#"{"active":true,"aud":"data","sub":"alice"}"#);
    assert_eq!(world.with_token(OPAQUE).summary(), "ok");
    world.pass(Duration::from_mins(1));
    assert_eq!(world.with_token(OPAQUE).summary(), "waiting");
    let id = world.last();
    world.answer("200", r#"{"active":false}"#);
    assert_eq!(world.resumed[&id].summary(), "401 inactive_token");
    // Another token that ends as a known one does is another caller.
    let own = Key::new("a").token(&json!({}));
    assert_eq!(world.with_token(&own).summary(), "ok");
    assert_eq!(world.with_token(&format!("x{own}")).summary(), "401 malformed_token");
}

/// A stolen token or proof gets no credential, enforced or not.
#[test]
fn only_who_has_the_key_of_a_bound_token_gets_a_credential() {
    for mode in ["enforce", "audit"] {
        let credentials = json!([{"name": "internal", "header": "x-internal", "token": signed(&json!({}))}]);
        let mut world = World::new(&config(&credentials, &json!({"mode": mode})));
        let first = proof(&token(), &json!({}));
        let outcome = send(&mut world, &token(), &first);
        let made = read(&outcome.seen("x-internal")[0]).1;
        assert_eq!((&made["sub"], &made["cnf"]), (&json!("alice"), &Value::Null), "the upstream checks no proofs");
        for outcome in [
            send(&mut world, &token(), &first),
            send(&mut world, &token(), "x"),
            world.with_token(&token()),
            world.get("/x", &[("authorization", &format!("DPoP {}", token()))]),
        ] {
            match mode {
                "audit" => assert_eq!(outcome.seen("x-internal"), [""; 0]),
                _ => assert!(outcome.summary().starts_with("401 "), "{outcome:?}"),
            }
        }
        assert_eq!(count(&world, "minted_internal"), 1);
        let again = send(&mut world, &token(), &proof(&token(), &json!({"jti": "2"})));
        assert_eq!(read(&again.seen("x-internal")[0]).1, made, "it is cached for whoever shows the key");
    }
}

/// A token that the gate signed may come back to it, or to another gate: what it was made of is said once.
#[test]
fn an_act_claim_does_not_grow_from_gate_to_gate() {
    let mut world = with_token(&json!({"claims": [{"name": "chain", "from": "act"}]}));
    let mut act = json!({"sub": "x", "act": {"sub": "y"}});
    for _ in 0..3 {
        let own = Key::new("a").token(&json!({"jti": "t", "act": act}));
        let found = claims(&world.with_token(&own));
        assert_eq!(found["act"], json!({"iss": ISSUER, "jti": "t"}));
        assert_eq!(found["chain"], act, "unless it is asked for");
        act = found["act"].clone();
    }
    for jti in [json!(1), json!(["t"]), json!({"jti": "t"}), json!(null)] {
        let found = claims(&world.with_token(&Key::new("a").token(&json!({"jti": jti}))));
        assert_eq!(found["act"], json!({"iss": ISSUER}), "{jti}");
    }
}

/// Whatever is in the claims of a caller: it stays in its own claim, and reads the same.
#[test]
fn values_of_claims_cannot_leave_their_claim() {
    let signed = signed(&json!({"claims": [
        "note", {"name": "iss\",\"admin", "from": "note"}, {"name": "\u{e9}\n", "value": "\"}"}, "org",
    ]}));
    let credentials = json!([{"name": "internal", "token": signed}]);
    let mut world = World::new(&config(&credentials, &json!({"identityHeaders": {}})));
    let set = jwks(&mut world);
    let org = json!({"a\"b": [1, {"c\\": null}], "": "\u{2028}"});
    for note in [
        String::from("\",\"iss\":\"https://evil.example\",\"x\":\""),
        String::from("\\\",\"sub\":\"root"),
        String::from("}\n{\"sub\":\"root\"}"),
        (0..0x20).filter_map(char::from_u32).collect(),
        String::from("\u{7f}\u{80}\u{202e}\u{feff}\u{10ffff}\u{e0041}"),
        "\u{ad}\"\\".repeat(300),
    ] {
        let own = Key::new("a").token(&json!({"note": note, "org": org, "sub": note}));
        let minted = bearer(&world.with_token(&own));
        assert!(minted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
        assert!(verifies(&minted, &set));
        let mut found = read(&minted).1;
        let members = found.as_object_mut().expect("is an object");
        members.retain(|name, _| !["iat", "exp", "jti", "act"].contains(&name.as_str()));
        assert_eq!(
            found,
            json!({
                "iss": "https://gate.example.com", "aud": "orders", "sub": note, "note": note,
                "iss\",\"admin": note, "\u{e9}\n": "\"}", "org": org,
            })
        );
    }
    for sub in [json!(["root"]), json!({"sub": "root"}), json!(7)] {
        let outcome = world.with_token(&Key::new("a").token(&json!({"sub": sub})));
        if outcome.summary() == "ok" {
            assert_eq!(claims(&outcome)["sub"], Value::Null, "{sub}: it is no string (RFC 7519 §4.1.2)");
        }
    }
}

/// What an application may not see as a header of the gate's is no header of a credential either.
#[test]
fn a_credential_stands_in_no_header_of_the_protocol() {
    for header in [
        ":path",
        ":authority",
        "host",
        "Host",
        "cookie",
        "connection",
        "te",
        "upgrade",
        "transfer-encoding",
        "transfer_encoding",
        "content-length",
        "content_type",
        "",
        "a b",
        "a:b",
        "x\n",
    ] {
        let credentials = json!([{"name": "internal", "header": header, "token": signed(&json!({}))}]);
        let config = config(&credentials, &json!({})).to_string();
        let found = gate::Policy::parse(config.as_bytes(), &crate::upstream::variable);
        let errors = found.map(drop).expect_err(header).to_string();
        assert!(errors.contains("upstreamCredentials[0].header"), "{header}: {errors}");
    }
    let both = json!([
        {"name": "one", "header": "x-internal", "token": signed(&json!({}))},
        {"name": "two", "header": "X_Internal", "token": signed(&json!({}))},
    ]);
    let config = config(&both, &json!({"upstream": ["one", "two"]})).to_string();
    let errors = gate::Policy::parse(config.as_bytes(), &crate::upstream::variable).map(drop).expect_err("is refused");
    assert!(errors.to_string().contains("has another credential already"), "{errors}");
}

/// What the next hop would drop, or some servers would merge.
#[test]
fn a_credential_cannot_be_named_away_nor_come_in_a_trailer() {
    let credentials = json!([
        {"name": "internal", "header": "x-internal", "token": signed(&json!({}))},
        {"name": "main", "token": signed(&json!({}))},
    ]);
    let rules = json!([{"name": "all", "access": "authenticated", "upstream": ["internal", "main"]}]);
    let mut world = World::new(&config(&credentials, &json!({"rules": rules})));
    let own = format!("Bearer {}", Key::new("a").token(&json!({})));
    let connection = "Upgrade, authorization, x-internal";
    let headers = [("authorization", own.as_str()), ("upgrade", "websocket"), ("connection", connection)];
    let outcome = world.get("/x", &headers);
    assert_eq!(outcome.seen("connection"), ["upgrade"]);
    assert_eq!((outcome.seen("x-internal").len(), outcome.seen("authorization").len()), (1, 1));
    let trailers: [(&[u8], &[u8]); 6] = [
        (b"x-internal", b"forged"),
        (b"X_INTERNAL", b"forged"),
        (b"authorization", b"Bearer forged"),
        (b"Authorization_", b"kept: another name"),
        (b"dpop", b"a.b.c"),
        (b"x-checksum", b"kept"),
    ];
    let left = gate::HeaderEdit::apply(&world.gate().handle_trailers(&trailers), &trailers);
    let left: Vec<_> = left.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    assert_eq!(left, ["Authorization_", "x-checksum"]);
}

/// The set is public, and only the set is: no other spelling of its path opens what rules close.
#[test]
fn the_key_set_is_at_its_path_alone() {
    let rules = json!([{"name": "none", "match": {"paths": ["/.well-known/**"]}, "access": "deny"},
                       {"name": "rest", "access": "authenticated"}]);
    let credentials = json!([{"name": "internal", "token": signed(&json!({}))}]);
    for mode in ["strict", "lenient"] {
        let mut world = World::new(&config(&credentials, &json!({"rules": rules, "paths": mode})));
        for path in
            [JWKS, "/.well-known/jwks.json?x=/../secret", "/.well-known/jwks%2Ejson", "/%2ewell-known/jwks.json"]
        {
            let outcome = world.get(path, &[("x-http-method-override", "DELETE"), ("authorization", "Bearer x")]);
            assert_eq!(status(&outcome), 200, "{mode} {path}");
        }
        for path in [
            "/.well-known/jwks.json/",
            "/.well-known/jwks.json/x",
            "/.well-known/JWKS.json",
            "/.well-known/jwks.jso",
            "/.well-known/jwks.json%00",
            "/.well-known/jwks.json%2f",
            "/.well-known%2fjwks.json",
            "/x/jwks.json",
            "/.well-known/jwks.json%3fx",
            "/.well-known/jwks.json#x",
            "\\.well-known\\jwks.json",
        ] {
            assert_ne!(status(&world.get(path, &[])), 200, "{mode} {path}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "CONNECT", "QUERY"] {
            let lines = [(":method", method), (":path", JWKS), (":authority", "api.example.com"), (":scheme", "https")];
            assert_eq!(status(&world.send(&lines)), 405, "{mode} {method}");
        }
    }
}

/// Wherever it stands in the list, and whatever the host can sign with.
#[test]
fn a_key_that_is_only_published_signs_nothing() {
    for keys in [
        json!([{"env": "ED25519", "use": "publish"}, {"env": "P256"}]),
        json!([{"env": "P256"}, {"env": "ED25519", "use": "publish"}]),
        json!([{"env": "P256"}, {"env": "P256", "use": "publish"}]),
        json!([{"env": "P256", "use": "publish"}, {"env": "P256"}]),
    ] {
        let mut world = with_token(&json!({"keys": keys}));
        for subject in ["a", "b", "c"] {
            let minted = bearer(&world.with_token(&Key::new("a").token(&json!({"sub": subject}))));
            assert_eq!(read(&minted).0, json!({"alg": "ES256", "typ": "JWT", "kid": P256_KID}), "{keys}");
            assert!(verifies(&minted, &jwks(&mut world)));
        }
    }
    let only = config(
        &json!([{"name": "internal", "token": signed(&json!({"keys": [{"env": "P256", "use": "publish"}]}))}]),
        &json!({}),
    );
    let errors = gate::Policy::parse(only.to_string().as_bytes(), &crate::upstream::variable).map(drop);
    assert!(errors.expect_err("is refused").to_string().contains("none signs"));
}

/// A session and a bearer of one user are two callers, as are two bearers.
#[test]
fn credentials_of_sessions_and_tokens_are_never_mixed() {
    let changed = session(&json!([]), &json!({"token": signed(&json!({"claims": ["groups"]}))}));
    let (mut world, provider, mut browser) = logged_in(&changed);
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(bearer(&browser.fetch(&mut world, "/app")));
        seen.push(bearer(&world.with_token(&Key::new("a").token(&json!({"groups": ["ops"]})))));
    }
    assert_eq!((&seen[0], &seen[1]), (&seen[2], &seen[3]));
    assert_ne!(seen[0], seen[1]);
    // Its ID token is for the gate as a client: it is no bearer's.
    let outcome = world.with_token(&provider.id_token(NOW));
    assert_eq!(outcome.summary(), "401 wrong_audience");
}
