//! ID tokens, claim by claim.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::testing::{ED25519, P256, with_token};
use jose::Algorithm;

/// OpenID Connect Core 1.0 A.3.
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";
const NONCE: &str = "n-0S6_WzA2Mj";

/// Claims of OpenID Connect Core 1.0 A.3, as those of a code flow.
const CLAIMS: &str = r#"{"iss":"http://server.example.com","sub":"248289761001","aud":"s6BhdRkqt3","nonce":"n-0S6_WzA2Mj","exp":1311281970,"iat":1311280970,"at_hash":"77QmUPtjPfzWtF2AnpK9RQ"}"#;
const NOW: u64 = 1_311_280_970;

fn check_at(claims: &str, now: u64, max_age: Option<u64>) -> Result<(), IdTokenError> {
    let (access_token, nonce) = (Secret::new(ACCESS_TOKEN), Secret::new(NONCE));
    let context = context(&access_token, now);
    let login = Login { nonce: &nonce, max_age: max_age.map(Duration::from_secs) };
    with_token(P256, claims, |token| check(token, &context, &login))
}

fn check_claims(claims: &str) -> Result<(), IdTokenError> {
    check_at(claims, NOW, None)
}

fn check_refresh(claims: &str) -> Result<(), IdTokenError> {
    let (access_token, nonce) = (Secret::new(ACCESS_TOKEN), Secret::new(NONCE));
    let original = Original { issuer: "http://server.example.com", subject: "248289761001", nonce: Some(&nonce) };
    with_token(P256, claims, |token| check_refreshed(token, &context(&access_token, NOW), &original))
}

fn context(access_token: &Secret, now: u64) -> Context<'_> {
    let clock_skew = Duration::from_secs(30);
    Context { client_id: "s6BhdRkqt3", access_token, now: Duration::from_secs(now), clock_skew }
}

fn with(from: &str, to: &str) -> String {
    assert!(CLAIMS.contains(from), "{from}");
    CLAIMS.replace(from, to)
}

fn wrong(claim: &'static str, expected: &'static str, found: Kind) -> Result<(), IdTokenError> {
    Err(IdTokenError::Type { claim, expected, found })
}

#[test]
fn the_example_of_openid_connect_is_accepted() {
    assert_eq!(check_claims(CLAIMS), Ok(()));
    assert_eq!(check_refresh(CLAIMS), Ok(()));
}

#[test]
fn at_hash_has_the_hash_of_the_algorithm() {
    assert_eq!(access_token_hash(Algorithm::Rs256, ACCESS_TOKEN), AT_HASH);
    // The first halves of SHA-384 and SHA-512.
    let halves = [(Algorithm::Es384, 32), (Algorithm::Es512, 43), (Algorithm::EdDsa, 43), (Algorithm::Ps256, 22)];
    for (algorithm, characters) in halves {
        assert_eq!(access_token_hash(algorithm, ACCESS_TOKEN).len(), characters, "{algorithm}");
    }
    for check in [check_claims, check_refresh] {
        assert_eq!(check(&with(AT_HASH, "77QmUPtjPfzWtF2AnpK9RR")), Err(IdTokenError::AccessTokenHash));
        assert_eq!(check(&with(AT_HASH, "")), Err(IdTokenError::AccessTokenHash));
        assert_eq!(check(&with(r#""77QmUPtjPfzWtF2AnpK9RQ""#, "1")), wrong("at_hash", "a string", Kind::Number));
        assert_eq!(check(&with(r#""77QmUPtjPfzWtF2AnpK9RQ""#, "null")), Ok(()), "null is absent");
        assert_eq!(check(&with(r#","at_hash":"77QmUPtjPfzWtF2AnpK9RQ""#, "")), Ok(()), "it is optional");
    }
    // By EdDSA the same claim is wrong, and the half of SHA-512 is right.
    let (access_token, nonce) = (Secret::new(ACCESS_TOKEN), Secret::new(NONCE));
    let (context, login) = (context(&access_token, NOW), Login { nonce: &nonce, max_age: None });
    let check = |claims: &str| with_token(ED25519, claims, |token| check(token, &context, &login));
    assert_eq!(check(CLAIMS), Err(IdTokenError::AccessTokenHash));
    assert_eq!(check(&with(AT_HASH, &access_token_hash(Algorithm::EdDsa, ACCESS_TOKEN))), Ok(()));
}

#[test]
fn aud_names_the_client_and_azp_does_where_there_are_others() {
    let party = |found: Option<&str>| {
        let expected = "s6BhdRkqt3".to_string();
        Err(IdTokenError::AuthorizedParty { expected, found: found.map(ToString::to_string) })
    };
    let audience = || Err(IdTokenError::Audience { expected: "s6BhdRkqt3".into() });
    for (aud, verdict) in [
        (r#"["s6BhdRkqt3"]"#, Ok(())),
        (r#""s6BhdRkqt3","azp":"s6BhdRkqt3""#, Ok(())),
        (r#"["s6BhdRkqt3","other"],"azp":"s6BhdRkqt3""#, Ok(())),
        (r#"["other","s6BhdRkqt3"]"#, party(None)),
        (r#"["other","s6BhdRkqt3"],"azp":"other""#, party(Some("other"))),
        (r#""s6BhdRkqt3","azp":"other""#, party(Some("other"))),
        (r#""s6BhdRkqt3","azp":"""#, party(Some(""))),
        (r#""s6BhdRkqt3","azp":null"#, Ok(())),
        (r#"["s6BhdRkqt3","other"],"azp":null"#, party(None)),
        ("null", Err(IdTokenError::Missing("aud"))),
        (r#""s6BhdRkqt3","azp":["s6BhdRkqt3"]"#, wrong("azp", "a string", Kind::Array)),
        (r#""s6BhdRkqt3 ""#, audience()),
        (r#""S6BHDRKQT3""#, audience()),
        (r#""other","azp":"s6BhdRkqt3""#, audience()),
        ("[]", audience()),
        ("1", wrong("aud", "a string or a list of strings", Kind::Number)),
        (r#"["s6BhdRkqt3",1]"#, wrong("aud", "a string or a list of strings", Kind::Array)),
    ] {
        for check in [check_claims, check_refresh] {
            assert_eq!(check(&with(r#""s6BhdRkqt3""#, aud)), verdict, "{aud}");
        }
    }
    assert_eq!(check_claims(&with(r#""aud":"s6BhdRkqt3","#, "")), Err(IdTokenError::Missing("aud")));
}

#[test]
fn nonce_is_that_of_the_login() {
    let without = with(r#""nonce":"n-0S6_WzA2Mj","#, "");
    assert_eq!(check_claims(&without), Err(IdTokenError::Missing("nonce")));
    assert_eq!(check_refresh(&without), Ok(()), "a refreshed token may lack it");
    for check in [check_claims, check_refresh] {
        for other in ["", "n-0S6_WzA2Mk", "n-0S6_WzA2Mj ", "N-0S6_WzA2Mj"] {
            assert_eq!(check(&with(NONCE, other)), Err(IdTokenError::Nonce), "{other}");
        }
        assert_eq!(check(&with(r#""n-0S6_WzA2Mj""#, "[]")), wrong("nonce", "a string", Kind::Array));
    }
    let null = with(r#""n-0S6_WzA2Mj""#, "null");
    assert_eq!((check_claims(&null), check_refresh(&null)), (Err(IdTokenError::Missing("nonce")), Ok(())));
}

#[test]
fn a_token_was_issued_just_now() {
    for (now, verdict) in [
        (NOW - 31, Err(IdTokenError::Future("iat"))),
        (NOW - 30, Ok(())),
        (NOW + 630, Ok(())),
        (NOW + 631, Err(IdTokenError::Old)),
    ] {
        assert_eq!(check_at(CLAIMS, now, None), verdict, "{now}");
    }
    for check in [check_claims, check_refresh] {
        assert_eq!(check(&with(r#""iat":1311280970,"#, "")), Err(IdTokenError::Missing("iat")));
        assert_eq!(check(&with("1311280970", r#""1311280970""#)), wrong("iat", "a date", Kind::String));
        assert_eq!(check(&with("1311280970", "-1")), wrong("iat", "a date", Kind::Number));
        assert_eq!(check(&with("1311280970", "0")), Err(IdTokenError::Old));
        assert_eq!(check(&with("1311280970", "9007199254740992")), Err(IdTokenError::Future("iat")));
    }
}

#[test]
fn with_max_age_the_user_logged_in_within_it() {
    let at = |auth_time: &str| with(r#""exp""#, &format!(r#""auth_time":{auth_time},"exp""#));
    let long_ago = || Err(IdTokenError::AuthenticationTime { max_age: Duration::from_hours(1) });
    for (auth_time, verdict) in [
        ((NOW - 3630).to_string(), Ok(())),
        ((NOW - 3631).to_string(), long_ago()),
        ("0".into(), long_ago()),
        ((NOW + 30).to_string(), Ok(())),
        ((NOW + 31).to_string(), Err(IdTokenError::Future("auth_time"))),
        ("null".into(), Err(IdTokenError::Missing("auth_time"))),
        (format!("\"{NOW}\""), wrong("auth_time", "a date", Kind::String)),
    ] {
        assert_eq!(check_at(&at(&auth_time), NOW, Some(3600)), verdict, "{auth_time}");
        assert_eq!(check_at(&at(&auth_time), NOW, None), Ok(()), "nobody asked");
    }
    assert_eq!(check_at(CLAIMS, NOW, Some(3600)), Err(IdTokenError::Missing("auth_time")));
    assert_eq!(check_at(CLAIMS, NOW, Some(u64::MAX)), Err(IdTokenError::Missing("auth_time")));
}

#[test]
fn a_refreshed_token_is_of_the_same_user_and_issuer() {
    for (from, to, error) in [
        ("248289761001", "248289761002", IdTokenError::Subject),
        (r#""sub":"248289761001","#, "", IdTokenError::Missing("sub")),
        ("248289761001", "", IdTokenError::Missing("sub")),
        (r#""iss":"http://server.example.com","#, "", IdTokenError::Missing("iss")),
        (
            "http://server.example.com",
            "http://server.example.com/",
            IdTokenError::Issuer {
                expected: "http://server.example.com".into(),
                found: "http://server.example.com/".into(),
            },
        ),
    ] {
        assert_eq!(check_refresh(&with(from, to)), Err(error), "{from} {to}");
    }
    assert_eq!(check_claims(&with(r#""sub":"248289761001","#, "")), Err(IdTokenError::Missing("sub")));
    assert_eq!(check_claims(&with(r#""248289761001""#, "7")), wrong("sub", "a string", Kind::Number));
}

#[test]
fn nothing_secret_is_shown() {
    let (access_token, nonce) = (Secret::new(ACCESS_TOKEN), Secret::new(NONCE));
    let original = Original { issuer: "i", subject: "s", nonce: Some(&nonce) };
    let login = Login { nonce: &nonce, max_age: None };
    let shown = format!("{:?} {original:?} {login:?}", context(&access_token, NOW));
    assert!(!shown.contains(ACCESS_TOKEN) && !shown.contains(NONCE), "{shown}");
    for (from, to) in [(NONCE, "hunter2"), (AT_HASH, "hunter2"), ("248289761001", "hunter2")] {
        let error = check_refresh(&with(from, to)).expect_err(from);
        let shown = format!("{error} {error:?}");
        assert!(![NONCE, AT_HASH, "248289761001", "hunter2"].iter().any(|text| shown.contains(text)), "{shown}");
    }
}
