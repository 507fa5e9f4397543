//! Answers of an issuer that are no key set: each belongs to an issuer of its own, in one configuration.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use testbed::keys::{Algorithm, SigningKey, jwk_set};
use testbed::mint::{base64url, merge, object};

use crate::exchange::Request;
use crate::mint::{Claims, own_key, sign};
use crate::run::{Host, Run};
use crate::setting::{OWN_KEYS, STRANGER, Setting, add_rules, fetched};

/// The case that an answer belongs to, the name of its issuer, status and body.
pub(crate) fn bad_answers() -> Vec<(&'static str, String, u16, Vec<u8>)> {
    let (set, key) = (strangers_set().to_string(), STRANGER.public_jwk().to_string());
    let shapes = [
        ("empty", String::new()),
        ("object", "{}".into()),
        ("array", "[]".into()),
        ("null", "null".into()),
        ("keys-null", r#"{"keys":null}"#.into()),
        ("keys-object", r#"{"keys":{}}"#.into()),
        ("keys-text", r#"{"keys":"x"}"#.into()),
        ("keys-odd", r#"{"keys":[null,1,"x",[]]}"#.into()),
        ("keys-capital", set.replace("keys", "Keys")),
        ("keys-alone", format!("[{key}]")),
        ("key-alone", key.clone()),
        // What the catalogue does not name.
        ("keys-empty", r#"{"keys":[]}"#.into()),
        ("keys-nested", format!(r#"{{"keys":[[{key}]]}}"#)),
        ("keys-twice", format!(r#"{{"keys":[],"keys":[{key}]}}"#)),
        ("keys-once-more", format!(r#"{{"keys":[{key}],"keys":[]}}"#)),
        ("comma", format!(r#"{{"keys":[{key},]}}"#)),
        ("trailer", format!("{set}x")),
        ("two-sets", format!("{set}{set}")),
        ("cut", set[..set.len() - 1].into()),
        ("comment", format!("/**/{set}")),
        ("mark", format!("\u{feff}{set}")),
        ("nul", format!("{set}\0")),
        ("member-twice", set.replacen("{\"", "{\"kid\":\"x\",\"", 2).replacen("{\"kid\":\"x\",", "{", 1)),
        ("private", set.replacen("\"kty\"", "\"d\":\"AQ\",\"kty\"", 1)),
        ("in-text", Value::String(set.clone()).to_string()),
        ("utf16", set.chars().flat_map(|character| [character, '\0']).collect()),
    ];
    let html = ("JWK-001", "html".to_owned(), 200, b"<html>login</html>".to_vec());
    let shapes = shapes.into_iter().map(|(name, body)| ("JWK-003", name.to_owned(), 200, body.into_bytes()));
    let statuses = [500, 404, 401, 204, 206, 304, 201, 203, 302, 403, 429, 503];
    let statuses = statuses.map(|status| ("JWK-007", format!("status-{status}"), status, set.clone().into_bytes()));
    std::iter::once(html).chain(shapes).chain(statuses).collect()
}

/// The key set that some of the answers hold, which is good in itself.
pub(crate) fn strangers_set() -> Value {
    jwk_set([&*STRANGER])
}

/// An issuer for each bad answer, and `fine` beside them.
pub(crate) fn setting() -> Setting {
    let fine = ("", "fine".to_owned(), 200, strangers_set().to_string().into_bytes());
    let answers: Vec<_> = bad_answers().into_iter().chain([fine]).collect();
    let issuers: Vec<_> = answers.iter().map(|(_, name, ..)| issuer(name)).collect();
    let served = answers.into_iter().map(|(_, name, status, body)| (format!("/{name}"), (status, body)));
    let mut config = json!({"issuers": issuers, "limits": {"waitFor": "100ms"}});
    add_rules(&mut config);
    Setting { name: "key-sets".into(), config, served: served.collect() }
}

/// An issuer whose keys are fetched from the path of its name.
pub(crate) fn issuer(name: &str) -> Value {
    json!({
        "name": name, "issuer": format!("https://{name}.example"), "audiences": ["api"],
        "keys": fetched(&format!("/{name}")),
    })
}

/// JWK-001, JWK-003, JWK-007: no keys are had from such answers, and other issuers do not suffer.
pub(crate) fn all<H: Host>(run: &mut Run<'_, H>) {
    let setting = setting();
    for id in ["JWK-001", "JWK-003", "JWK-007"] {
        run.case(id, |run| {
            for (_, name, ..) in bad_answers().iter().filter(|(case, ..)| *case == id) {
                let token = Claims::of(name, run.host.now()).strangers_token();
                run.expect(name, &setting, &Request::get("/api/x").bearer(&token), "keys_unavailable");
            }
            run.expect_good(id, &setting);
        });
    }
}

/// Entries of a set that are no keys to verify with: their `kid`, the key that signs for them, and the change.
static ODD_KEYS: LazyLock<Vec<(&str, SigningKey, Value)>> = LazyLock::new(|| {
    let [rsa, ec, okp] = ["RS256", "ES256", "EdDSA"].map(|algorithm| own_key(algorithm).clone());
    let zeros = |count| base64url(vec![0; count]);
    vec![
        ("enc", rsa.clone(), json!({"use": "enc"})),
        ("use-number", rsa.clone(), json!({"use": 1})),
        ("use-capital", rsa.clone(), json!({"use": "SIG"})),
        ("ops-sign", rsa.clone(), json!({"use": null, "key_ops": ["sign"]})),
        ("ops-empty", rsa.clone(), json!({"key_ops": []})),
        ("ops-text", rsa.clone(), json!({"key_ops": "verify"})),
        ("alg-other", rsa.clone(), json!({"alg": "RSA-OAEP"})),
        ("alg-none", rsa.clone(), json!({"alg": "none"})),
        ("alg-hmac", rsa.clone(), json!({"alg": "HS256"})),
        ("alg-number", rsa.clone(), json!({"alg": 256})),
        ("kty-small", rsa.clone(), json!({"kty": "rsa"})),
        ("kty-other", rsa.clone(), json!({"kty": "EC"})),
        ("kty-oct", rsa.clone(), json!({"kty": "oct", "k": zeros(32)})),
        ("private", rsa.clone(), json!({"d": "AQAB"})),
        ("n-padded", rsa.clone(), json!({"n": format!("{}==", rsa.public_jwk()["n"].as_str().unwrap())})),
        ("n-number", rsa.clone(), json!({"n": 1})),
        ("n-zero", rsa.clone(), json!({"n": zeros(256)})),
        ("e-one", rsa.clone(), json!({"e": "AQ"})),
        ("e-three", rsa.clone(), json!({"e": "Aw"})),
        ("e-even", rsa.clone(), json!({"e": "AQAA"})),
        ("e-long", rsa.clone(), json!({"e": "AQAAAAAB"})),
        ("e-32-bits", rsa.clone(), json!({"e": "_____w"})),
        ("e-large", rsa.clone(), json!({"e": "AgAB"})),
        ("e-large-even", rsa.clone(), json!({"e": "AgAA"})),
        ("e-below", rsa.clone(), json!({"e": "__8"})),
        ("rsa-8200", rsa.clone(), json!({"n": base64url([0xff; 1025])})),
        ("e-empty", rsa, json!({"e": ""})),
        ("rsa-1024", SigningKey::generate_rs256(1024), json!({})),
        ("rsa-2047", SigningKey::generate_rs256(2047), json!({})),
        ("crv-other", ec.clone(), json!({"crv": "P-384"})),
        ("crv-none", ec.clone(), json!({"crv": null})),
        ("crv-bitcoin", ec.clone(), json!({"crv": "secp256k1"})),
        ("off-curve", ec.clone(), json!({"y": ec.public_jwk()["x"]})),
        ("infinity", ec.clone(), json!({"x": zeros(32), "y": zeros(32)})),
        ("x-long", ec.clone(), json!({"x": base64url([vec![0], vec![1; 32]].concat())})),
        ("x-short", ec, json!({"x": "AQ"})),
        ("agreement", okp.clone(), json!({"crv": "X25519"})),
        ("small-order", okp.clone(), json!({"x": base64url([vec![1], vec![0; 31]].concat())})),
        ("not-reduced", okp, json!({"x": base64url([0xff; 32])})),
        ("secret", SigningKey::hs256([7; 32]), json!({})),
    ]
});

/// Issuer `odd` publishes all of these, two keys of one name, one without a name, and after them the good ones.
pub(crate) fn odd_setting() -> Setting {
    let changed = |key: &SigningKey, kid: &str, changes: &Value| {
        let jwk = key.clone().with_kid(kid).public_jwk();
        Value::Object(merge(object(jwk), &object(changes.clone())))
    };
    let odd = ODD_KEYS.iter().map(|(kid, key, changes)| changed(key, kid, changes));
    let others = [
        changed(own_key("EdDSA"), "two", &json!({})),
        changed(own_key("RS256"), "two", &json!({})),
        changed(&STRANGER, "", &json!({"kid": null})),
    ];
    let good = jwk_set(OWN_KEYS.iter());
    let keys: Vec<_> = odd.chain(others).chain(good["keys"].as_array().unwrap().iter().cloned()).collect();
    let mut config = json!({"issuers": [issuer("odd")]});
    add_rules(&mut config);
    let served = BTreeMap::from([("/odd".to_owned(), (200, json!({"keys": keys}).to_string().into_bytes()))]);
    Setting { name: "odd-keys".into(), config, served }
}

/// One odd key never spoils its set, and verifies nothing (JWK-010 to JWK-018).
pub(crate) fn odd_keys<H: Host>(run: &mut Run<'_, H>) {
    let setting = odd_setting();
    let payload = Claims::of("odd", run.host.now()).text();
    let mut expect = |what: &str, key: &SigningKey, kid: Value, verdict: &str| {
        let header = Value::Object(merge(object(json!({"alg": key.algorithm().name()})), &object(json!({"kid": kid}))));
        let token = sign(key, header.to_string().as_bytes(), payload.as_bytes());
        run.expect(what, &setting, &Request::get("/api/x").bearer(&token), verdict);
    };
    for (kid, key, _) in ODD_KEYS.iter() {
        expect(kid, key, json!(kid), "unsupported_algorithm");
    }
    for (what, key, kid, verdict) in [
        ("two keys of one name", own_key("EdDSA"), json!("two"), "ok"),
        ("two keys of one name", own_key("RS256"), json!("two"), "ok"),
        ("two keys of one name", own_key("ES256"), json!("two"), "unsupported_algorithm"),
        ("a key without a name", &*STRANGER, Value::Null, "ok"),
        ("a key without a name", &*STRANGER, json!(""), "ok"),
        ("a key without a name", &*STRANGER, json!(STRANGER.kid()), "ok"),
        ("a good key", own_key("ES256"), json!("ES256"), "ok"),
        ("a good key", own_key("RS256"), json!("RS256"), "ok"),
    ] {
        expect(what, key, kid, verdict);
    }
    run.expect_good("odd keys", &setting);
}

/// The keys of issuer `crowd` that are named in its set, and others that are not.
static CROWD: LazyLock<[Vec<SigningKey>; 2]> = LazyLock::new(|| {
    let named = |algorithm: Algorithm| SigningKey::generate(algorithm).with_kid(algorithm.name());
    let named = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES512, Algorithm::PS256].map(named);
    [named.into(), vec![SigningKey::generate(Algorithm::ES512), SigningKey::generate(Algorithm::ES512)]]
});

/// Issuer `crowd` publishes keys without names beside its own that have them: checking a signature with each of them
/// would take long.
pub(crate) fn crowd_setting() -> Setting {
    let rsa = |number: u8| {
        let mut modulus = [0xff; 512];
        modulus[8] = number;
        json!({"kty": "RSA", "n": base64url(modulus), "e": "AQAB"})
    };
    let unnamed = |key: &SigningKey| {
        let jwk = key.public_jwk();
        json!({"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"]})
    };
    let [named, others] = &*CROWD;
    let named = named.iter().map(SigningKey::public_jwk);
    let keys: Vec<_> = (0..4).map(rsa).chain(others.iter().map(unnamed)).chain(named).collect();
    let mut config = json!({"issuers": [issuer("crowd")]});
    add_rules(&mut config);
    let served = BTreeMap::from([("/crowd".to_owned(), (200, json!({"keys": keys}).to_string().into_bytes()))]);
    Setting { name: "crowd".into(), config, served }
}

/// How long the check of a signature takes is not for key sets to decide: what takes too long is not tried.
pub(crate) fn crowds<H: Host>(run: &mut Run<'_, H>) {
    let setting = crowd_setting();
    let payload = Claims::of("crowd", run.host.now()).text();
    for (algorithm, is_named, verdict) in [
        ("PS256", true, "ok"),
        ("PS256", false, "unknown_key"),
        ("ES512", true, "ok"),
        ("ES512", false, "unknown_key"),
        ("EdDSA", true, "ok"),
        ("EdDSA", false, "ok"),
        ("ES256", false, "ok"),
    ] {
        let key = CROWD[0].iter().find(|key| key.kid() == algorithm).unwrap();
        let header = match is_named {
            true => json!({"alg": algorithm, "kid": key.kid()}),
            false => json!({"alg": algorithm}),
        };
        let token = sign(key, header.to_string().as_bytes(), payload.as_bytes());
        let what = format!("{algorithm}, named: {is_named}");
        run.expect(&what, &setting, &Request::get("/api/x").bearer(&token), verdict);
    }
}
