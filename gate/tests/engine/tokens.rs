//! Verification: each reason of the contract, and their order.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use jose::base64url;
use serde_json::json;

use crate::support::{ISSUER, Key, NOW, World, fetched, inline, merge};

fn verdict(changes: &serde_json::Value) -> String {
    World::new(&inline(&json!({}))).with_token(&Key::new("a").token(changes)).summary()
}

/// With `changes` to the issuer.
fn verdict_of(issuer: &serde_json::Value, token: &str) -> String {
    let mut config = inline(&json!({}));
    merge(&mut config["issuers"][0], issuer);
    World::new(&config).with_token(token).summary()
}

#[test]
fn a_good_token_passes() {
    assert_eq!(verdict(&json!({})), "ok");
    assert_eq!(verdict(&json!({"aud": ["other", "api"]})), "ok");
}

#[test]
fn the_issuer_must_be_configured_byte_for_byte() {
    assert_eq!(verdict(&json!({"iss": null})), "401 unknown_issuer");
    assert_eq!(verdict(&json!({"iss": format!("{ISSUER}/")})), "401 unknown_issuer");
    assert_eq!(verdict(&json!({"iss": [ISSUER]})), "401 bad_claim");
}

#[test]
fn a_token_expires_at_exp_plus_skew() {
    assert_eq!(verdict(&json!({"exp": NOW - 59})), "ok");
    assert_eq!(verdict(&json!({"exp": NOW - 60})), "401 expired");
    let without_skew =
        |exp: serde_json::Value| verdict_of(&json!({"clockSkew": "0s"}), &Key::new("a").token(&json!({"exp": exp})));
    assert_eq!(without_skew(json!(NOW)), "401 expired");
    assert_eq!(without_skew(json!(NOW + 1)), "ok");
}

#[test]
fn a_token_without_exp_is_refused_unless_it_may_have_none() {
    assert_eq!(verdict(&json!({"exp": null})), "401 bad_claim");
    assert_eq!(verdict_of(&json!({"requireExpiration": false}), &Key::new("a").token(&json!({"exp": null}))), "ok");
}

#[test]
fn exp_is_a_number_of_seconds() {
    for bad in [json!("1900000000"), json!(true), json!([1]), json!({}), json!(-1), json!(1e300)] {
        assert_eq!(verdict(&json!({"exp": bad})), "401 bad_claim", "{bad}");
    }
}

#[test]
fn nbf_and_iat_may_not_lie_in_the_future() {
    for claim in ["nbf", "iat"] {
        assert_eq!(verdict(&json!({claim: NOW + 60})), "ok");
        assert_eq!(verdict(&json!({claim: NOW + 61})), "401 not_yet_valid");
        assert_eq!(verdict(&json!({claim: "soon"})), "401 bad_claim");
    }
}

#[test]
fn a_lifetime_needs_both_ends_and_has_a_limit() {
    let limited = |changes| verdict_of(&json!({"maxLifetime": "1h"}), &Key::new("a").token(&changes));
    assert_eq!(limited(json!({"iat": NOW, "exp": NOW + 3600})), "ok");
    assert_eq!(limited(json!({"iat": NOW, "exp": NOW + 3601})), "401 lifetime_too_long");
    assert_eq!(limited(json!({"iat": null})), "401 bad_claim");
}

#[test]
fn the_audience_must_be_named() {
    for audience in [json!("other"), json!(""), json!([]), json!(["other"]), json!(null)] {
        assert_eq!(verdict(&json!({"aud": audience})), "401 wrong_audience", "{audience}");
    }
    assert_eq!(verdict(&json!({"aud": 1})), "401 bad_claim");
    assert_eq!(verdict_of(&json!({"audiences": "any"}), &Key::new("a").token(&json!({"aud": null}))), "ok");
}

#[test]
fn the_type_is_checked_where_types_are_listed() {
    let typed = |typ| {
        let token = Key::new("a").sign(
            &json!({"alg": "ES256", "kid": "a", "typ": typ}),
            &json!({"iss": ISSUER, "aud": "api", "exp": NOW + 9}),
        );
        verdict_of(&json!({"tokenTypes": ["at+jwt"]}), &token)
    };
    assert_eq!(typed("application/AT+JWT"), "ok");
    assert_eq!(typed("JWT"), "401 wrong_type");
}

#[test]
fn algorithms_and_extensions_that_are_not_supported_are_refused() {
    let key = Key::new("a");
    let claims = json!({"iss": ISSUER, "aud": "api", "exp": NOW + 9});
    let header = |header| World::new(&inline(&json!({}))).with_token(&key.sign(&header, &claims)).summary();
    assert_eq!(header(json!({"alg": "ES256"})), "ok", "without a kid every key is tried");
    for alg in ["none", "None", "HS256", "ES384", "es256", ""] {
        assert_eq!(header(json!({"alg": alg, "kid": "a"})), "401 unsupported_algorithm", "{alg}");
    }
    assert_eq!(header(json!({"alg": "EdDSA", "kid": "a"})), "401 unsupported_algorithm", "the key decides");
    assert_eq!(header(json!({"alg": "ES256", "kid": "a", "crit": ["exp"]})), "401 unsupported_algorithm");
    assert_eq!(header(json!({"alg": "ES256", "kid": "a", "b64": false})), "401 unsupported_algorithm");
    assert_eq!(verdict_of(&json!({"algorithms": ["RS256"]}), &key.token(&json!({}))), "401 unsupported_algorithm");
    for broken in [
        json!({"kid": "a"}),
        json!({"alg": 1}),
        json!({"alg": "ES256", "kid": 1}),
        json!({"alg": "ES256", "typ": {}}),
        json!([]),
    ] {
        assert_eq!(header(broken.clone()), "401 malformed_token", "{broken}");
    }
}

#[test]
fn a_signature_must_fit_the_key_that_is_named() {
    let (known, foreign) = (Key::new("a"), Key::new("b"));
    let claims = json!({"iss": ISSUER, "aud": "api", "exp": NOW + 9});
    let mut world = World::new(&inline(&json!({})));
    assert_eq!(world.with_token(&foreign.token(&json!({}))).summary(), "401 unknown_key");
    assert_eq!(
        world.with_token(&foreign.sign(&json!({"alg": "ES256", "kid": "a"}), &claims)).summary(),
        "401 bad_signature"
    );
    assert_eq!(world.with_token(&foreign.sign(&json!({"alg": "ES256"}), &claims)).summary(), "401 bad_signature");
    assert_eq!(
        world.with_token(&known.sign(&json!({"alg": "ES256", "kid": ""}), &claims)).summary(),
        "401 unknown_key",
        "an empty `kid` names no key: no other is tried"
    );
}

#[test]
fn any_flipped_bit_is_refused() {
    let token = Key::new("a").token(&json!({"scope": "x"}));
    let mut world = World::new(&inline(&json!({})));
    for position in (0..token.len()).step_by(5) {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert_ne!(world.with_token(&changed).summary(), "ok", "bit {bit} at {position}");
        }
    }
}

#[test]
fn what_is_no_token_is_malformed_and_what_is_long_is_not_looked_at() {
    let mut world = World::new(&inline(&json!({"limits": {"tokenBytes": 400}})));
    for text in ["a", "a.b", "a.b.c", "..", "....", "é.é.é", "e30.e30.", "bnVsbA.e30.", "\u{0}"] {
        assert_eq!(world.with_token(text).summary(), "401 malformed_token", "{text}");
    }
    assert_eq!(world.with_token(&".".repeat(401)).summary(), "401 token_too_large");
    assert_eq!(world.with_token(&".".repeat(400)).summary(), "401 malformed_token");
}

#[test]
fn the_first_failure_gives_the_reason() {
    let foreign = Key::new("b");
    let sign = |changes| {
        let mut claims = json!({"iss": ISSUER, "aud": "wrong", "exp": 1, "nbf": NOW * 2, "scope": 1});
        merge(&mut claims, &changes);
        Key::new("a").sign(&json!({"alg": "ES256", "kid": "a"}), &claims)
    };
    let verdict = |token: &str| World::new(&inline(&json!({}))).with_token(token).summary();
    assert_eq!(verdict(&foreign.token(&json!({"exp": 1, "iss": "x"}))), "401 unknown_issuer");
    assert_eq!(verdict(&sign(json!({}))), "401 bad_claim", "types come before dates");
    assert_eq!(verdict(&sign(json!({"scope": null}))), "401 expired");
    assert_eq!(verdict(&sign(json!({"scope": null, "exp": NOW + 9}))), "401 not_yet_valid");
    assert_eq!(verdict(&sign(json!({"scope": null, "exp": NOW + 9, "nbf": null}))), "401 wrong_audience");
}

/// A token whose MAC is made with `secret`.
fn mac_token(header: &serde_json::Value, secret: &[u8]) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let part = |value: &serde_json::Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(&json!({"iss": ISSUER, "aud": "api", "exp": NOW + 9})));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("takes any").chain_update(&input);
    format!("{input}.{}", base64url::encode(&mac.finalize().into_bytes()))
}

#[test]
fn a_mac_needs_an_inline_secret_and_an_issuer_that_lists_its_algorithm() {
    let secret = [7; 40];
    let keys =
        json!({"inline": {"keys": [{"kty": "oct", "kid": "m", "k": base64url::encode(&secret)}, Key::new("a").jwk()]}});
    let listed = json!({"keys": keys, "algorithms": ["HS256", "ES256"]});
    let token = mac_token(&json!({"alg": "HS256", "kid": "m"}), &secret);
    assert_eq!(verdict_of(&listed, &token), "ok");
    assert_eq!(verdict_of(&listed, &mac_token(&json!({"alg": "HS256"}), &secret)), "ok");
    assert_eq!(verdict_of(&json!({"keys": keys}), &token), "401 unsupported_algorithm", "it is not listed");
    assert_eq!(
        verdict_of(&json!({"algorithms": ["HS256", "ES256"]}), &token),
        "401 unsupported_algorithm",
        "no secret"
    );
    assert_eq!(verdict_of(&listed, &mac_token(&json!({"alg": "HS256", "kid": "m"}), &[8; 40])), "401 bad_signature");
    assert_eq!(verdict_of(&listed, &mac_token(&json!({"alg": "HS256", "kid": "m"}), b"")), "401 bad_signature");
    let mut config = inline(&json!({}));
    config["issuers"][0]["algorithms"] = json!(["ES256", "HS256"]);
    let warning = "issuer `main`: `HS256` has no effect: it needs an inline `oct` key as long as its hash";
    assert_eq!(World::new(&config).log, [warning]);
    let longer = mac_token(&json!({"alg": "HS512", "kid": "m"}), &secret);
    let with_512 = json!({"keys": keys, "algorithms": ["HS256", "HS512"]});
    assert_eq!(verdict_of(&with_512, &longer), "401 unsupported_algorithm", "the secret is too short for it");
    // What everyone knows is no secret: neither the public key nor its encodings.
    for public in [Key::new("a").jwk().to_string().into_bytes(), Key::new("a").point()] {
        let confused = mac_token(&json!({"alg": "HS256", "kid": "a"}), &public);
        assert_eq!(verdict_of(&listed, &confused), "401 unsupported_algorithm");
        let confused = mac_token(&json!({"alg": "HS256"}), &public);
        assert_eq!(verdict_of(&listed, &confused), "401 bad_signature");
    }
}

#[test]
fn invalid_inline_keys_are_logged() {
    let mut config = inline(&json!({}));
    let entries = config["issuers"][0]["keys"]["inline"]["keys"].as_array_mut().expect("is a list");
    let mut private = Key::new("b").jwk();
    merge(&mut private, &json!({"d": "AA"}));
    entries.extend([private, json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})]);
    assert_eq!(
        World::new(&config).log,
        [
            "issuer `main`: skipped: keys[1]: it is a private key: it is compromised and has to be replaced",
            "issuer `main`: skipped: keys[2]: its modulus has 17 bits, expected 2048 to 8192",
        ]
    );
}

#[test]
fn a_published_symmetric_key_is_rejected() {
    let secret = [7; 40];
    let mut config = fetched(&json!({}), &json!({}));
    config["issuers"][0]["algorithms"] = json!(["HS256", "ES256"]);
    let mut world = World::new(&config);
    let published = json!({"keys": [{"kty": "oct", "kid": "m", "k": base64url::encode(&secret)}, Key::new("a").jwk()]});
    world.answer("200", &published.to_string());
    let token = mac_token(&json!({"alg": "HS256", "kid": "m"}), &secret);
    assert_eq!(world.with_token(&token).summary(), "401 unsupported_algorithm");
    assert!(world.fetches.is_empty(), "and nothing to fetch again for");
    assert!(world.log.iter().any(|line| line.contains("keys[0]: it is a symmetric key")), "{:?}", world.log);
}
