//! What the provider answers, or somebody in its place: tokens, claims, refreshes (OpenID Connect Core 1.0 §3.1.3.7).

use std::time::Duration;

use jose::base64url;
use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Scene, failed_as, is_forwarded};
use crate::browser::{Provider, status};
use crate::support::{ISSUER, Key, NOW, Outcome, merge};

const ES256: &str = "ES256";

/// Makes an ID token.
type Forge<'f> = &'f dyn Fn(&Provider) -> String;
/// Makes what the token endpoint answers: a status, and a body.
type Answers<'a> = &'a dyn Fn(&Provider) -> (&'static str, String);

/// What a good ID token says, with `changes`.
fn claims(provider: &Provider, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "alice", "aud": "dashboard", "nonce": provider.nonce, "iat": NOW, "exp": NOW + 3600,
    });
    merge(&mut claims, changes);
    claims
}

/// A token endpoint's answer, with `changes`.
fn tokens(id_token: &str, changes: &Value) -> String {
    let mut answer =
        json!({"access_token": "access", "token_type": "Bearer", "refresh_token": "refresh", "id_token": id_token});
    merge(&mut answer, changes);
    answer.to_string()
}

/// What a login comes to whose token endpoint answers this.
fn login_with(answer: impl Fn(&Provider) -> (&'static str, String)) -> (Scene, Outcome) {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let outcome = scene.go_with(&back, |provider, fetch| (fetch.path == "/token").then(|| answer(provider)));
    (scene, outcome)
}

fn login_with_id_token(id_token: impl Fn(&Provider) -> String) -> (Scene, Outcome) {
    login_with(|provider| ("200", tokens(&id_token(provider), &json!({}))))
}

#[test]
fn an_id_token_that_lacks_anything_makes_no_session() {
    for (changes, is_good) in [
        (json!({}), true),
        (json!({"aud": ["dashboard"]}), true),
        (json!({"aud": ["dashboard", "api"], "azp": "dashboard"}), true),
        (json!({"aud": "other"}), false),
        (json!({"aud": "api"}), false),
        (json!({"aud": null}), false),
        (json!({"aud": []}), false),
        (json!({"aud": ["dashboard", "api"]}), false),
        (json!({"aud": ["dashboard", "api"], "azp": "api"}), false),
        (json!({"azp": "other"}), false),
        (json!({"azp": ["dashboard"]}), false),
        (json!({"aud": "Dashboard"}), false),
        (json!({"aud": "dashboard "}), false),
        (json!({"aud": {"dashboard": true}}), false),
        (json!({"nonce": null}), false),
        (json!({"nonce": ""}), false),
        (json!({"nonce": "A".repeat(43)}), false),
        (json!({"nonce": ["x"]}), false),
        (json!({"iss": "https://other.example.com"}), false),
        (json!({"iss": "https://idp.example.com/"}), false),
        (json!({"iss": null}), false),
        (json!({"sub": null}), false),
        (json!({"sub": ""}), false),
        (json!({"sub": 7}), false),
        (json!({"iat": null}), false),
        (json!({"iat": NOW - 700}), false),
        (json!({"iat": NOW + 700}), false),
        (json!({"iat": NOW.to_string()}), false),
        (json!({"exp": null}), false),
        (json!({"exp": NOW - 100}), false),
        (json!({"exp": "never"}), false),
        (json!({"nbf": NOW + 700}), false),
        (json!({"at_hash": "A".repeat(22)}), false),
        (json!({"at_hash": 1}), false),
    ] {
        let (scene, outcome) = login_with_id_token(|provider| {
            let header = json!({"alg": ES256, "kid": "a"});
            provider.key.sign(&header, &claims(provider, &changes))
        });
        assert_eq!(status(&outcome), if is_good { 303 } else { 400 }, "{changes}: {outcome:?} {:?}", scene.world.log);
        assert_eq!(scene.is_logged_in(), is_good, "{changes}");
    }
}

/// RFC 8725 §2.1, §3.1: the issuer's keys and their algorithms, and nothing that the token says of itself.
#[test]
fn an_id_token_is_signed_by_a_key_of_its_issuer() {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let unsigned = |provider: &Provider, header: &Value, signature: &str| {
        format!("{}.{}.{signature}", part(header), part(&claims(provider, &json!({}))))
    };
    let hmac = |provider: &Provider, secret: &[u8]| {
        use hmac_of::sign;
        let input = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(&claims(provider, &json!({}))));
        format!("{input}.{}", base64url::encode(&sign(secret, input.as_bytes())))
    };
    let forgers: [(&str, Forge<'_>); 11] = [
        ("none", &|provider| unsigned(provider, &json!({"alg": "none"}), "")),
        ("None", &|provider| unsigned(provider, &json!({"alg": "None"}), "")),
        ("nothing", &|provider| unsigned(provider, &json!({}), "")),
        ("empty signature", &|provider| unsigned(provider, &json!({"alg": ES256, "kid": "a"}), "")),
        ("zero signature", &|provider| {
            unsigned(provider, &json!({"alg": ES256, "kid": "a"}), &base64url::encode(&[0; 64]))
        }),
        ("client secret", &|provider| hmac(provider, b"client-secret")),
        ("public key", &|provider| hmac(provider, &provider.key.point())),
        ("JWK in the header", &|provider| {
            let mallory = Key::new("m");
            mallory.sign(&json!({"alg": ES256, "kid": "a", "jwk": mallory.jwk()}), &claims(provider, &json!({})))
        }),
        ("jku", &|provider| {
            let header = json!({"alg": ES256, "kid": "a", "jku": "https://evil.example/jwks"});
            Key::new("m").sign(&header, &claims(provider, &json!({})))
        }),
        ("another key under this kid", &|provider| {
            Key::new("m").sign(&json!({"alg": ES256, "kid": "a"}), &claims(provider, &json!({})))
        }),
        ("JSON serialisation", &|provider| {
            let token = provider.key.sign(&json!({"alg": ES256, "kid": "a"}), &claims(provider, &json!({})));
            let parts: Vec<_> = token.split('.').collect();
            json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string()
        }),
    ];
    for (name, forge) in forgers {
        let (scene, outcome) = login_with_id_token(forge);
        assert_eq!(status(&outcome), 400, "{name}: {outcome:?} {:?}", scene.world.log);
        assert!(!scene.is_logged_in(), "{name}");
    }
}

/// HMAC-SHA-256 (RFC 2104), for a token that no key of an issuer may sign.
mod hmac_of {
    use jose::Hash;

    pub(super) fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
        let mut block = [0_u8; 64];
        let key = if key.len() > 64 { Hash::Sha256.digest(&[key]) } else { key.to_vec() };
        block[..key.len()].copy_from_slice(&key);
        let pad = |with: u8| block.map(|byte| byte ^ with);
        let inner = Hash::Sha256.digest(&[&pad(0x36), text]);
        Hash::Sha256.digest(&[&pad(0x5c), &inner])
    }
}

/// Another issuer of this gate, with keys of its own, signs for this login.
#[test]
fn keys_of_another_issuer_sign_nothing_here() {
    let mut scene = Scene::new(&json!({}));
    let mut config = super::two_logins();
    let other = Key::new("o");
    config["issuers"][1]["keys"] = json!({"inline": {"keys": [other.jwk()]}});
    config["login"] = json!([config["login"][0]]);
    scene.world = crate::browser::world(&config, &mut scene.provider);
    let back = scene.way_back();
    for issuer in ["https://other.example.com", ISSUER] {
        let outcome = scene.go_with(&back, |provider, fetch| {
            let id_token = other.sign(&json!({"alg": ES256, "kid": "o"}), &claims(provider, &json!({"iss": issuer})));
            (fetch.path == "/token").then(|| ("200", tokens(&id_token, &json!({}))))
        });
        assert_eq!(status(&outcome), 400, "{issuer}: {outcome:?}");
        assert!(!scene.is_logged_in());
    }
}

#[test]
fn an_answer_of_the_token_endpoint_that_is_odd_makes_no_session() {
    let good =
        |provider: &Provider| provider.key.sign(&json!({"alg": ES256, "kid": "a"}), &claims(provider, &json!({})));
    let with = |changes: Value| move |provider: &Provider| ("200", tokens(&good(provider), &changes));
    assert_eq!(status(&login_with(with(json!({}))).1), 303);
    for changes in [
        json!({"id_token": null}),
        json!({"id_token": ""}),
        json!({"id_token": 7}),
        json!({"id_token": ["a"]}),
        json!({"access_token": null}),
        json!({"access_token": ""}),
        json!({"access_token": "a\r\nx: y"}),
        json!({"access_token": "a b"}),
        json!({"access_token": {"a": 1}}),
        json!({"token_type": null}),
        json!({"token_type": "mac"}),
        json!({"token_type": "DPoP"}),
        json!({"refresh_token": 7}),
        json!({"error": "invalid_grant"}),
        json!({"error": {"code": 1}}),
        json!({"padding": "a".repeat(70_000)}),
    ] {
        let (scene, outcome) = login_with(with(changes.clone()));
        assert_eq!(status(&outcome), 400, "{changes}: {outcome:?}");
        assert!(!scene.is_logged_in(), "{changes}");
    }
    let texts: [Answers<'_>; 12] = [
        &|provider| ("200", tokens(&good(provider), &json!({})).replacen('{', r#"{"id_token":"x","#, 1)),
        &|provider| ("200", tokens(&good(provider), &json!({})).replacen('{', r#"{"access_token":"x","#, 1)),
        &|provider| ("200", tokens(&good(provider), &json!({})) + "x"),
        &|provider| ("200", format!("[{}]", tokens(&good(provider), &json!({})))),
        &|provider| ("302", tokens(&good(provider), &json!({}))),
        &|provider| ("201", tokens(&good(provider), &json!({}))),
        &|provider| ("204", tokens(&good(provider), &json!({}))),
        &|provider| ("400", tokens(&good(provider), &json!({}))),
        &|provider| ("401", tokens(&good(provider), &json!({}))),
        &|_| ("200", String::new()),
        &|_| ("200", String::from("<html>")),
        &|_| ("200", String::from("access_token=a&token_type=bearer&id_token=b")),
    ];
    for (index, answer) in texts.into_iter().enumerate() {
        let (scene, outcome) = login_with(answer);
        assert_eq!(status(&outcome), 400, "{index}: {outcome:?}");
        assert!(!scene.is_logged_in(), "{index}");
    }
    let (scene, outcome) = login_with(|provider| ("500", tokens(&good(provider), &json!({}))));
    failed_as(&outcome, 503);
    assert!(!scene.is_logged_in());
}

fn with_userinfo() -> Value {
    let mut login = crate::browser::login(&json!({}))["login"].clone();
    merge(&mut login, &json!({"userinfo": true, "endpoints": {"userinfo": "https://idp.example.com/userinfo"}}));
    json!({
        "login": login,
        "identityHeaders": {"x-user": "$subject", "x-email": "email", "x-issuer": "$issuer", "x-groups": "groups"},
    })
}

#[test]
fn userinfo_of_another_user_makes_no_session() {
    let body = |changes: &str| format!(r#"{{"sub":"alice"{changes}}}"#);
    for (status_line, answer, is_good) in [
        ("200", body(""), true),
        ("200", String::from(r#"{"sub":"bob"}"#), false),
        ("200", String::from(r#"{"sub":"Alice"}"#), false),
        ("200", String::from(r#"{"sub":"alice "}"#), false),
        ("200", String::from("{}"), false),
        ("200", body(r#","sub":"alice""#), false),
        ("200", body(r#","email":"a","email":"b""#), false),
        ("200", String::from(r#"[{"sub":"alice"}]"#), false),
        ("302", body(""), false),
        ("401", body(""), false),
        ("200", format!(r#"{{"sub":"alice","x":"{}"}}"#, "a".repeat(70_000)), false),
        ("200", String::from("eyJhbGciOiJub25lIn0.e30."), false),
    ] {
        let mut scene = Scene::new(&with_userinfo());
        let back = scene.way_back();
        let outcome =
            scene.go_with(&back, |_, fetch| (fetch.path == "/userinfo").then(|| (status_line, answer.clone())));
        assert_eq!(status(&outcome) == 303, is_good, "{answer}: {outcome:?}");
        assert_eq!(scene.is_logged_in(), is_good, "{answer}");
    }
}

#[test]
fn userinfo_says_nothing_that_is_the_tokens() {
    let mut scene = Scene::new(&with_userinfo());
    let back = scene.way_back();
    let answer = json!({
        "sub": "alice", "iss": "https://evil.example", "aud": "other", "exp": NOW + 99_999_999, "iat": 1, "nbf": NOW + 999,
        "nonce": "x", "azp": "evil", "jti": "x", "email": "a@new.example", "groups": ["admins"],
    });
    let outcome = scene.go_with(&back, |_, fetch| (fetch.path == "/userinfo").then(|| ("200", answer.to_string())));
    assert_eq!(status(&outcome), 303, "{outcome:?}");
    let outcome = scene.fetch("/app");
    assert_eq!(outcome.seen("x-issuer"), [ISSUER]);
    assert_eq!(outcome.seen("x-email"), ["a@new.example"]);
}

/// Whose session it is stays so: a refresh that is answered for another user, client or issuer does not count.
#[test]
fn a_refresh_is_for_the_same_user() {
    for changes in [
        json!({"sub": "bob"}),
        json!({"sub": null}),
        json!({"iss": "https://other.example.com"}),
        json!({"aud": "other"}),
        json!({"aud": ["dashboard", "other"]}),
        json!({"azp": "other"}),
        json!({"nonce": "another"}),
        json!({"exp": NOW}),
        json!({"iat": NOW - 7_000}),
        json!({"at_hash": "A".repeat(22)}),
    ] {
        let mut scene = Scene::logged_in(&json!({}));
        scene.world.pass(Duration::from_secs(601));
        scene.provider.serve(&mut scene.world);
        let outcome = scene.browser.fetch(&mut scene.world, "/app");
        assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
        let outcome = scene.answer_with(outcome, |provider, fetch| {
            let now = json!({"iat": NOW + 601, "exp": NOW + 4_000});
            let mut claims = claims(provider, &now);
            merge(&mut claims, &changes);
            let id_token = provider.key.sign(&json!({"alg": ES256, "kid": "a"}), &claims);
            (fetch.path == "/token").then(|| ("200", tokens(&id_token, &json!({}))))
        });
        match &outcome {
            // It goes on for a while with what it had, as where the issuer cannot be reached.
            Outcome::Forwarded(_) => assert_eq!(outcome.seen("x-auth-request-user"), ["alice"], "{changes}"),
            _ => assert_eq!(outcome.summary(), "401 missing_token", "{changes}"),
        }
        let later = scene.fetch("/app");
        assert!(!is_forwarded(&later) || later.seen("x-auth-request-user") == ["alice"], "{changes}");
        assert_eq!(scene.world.metrics.get("jotgate_sessions_refreshed").copied().unwrap_or_default(), 0, "{changes}");
    }
}

/// OpenID Connect Core 1.0 §12.2: a nonce that comes back is that of the login, though none came with a refresh between.
#[test]
fn a_nonce_outlives_a_refresh_without_one() {
    for (is_right, refreshes) in [(true, 2), (false, 1)] {
        let mut scene = Scene::logged_in(&json!({}));
        let right = scene.provider.nonce.clone();
        for (round, nonce) in [json!(null), json!(if is_right { &right } else { "another" })].iter().enumerate() {
            scene.world.pass(Duration::from_secs(601));
            scene.provider.serve(&mut scene.world);
            let outcome = scene.browser.fetch(&mut scene.world, "/app");
            assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
            let now = scene.world.now.since_epoch().as_secs();
            let outcome = scene.answer_with(outcome, |provider, fetch| {
                let claims = claims(provider, &json!({"nonce": nonce, "iat": now, "exp": now + 4_000}));
                let id_token = provider.key.sign(&json!({"alg": ES256, "kid": "a"}), &claims);
                (fetch.path == "/token").then(|| ("200", tokens(&id_token, &json!({"refresh_token": "again"}))))
            });
            assert!(is_forwarded(&outcome), "round {round}: {outcome:?}");
            let lines = scene.world.respond(scene.world.last(), &[(":status", "200")]);
            scene.browser.keep_lines(&lines);
        }
        let refreshed = scene.world.metrics.get("jotgate_sessions_refreshed").copied();
        assert_eq!(refreshed, Some(refreshes), "{is_right}");
    }
}

/// The nonce is the ID token's, wherever claims come from: that of an access token is none.
#[test]
fn a_nonce_is_kept_where_claims_come_from_access_tokens() {
    for is_right in [true, false] {
        let mut config = crate::browser::login(&json!({}));
        config["login"]["claimsFrom"] = json!("accessToken");
        let mut scene = Scene::of(&config);
        let back = scene.way_back();
        let answer = |provider: &mut Provider, nonce: &str, now: u64| {
            let claims = claims(provider, &json!({"nonce": nonce, "iat": now, "exp": now + 4_000}));
            let id_token = provider.key.sign(&json!({"alg": ES256, "kid": "a"}), &claims);
            let access_token = provider.key.token(&json!({"nonce": "of its own", "exp": now + 4_000}));
            ("200", tokens(&id_token, &json!({"access_token": access_token})))
        };
        let right = scene.provider.nonce.clone();
        scene.go_with(&back, |provider, fetch| (fetch.path == "/token").then(|| answer(provider, &right, NOW)));
        assert!(scene.is_logged_in());
        scene.world.pass(Duration::from_secs(601));
        scene.provider.serve(&mut scene.world);
        let outcome = scene.browser.fetch(&mut scene.world, "/app");
        let nonce = if is_right { &right } else { "another" };
        let outcome = scene.answer_with(outcome, |provider, fetch| {
            (fetch.path == "/token").then(|| answer(provider, nonce, NOW + 601))
        });
        assert!(is_forwarded(&outcome), "{outcome:?}");
        let refreshed = scene.world.metrics.get("jotgate_sessions_refreshed").copied();
        assert_eq!(refreshed, is_right.then_some(1), "{:?}", scene.world.log);
    }
}

/// What is signed by nobody renews nothing either.
#[test]
fn a_refresh_with_a_forged_token_renews_nothing() {
    let mut scene =
        Scene::logged_in(&json!({"rules": [{"name": "all", "access": {"claims": {"admin": {"equals": true}}}}]}));
    assert_eq!(scene.fetch("/app").summary(), "403 access_denied");
    scene.world.pass(Duration::from_secs(601));
    scene.provider.serve(&mut scene.world);
    let outcome = scene.browser.fetch(&mut scene.world, "/app");
    let outcome = scene.answer_with(outcome, |provider, fetch| {
        let claims = claims(provider, &json!({"iat": NOW + 601, "exp": NOW + 4_000, "admin": true}));
        let id_token = Key::new("m").sign(&json!({"alg": ES256, "kid": "a"}), &claims);
        (fetch.path == "/token").then(|| ("200", tokens(&id_token, &json!({}))))
    });
    assert!(!is_forwarded(&outcome), "{outcome:?}");
}

/// A client assertion or secret goes to the configured cluster alone, whatever discovery says where the endpoint is.
#[test]
fn secrets_go_to_the_configured_cluster_alone() {
    let mut scene = Scene::new(&json!({}));
    let back = scene.way_back();
    let outcome = scene.browser.navigate(&mut scene.world, &back);
    assert!(matches!(outcome, Outcome::Waiting));
    let fetch = &scene.world.fetches[0];
    assert_eq!((&*fetch.cluster, &*fetch.authority, fetch.scheme), ("idp", "idp.example.com", "https"));
}
